"""PDF (ISO 32000) → the same pages without metadata, scripts, links, authors of annotations; all its text.

Written anew from the catalogue, so that earlier revisions and unreachable objects do not leave.
"""

from __future__ import annotations

import io
import logging
import re
import struct
import warnings
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from rttqa_build.deidentify.documents import placed
from rttqa_build.deidentify.documents.glyphs import Drawing
from rttqa_build.deidentify.documents.reading import joined
from rttqa_build.deidentify.documents.scrubbed import Content, RefusedError
from rttqa_build.deidentify.documents.walk import Walk, said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pypdf import PdfReader

    from rttqa_build.deidentify.documents.glyphs import Reading

_MOST_PAGES = 500
_PICTURE_BEGINS, _PICTURE_DATA = re.compile(rb"\bBI\b"), re.compile(rb"\bID\b")
_WRITTEN = re.compile(rb"\(((?:[^()\\]|\\.)+)\)|%([^\r\n]+)", re.DOTALL)
_ESCAPED = re.compile(rb"\\(?:([0-7]{1,3})|(.))", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"", b"f": b"\f", b"\n": b"", b"\r": b""}
_SHOWS_TEXT = re.compile(rb"[\])>]\s*T[jJ]\b|[)>]\s*['\"]")
_FOREIGN = "The document holds writing in a font without a table of its letters"


def scrub_pdf(data: bytes) -> Content:
    """Return the cleaned document; raise :class:`RefusedError` for encryption, attachments, damage."""
    from pypdf.errors import LimitReachedError, PyPdfError

    if b"%PDF-" not in data[:1024]:
        raise RefusedError("A204", "The file is not the PDF document that its name says.")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)  # its remarks quote what the document holds
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _scrub(data)
    except LimitReachedError:
        raise RefusedError("A205", "The PDF document holds more than a form or report would.") from None
    except (
        PyPdfError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        AssertionError,
        OSError,
        zlib.error,
        struct.error,
        NotImplementedError,
        RecursionError,
    ):
        raise RefusedError("A204", "The PDF document is damaged or of a kind that cannot be read.") from None


def _scrub(data: bytes) -> Content:
    from pypdf import PdfReader, PdfWriter

    reader = PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted:
        raise RefusedError("A201", "The PDF document is encrypted.")
    if len(reader.pages) > _MOST_PAGES:
        raise RefusedError("A205", f"The PDF document has more than {_MOST_PAGES} pages.")
    walk = Walk()
    walk.clean(reader.trailer["/Root"])
    writer = PdfWriter(clone_from=reader)
    writer.metadata = None
    out = io.BytesIO()
    writer.write(out)
    said = _said(PdfReader(io.BytesIO(out.getvalue())), walk.forms)
    unread = "The document holds a picture" if walk.pictures else said.unread
    opaque = (out.getvalue(), *said.contents, *walk.pictures, *walk.streams)
    return Content(out.getvalue(), ("\n".join(walk.strings), *said.texts), opaque, unread)


class _Said(NamedTuple):
    """What pages and drawings say: texts, content streams, what of them only a person can read."""

    texts: list[str]
    contents: list[bytes]
    unread: str


def _said(reader: PdfReader, forms: list[tuple[Any, Any]]) -> _Said:
    """Read all pages, and the drawings that pages, annotations and form fields show, used or not.

    The appearance of an annotation is no content of its page: what it shows has to be read by itself.
    """
    from pypdf.generic import ContentStream, NameObject

    drawing, unread = Drawing(), ""
    texts: list[str] = []
    contents: list[bytes] = []
    for page in reader.pages:
        contents_of_page = page.get_contents()
        if contents_of_page is None or not (content := contents_of_page.get_data()).strip():
            continue
        page[NameObject("/Contents")] = stream = ContentStream(contents_of_page, None, "bytes")
        seen = drawing.read(stream, page.get("/Resources"))
        text = page.extract_text()
        if _has_picture(content) or not _is_readable(text):
            unread = "The document holds a page without readable text, or a picture"
        unread = unread or (_FOREIGN if seen.is_unread else "")
        texts += _texts(text, content, seen)
        contents.append(content)
    for form, resources in forms:
        seen, content = drawing.read(form, resources), form.get_data()
        text = reader.pages[0].extract_xform_text(form)
        if _has_picture(content) or (_SHOWS_TEXT.search(content) and not _is_readable(text)):
            unread = "The document holds a drawing without readable text, or a picture"
        unread = unread or (_FOREIGN if seen.is_unread else "")
        texts += _texts(text, content, seen)
    return _Said(texts, contents, unread)


def _texts(text: str, content: bytes, seen: Reading) -> Iterator[str]:
    """Yield what a page or drawing says: in the order of drawing, by place, over line ends, beside it."""
    yield text
    yield from placed.texts(seen.glyphs, text)
    yield "\n".join(dict.fromkeys(joined(text.splitlines())))
    yield _spelt_out(content)
    yield "\n".join(seen.said)


def _spelt_out(content: bytes) -> str:
    """Return what a content stream holds in writing, shown or not: strings and comments.

    Glyph codes in hexadecimal are left out: among them a number would be found by chance.
    """
    written = (match[1] or match[2] for match in _WRITTEN.finditer(content))
    pieces = (_ESCAPED.sub(_unescaped, piece) for piece in written)
    return " ".join(text for piece in pieces for text in said(piece))


def _unescaped(match: re.Match[bytes]) -> bytes:
    """Return what an escape in a string stands for (ISO 32000-1, 7.3.4.2)."""
    octal, other = match.groups()
    return bytes([int(octal, 8) & 0xFF]) if octal else _ESCAPES.get(other, other)


def _has_picture(content: bytes) -> bool:
    """Return whether a content stream holds an inline picture (ISO 32000-1, 8.9.7)."""
    begin = _PICTURE_BEGINS.search(content)
    return begin is not None and _PICTURE_DATA.search(content, begin.end()) is not None


def _is_readable(text: str) -> bool:
    """Return whether most of a page's characters are real ones, not codes of a font without a table."""
    visible = [c for c in text if not c.isspace()]
    good = sum(c.isprintable() and not "\ue000" <= c <= "\uf8ff" and c != "\ufffd" for c in visible)
    return bool(visible) and good > 0.8 * len(visible)

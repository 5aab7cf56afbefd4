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
from typing import TYPE_CHECKING, Any

from rttqa_build.deidentify.documents.pictures import strip_jpeg
from rttqa_build.deidentify.documents.scrubbed import LARGEST_UNPACKED, Content, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pypdf import PdfReader

_MOST_PAGES = 500
_MOST_OBJECTS = 200_000
# of any dictionary: metadata, private data of programs, scripts, thumbnails, web capture, legal attestations
_REMOVED = (
    "/Metadata", "/PieceInfo", "/LastModified", "/Thumb", "/AA", "/JavaScript", "/XFA", "/SpiderInfo",
    "/Perms", "/DSS", "/Legal", "/URI", "/Requirements",
)  # fmt: skip
_SIGNATURE = ("/Name", "/Reason", "/Location", "/ContactInfo", "/Contents", "/Cert", "/M", "/Prop_Build")
_ANNOTATION = ("/T", "/M", "/NM", "/CreationDate", "/RC")
_HARMLESS_ACTIONS = frozenset({"/GoTo", "/Named"})
_PICTURE_BEGINS, _PICTURE_DATA = re.compile(rb"\bBI\b"), re.compile(rb"\bID\b")
_WRITTEN = re.compile(rb"\(((?:[^()\\]|\\.)+)\)|%([^\r\n]+)", re.DOTALL)
_ESCAPED = re.compile(rb"\\(?:([0-7]{1,3})|(.))", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"", b"f": b"\f", b"\n": b"", b"\r": b""}
_SPOKEN = re.compile(rb"/(?:ActualText|Alt|E)\s*<((?:[0-9A-Fa-f]{2})+)>")
_SHOWS_TEXT = re.compile(rb"[\])>]\s*T[jJ]\b|[)>]\s*['\"]")
_EMBEDDED = frozenset({"/FileAttachment", "/RichMedia", "/Screen", "/3D", "/Sound", "/Movie"})


def scrub_pdf(data: bytes) -> Content:
    """Return the cleaned document; raise :class:`RefusedError` for encryption, attachments, damage."""
    from pypdf.errors import PyPdfError

    if b"%PDF-" not in data[:1024]:
        raise RefusedError("A204", "The file is not the PDF document that its name says.")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)  # its remarks quote what the document holds
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _scrub(data)
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
    walk = _Walk()
    walk.clean(reader.trailer["/Root"])
    writer = PdfWriter(clone_from=reader)
    writer.metadata = None
    out = io.BytesIO()
    writer.write(out)
    texts, unread, contents = _read(PdfReader(io.BytesIO(out.getvalue())))
    drawn, hidden = _drawn(walk.forms, reader)
    unread = unread or hidden
    if walk.pictures:
        unread = "The document holds a picture"
    strings = ("\n".join(walk.strings), *texts, *drawn)
    return Content(out.getvalue(), strings, (*contents, *walk.pictures, *walk.streams), unread)


def _drawn(forms: list[Any], reader: PdfReader) -> tuple[list[str], str]:
    """Return the texts of drawings that pages, annotations and form fields show, used or not.

    The appearance of an annotation is no content of its page: what it shows has to be read by itself.
    """
    texts, unread = [], ""
    for form in forms:
        text = reader.pages[0].extract_xform_text(form)
        content = form.get_data()
        if _has_picture(content) or (_SHOWS_TEXT.search(content) and not _is_readable(text)):
            unread = "The document holds a drawing without readable text, or a picture"
        texts += [text, _spelt_out(content)]
    return texts, unread


def _spelt_out(content: bytes) -> str:
    """Return what a content stream holds in writing, shown or not: strings, comments, spoken texts.

    Glyph codes in hexadecimal are left out: among them a number would be found by chance.
    """
    spoken = (bytes.fromhex(match[1].decode()) for match in _SPOKEN.finditer(content))
    written = (match[1] or match[2] for match in _WRITTEN.finditer(content))
    pieces = [*(_ESCAPED.sub(_unescaped, piece) for piece in written), *spoken]
    codecs = ((piece, "utf_16" if piece.startswith(b"\xfe\xff") else "latin_1") for piece in pieces)
    return " ".join(piece.decode(codec, "replace") for piece, codec in codecs)


def _unescaped(match: re.Match[bytes]) -> bytes:
    """Return what an escape in a string stands for (ISO 32000-1, 7.3.4.2)."""
    octal, other = match.groups()
    return bytes([int(octal, 8) & 0xFF]) if octal else _ESCAPES.get(other, other)


def _read(reader: PdfReader) -> tuple[list[str], str, list[bytes]]:
    """Return the pages' texts, whether there is a page that has none, and the pages' content streams."""
    texts, contents, unread = [], [], ""
    for page in reader.pages:
        text = page.extract_text()
        stream = page.get_contents()
        content = stream.get_data() if stream is not None else b""
        if content.strip() and (_has_picture(content) or not _is_readable(text)):
            unread = "The document holds a page without readable text, or a picture"
        texts += [text, _spelt_out(content)]
        contents.append(content)
    return texts, unread, contents


def _has_picture(content: bytes) -> bool:
    """Return whether a content stream holds an inline picture (ISO 32000-1, 8.9.7)."""
    begin = _PICTURE_BEGINS.search(content)
    return begin is not None and _PICTURE_DATA.search(content, begin.end()) is not None


def _is_readable(text: str) -> bool:
    """Return whether most of a page's characters are real ones, not codes of a font without a table."""
    visible = [c for c in text if not c.isspace()]
    good = sum(c.isprintable() and not "\ue000" <= c <= "\uf8ff" and c != "\ufffd" for c in visible)
    return bool(visible) and good > 0.8 * len(visible)


class _Walk:
    """Visits every object that can be reached; cleans it in place; gathers what has to be searched."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self.pictures: list[bytes] = []
        self.forms: list[Any] = []
        self.streams: list[bytes] = []
        self._seen: set[int] = set()
        self._unpacked = 0

    def clean(self, root: Any) -> None:
        """Clean ``root`` and all below it."""
        waiting = [root]
        while waiting:
            thing = waiting.pop()
            thing = thing.get_object() if hasattr(thing, "get_object") else thing
            if id(thing) in self._seen:
                continue
            if isinstance(thing, (dict, list)):
                self._seen.add(id(thing))
                if len(self._seen) > _MOST_OBJECTS:
                    raise RefusedError("A205", "The PDF document has too many objects.")
            waiting.extend(self._children(thing))

    def _children(self, thing: Any) -> Iterator[Any]:
        if isinstance(thing, dict):
            self._dictionary(thing)
            yield from thing.values()
        elif isinstance(thing, list):
            yield from thing
        elif isinstance(thing, bytes):
            self.strings.append(thing.decode("latin_1"))
        elif isinstance(thing, str):
            self.strings.append(f"the name {thing[1:]}" if thing.startswith("/") else str(thing))

    def _dictionary(self, thing: dict[str, Any]) -> None:
        _refuse_embedded(thing)
        subtype = _plain(thing.get("/Subtype"))
        _remove(thing, _REMOVED)
        _remove(thing, _authorship(thing, subtype))
        for key in ("/A", "/OpenAction", "/PA", "/Next"):
            if _is_action(thing.get(key)):
                del thing[key]
        if subtype == "/Image":
            self._picture(thing)
        elif hasattr(thing, "get_data"):
            self._stream(thing, drawn=subtype == "/Form" or "/PatternType" in thing)

    def _stream(self, stream: Any, *, drawn: bool) -> None:
        data = stream.get_data()
        self._unpacked += len(data)
        if self._unpacked > LARGEST_UNPACKED:
            raise RefusedError("A205", "The PDF document unpacks to more than a form or report would hold.")
        self.streams.append(data)
        if drawn:
            self.forms.append(stream)

    def _picture(self, stream: Any) -> None:
        data = getattr(stream, "_data", b"")
        if _plain(stream.get("/Filter")) == "/DCTDecode":
            data = stream._data = strip_jpeg(data)
        self.pictures.append(data)


def _authorship(thing: dict[str, Any], subtype: Any) -> tuple[str, ...]:
    """Return the entries of a signature, a link or another annotation that name who made it, and when."""
    if _plain(thing.get("/Type")) == "/Sig":
        return _SIGNATURE
    link = ("/Contents",) if subtype == "/Link" else ()
    return (*link, *_ANNOTATION) if subtype and subtype != "/Widget" and "/Rect" in thing else link


def _remove(thing: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys:
        thing.pop(key, None)


def _plain(thing: Any) -> Any:
    """Return the object itself, or the only member of an array."""
    thing = thing.get_object() if hasattr(thing, "get_object") else thing
    return _plain(thing[0]) if isinstance(thing, list) and len(thing) == 1 else thing


def _is_action(thing: Any) -> bool:
    """Return whether it is an action that does more than turn to a page; a link to one stays."""
    action = thing.get_object() if hasattr(thing, "get_object") else thing
    return isinstance(action, dict) and "/S" in action and _plain(action["/S"]) not in _HARMLESS_ACTIONS


def _refuse_embedded(thing: dict[str, Any]) -> None:
    embedded = "/EmbeddedFiles" in thing or "/AF" in thing or "/EF" in thing or "/Collection" in thing
    if embedded or _plain(thing.get("/Subtype")) in _EMBEDDED:
        raise RefusedError("A202", "The PDF document has attachments or embedded media.")

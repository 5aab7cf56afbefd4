"""PDF (ISO 32000) → the same pages without metadata, scripts, links, authors of annotations; all its text.

Written anew from the catalogue, so that earlier revisions and unreachable objects do not leave.
"""

from __future__ import annotations

import io
import re
import warnings
import zlib
from typing import TYPE_CHECKING, Any

from rttqa_build.deidentify.documents.pictures import strip_jpeg
from rttqa_build.deidentify.documents.scrubbed import Content, RefusedError

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
_EMBEDDED = frozenset({"/FileAttachment", "/RichMedia", "/Screen", "/3D", "/Sound", "/Movie"})


def scrub_pdf(data: bytes) -> Content:
    """Return the cleaned document; raise :class:`RefusedError` for encryption, attachments, damage."""
    from pypdf.errors import PyPdfError

    if b"%PDF-" not in data[:1024]:
        raise RefusedError("A204", "The file is not the PDF document that its name says.")
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
        OSError,
        zlib.error,
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
    if walk.pictures:
        unread = "The document holds a picture"
    return Content(out.getvalue(), ("\n".join(walk.strings), *texts), (*contents, *walk.pictures), unread)


def _read(reader: PdfReader) -> tuple[list[str], str, list[bytes]]:
    """Return the pages' texts, whether there is a page that has none, and the pages' content streams."""
    texts, contents, unread = [], [], ""
    for page in reader.pages:
        text = page.extract_text()
        stream = page.get_contents()
        content = stream.get_data() if stream is not None else b""
        inline = re.search(rb"\bBI\b.*?\bID\b", content, re.DOTALL)
        if content.strip() and (inline or not _is_readable(text)):
            unread = "The document holds a page without readable text, or a picture"
        texts.append(text)
        contents.append(content)
    return texts, unread, contents


def _is_readable(text: str) -> bool:
    """Return whether most of a page's characters are real ones, not codes of a font without a table."""
    visible = [c for c in text if not c.isspace()]
    good = sum(c.isprintable() and not "\ue000" <= c <= "\uf8ff" and c != "\ufffd" for c in visible)
    return bool(visible) and good > 0.8 * len(visible)


class _Walk:
    """Visits every object that can be reached; cleans it in place; gathers strings and pictures."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self.pictures: list[bytes] = []
        self._seen: set[int] = set()

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
        kind, subtype = _plain(thing.get("/Type")), _plain(thing.get("/Subtype"))
        for key in _REMOVED:
            thing.pop(key, None)
        if subtype == "/Link":
            thing.pop("/Contents", None)
        if kind == "/Sig":
            _remove(thing, _SIGNATURE)
        if subtype and subtype != "/Widget" and "/Rect" in thing:
            _remove(thing, _ANNOTATION)
        for key in ("/A", "/OpenAction", "/PA", "/Next"):
            if _is_action(thing.get(key)):
                del thing[key]
        if subtype == "/Image":
            self._picture(thing)

    def _picture(self, stream: Any) -> None:
        data = getattr(stream, "_data", b"")
        if _plain(stream.get("/Filter")) == "/DCTDecode":
            data = stream._data = strip_jpeg(data)
        self.pictures.append(data)


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

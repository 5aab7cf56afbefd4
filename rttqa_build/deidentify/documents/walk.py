"""The objects of a PDF (ISO 32000-1, 7.3) → cleaned in place, and all that has to be searched."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from rttqa_build.deidentify.charset import decoded
from rttqa_build.deidentify.documents.pictures import strip_jpeg, strip_jpx
from rttqa_build.deidentify.documents.scrubbed import LARGEST_UNPACKED, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_OBJECTS = 200_000
# of any dictionary: metadata, private data of programs, scripts, thumbnails, web capture, legal attestations
_REMOVED = (
    "/Metadata", "/PieceInfo", "/LastModified", "/Thumb", "/AA", "/JavaScript", "/XFA", "/SpiderInfo",
    "/Perms", "/DSS", "/Legal", "/URI", "/Requirements",
)  # fmt: skip
_SIGNATURE = ("/Name", "/Reason", "/Location", "/ContactInfo", "/Contents", "/Cert", "/M", "/Prop_Build")
_ANNOTATION = ("/T", "/M", "/NM", "/CreationDate", "/RC")
_HARMLESS_ACTIONS = frozenset({"/GoTo", "/Named"})
# whose streams are read elsewhere, or are no text; of others each may be one, as a form's rich text is
_NO_TEXT = frozenset(
    {"/Contents", "/FontFile", "/FontFile2", "/FontFile3", "/ToUnicode", "/CIDSet", "/Function", "/Functions"}
)
_MARKS = {b"\xfe\xff": "utf_16_be", b"\xff\xfe": "utf_16_le", b"\xef\xbb\xbf": "utf_8"}
_PICTURES = {"/DCTDecode": strip_jpeg, "/DCT": strip_jpeg, "/JPXDecode": strip_jpx}
_EMBEDDED = frozenset({"/FileAttachment", "/RichMedia", "/Screen", "/3D", "/Sound", "/Movie"})


class Walk:
    """Visits every object that can be reached; cleans it in place; gathers what has to be searched."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self.pictures: list[bytes] = []
        self.forms: list[tuple[Any, Any]] = []  # drawings, and the resources of each
        self.streams: list[bytes] = []
        self._seen: set[int] = set()
        self._unpacked = 0

    def clean(self, root: Any) -> None:
        """Clean ``root`` and all below it."""
        waiting = [("", root)]
        while waiting:
            key, found = waiting.pop()
            thing = found.get_object() if hasattr(found, "get_object") else found
            if hasattr(thing, "get_data") and not hasattr(found, "idnum"):
                # each stands by itself (7.3.8): those inside others would be copied once more at each level
                raise RefusedError("A204", "The PDF document is damaged.")
            if id(thing) in self._seen:
                continue
            if isinstance(thing, (dict, list)):
                self._seen.add(id(thing))
                if len(self._seen) > _MOST_OBJECTS:
                    raise RefusedError("A205", "The PDF document has too many objects.")
            waiting.extend(self._children(key, thing))

    def _children(self, key: str, thing: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(thing, dict):
            self._dictionary(key, thing)
            yield from thing.items()
        elif isinstance(thing, list):
            yield from ((key, each) for each in thing)
        else:
            self.strings.extend(said(thing))

    def _dictionary(self, key: str, thing: dict[str, Any]) -> None:
        _refuse_embedded(thing)
        subtype = _plain(thing.get("/Subtype"))
        _remove(thing, _REMOVED)
        _remove(thing, _authorship(thing, subtype))
        for action in ("/A", "/OpenAction", "/PA", "/Next"):
            if _is_action(thing.get(action)):
                del thing[action]
        self.strings.extend(text for name in sorted(thing.keys() - standard_keys()) for text in said(name))
        self._glyphs(thing)
        if subtype == "/Image":
            self._picture(thing)
        elif hasattr(thing, "get_data"):
            self._stream(key, thing, drawn=subtype == "/Form" or "/PatternType" in thing)

    def _glyphs(self, font: dict[str, Any]) -> None:
        """Note the drawings of a font's letters: they may hold writing and pictures of their own."""
        for drawn in _entries(font, "/CharProcs").values():
            self.forms.append((drawn.get_object(), font.get("/Resources")))

    def _stream(self, key: str, stream: Any, *, drawn: bool) -> None:
        data = stream.get_data()
        self._unpacked += len(data)
        if self._unpacked > LARGEST_UNPACKED:
            raise RefusedError("A205", "The PDF document unpacks to more than a form or report would hold.")
        self.streams.append(data)
        if drawn:
            self.forms.append((stream, stream.get("/Resources")))
        elif key not in _NO_TEXT:
            self.strings.extend(text for text in sorted(decoded(data)) if _is_text(text))

    def _picture(self, stream: Any) -> None:
        """Strip a picture that may hold metadata of its own, under whatever packing."""
        *packing, kind = _list(stream.get("/Filter")) or [None]
        data = getattr(stream, "_data", b"")
        if (strip := _PICTURES.get(kind)) is not None:
            data = stream._data = strip(_unpacked(stream, packing) if packing else data)
        self.pictures.append(data)


def said(thing: Any) -> Iterator[str]:
    """Yield what a string or a name says."""
    if isinstance(thing, bytes):
        mark = next((mark for mark in _MARKS if thing.startswith(mark)), b"")
        yield thing.removeprefix(mark).decode(_MARKS.get(mark, "latin_1"), "replace")
    elif isinstance(thing, str):
        yield f"the name {thing[1:]}" if thing.startswith("/") else str(thing)


@functools.cache
def standard_keys() -> frozenset[str]:
    """Return the keys that the standard gives; others are names that people and programs made."""
    from pypdf import constants

    groups = (group for group in vars(constants).values() if isinstance(group, type))
    keys = {str(key) for group in groups for key in vars(group).values() if str(key).startswith("/")}
    return frozenset({"/Alt", "/Art", "/Lang", "/Pg", "/Ruby", *keys})


def _entries(thing: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the dictionary below a key, or none."""
    below: Any = thing.get(key)
    below = below.get_object() if hasattr(below, "get_object") else below
    return below if isinstance(below, dict) and not hasattr(below, "get_data") else {}


def _list(thing: Any) -> list[Any]:
    thing = thing.get_object() if hasattr(thing, "get_object") else thing
    return list(map(_plain, thing)) if isinstance(thing, list) else [] if thing is None else [thing]


def _unpacked(stream: Any, packing: list[Any]) -> bytes:
    """Return a picture's own bytes out of what packs them besides, which the stream then does no longer."""
    from pypdf.generic import ArrayObject, EncodedStreamObject, NameObject

    outer = EncodedStreamObject()
    outer._data = stream._data
    outer[NameObject("/Filter")] = ArrayObject(packing)
    parameters = _list(stream.pop("/DecodeParms", None))
    if any(isinstance(each, dict) for each in parameters[: len(packing)]):
        outer[NameObject("/DecodeParms")] = ArrayObject(parameters[: len(packing)])
    own = parameters[len(packing) :]
    if own and isinstance(own[0], dict):
        stream[NameObject("/DecodeParms")] = own[0]
    stream[NameObject("/Filter")] = _list(stream["/Filter"])[-1]
    return bytes(outer.get_data())


def _is_text(text: str) -> bool:
    return sum(c.isprintable() or c.isspace() for c in text) > 0.9 * len(text)


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

"""XML of an office document → its text, and the same bytes but for the tags that have to change.

Nothing is serialised anew: edits are spliced into the original bytes, so that namespaces, formulae and
formatting stay as the office program wrote them. Document type declarations are refused: no entity is ever
expanded.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, NoReturn
from xml.parsers import expat

from rttqa_build.deidentify.documents.scrubbed import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_START_TAG = re.compile(rb"<[^\s/>]+(?:\s+[^\s=>]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")
_ATTRIBUTE = re.compile(rb"(\s+)([^\s=>]+)(\s*=\s*)(\"[^\"]*\"|'[^']*')")
_TELLING = re.compile(r"[^\W\d_]{3}|\d{4}")
_NUMERIC = re.compile(r"[-+0-9.,eE%]*")
_BLOCKS = frozenset(
    {
        "p", "tc", "tr", "si", "is", "c", "f", "v", "comment", "threadedComment", "author",
        "definedName", "footnote", "title", "text", "oddHeader", "evenHeader", "firstHeader",
        "oddFooter", "evenFooter", "firstFooter", "lpwstr", "lpstr", "formula1", "formula2",
        "formula", "formatCode", "s", "x",
    }
)  # fmt: skip
_BLANKS = re.compile(r"\s+")
_SPACES = {"tab": " ", "br": " ", "cr": " ", "ptab": " ", "noBreakHyphen": "-"}
_LINE_ENDS = frozenset({"br", "cr"})
_HYPHENS = ("-", "\xad", "\u2010", "\u2011")
# What a reader sees of a paragraph depends: with changes accepted or rejected, without what is set beside it
# (codes of fields, text boxes, readings of characters). Bits: a text is read in each way.
_DELETED, _INSERTED, _ASIDE = 1, 2, 4
_LAYERS = {
    "del": _DELETED, "moveFrom": _DELETED, "ins": _INSERTED, "moveTo": _INSERTED,
    "instrText": _ASIDE, "delInstrText": _ASIDE, "txbxContent": _ASIDE, "rPh": _ASIDE,
}  # fmt: skip
_SPELT = frozenset({"t", "delText", "instrText", "delInstrText"})  # where blanks are content, not layout
_ENCODINGS = frozenset({"", "utf-8", "utf8", "utf-16", "us-ascii", "ascii", "iso-8859-1", "windows-1252"})
# attributes that a user writes; other values are only searched inside a sentence of their own, so that
# a colour named white is no patient named White
_USER_WRITTEN = frozenset(
    {
        "sheet", "definedName", "table", "docPr", "cNvPr", "hyperlink", "tableColumn", "dataValidation",
        "cacheField", "pivotTableDefinition", "pivotField", "s", "d", "n", "sheetName", "ddeLink", "scenario",
        "docVar", "listItem", "default", "alias", "tag", "statusText", "helpText", "bookmarkStart",
    }
)  # fmt: skip


_TYPEFACES = frozenset({"font", "rFont", "altName", "latin", "ea", "cs", "sym", "buFont"})
# written by programs: types, and typefaces, some of which bear people's names
_NOT_SEARCHED = frozenset(
    {
        "Type",
        "ContentType",
        "PartName",
        "typeface",
        "script",
        "ascii",
        "hAnsi",
        "cs",
        "eastAsia",
        "panose",
        "Ignorable",
    }
)
_STANDARD = re.compile(r"schemas|w3\.org|purl\.o")  # of namespaces


def local(name: str) -> str:
    """Return a qualified name without its prefix."""
    return name.rpartition(":")[2]


def _keep_all(_element: str, _name: str, value: str) -> str:
    return value


def _drop_none(_element: str, _attributes: Mapping[str, str]) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Rules:
    """What changes in a part.

    ``attribute(element, name, value)`` gives the new value, or None to remove the attribute; ``drop(element,
    attributes)`` tells whether an element goes with all it holds; the text of ``authors`` elements is
    replaced. Element names are local, attribute names qualified. ``date_styles``: cell styles that show
    dates; ``dates``: a cell's number → the dates it may show.
    """

    attribute: Callable[[str, str, str], str | None] = _keep_all
    drop: Callable[[str, Mapping[str, str]], bool] = _drop_none
    authors: frozenset[str] = frozenset()
    date_styles: frozenset[str] = frozenset()
    dates: Callable[[str], str] = field(default=str)


def rewrite(xml: bytes, rules: Rules) -> tuple[bytes, str]:
    """Return the part with its edits, and its text; raise :class:`RefusedError` when it is no safe XML."""
    xml = _utf8(xml)
    reader = _Reader(xml, rules)
    try:
        reader.parser.Parse(xml, True)
    except expat.ExpatError:
        raise RefusedError("A204", "A part of the document is damaged.") from None
    return _spliced(xml, reader.edits), reader.text()


def listen(
    xml: bytes, start: Callable[[str, Mapping[str, str]], None], end: Callable[[str, str], None]
) -> None:
    """Tell ``start`` of each element, local name and attributes, and ``end`` of its name and own text.

    The text is what stands behind the last tag before the end: all of it, in elements that hold text only.
    ``xml`` has been through :func:`rewrite`.
    """
    pieces: list[str] = []

    def started(name: str, attributes: dict[str, str]) -> None:
        pieces.clear()
        start(local(name), attributes)

    def ended(name: str) -> None:
        end(local(name), "".join(pieces))
        pieces.clear()

    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = started, ended
    parser.CharacterDataHandler = pieces.append
    parser.Parse(xml, True)


def _utf8(xml: bytes) -> bytes:
    if xml.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = re.sub(r"\A<\?xml[^>]*\?>", "", xml.decode("utf_16", "replace").lstrip("\ufeff"))
        return b'<?xml version="1.0" encoding="UTF-8"?>' + text.encode()
    return xml.removeprefix(b"\xef\xbb\xbf")


def _spliced(xml: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    pieces, position = [], 0
    for start, end, new in sorted(edits):
        if start >= position:
            pieces += [xml[position:start], new]
            position = end
    return b"".join([*pieces, xml[position:]])


class _Open(NamedTuple):
    """An element that is open: its name, the end of its start tag, whether it goes, in which layers it is."""

    element: str
    inside: int
    dropped: bool
    layers: int


class _Reader:
    """The expat handlers of one part: they gather text and edits (start, end, new bytes)."""

    def __init__(self, xml: bytes, rules: Rules) -> None:
        self.xml, self.rules = xml, rules
        self.edits: list[tuple[int, int, bytes]] = []
        self._pieces: list[tuple[str, int]] = []  # text, layers
        self._values: dict[str, None] = {}
        self._open: list[_Open] = []
        self._dropping = 0
        self._cell: Mapping[str, str] = {}
        self._value_from = 0
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = _check_encoding
        self.parser.StartDoctypeDeclHandler = _refuse_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.CommentHandler = self._comment
        self.parser.ProcessingInstructionHandler = self._instruction

    def text(self) -> str:
        """Return lines: paragraphs and cells, then attribute values that a user may have written."""
        layers = {layer for _, layer in self._pieces}
        ways = (0, _DELETED, _INSERTED) if any(layer & ~_ASIDE for layer in layers) else (0,)
        asides = (0, _ASIDE) if any(layer & _ASIDE for layer in layers) else (0,)
        read = dict.fromkeys(self._read(aside, without) for aside in asides for without in ways)
        return "\n".join([*read, *self._values])

    def _read(self, aside: int, without: int) -> str:
        """Return the lines of one way to read the part: beside the text or in it, without a layer."""
        pieces = (text for text, layer in self._pieces if layer & _ASIDE == aside and not layer & without)
        return _BLANKS.sub(lambda blank: "\n" if "\n" in blank[0] else blank[0], "".join(pieces))

    def _say(self, text: str) -> None:
        self._pieces.append((text, self._open[-1].layers if self._open else 0))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        at, element = self.parser.CurrentByteIndex, local(name)
        tag = _START_TAG.match(self.xml, at)
        if tag is None:
            raise RefusedError("A204", "A part of the document is damaged.")
        dropped = not self._dropping and self.rules.drop(element, attributes)
        layers = (self._open[-1].layers if self._open else 0) | _LAYERS.get(element, 0)
        self._open.append(_Open(element, tag.end(), dropped, layers))
        if dropped or self._dropping:
            self._dropping += 1
            if tag[0].endswith(b"/>") and dropped:
                self.edits.append((at, tag.end(), b""))
            return
        if element == "c":
            self._cell = attributes
        elif element in _SPACES:
            self._say(self._space(element))
        self._value_from = len(self._pieces)
        if attributes:
            self._attributes(element, tag, attributes)

    def _space(self, element: str) -> str:
        """Return what an empty element looks like; a line ends for the eye only behind a hyphen."""
        before = self._pieces[-1][0].rstrip() if self._pieces else ""
        return "\n" if element in _LINE_ENDS and before.endswith(_HYPHENS) else _SPACES[element]

    def _attributes(self, element: str, tag: re.Match[bytes], attributes: Mapping[str, str]) -> None:
        new = _ATTRIBUTE.sub(lambda match: self._attribute(element, match), tag[0])
        if new != tag[0]:
            self.edits.append((tag.start(), tag.end(), new))
        if element in _TYPEFACES or (element == "name" and self._parent() == "font"):
            return  # typefaces bear people's names
        for name, value in attributes.items():
            kept = self.rules.attribute(element, name, value)
            ours = local(name) in _NOT_SEARCHED or (name.startswith("xmlns") and _STANDARD.search(value))
            if kept and not ours and _is_telling(kept, by_user=element in _USER_WRITTEN):
                self._values[kept if element in _USER_WRITTEN else f"value of an attribute: {kept}"] = None

    def _parent(self) -> str:
        return self._open[-2].element if len(self._open) > 1 else ""

    def _attribute(self, element: str, match: re.Match[bytes]) -> bytes:
        before, name, equals, quoted = match.groups()
        value = html.unescape(quoted[1:-1].decode())
        new = self.rules.attribute(element, name.decode(), value)
        if new is None:
            return b""
        return match[0] if new == value else before + name + equals + b'"' + html.escape(new).encode() + b'"'

    def _end(self, _name: str) -> None:
        at = self.parser.CurrentByteIndex
        element, inside, dropped, _ = last = self._open[-1]
        del self._open[-1]
        if self._dropping:
            self._dropping -= 1
            if dropped and at >= inside:
                start = self.xml.rfind(b"<", 0, inside)
                self.edits.append((start, self.xml.index(b">", at) + 1, b""))
            return
        if element in self.rules.authors and at > inside:
            self.edits.append((inside, at, b"Author"))
        if element == "v":
            self._finish_value()
        if element in _BLOCKS:
            self._pieces.append(("\n", last.layers))

    def _finish_value(self) -> None:
        """Cell values: an index into the shared strings is no content; a date is shown as one."""
        value = "".join(text for text, _ in self._pieces[self._value_from :])
        if self._cell.get("t") == "s":
            del self._pieces[self._value_from :]
        elif self._cell.get("s") in self.rules.date_styles:
            self._say("\n" + self.rules.dates(value))

    def _characters(self, data: str) -> None:
        element = self._open[-1].element if self._open else ""
        layout = data.isspace() and element not in _SPELT
        if not (self._dropping or layout or element in self.rules.authors):
            self._say(data)

    def _comment(self, _data: str) -> None:
        self._cut(b"-->")

    def _instruction(self, _target: str, _data: str) -> None:
        self._cut(b"?>")

    def _cut(self, end: bytes) -> None:
        """Remove what no office program shows: a comment or an instruction of XML."""
        at = self.parser.CurrentByteIndex
        self.edits.append((at, self.xml.index(end, at) + len(end), b""))


def _check_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if (encoding or "").lower() not in _ENCODINGS:
        raise RefusedError(
            "A204", "A part of the document is in an encoding that office programs do not use."
        )


def _is_telling(value: str, *, by_user: bool) -> bool:
    """Return whether a value may be a name or a number: of all attributes, most are measures and switches."""
    if by_user:
        return len(value) > 1 and (len(value) > 4 or not _NUMERIC.fullmatch(value))
    return bool(_TELLING.search(value)) and not _NUMERIC.fullmatch(value)


def _refuse_doctype(*_: object) -> NoReturn:
    raise RefusedError("A206", "The document holds a document type declaration.")

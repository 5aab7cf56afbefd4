"""XML of an office document → its text, and the same bytes but for the tags that have to change.

Nothing is serialised anew: edits are spliced into the original bytes, so that namespaces, formulae and
formatting stay as the office program wrote them. Document type declarations are refused: no entity is ever
expanded.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn
from xml.parsers import expat

from rttqa_build.deidentify.documents.scrubbed import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_START_TAG = re.compile(rb"<[^\s/>]+(?:\s+[^\s=>]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")
_ATTRIBUTE = re.compile(rb"(\s+)([^\s=>]+)(\s*=\s*)(\"[^\"]*\"|'[^']*')")
_TELLING = re.compile(r"[^\W\d_]{3}|\d{5}")
_NUMERIC = re.compile(r"[-+0-9.,eE%]*")
_BLOCKS = frozenset(
    {
        "p", "tc", "tr", "si", "is", "c", "f", "v", "comment", "threadedComment", "author",
        "definedName", "footnote", "title", "text", "oddHeader", "evenHeader", "firstHeader",
        "oddFooter", "evenFooter", "firstFooter", "lpwstr", "lpstr", "formula1", "formula2",
        "formula", "s", "x",
    }
)  # fmt: skip
_EMPTY_LINES = re.compile(r"\s*\n\s*")
_SPACES = frozenset({"tab", "br", "cr", "noBreakHyphen", "ptab"})
# attributes that a user writes; other values are only searched inside a sentence of their own, so that
# a colour named white is no patient named White
_USER_WRITTEN = frozenset({"sheet", "definedName", "table", "docPr", "cNvPr", "hyperlink", "tableColumn"})


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


class _Reader:
    """The expat handlers of one part: they gather text and edits (start, end, new bytes)."""

    def __init__(self, xml: bytes, rules: Rules) -> None:
        self.xml, self.rules = xml, rules
        self.edits: list[tuple[int, int, bytes]] = []
        self._pieces: list[str] = []
        self._values: dict[str, None] = {}
        self._open: list[tuple[str, int, bool]] = []  # element, end of its start tag, dropped
        self._dropping = 0
        self._cell: Mapping[str, str] = {}
        self._value_from = 0
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.CommentHandler = self._comment
        self.parser.ProcessingInstructionHandler = self._instruction

    def text(self) -> str:
        """Return lines: paragraphs and cells, then attribute values that a user may have written."""
        return "\n".join([_EMPTY_LINES.sub("\n", "".join(self._pieces)), *self._values])

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        at, element = self.parser.CurrentByteIndex, local(name)
        tag = _START_TAG.match(self.xml, at)
        if tag is None:
            raise RefusedError("A204", "A part of the document is damaged.")
        dropped = not self._dropping and self.rules.drop(element, attributes)
        self._open.append((element, tag.end(), dropped))
        if dropped or self._dropping:
            self._dropping += 1
            if tag[0].endswith(b"/>") and dropped:
                self.edits.append((at, tag.end(), b""))
            return
        if element == "c":
            self._cell = attributes
        elif element in _SPACES:
            self._pieces.append(" ")
        self._value_from = len(self._pieces)
        if attributes:
            self._attributes(element, tag, attributes)

    def _attributes(self, element: str, tag: re.Match[bytes], attributes: Mapping[str, str]) -> None:
        new = _ATTRIBUTE.sub(lambda match: self._attribute(element, match), tag[0])
        if new != tag[0]:
            self.edits.append((tag.start(), tag.end(), new))
        for name, value in attributes.items():
            kept = self.rules.attribute(element, name, value)
            ours = local(name) in _NOT_SEARCHED or name.startswith("xmlns")
            if kept and not ours and _is_telling(kept):
                self._values[kept if element in _USER_WRITTEN else f"value of an attribute: {kept}"] = None

    def _attribute(self, element: str, match: re.Match[bytes]) -> bytes:
        before, name, equals, quoted = match.groups()
        value = html.unescape(quoted[1:-1].decode())
        new = self.rules.attribute(element, name.decode(), value)
        if new is None:
            return b""
        return match[0] if new == value else before + name + equals + b'"' + html.escape(new).encode() + b'"'

    def _end(self, _name: str) -> None:
        at = self.parser.CurrentByteIndex
        element, inside, dropped = self._open.pop()
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
            self._pieces.append("\n")

    def _finish_value(self) -> None:
        """Cell values: an index into the shared strings is no content; a date is shown as one."""
        value = "".join(self._pieces[self._value_from :])
        if self._cell.get("t") == "s":
            del self._pieces[self._value_from :]
        elif self._cell.get("s") in self.rules.date_styles:
            self._pieces.append("\n" + self.rules.dates(value))

    def _characters(self, data: str) -> None:
        if not self._dropping and not (self._open and self._open[-1][0] in self.rules.authors):
            self._pieces.append(data)

    def _comment(self, data: str) -> None:
        self._pieces.append(f"\n{data}\n")

    def _instruction(self, target: str, data: str) -> None:
        self._pieces.append(f"\n{target} {data}\n")


def _is_telling(value: str) -> bool:
    return bool(_TELLING.search(value)) and not _NUMERIC.fullmatch(value)


def _refuse_doctype(*_: object) -> NoReturn:
    raise RefusedError("A206", "The document holds a document type declaration.")

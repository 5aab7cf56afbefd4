"""Bytes → a document and findings, from PyYAML's events: no composer, no constructor, bounded depth."""

from __future__ import annotations

import bisect
import codecs
import re
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn

import yaml

from rttqa_build.diagnostic import Diagnostic, Location, finding
from rttqa_build.source.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rttqa_build.source.document import Json, Path

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 50
_MAX_FINDINGS = 50

# libyaml's parser where PyYAML was built with it (all wheels are), ten times as fast as the Python one.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_LITERALS: Mapping[str, Json] = {"true": True, "false": False, "null": None, "": None}
# int() refuses more than 4,300 digits by default; "-0" would lose its sign.
_MAX_INT_CHARACTERS = 4000
# Control characters, line breaks that most editors don't show as such, direction marks that make a
# reviewer read something else than the machine, byte-order marks inside the text, non-characters.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_UNUSUAL_SPACE = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_TAB_INDENT = re.compile(r"^ *\t", re.MULTILINE)
_CONFLICT = re.compile(r"^<{7}(?= |$)", re.MULTILINE)
_CLOSED_TOO_LATE = re.compile(r" #[^\]}]*[\]}]")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")

# libyaml's and PyYAML's words → what is wrong and what to do. The first found in the parser's message counts.
_INDENTED = (
    "a line is indented differently from its neighbours",
    "Fields of one group start in the same column; so do the dashes of one list.",
)
_UNCLOSED = (
    "a quotation mark is opened and never closed",
    "Close it; inside single quotes an apostrophe is written twice.",
)
_BACKSLASH = (
    "a backslash in double quotes has a meaning of its own",
    "Use single quotes, and / instead of \\ in paths.",
)
_SYNTAX: Mapping[str, tuple[str, str]] = {
    "mapping values are not allowed": (
        "a field begins where none can",
        "Look for a second ': ' in one line (put such text between quotes) or wrong indentation.",
    ),
    "',' or": (
        "a list or group in brackets is not closed",
        "Separate entries with commas and close the bracket.",
    ),
    "unexpected end of stream": _UNCLOSED,
    "unexpected document indicator": _UNCLOSED,
    "escape": _BACKSLASH,
    "hexdecimal": _BACKSLASH,
    "cannot start any token": (
        "text cannot begin with this character unless it is quoted",
        "Put the text between quotes.",
    ),
    "expected ':'": (
        "a line has no colon after its field name, or no space after the colon",
        "Write 'field: value'; a text of several lines stands further right than the name of its field.",
    ),
    "expected key": _INDENTED,
    "expected '-'": _INDENTED,
    "expected <block end>": _INDENTED,
}
_AS_UTF8 = "Save the file as UTF-8 (in Notepad: Save as, Encoding, UTF-8); PowerShell's `>` writes UTF-16."
_OTHER_SYNTAX = (
    "this is not YAML",
    "Check that this is the file you mean; compare the line with its neighbours.",
)


def parse(data: bytes, file: str) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """Read one YAML document.

    Returns the document, or None where it could not be read to its end, and every finding. A document that
    comes with findings is good for further checks, never for use.
    """
    text, findings = _decode(data, file)
    if text is None:
        return None, findings
    composer = _Composer(file, text)
    root = composer.document()
    if composer.lost:
        return None, tuple(composer.findings)
    return Document(file, root, composer.values, composer.keys, text), tuple(composer.findings)


def _decode(data: bytes, file: str) -> tuple[str | None, tuple[Diagnostic, ...]]:
    """Return the text, or None and the reasons why these bytes are no text of ours."""
    if len(data) > MAX_BYTES:
        return None, (finding("M001", "the file is larger than 1 MiB", Location(file)),)
    if sixteen(data):
        message, hint = "the file is UTF-16 text (what Windows calls Unicode), not UTF-8", _AS_UTF8
        return None, (finding("M002", message, Location(file, 1, 1), hint=hint),)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        return None, (finding("M002", "the file is not UTF-8 text", _place(file, before)),)
    hidden = [
        finding("M003", "an invisible character stands here", _place(file, text[: match.start()]))
        for _, match in zip(range(_MAX_FINDINGS), _INVISIBLE.finditer(text), strict=False)
    ]
    if hidden:
        return None, tuple(hidden)
    return text, ()


def sixteen(data: bytes) -> str:
    """Return the encoding of UTF-16 text, with a mark at its beginning or without; else an empty text."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = data[:256]
    even, odd = start[::2], start[1::2]
    for encoding, letters, zeros in (("utf-16-le", even, odd), ("utf-16-be", odd, even)):
        if zeros.count(0) * 2 > len(zeros) and 0 not in letters:
            return encoding
    return ""


def _place(file: str, before: str) -> Location:
    """Return where the text ``before`` ends."""
    lines = _LINE_BREAK.split(before)
    return Location(file, len(lines), len(lines[-1]) + 1)


class _LostError(Exception):
    """The rest of the document cannot be read; the reason is among the findings."""


class _Composer:
    """Builds JSON data and marks from PyYAML's events; nothing deeper than MAX_DEPTH is ever built."""

    def __init__(self, file: str, text: str) -> None:
        self.values: dict[Path, tuple[int, int]] = {}
        self.keys: dict[Path, tuple[int, int]] = {}
        self.findings: list[Diagnostic] = []
        self.lost = False
        self._file = file
        self._text = text
        self._events: Iterator[yaml.Event] = iter(())

    def document(self) -> Json:
        """Return the data of the one document there may be."""
        self._events = iter(yaml.parse(self._text, Loader=_LOADER))
        try:
            root = self._only_document()
        except yaml.YAMLError as error:
            self.lost = True
            self._syntax_error(error)
        except _LostError:
            self.lost = True
        else:
            return root
        return None

    def _only_document(self) -> Json:
        next(self._events)
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            self._lose("M006", "the file is empty", yaml.StreamEndEvent())
        root = self._node(next(self._events), ())
        next(self._events)
        end = next(self._events)
        if not isinstance(end, yaml.StreamEndEvent):
            self._lose("M008", "a second document begins here", end)
        return root

    def _node(self, event: yaml.Event, path: Path) -> Json:
        self.values[path] = _position(event)
        if isinstance(event, yaml.AliasEvent):
            self._lose("M010", "this value is a reference to another one", event)
        self._plain(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if len(path) >= MAX_DEPTH:
            self._lose("M007", f"values are nested more than {MAX_DEPTH} levels deep", event)
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._node(item, (*path, n)) for n, item in enumerate(self._until(yaml.SequenceEndEvent))]
        return self._mapping(path)

    def _mapping(self, path: Path) -> dict[str, Json]:
        result: dict[str, Json] = {}
        for event in self._until(yaml.MappingEndEvent):
            name = self._name(event)
            inner = (*path, name)
            if name in result:
                self._report("M009", f"this field is given twice, first in line {self.keys[inner][0]}", event)
            self.keys[inner] = _position(event)
            result[name] = self._node(next(self._events), inner)
        return result

    def _name(self, event: yaml.Event) -> str:
        """Return a field's name, in NFC so that two spellings of one name count as one."""
        if not isinstance(event, yaml.ScalarEvent):
            self._lose("M013", "a field's name must be text", event)
        self._plain(event)
        if event.value == "<<" and event.implicit[0]:
            self._report("M012", "'<<' merges another group into this one", event)
        self._shown(event)
        return unicodedata.normalize("NFC", event.value)

    def _scalar(self, event: yaml.ScalarEvent) -> Json:
        value: str = event.value
        if not event.implicit[0]:
            self._shown(event)
            return value
        if value in _LITERALS:
            return _LITERALS[value]
        return _number(value) if _NUMBER.fullmatch(value) else value

    def _shown(self, event: yaml.ScalarEvent) -> None:
        if event.style == '"' and _INVISIBLE.search(event.value):
            self._report("M003", "an escape in this text stands for an invisible character", event)

    def _plain(self, event: yaml.Event) -> None:
        if getattr(event, "anchor", None) is not None:
            self._report("M010", "this value has an anchor", event)
        if getattr(event, "tag", None) is not None:
            self._report("M011", "this value has a type tag", event)

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _report(self, code: str, message: str, event: yaml.Event) -> None:
        line, column = _position(event)
        self.findings.append(finding(code, message, Location(self._file, line, column)))
        if len(self.findings) >= _MAX_FINDINGS:
            raise _LostError

    def _lose(self, code: str, message: str, event: yaml.Event) -> NoReturn:
        self._report(code, message, event)
        raise _LostError

    def _syntax_error(self, error: yaml.YAMLError) -> None:
        problem = str(getattr(error, "problem", "") or "")
        mark = getattr(error, "problem_mark", None)
        in_quotes = "quoted" in str(getattr(error, "context", "")) and "unexpected" in problem
        if in_quotes or "expected ':'" in problem:  # noticed only behind the line that is at fault
            mark = getattr(error, "context_mark", mark)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if hidden := self._unmerged() or self._tabs(line) or self._spaces(line) or self._swallowed(error):
            self.findings.extend(hidden)
            return
        words = next((words for part, words in _SYNTAX.items() if part in problem), _OTHER_SYNTAX)
        self.findings.append(finding("M004", words[0], Location(self._file, line, column), hint=words[1]))

    def _swallowed(self, error: yaml.YAMLError) -> list[Diagnostic]:
        """Return a finding where a bracket is not closed because a # before its end begins a comment."""
        mark = getattr(error, "context_mark", None)
        if "flow" not in str(getattr(error, "context", "")) or mark is None:
            return []
        lines = [*_LINE_BREAK.split(self._text), ""]  # a mark may stand behind the last line
        comment = _CLOSED_TOO_LATE.search(lines[min(mark.line, len(lines) - 1)], mark.column)
        if comment is None:
            return []
        where = Location(self._file, mark.line + 1, comment.start() + 2)
        message = "this # begins a comment, and the bracket before it is not closed"
        return [finding("M004", message, where, hint="Put the text that holds # between quotes.")]

    def _unmerged(self) -> list[Diagnostic]:
        """Return a finding for each place at which Git could not merge two versions of the file."""
        places = self._places(match.start() for match in _CONFLICT.finditer(self._text))
        hint = (
            "Keep one of the two versions that follow; delete the other, and the lines of <<<, === and >>>."
        )
        message = "Git could not merge two versions of the file here"
        return [finding("M004", message, place, hint=hint) for place in places[:_MAX_FINDINGS]]

    def _tabs(self, line: int) -> list[Diagnostic]:
        """Return a finding for each line indented by a tab, if the parser stopped at one of them."""
        places = self._places(match.end() - 1 for match in _TAB_INDENT.finditer(self._text))
        if all(place.line != line for place in places):
            return []
        return [finding("M005", "a tab indents this line", place) for place in places[:_MAX_FINDINGS]]

    def _spaces(self, line: int) -> list[Diagnostic]:
        """Return a finding for each unusual space about the line where the parser stopped."""
        places = self._places(match.start() for match in _UNUSUAL_SPACE.finditer(self._text))
        near = [place for place in places if abs(place.line - line) <= 1]
        message = "a space that is not the plain one stands here: YAML takes it for a letter"
        hint = "Delete it and type a space; text pasted from a word processor brings such spaces."
        return [finding("M003", message, place, hint=hint) for place in near[:_MAX_FINDINGS]]

    def _places(self, offsets: Iterable[int]) -> list[Location]:
        """Return where characters of the text stand; there may be as many as it has."""
        starts = [0, *(match.end() for match in _LINE_BREAK.finditer(self._text))]
        lines = ((offset, bisect.bisect(starts, offset)) for offset in offsets)
        return [Location(self._file, line, offset - starts[line - 1] + 1) for offset, line in lines]


def _position(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _number(text: str) -> int | Decimal:
    """Return the number, keeping the text as it was written."""
    if "." in text or text == "-0" or len(text) > _MAX_INT_CHARACTERS:
        return Decimal(text)
    return int(text)

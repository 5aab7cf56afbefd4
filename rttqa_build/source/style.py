"""A manifest's text → the same manifest in the house style: spacing, indentation, order of the fields.

Nothing is lost and nothing is said anew: every scalar keeps its spelling and its quotation marks, every
comment its words. ruamel.yaml re-emits the nodes, comments attached; the lines are then put in order here,
each field with the comments right above it. Settled text comes back as it is.
"""

from __future__ import annotations

import io
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from rttqa_build.source import canonical, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rttqa_build.source import Path

    Order = Mapping[Path, Sequence[str]]

# libyaml's where it is there; where a token ends it tells in another way, so it serves for beginnings only
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INDENT = 2
_MOST_PASSES = 4
_ENDLESS = 1 << 20  # columns: lines are never folded
_COMMENT = re.compile(r" *#")


class StyleError(ValueError):
    """The text cannot be styled without a loss; the message names no value."""


def styled(text: str, order: Order) -> str:
    """Return a document in the house style.

    ``order``: path of a group → its fields in their order; others follow in the order they have. The text
    must be one that :func:`rttqa_build.source.parse` reads without a finding. Raises StyleError when data or
    comments would not come back as they are.
    """
    data = _data(text)
    before, new = text, _pass(text, order)
    for _ in range(_MOST_PASSES):
        if new == before:
            break
        before, new = new, _pass(new, order)
    if _data(new) != data or _comments(new) != _comments(text):
        raise StyleError("the text cannot be put in order without a loss")
    return new


def _pass(text: str, order: Order) -> str:
    lines = _spaced(_emitted(text.replace("\r\n", "\n")).split("\n"))
    for path, names in order.items():
        lines = _ordered(lines, path, names)
    return "\n".join(lines).strip("\n") + "\n"


def _emitted(text: str) -> str:
    """Return the text as ruamel.yaml writes its nodes: nothing is constructed, so no value is understood.

    It would join the paragraphs of folded text (``>``), so that is given to it as literal text (``|``).
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    lines = text.split("\n")
    styles = [style for _, _, style in _block_texts(lines)]
    text = "\n".join(_restyled(lines, ["|"] * len(styles)))
    writer: Any = YAML()
    writer.preserve_quotes = True
    writer.width = _ENDLESS
    writer.indent(mapping=_INDENT, sequence=2 * _INDENT, offset=_INDENT)
    out = io.StringIO()
    try:
        writer.serialize(writer.compose(text), out)
    except (YAMLError, AttributeError, LookupError, TypeError, ValueError) as error:
        # it fails in many ways on comments in unusual places
        raise StyleError("the text cannot be put in order without a loss") from error
    return "\n".join(_restyled(out.getvalue().split("\n"), styles))


def _block_texts(lines: list[str]) -> list[tuple[int, int, str]]:
    """Return line, column and sign (``|`` or ``>``) of each text of several lines that begins with one."""
    return [
        (token.start_mark.line, token.start_mark.column, token.style)
        for token in yaml.scan("\n".join(lines), Loader=_LOADER)
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">")
    ]


def _restyled(lines: list[str], styles: Sequence[str]) -> list[str]:
    """Return lines with other signs before the texts of several lines."""
    result = list(lines)
    for (line, column, _), style in zip(_block_texts(lines), styles, strict=False):
        result[line] = f"{result[line][:column]}{style}{result[line][column + 1 :]}"
    return result


# --- spacing -----------------------------------------------------------------------------------------------


class _Line(NamedTuple):
    """Where a line's last token ends; ``inside``: it belongs to a scalar that began further up."""

    end: int = 0
    inside: bool = False


def _spaced(lines: list[str]) -> list[str]:
    """Return lines with comments above their field, or two spaces behind it; no two blank lines together."""
    known = _scanned(lines)
    result: list[str] = []
    for number, line in enumerate(lines):
        if known[number].inside:
            result.append(line)
        elif _COMMENT.match(line):
            result.append(" " * _comment_indent(lines, known, number) + line.strip())
        elif line.strip():
            result.append(_trailing(line, known[number].end))
        elif result and result[-1]:
            result.append("")
    return result


def _scanned(lines: list[str]) -> list[_Line]:
    found = [_Line() for _ in lines]
    for token in yaml.scan("\n".join(lines), Loader=yaml.SafeLoader):
        first, last = token.start_mark, token.end_mark
        if not isinstance(token, yaml.ScalarToken):
            if last.line < len(found) and last.column > found[last.line].end:
                found[last.line] = _Line(last.column, found[last.line].inside)
            continue
        block = token.style in ("|", ">")
        for line in range(first.line + 1, last.line + (0 if block else 1)):
            found[line] = _Line(inside=True)
        if first.line == last.line:
            found[last.line] = _Line(last.column)
        elif block:
            found[first.line] = _Line(len(lines[first.line]))
    return found


def _comment_indent(lines: list[str], known: list[_Line], number: int) -> int:
    """Return where a comment on a line of its own begins: with the field below, or with the one above.

    The one above counts where the comment stands deeper than the field below.
    """
    own = _indent(lines[number])
    below = next((n for n in range(number + 1, len(lines)) if _is_field(lines[n], known[n])), None)
    above = next((n for n in range(number - 1, -1, -1) if _is_field(lines[n], known[n])), None)
    following = _indent(lines[below]) if below is not None else 0
    if own <= following or above is None:
        return following
    deepest = max(following, _indent(lines[above]))
    if own > deepest and _COMMENT.match(lines[number - 1]):
        return own  # a field that is commented out, below the group that is
    return max(n for n in (following, _indent(lines[above])) if n <= max(own, following))


def _is_field(line: str, known: _Line) -> bool:
    return bool(line.strip()) and not known.inside and not _COMMENT.match(line)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _trailing(line: str, end: int) -> str:
    comment = line[end:].strip()
    return f"{line[:end].rstrip()}  {comment}" if comment.startswith("#") else line.rstrip()


# --- order -------------------------------------------------------------------------------------------------


class _Block(NamedTuple):
    name: str
    start: int
    stop: int


def _ordered(lines: list[str], path: Path, names: Sequence[str]) -> list[str]:
    """Return the lines with the fields of one group in order, each with the comments right above it."""
    blocks = _blocks(lines, path)
    rank = {name: number for number, name in enumerate(names)}
    wanted = sorted(blocks, key=lambda block: rank.get(block.name, len(rank)))
    if not blocks or wanted == blocks:
        return lines
    moved = [line for block in wanted for line in lines[block.start : block.stop]]
    return [*lines[: blocks[0].start], *moved, *lines[blocks[-1].stop :]]


def _blocks(lines: list[str], path: Path) -> list[_Block]:
    """Return where each field of a group begins and ends; nothing for one written in braces."""
    document, _ = parse("\n".join(lines).encode(), "")
    if document is None:
        return []
    places = sorted(
        (line - 1, column - 1, str(full[-1]))
        for full, (line, column) in document.keys.items()
        if full[:-1] == path
    )
    columns = {column for _, column, _ in places}
    if len(columns) != 1 or len({line for line, _, _ in places}) < len(places):
        return []
    column = columns.pop()
    end = _end(lines, places[-1][0], column)
    limits = [*(_with_comments(lines, line, column) for line, _, _ in places), end]
    return [
        _Block(name, start, stop)
        for (_, _, name), (start, stop) in zip(places, pairwise(limits), strict=True)
    ]


def _with_comments(lines: list[str], line: int, column: int) -> int:
    """Return where the comments right above a field begin; those at the top of the file are the file's."""
    start = line
    while start and lines[start - 1].startswith(" " * column + "#"):
        start -= 1
    return start or line


def _end(lines: list[str], last: int, column: int) -> int:
    """Return where the last field of a group ends: before anything that stands further left."""
    stop = last + 1
    while stop < len(lines) and (not lines[stop].strip() or _indent(lines[stop]) > column):
        stop += 1
    while stop > last + 1 and not lines[stop - 1].strip():
        stop -= 1
    return stop


# --- nothing is lost ---------------------------------------------------------------------------------------


def _data(text: str) -> bytes:
    document, findings = parse(text.encode(), "")
    if document is None or findings:
        raise StyleError("the text cannot be read as a manifest")
    return canonical(document.data)


def _comments(text: str) -> list[str]:
    return sorted(_each_comment(text.replace("\r\n", "\n").split("\n")))


def _each_comment(lines: list[str]) -> Iterator[str]:
    known = _scanned(lines)
    for line, (end, inside) in zip(lines, known, strict=True):
        rest = line[end:].strip()
        if not inside and rest.startswith("#"):
            yield rest

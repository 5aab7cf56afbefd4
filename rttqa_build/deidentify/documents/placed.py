"""Letters at their places → the texts that a reader of the page sees, whatever the order of drawing.

A reader takes letters on one base line for words, however they were put there, and goes on below where a word
ends at the edge of its column.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from rttqa_build.deidentify.documents import cells
from rttqa_build.deidentify.documents.reading import fields, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rttqa_build.deidentify.documents.glyphs import Glyph

    Segment = list[Glyph]

# in heights of the font
_SAME_LINE = 0.3
_WORD_GAP, _COLUMN_GAP = 0.15, 1.2
_NEXT_LINE = 2.5
_FEW_GAPS = 4
_SAME_EDGE = 0.6
_TWICE = 0.25  # drawn twice, a little apart: bold
_FEWEST_IN_BOXES = 3
_MOST_COMPARED = 3000  # parts of lines of a page: more are all searched again


def texts(glyphs: Sequence[Glyph], known: str) -> tuple[str, ...]:
    """Return what the page says by the places of its letters, without the lines that ``known`` has already.

    Its lines with a blank at each gap, its lines with those blanks alone that are written, and what is parted
    by the edge of a column or by boxes.
    """
    lines = [list(_segments(line)) for line in _lines(glyphs)]
    segments = [segment for line in lines for segment in line]
    spelt = [_spelt(segment, _WORD_GAP) for segment in segments]
    spelt += [_spelt(segment, _COLUMN_GAP) for segment in segments if _has_blanks(segment)]
    have = f" {' '.join(known.split())} " if len(segments) <= _MOST_COMPARED else ""
    new = [text for text in dict.fromkeys(spelt) if f" {' '.join(text.split())} " not in have]
    columns = [[_spelt(segment, _WORD_GAP).strip() for segment in column] for column in _columns(segments)]
    parted = [word for column in columns for word in joined(column)]
    rows = [[_spelt(segment, _WORD_GAP).strip() for segment in line] for line in lines if len(line) > 1]
    parted += [word for row in rows for word in cells.parted(row)]
    for row in (*columns, *rows):
        parted.extend(_boxed(row))
    return tuple(filter(None, ("\n".join(new), "\n".join(dict.fromkeys(parted)))))


def _boxed(row: Sequence[str]) -> Iterator[str]:
    """Yield what single letters say that stand in a row or a column."""
    for single, run in itertools.groupby(row, key=lambda text: len(text) == 1):
        letters = "".join(run)
        if single and len(letters) >= _FEWEST_IN_BOXES:
            yield letters
            yield from fields(letters)


def _lines(glyphs: Sequence[Glyph]) -> Iterator[list[Glyph]]:
    """Yield the letters of each base line, in the order of reading."""
    line: list[Glyph] = []
    for glyph in sorted(glyphs, key=lambda g: (g.turn, -g.across, g.along)):
        if line and (glyph.turn != line[0].turn or line[0].across - glyph.across > _SAME_LINE * glyph.size):
            yield sorted(line, key=lambda g: g.along)
            line = []
        line.append(glyph)
    if line:
        yield sorted(line, key=lambda g: g.along)


def _segments(line: Iterable[Glyph]) -> Iterator[Segment]:
    """Yield the parts of a line between wide gaps, without what is drawn twice."""
    segment: Segment = []
    for glyph in line:
        if segment and _gap(segment[-1], glyph) > _COLUMN_GAP:
            yield segment
            segment = []
        if not any(_is_twice(other, glyph) for other in segment[-2:]):
            segment.append(glyph)
    if segment:
        yield segment


def _gap(one: Glyph, two: Glyph) -> float:
    return (two.along - one.along - one.width) / (max(one.size, two.size) or 1)


def _is_twice(one: Glyph, two: Glyph) -> bool:
    return one.text == two.text and two.along - one.along < _TWICE * one.width


def _has_blanks(segment: Segment) -> bool:
    """Return whether its words are parted by blanks that are written, so that gaps may be anything.

    Some programs write none: there a gap is a blank, and to leave out many of them would make new words.
    """
    gaps = sum(_gap(one, two) > _WORD_GAP for one, two in itertools.pairwise(segment))
    return gaps < _FEW_GAPS or any(glyph.text.isspace() for glyph in segment)


def _spelt(segment: Segment, gap: float) -> str:
    """Return the text of a segment with a blank at each gap that is wide enough."""
    blanks = (" " if _gap(one, two) > gap else "" for one, two in itertools.pairwise(segment))
    return "".join(itertools.chain.from_iterable(zip((g.text for g in segment), (*blanks, ""), strict=True)))


def _columns(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Yield segments that stand one below another: with the same left edge, the same middle or right edge."""
    for part in (0.0, 0.5, 1.0):
        columns: list[list[Segment]] = []
        last: dict[tuple[int, int], list[Segment]] = {}
        for segment in segments:
            turn, edge = segment[0].turn, _edge(segment, part)
            near = (last.get((turn, edge + n)) for n in (0, -1, 1))
            column = next((one for one in near if one and _is_below(one[-1], segment)), None)
            if column is None:
                columns.append(column := [])
            column.append(segment)
            last[turn, edge] = column
        yield from (column for column in columns if len(column) > 1)


def _edge(segment: Segment, part: float) -> int:
    """Return where a part of the segment's width ends, as a multiple of what counts as the same edge."""
    first, last = segment[0], segment[-1]
    width = last.along + last.width - first.along
    return round((first.along + part * width) / ((first.size or 1) * _SAME_EDGE))


def _is_below(one: Segment, two: Segment) -> bool:
    return one[0].across - two[0].across < _NEXT_LINE * max(one[0].size, two[0].size)

"""Plain text and tables of comma-separated values: they stay as they are, byte for byte; what they say."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING

from rttqa_build.deidentify.documents import cells
from rttqa_build.deidentify.documents.reading import joined, plain_text
from rttqa_build.deidentify.documents.scrubbed import Content

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAMPLE = 4096  # characters that tell how cells are parted
_DELIMITERS = ",\t;"


def scrub_text(data: bytes) -> Content:
    """Return a text; its words are also read over line ends."""
    text, *others = plain_text(data)
    return Content(data, (text, "\n".join(joined(text.splitlines())), *others))


def scrub_table(data: bytes) -> Content:
    """Return a table; it is also read cell by cell, and over neighbouring cells."""
    text, *others = plain_text(data)
    try:
        rows = [dict(enumerate(row)) for row in _rows(text)]
    except csv.Error:
        return Content(data, (text, *others))
    values = "\n".join(cell for row in rows for cell in row.values())
    return Content(data, (text, values, *cells.texts(rows), *others))


def _rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of each row; raise csv.Error where one is too long to be any.

    Python's own guess (csv.Sniffer) takes minutes over some lines of quotation marks.
    """
    sample = text[:_SAMPLE]
    lines = sample.splitlines()

    def alike(delimiter: str) -> tuple[int, int]:
        """Return how many lines have as many cells as one another, and how many cells there are."""
        counts = Counter(line.count(delimiter) for line in lines)
        del counts[0]
        return max(counts.values(), default=0), sample.count(delimiter)

    quote = max("\"'", key=sample.count)
    return csv.reader(
        io.StringIO(text), delimiter=max(_DELIMITERS, key=alike), quotechar=quote, skipinitialspace=True
    )

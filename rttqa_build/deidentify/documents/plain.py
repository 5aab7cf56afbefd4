"""Plain text and tables of comma-separated values: they stay as they are, byte for byte; what they say."""

from __future__ import annotations

import csv
import io

from rttqa_build.deidentify.documents import cells
from rttqa_build.deidentify.documents.reading import joined, plain_text
from rttqa_build.deidentify.documents.scrubbed import Content


def scrub_text(data: bytes) -> Content:
    """Return a text; its words are also read over line ends."""
    text, *others = plain_text(data)
    return Content(data, (text, "\n".join(joined(text.splitlines())), *others))


def scrub_table(data: bytes) -> Content:
    """Return a table; it is also read cell by cell, and over neighbouring cells."""
    text, *others = plain_text(data)
    try:
        dialect = csv.Sniffer().sniff(text[:4096], ",;\t")
        rows = [dict(enumerate(row)) for row in csv.reader(io.StringIO(text), dialect)]
    except csv.Error:
        return Content(data, (text, *others))
    values = "\n".join(cell for row in rows for cell in row.values())
    return Content(data, (text, values, *cells.texts(rows), *others))

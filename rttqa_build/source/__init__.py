"""YAML, cut down to JSON, with a line and a column for every value.

``document`` is what is read, ``read`` reads it from bytes, with findings (M0xx); ``write`` writes YAML that
reads back unchanged, and the canonical JSON over which digests are taken.
"""

from __future__ import annotations

from rttqa_build.source.document import Document, Json, Path, dotted
from rttqa_build.source.read import MAX_BYTES, MAX_DEPTH, parse, sixteen
from rttqa_build.source.write import canonical, dump, number_text

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "Document",
    "Json",
    "Path",
    "canonical",
    "dotted",
    "dump",
    "number_text",
    "parse",
    "sixteen",
]

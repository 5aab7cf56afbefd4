"""The words that any report or label may hold: alone they are no evidence of a name."""

from __future__ import annotations

import functools
from importlib import resources


@functools.cache
def ordinary_words() -> frozenset[str]:
    """Return the words that a text may hold by chance (``data/ordinary_words.txt``)."""
    text = resources.files("rttqa_build").joinpath("data/ordinary_words.txt").read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())

"""Text → lines that fit a terminal, without breaking what a person copies: commands, paths, digests."""

from __future__ import annotations

import re
import unicodedata

# A command between backticks is one word however many it has; so is whatever holds no space.
_WORD = re.compile(r"(?:`[^`\n]*`|\S)+")
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def columns(text: str) -> int:
    """Return how many columns a text takes: colours and combining marks take none, wide letters two."""
    plain = _ESCAPE.sub("", text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in plain)
    return len(plain) + wide - sum(unicodedata.combining(character) != 0 for character in plain)


def visible(text: str) -> str:
    """Return text of an export as a terminal may show it: nothing moves the cursor, colours or conceals."""
    return "".join(sign if sign.isprintable() else "·" for sign in text)


def fitting(text: str, width: int, hang: int) -> list[str]:
    """Return one line of text as lines of at most ``width`` columns, all but the first indented by ``hang``.

    What the line begins with stays. A word that is longer than a line has a line of its own, unbroken: a
    terminal shows it in two, and copies it in one.
    """
    start = len(text) - len(text.lstrip(" "))
    lines, line = [], text[:start]
    for found in _WORD.finditer(text):
        word = found[0]
        gap = text[len(text[: found.start()].rstrip(" ")) : found.start()] if line.strip() else ""
        if line.strip() and columns(line + gap + word) > width:
            lines.append(line)
            line, gap = " " * hang, ""
        line += gap + word
    return [*lines, line]

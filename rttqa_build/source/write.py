"""Data → YAML that reads back unchanged, and → canonical JSON: the same bytes everywhere."""

from __future__ import annotations

import json
import re
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.source.document import Json

# What every YAML reader takes for text without quotes: begins with a letter, no ": " and no " #" inside.
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_./@+-]*(?: [A-Za-z0-9_./@+-]+)*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def number_text(number: int | Decimal) -> str:
    """Return a number as it was written, never with an exponent."""
    return format(number, "f") if isinstance(number, Decimal) else str(number)


def canonical(data: Json) -> bytes:
    """Return canonical JSON: UTF-8, NFC, keys sorted by code point, compact, numbers as written."""
    return _compact(data).encode()


def _compact(data: Json) -> str:
    if isinstance(data, dict):
        named = {unicodedata.normalize("NFC", key): value for key, value in data.items()}
        return "{" + ",".join(f"{_quoted(key)}:{_compact(named[key])}" for key in sorted(named)) + "}"
    if isinstance(data, list):
        return "[" + ",".join(map(_compact, data)) + "]"
    return _quoted(unicodedata.normalize("NFC", data)) if isinstance(data, str) else _literal(data)


def dump(data: Json) -> str:
    """Return block-style YAML, fields in the order given, that :func:`parse` reads back unchanged.

    Text is written bare only where every YAML reader takes it for text; else in double quotes, on one line.
    """
    return "\n".join(_block(data)) + "\n"


def _block(data: Json) -> Iterator[str]:
    """Yield the lines of a value, not yet indented."""
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from _field(f"{_text(key)}:", value)
    elif isinstance(data, list) and data:
        for item in data:
            first, *rest = _block(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _inline(data)


def _field(name: str, value: Json) -> Iterator[str]:
    if isinstance(value, dict | list) and value:
        yield name
        yield from (f"  {line}" for line in _block(value))
    else:
        yield f"{name} {_inline(value)}"


def _inline(data: Json) -> str:
    if isinstance(data, dict | list):
        return "{}" if isinstance(data, dict) else "[]"
    return _text(data) if isinstance(data, str) else _literal(data)


def _literal(data: Json) -> str:
    if data is None:
        return "null"
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, int | Decimal):
        return number_text(data)
    raise TypeError(f"{type(data).__name__} has no place in a document")


def _text(text: str) -> str:
    return text if _BARE.fullmatch(text) and text.lower() not in _WORDS else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

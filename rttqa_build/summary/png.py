"""Pixels → PNG (ISO/IEC 15948), as a ``data:`` URI."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

GREY, RGB, INDEXED = 0, 2, 3
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def uri(width: int, height: int, pixels: bytes, kind: int, *, level: int = 1) -> str:
    """Return ``width`` × ``height`` pixels of eight bits a sample, rows from the top, as grey or RGB."""
    return _uri(width, height, pixels, kind, (), level)


def indexed(width: int, height: int, pixels: bytes, colours: Sequence[str]) -> str:
    """Return pixels that are 0, transparent, or the place, from 1, of their ``#rrggbb`` in ``colours``."""
    palette = b"\0\0\0" + b"".join(bytes.fromhex(colour[1:]) for colour in colours)
    return _uri(width, height, pixels, INDEXED, ((b"PLTE", palette), (b"tRNS", b"\0")), 6)


def _uri(
    width: int, height: int, pixels: bytes, kind: int, extra: Sequence[tuple[bytes, bytes]], level: int
) -> str:
    stride = len(pixels) // height
    rows = b"".join(b"\0" + pixels[i : i + stride] for i in range(0, len(pixels), stride))
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), *extra, (b"IDAT", zlib.compress(rows, level)), (b"IEND", b""))
    data = _SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks)
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

"""PNG and JPEG → the same picture without metadata, changed at byte level only.

Nothing is decoded or compressed again. A person must have looked at the picture (``reviewed``).
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from rttqa_build.deidentify.documents.scrubbed import Content, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PNG = b"\x89PNG\r\n\x1a\n"
# critical chunks, and those that change how the picture looks (PNG specification, third edition, 11.3)
_PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs"}
)
_SOI, _EOI, _SOS, _APP0, _APP14, _COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xEE, 0xFE
_JFIF = b"JFIF\0"
_UNREAD = "The document is a picture"


def scrub_png(data: bytes) -> Content:
    """Keep the chunks that make the picture; text, time, Exif, profiles and trailing bytes go."""
    kept = strip_png(data)
    return Content(kept, opaque=(kept,), unread=_UNREAD)


def scrub_jpeg(data: bytes) -> Content:
    """Keep what decodes the picture; Exif, XMP, IPTC, comments, thumbnails and trailing bytes go."""
    kept = strip_jpeg(data)
    return Content(kept, opaque=(kept,), unread=_UNREAD)


def strip_png(data: bytes) -> bytes:
    """Return the picture without metadata chunks; raise :class:`RefusedError` when it is damaged."""
    if not data.startswith(_PNG):
        raise RefusedError("A204", "The file is not the PNG picture that its name says.")
    kept = [_PNG]
    position, name = len(_PNG), b""
    while name != b"IEND":
        header = data[position : position + 8]
        end = position + 12 + (struct.unpack(">L", header[:4])[0] if len(header) == 8 else len(data))
        if end > len(data):
            raise RefusedError("A204", "The PNG picture is cut off.")
        name = header[4:]
        if zlib.crc32(data[position + 4 : end - 4]) != struct.unpack(">L", data[end - 4 : end])[0]:
            raise RefusedError("A204", "The PNG picture is damaged.")
        if name in _PNG_KEPT:
            kept.append(data[position:end])
        position = end
    return b"".join(kept)


def strip_jpeg(data: bytes) -> bytes:
    """Return the picture without metadata segments; raise :class:`RefusedError` when it is damaged."""
    if not data.startswith(b"\xff\xd8\xff"):
        raise RefusedError("A204", "The file is not the JPEG picture that its name says.")
    return b"\xff\xd8" + b"".join(_segment(data, *segment) for segment in _segments(data)) + b"\xff\xd9"


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end) up to the end of the image; entropy-coded data belong to their SOS."""
    position = 2
    while True:
        while data[position : position + 2] == b"\xff\xff":
            position += 1
        marker = data[position + 1 : position + 2]
        length = data[position + 2 : position + 4]
        if data[position : position + 1] != b"\xff" or not marker:
            raise RefusedError("A204", "The JPEG picture is damaged.")
        if marker[0] == _EOI:
            return
        end = position + 2 + int.from_bytes(length, "big")
        if len(length) < 2 or end < position + 4 or end > len(data):
            raise RefusedError("A204", "The JPEG picture is cut off.")
        if marker[0] == _SOS:
            end = _entropy_end(data, end)
        yield marker[0], position, end
        position = end


def _entropy_end(data: bytes, position: int) -> int:
    """Return where the next marker stands that is neither a stuffed byte nor a restart."""
    while (position := data.find(b"\xff", position)) >= 0:
        follower = data[position + 1 : position + 2]
        if follower and follower != b"\0" and not b"\xd0" <= follower <= b"\xd7":
            return position
        position += 2 if follower else 1
    raise RefusedError("A204", "The JPEG picture is cut off.")


def _segment(data: bytes, marker: int, start: int, end: int) -> bytes:
    if marker == _APP0:
        body = data[start + 4 : end]
        # version, density; a thumbnail of 0 × 0
        return b"\xff\xe0\x00\x10" + body[:12] + b"\0\0" if body.startswith(_JFIF) and len(body) > 13 else b""
    if marker == _COM or (_APP0 < marker <= 0xEF and marker != _APP14):
        return b""
    return data[start:end]


# --- JPEG 2000, inside PDF documents (ISO 15444-1, annexes A and I) ---

_JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
_CODESTREAM = b"\xff\x4f"
_BOXES = frozenset({b"jP  ", b"ftyp", b"jp2h", b"jp2c", b"rreq"})  # without xml, uuid, and what is not known
_CME, _SOT = 0x64, 0x90


def strip_jpx(data: bytes) -> bytes:
    """Return the picture without boxes and comments of metadata; raise :class:`RefusedError` for damage."""
    if data.startswith(_CODESTREAM):
        return _codestream(data)
    if not data.startswith(_JP2):
        raise RefusedError("A204", "A picture in the document is not the JPEG 2000 that it says.")
    return b"".join(_box(data, *box) for box in _boxes(data) if box[0] in _BOXES)


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield type, start, start of the content and end of each box."""
    position = 0
    while position < len(data):
        length, name = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        body = position + 8
        if length == 1:
            length, body = int.from_bytes(data[body : body + 8], "big"), body + 8
        end = position + length if length else len(data)
        if not body <= end <= len(data):
            raise RefusedError("A204", "A picture in the document is cut off.")
        yield name, position, body, end
        position = end


def _box(data: bytes, name: bytes, start: int, body: int, end: int) -> bytes:
    if name != b"jp2c":
        return data[start:end]
    codes = _codestream(data[body:end])
    return struct.pack(">L", 8 + len(codes)) + name + codes


def _codestream(data: bytes) -> bytes:
    """Return a codestream without the comments of its main header."""
    kept, position = [data[:2]], 2
    while data[position : position + 1] == b"\xff" and data[position + 1 : position + 2] != bytes([_SOT]):
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if end < position + 4 or end > len(data):
            raise RefusedError("A204", "A picture in the document is cut off.")
        if data[position + 1] != _CME:
            kept.append(data[position:end])
        position = end
    if data[position : position + 1] != b"\xff":
        raise RefusedError("A204", "A picture in the document is cut off.")
    return b"".join([*kept, data[position:]])

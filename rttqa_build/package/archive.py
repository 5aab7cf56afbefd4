"""Members in, one zip file out: the same bytes on every machine.

:func:`compress` is pure and may run in many threads (libdeflate and hashlib release the GIL);
:class:`Writer` writes what it is handed, in the order of the calls, and lists it in its directory sorted by
path. Entries carry no time (1980-01-01), mode 0644, no extra field and no data descriptor. Format: PKWARE
APPNOTE 6.3.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

import deflate

from rttqa_build import disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEVEL = 1
LARGEST_COMPRESSED = 128 << 20
HIGHEST_RATIO = 200

_STORED, _DEFLATED = 0, 8
_DOS_DATE = 1 << 5 | 1
_UNIX, _REGULAR_0644 = 3, 0o100644
_UTF8_FLAG = 0x800
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_TEMPORARY = ".part"

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Member:
    """A file ready to be written: digest, size in bytes and CRC-32 of its content, and the packed bytes."""

    sha256: str
    size: int
    crc32: int
    method: int
    payload: Buffer


def compress(data: Buffer) -> Member:
    """Return ``data`` as a member: deflated, or stored where that gains nothing or would look like a bomb.

    Stored are members over 128 MiB, those that do not shrink, and those that would shrink more than
    200-fold, which receivers refuse to expand.
    """
    view = memoryview(data).cast("B")
    size = len(view)
    method, payload = _STORED, cast("Buffer", view)
    if 0 < size <= LARGEST_COMPRESSED:
        packed = deflate.deflate_compress(view, LEVEL)
        if len(packed) < size <= HIGHEST_RATIO * len(packed):
            method, payload = _DEFLATED, packed
    return Member(hashlib.sha256(view).hexdigest(), size, deflate.crc32(view), method, payload)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the headers say about one member: where its header starts, and its name and numbers."""

    path: bytes
    flags: int
    method: int
    crc32: int
    packed: int
    size: int
    offset: int

    def local_header(self) -> bytes:
        """Return the header in front of the payload (APPNOTE 4.3.7)."""
        large = max(self.packed, self.size) >= _FULL32
        extra = struct.pack("<HHQQ", 1, 16, self.size, self.packed) if large else b""
        packed, size = (_FULL32, _FULL32) if large else (self.packed, self.size)
        fixed = struct.pack(
            "<4s5H3L2H",
            b"PK\3\4",
            45 if large else 20,
            self.flags,
            self.method,
            0,
            _DOS_DATE,
            self.crc32,
            packed,
            size,
            len(self.path),
            len(extra),
        )
        return fixed + self.path + extra

    def central_header(self) -> bytes:
        """Return the entry's line in the archive's directory (APPNOTE 4.3.12)."""
        numbers = (self.size, self.packed, self.offset)
        large = [number for number in numbers if number >= _FULL32]
        extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        size, packed, offset = (min(number, _FULL32) for number in numbers)
        version = 45 if large else 20
        fixed = struct.pack(
            "<4s6H3L5H2L",
            b"PK\1\2",
            _UNIX << 8 | version,
            version,
            self.flags,
            self.method,
            0,
            _DOS_DATE,
            self.crc32,
            packed,
            size,
            len(self.path),
            len(extra),
            0,
            0,
            0,
            _REGULAR_0644 << 16,
            offset,
        )
        return fixed + self.path + extra


def end_of_directory(count: int, size: int, offset: int) -> bytes:
    """Return the archive's last records, with zip64 ones where a number asks for it (APPNOTE 4.3.14–16)."""
    end = struct.pack(
        "<4s4H2LH",
        b"PK\5\6",
        0,
        0,
        min(count, _FULL16),
        min(count, _FULL16),
        min(size, _FULL32),
        min(offset, _FULL32),
        0,
    )
    if count < _FULL16 and max(size, offset) < _FULL32:
        return end
    version = _UNIX << 8 | 45
    large = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, version, 45, 0, 0, count, count, size, offset)
    return large + struct.pack("<4sLQL", b"PK\6\7", 0, offset + size, 1) + end


class Writer:
    """Writes an archive to ``sink``; ``size`` is how long it is by now."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._entries: dict[str, Entry] = {}
        self.size = 0

    def add(self, path: str, member: Member) -> None:
        """Write one member under ``path`` (POSIX, relative; unique ignoring case).

        Raises RttqaError when the disk does not take it.
        """
        if path.casefold() in self._entries:
            raise ValueError("two members with one path")
        name, flags = path.encode(), 0 if path.isascii() else _UTF8_FLAG
        packed = len(member.payload)
        entry = Entry(name, flags, member.method, member.crc32, packed, member.size, self.size)
        self._entries[path.casefold()] = entry
        self._write(entry.local_header())
        self._write(member.payload)

    def finish(self) -> None:
        """Write the directory, sorted by path; nothing can be added afterwards."""
        start = self.size
        entries = sorted(self._entries.values(), key=lambda entry: entry.path)
        self._write(b"".join(entry.central_header() for entry in entries))
        self._write(end_of_directory(len(self._entries), self.size - start, start))

    def _write(self, data: Buffer) -> None:
        try:
            self._sink.write(data)
        except OSError as error:
            raise disk.failure(error, "the package") from None
        self.size += len(data)


@contextlib.contextmanager
def writing(target: Path) -> Iterator[Writer]:
    """Give a writer whose archive appears as ``target``, whole and synced, when the block ends well.

    Until then it lies beside it under a temporary name, which goes when anything is raised, an interrupt
    included. What a killed run left there is swept first. Raises RttqaError when the disk fails.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}{_TEMPORARY}")
    with _disk_failures():
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent)
        sink = temporary.open("xb")
    try:
        writer = Writer(sink)
        yield writer
        writer.finish()
        with _disk_failures():
            sink.flush()
            os.fsync(sink.fileno())
            sink.close()
            temporary.replace(target)
            disk.sync_folder(target.parent)
    finally:
        with contextlib.suppress(OSError):  # a full disk refuses the last flush once more
            sink.close()
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove the half-written packages that killed runs left in ``folder``."""
    for leftover in sorted(folder.glob(f".*.zip.*{_TEMPORARY}")):
        with contextlib.suppress(OSError):
            leftover.unlink()


@contextlib.contextmanager
def _disk_failures() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise disk.failure(error, "the package") from None

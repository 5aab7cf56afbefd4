"""The zip as a container → its entries, and what keeps them from being safe and the same to all programs.

The central directory is read by zipfile, the local headers here, so that the two can be compared. Every byte
of the file must belong to an entry or to the directory.
"""

from __future__ import annotations

import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from rttqa_build.verify.fault import Fault

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator

HIGHEST_RATIO = 200
LARGEST_COMPRESSED = 128 << 20
MOST_ENTRIES = 100_000
LONGEST_PATH = 90

_ENCRYPTED = 0x1 | 0x40 | 0x2000
_LOCAL = struct.Struct("<4s5H3L2H")
_DOS_FOLDER = 0x10
_END_OF_DIRECTORY = struct.Struct("<4s4H2LH")
_FOLDER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]{0,80})_r[1-9][0-9]{0,5}")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_OURS = re.compile(
    r"data/(planning|registration|diagnostic_[a-z]{2,4}|ct_4d)(/series_\d+)?/[A-Z]{2}_\d+\.dcm"
    r"|data/documents/[a-z][a-z0-9_]*\.[a-z]{3,4}|data/clinical_summary\.pdf|data/README\.txt"
    r"|bag-info\.txt|bagit\.txt|(tag)?manifest-sha256\.txt|provenance\.json"
)


@dataclass(frozen=True, slots=True)
class Source:
    """The package's bytes, for several threads."""

    handle: BinaryIO
    lock: threading.Lock

    def at(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``offset``."""
        with self.lock:
            self.handle.seek(offset)
            return self.handle.read(size)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its path inside the folder, how findings name it, its numbers, and where its data lie.

    ``path`` is empty when the name is unsafe or outside the folder: such an entry is no part of the bag.
    ``extra`` is the length of the extra fields in its own header; both are 0 when that header is damaged.
    """

    path: str
    shown: str
    info: zipfile.ZipInfo
    start: int
    extra: int
    readable: bool


@dataclass(frozen=True, slots=True)
class Container:
    """The archive's one folder, its entries, and what is wrong with it."""

    folder: str
    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]

    @property
    def patient(self) -> str:
        """The trial ID that names the folder; empty when the folder's name does not follow the layout."""
        match = _FOLDER.fullmatch(self.folder)
        return match[1] if match else ""


def inspect(source: Source) -> Container:
    """Return the archive's entries and every fault of its headers."""
    try:
        with source.lock, zipfile.ZipFile(source.handle) as archive:
            infos, start = archive.infolist(), archive.start_dir
    except (zipfile.BadZipFile, ValueError, ArithmeticError, NotImplementedError, struct.error):
        return Container("", (), (Fault("K010", "The file is not a zip archive that can be read."),))
    if len(infos) > MOST_ENTRIES:
        message = f"The archive lists {len(infos)} entries; {MOST_ENTRIES} are the most."
        return Container("", (), (Fault("K017", message),))
    folder = infos[0].orig_filename.split("/")[0] if infos else ""
    found = [_entry(number, info, folder, source) for number, info in enumerate(infos, start=1)]
    entries = tuple(entry for entry, _ in found)
    faults = (
        *(fault for _, faults in found for fault in faults),
        *_folder_fault(folder),
        *_duplicates(entries),
        *_outside(source, entries, start),
    )
    return Container(folder, entries, faults)


def unpack(source: Source, entry: Entry) -> bytes | None:
    """Return an entry's content, or None when it does not fit its length or CRC."""
    info = entry.info
    packed = source.at(entry.start, info.compress_size)
    if info.compress_type == zipfile.ZIP_STORED:
        data = packed
    else:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = inflater.decompress(packed, info.file_size + 1)
        except zlib.error:
            return None
        if not inflater.eof or inflater.unused_data:
            return None
    return data if len(data) == info.file_size and zlib.crc32(data) == info.CRC else None


def _entry(number: int, info: zipfile.ZipInfo, folder: str, source: Source) -> tuple[Entry, list[Fault]]:
    path = info.orig_filename.removeprefix(f"{folder}/")
    shown = path if _OURS.fullmatch(path) else f"entry {number}"
    local = _local_header(source, info)
    unreadable = [*_kind_faults(info, shown), *_size_faults(info, shown)]
    if local is None or local.says != _directory_says(info):
        message = "An entry's own header and the archive's directory disagree."
        unreadable.append(Fault("K015", message, shown))
    start, extra = (local.start, local.extra) if local else (0, 0)
    misplaced = list(_name_faults(info.orig_filename, folder, shown))
    entry = Entry("" if misplaced else path, shown, info, start, extra, not (unreadable or misplaced))
    return entry, [*unreadable, *misplaced, *_long_path(info.orig_filename, shown)]


class _Local(NamedTuple):
    """A local header: where the data start, how long its extra fields are, and what it says."""

    start: int
    extra: int
    says: tuple[object, ...]


def _local_header(source: Source, info: zipfile.ZipInfo) -> _Local | None:
    raw = source.at(info.header_offset, _LOCAL.size) if info.header_offset >= 0 else b""
    if len(raw) < _LOCAL.size or raw[:4] != b"PK\3\4":
        return None
    _, version, flags, method, time, date, crc, packed, size, name_size, extra_size = _LOCAL.unpack(raw)
    behind = source.at(info.header_offset + _LOCAL.size, name_size + extra_size)
    if 0xFFFFFFFF in {packed, size}:
        size, packed = _zip64_sizes(behind[name_size:]) or (size, packed)
    start = info.header_offset + _LOCAL.size + name_size + extra_size
    says = (version, flags, method, _date_time(date, time), crc, packed, size, behind[:name_size])
    return _Local(start, extra_size, says)


def _directory_says(info: zipfile.ZipInfo) -> tuple[object, ...]:
    encoding = "utf-8" if info.flag_bits & 0x800 else "cp437"
    return (
        info.extract_version,
        info.flag_bits,
        info.compress_type,
        info.date_time,
        info.CRC,
        info.compress_size,
        info.file_size,
        info.orig_filename.encode(encoding, "replace"),
    )


def _zip64_sizes(extra: bytes) -> tuple[int, int] | None:
    """Return size and packed size of a local zip64 field, when that is all there is."""
    if len(extra) != 20 or extra[:4] != b"\1\0\x10\0":
        return None
    size, packed = struct.unpack_from("<QQ", extra, 4)
    return size, packed


def _date_time(date: int, time: int) -> tuple[int, ...]:
    return (date >> 9) + 1980, date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2


def _kind_faults(info: zipfile.ZipInfo, shown: str) -> Iterator[Fault]:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.is_dir() or info.external_attr & _DOS_FOLDER or kind not in {0, stat.S_IFREG}:
        yield Fault("K013", "An entry is a link, a folder or a special file.", shown)
    if info.flag_bits & _ENCRYPTED:
        yield Fault("K014", "An entry is encrypted.", shown)
    elif info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        yield Fault("K014", "An entry is compressed by another method than deflate.", shown)


def _size_faults(info: zipfile.ZipInfo, shown: str) -> Iterator[Fault]:
    size, packed = info.file_size, info.compress_size
    if info.compress_type == zipfile.ZIP_STORED:
        if size != packed:
            yield Fault("K021", "A stored entry has two different lengths.", shown)
    elif size > HIGHEST_RATIO * packed:
        yield Fault("K016", f"An entry expands to more than {HIGHEST_RATIO} times its size.", shown)
    elif size > LARGEST_COMPRESSED:
        yield Fault("K016", f"A compressed entry expands to more than {LARGEST_COMPRESSED} bytes.", shown)


def _name_faults(name: str, folder: str, shown: str) -> Iterator[Fault]:
    parts = name.removesuffix("/").split("/")
    if _UNSAFE.search(name) or any(part in {"", ".", ".."} or part[-1] in ". " for part in parts):
        yield Fault("K011", "An entry's name is not safe to extract.", shown)
    elif parts[0] != folder or len(parts) < 2:
        yield Fault("K019", "An entry lies outside the package's one folder.", shown)


def _long_path(name: str, shown: str) -> Iterator[Fault]:
    if len(name) > LONGEST_PATH:
        message = f"An entry's path has {len(name)} characters; {LONGEST_PATH} are the most."
        yield Fault("K018", message, shown)


def _folder_fault(folder: str) -> Iterator[Fault]:
    if not _FOLDER.fullmatch(folder):
        yield Fault("K019", "The package's folder is not named after a trial ID and a revision.")


def _duplicates(entries: Iterable[Entry]) -> Iterator[Fault]:
    seen: set[str] = set()
    for entry in entries:
        key = unicodedata.normalize("NFC", entry.info.orig_filename).casefold()
        if key in seen:
            yield Fault("K012", "Two entries have one name, or names that differ only in case.", entry.shown)
        seen.add(key)


def _outside(source: Source, entries: tuple[Entry, ...], directory: int) -> Iterator[Fault]:
    """Find bytes that are neither an entry nor the directory: gaps, comments, extra fields, a tail."""
    expected: int | None = 0
    count = min(len(entries), 0xFFFF)
    for entry in sorted(entries, key=lambda entry: entry.info.header_offset):
        if expected is not None and entry.info.header_offset != expected:
            yield Fault("K020", "There are bytes in front of an entry that belong to none.", entry.shown)
        if entry.start and _surplus(entry.info, entry.extra):
            yield Fault("K020", "An entry carries a comment or extra fields.", entry.shown)
        expected = entry.start + entry.info.compress_size if entry.start else None
    if expected not in {None, directory}:
        yield Fault("K020", "There are bytes in front of the archive's directory that belong to no entry.")
    end = _END_OF_DIRECTORY.unpack(source.at(_size(source) - _END_OF_DIRECTORY.size, _END_OF_DIRECTORY.size))
    if end[0] != b"PK\5\6" or end[-1]:
        yield Fault("K020", "There are bytes behind the archive's directory.")
    elif end[1:5] != (0, 0, count, count) or any(entry.info.volume for entry in entries):
        yield Fault("K015", "The archive's directory and its last record disagree.")


def _surplus(info: zipfile.ZipInfo, extra: int) -> bool:
    """Return whether an entry has a comment, or extra fields other than the one that zip64 needs."""
    needed = 20 if max(info.file_size, info.compress_size) >= 0xFFFFFFFF else 0
    in_directory = info.extra[:2] not in {b"", b"\1\0"} or len(info.extra) > 28
    return bool(info.comment) or in_directory or extra != needed


def _size(source: Source) -> int:
    with source.lock:
        return source.handle.seek(0, 2)

"""What somebody quotes of a package → the file of the source that it stands for.

A reviewer can name an image by its UID or its path; only the centre, with its key and its source, can tell
which file that is. The answer is for a person on a terminal: nothing here is written anywhere.
"""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build import disk
from rttqa_build.deidentify.elements import walk
from rttqa_build.deidentify.reader import StreamError
from rttqa_build.deidentify.stream import parse
from rttqa_build.stages.objects import LARGEST_OBJECT
from rttqa_build.study import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from rttqa_build.pseudonym import Pseudonyms

_DIGEST = re.compile(r"[0-9a-f]{6,64}")
_UID = re.compile(r"[0-2](?:\.\d+)+")
_SOP_INSTANCE, _SERIES_INSTANCE = 0x00080018, 0x0020000E


class Place(NamedTuple):
    """A file of the source: path below its folder, SHA-256, and the tag by which it was found (0: itself)."""

    path: str
    sha256: str
    tag: int = 0


@dataclass(frozen=True, slots=True)
class Origins:
    """What one submission knows of its origins.

    ``bases``: UIDs of RT objects as they left → their base UIDs (from its locks); ``paths``: path in the
    package → digest (from ``deidentification.json``).
    """

    source: Path
    names: Pseudonyms
    bases: Mapping[str, str]
    paths: Mapping[str, str]


def as_quoted(text: str) -> str:
    """Return what somebody pastes as it is meant: Windows has capitals in digests, and other separators."""
    text = text.strip().strip("\"'").replace("\\", "/")
    return lower if _DIGEST.fullmatch(lower := text.lower()) else text


def is_locatable(text: str) -> bool:
    """Return whether a text is a digest, a UID, or a path."""
    return bool(_DIGEST.fullmatch(text) or _UID.fullmatch(text) or "/" in text)


def locate(text: str, origins: Origins) -> tuple[Place, ...]:
    """Return where a digest, a UID of the package, or a path in it comes from.

    Of a UID, the objects that it names come alone; only where there are none, those that mention it. Images
    of a supplied case have kept theirs: a UID is sought as it is, too. Raises UsageError when the source
    folder is not there, RttqaError when it cannot be read.
    """
    if _UID.fullmatch(text):
        found = tuple(_by_uid(origins.bases.get(text, text), text, origins))
        own = tuple(place for place in found if place.tag == _SOP_INSTANCE)
        return own or found
    digest = text if _DIGEST.fullmatch(text) else _of_path(text, origins.paths)
    return tuple(_by_digest(digest, origins)) if digest else ()


def _of_path(text: str, paths: Mapping[str, str]) -> str:
    """Return the digest for a path in the package, with or without the package's own folder before it."""
    return next((sha for path, sha in paths.items() if path == text or text.endswith(f"/{path}")), "")


def _by_digest(digest: str, origins: Origins) -> Iterator[Place]:
    """Yield the files with this SHA-256, or whose keyed digest it is: so the lock names documents."""
    for path in files(origins.source).paths:
        sha256 = hashlib.sha256(_read(origins.source / path)).hexdigest()
        if sha256.startswith(digest) or origins.names.input_token([sha256]).startswith(digest):
            yield Place(path, sha256)


def _by_uid(base: str, quoted: str, origins: Origins) -> Iterator[Place]:
    """Yield, for each file that holds it, by which attribute an original UID gives the one that is sought."""
    kept = quoted.encode("ascii")

    @functools.lru_cache(1 << 16)
    def is_meant(uid: bytes) -> bool:
        return uid.strip(b"\0 ") == kept or origins.names.base_uid(uid) == base

    for path in files(origins.source).paths:
        data = _read(origins.source / path)
        tag = _tag_of(data, is_meant, quoted, origins.names)
        if tag:
            yield Place(path, hashlib.sha256(data).hexdigest(), tag)


def _tag_of(data: bytes, is_meant: Callable[[bytes], bool], quoted: str, names: Pseudonyms) -> int:
    """Return the tag whose UID became the one that is sought, the object's own before all others; else 0."""
    try:
        uids = [leaf for leaf in walk(parse(data), pixels=False) if leaf.vr == "UI"]
    except StreamError:
        return 0
    own = {leaf.tag: leaf.value for leaf in uids if not leaf.path}
    sop, series = own.get(_SOP_INSTANCE, b""), own.get(_SERIES_INSTANCE, b"")
    if is_meant(sop):
        return _SOP_INSTANCE
    if names.series_uid(series, sop) == quoted:  # RT objects have a series of their own each
        return _SERIES_INSTANCE
    holds = (leaf.tag for leaf in uids if any(map(is_meant, leaf.value.split(b"\\"))))
    return next(holds, 0)


def _read(path: Path) -> bytes:
    return disk.read(path, LARGEST_OBJECT, "a file of the source")

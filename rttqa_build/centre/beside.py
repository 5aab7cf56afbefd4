"""Files that Git takes up beside manifests and settings → what identifies in them, or cannot be searched.

Records, notes, a README, trial definitions: whatever lies where a commit would take it along. Files of the
tool's own making are searched too, as people edit them. No finding shows a value.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.centre.identifiers import in_lines
from rttqa_build.diagnostic import Diagnostic, Location, RttqaError, finding
from rttqa_build.source import MAX_BYTES, sixteen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from rttqa_build.settings import IdentifierPattern

# who did something, as Git knows them; and addresses that RFC 2606 keeps free for examples
_AUTHORS = re.compile(r"""(?<=\bby: )["']?[^\s"',}]+@[^\s"',}]+""")
_EXAMPLES = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]+\.)*example\.(?:org|com|net)\b")
_DICOM = (128, b"DICM")
_DROPPINGS = frozenset({".DS_Store", "Thumbs.db"})  # what file managers leave behind


def files(folder: Path, *, deep: bool = True) -> Iterator[Path]:
    """Yield the files of a folder, sorted; ``deep``: of the folders in it, too. Links are not followed."""
    yield from sorted(_files(folder, deep=deep))


def _files(folder: Path, *, deep: bool) -> Iterator[Path]:
    """Yield the files of a folder in any order, asking the disk once a folder: there may be hundreds."""
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError:
        return
    for entry in entries:
        if entry.is_symlink():
            continue
        if entry.is_file() and entry.name not in _DROPPINGS:
            yield folder / entry.name
        elif deep and entry.is_dir():
            yield from _files(folder / entry.name, deep=True)


def searched(
    path: Path, shown: str, patterns: Iterable[IdentifierPattern], allowed: Iterable[str]
) -> tuple[Diagnostic, ...]:
    """Return what identifies in a file, which findings call ``shown``; or that it cannot be searched.

    ``allowed`` are texts that belong there: the contacts of centre and trials.
    """
    try:
        data = disk.head(path, MAX_BYTES + 1, shown)
    except RttqaError as error:
        return (finding("M264", error.message, Location(shown), hint=error.hint),)
    start, mark = _DICOM
    if data[start : start + len(mark)] == mark:
        return (finding("M263", "this is a DICOM object", Location(shown)),)
    text = _text(data)
    if text is None or len(data) > MAX_BYTES:
        why = "is no text" if text is None else "is larger than 1 MiB"
        return (finding("M264", f"this file {why}: it cannot be searched for identifiers", Location(shown)),)
    text = _EXAMPLES.sub(" ", _AUTHORS.sub(" ", text)) if "@" in text else text
    return in_lines(text, shown, patterns, allowed)


def _text(data: bytes) -> str | None:
    """Return a file's text, whatever its encoding; None where it holds none."""
    encoding = sixteen(data)
    if not encoding and b"\0" in data:
        return None
    try:
        return data.decode(encoding or "utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")

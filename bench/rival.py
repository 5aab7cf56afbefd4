"""Pseudonymise a folder with dcmanon and zip the result: `python bench/rival.py WAY FOLDER OUT`.

The ways: `dcmanon` writes the pseudonymised files to the folder OUT, as its documentation shows; `steps` does
that, then zips them to OUT.zip with libdeflate at level 6; `pipeline` does both in memory at once, which no
program on offer does. dcmanon holds Python's interpreter lock, so that threads do not help it.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import deflate
from dcmanon import Anonymizer

from rttqa_build.package.archive import Member, writing

if TYPE_CHECKING:
    from collections.abc import Iterable

LEVEL, DEFLATED = 6, 8
JOBS = os.cpu_count() or 1


def pseudonymise(folder: Path, out: Path) -> None:
    """Write every object of a folder pseudonymised, by its own name."""
    anonymizer = Anonymizer()
    out.mkdir(parents=True)
    for path in sources(folder):
        (out / path.name).write_bytes(anonymizer.anonymize(str(path)))


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def packed(data: bytes) -> Member:
    payload = deflate.deflate_compress(data, LEVEL)
    return Member("", len(data), deflate.crc32(data), DEFLATED, payload)


def zip_files(names: Iterable[str], contents: Iterable[bytes], target: Path) -> None:
    """Write a zip, compressing on every core."""
    with ThreadPoolExecutor(JOBS) as pool, writing(target) as archive:
        for name, member in zip(names, pool.map(packed, contents), strict=True):
            archive.add(name, member)


def main() -> None:
    way, folder, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if way == "pipeline":
        files = sources(folder)
        contents = map(Anonymizer().anonymize, map(str, files))
        zip_files([path.name for path in files], contents, out.with_suffix(".zip"))
        return
    pseudonymise(folder, out)
    if way == "steps":
        files = sources(out)
        zip_files([p.name for p in files], (p.read_bytes() for p in files), out.with_suffix(".zip"))


if __name__ == "__main__":
    main()

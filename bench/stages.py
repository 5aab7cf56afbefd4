"""Where the time goes: `python bench/stages.py build|parts FOLDER`.

`build` runs the build of the repository FOLDER and times its stages; `parts` times the engines on the objects
of the export FOLDER, one core, best of five. Both print JSON.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib
import json
import os
import sys
import time
from concurrent.futures import Executor
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

START = time.perf_counter()

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from rttqa_build.deidentify.identity import Fact

P = ParamSpec("P")
T = TypeVar("T")

# Public functions that are a stage each: module below rttqa_build → names, as the module calls them.
STAGES = {
    "build": ("prepare", "pack", "tell"),
    "stages.reading": ("take_in", "resolve", "Scanner"),
    "stages.rewriting": ("settle_uids",),
    "stages.paperwork": ("clinical_summary",),
}


def stages(repository: Path) -> dict[str, float]:
    """Build once and return seconds by stage; those inside another are in it too."""
    os.chdir(repository)
    gc.set_threshold(1_000_000, 20, 20)  # as the program does
    from rttqa_build.cli import building
    from rttqa_build.cli.formats import Format
    from rttqa_build.cli.workers import Workers, second
    from rttqa_build.sibling import Here

    seconds = {"start-up and imports": time.perf_counter() - START}
    sibling = second()
    if sibling is not None:
        sibling.begin()
    for module, names in STAGES.items():
        for name in names:
            _timed(importlib.import_module(f"rttqa_build.{module}"), name, seconds)
    with contextlib.redirect_stdout(sys.stderr), sibling or Here() as beside:
        crew = Workers(os.cpu_count() or 1, Timed(beside, seconds))
        code = building.build([], crew, locked=False, output=Format.TEXT)
    assert code == 0, "the build has findings"
    return seconds | {"whole": time.perf_counter() - START}


class Timed(Executor):
    """An executor that does all by another one, and notes for how long each function was waited for."""

    def __init__(self, beside: Executor, seconds: dict[str, float]) -> None:
        self._beside, self._seconds = beside, seconds

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        name, start = f"beside: {getattr(fn, '__name__', '')}", time.perf_counter()

        def noted(_: Future[T]) -> None:
            self._seconds[name] = time.perf_counter() - start

        future = self._beside.submit(fn, *args, **kwargs)
        future.add_done_callback(noted)
        return future


def _timed(module: object, name: str, seconds: dict[str, float]) -> None:
    run: Callable[..., object] = getattr(module, name)

    def timed(*args: object, **options: object) -> object:
        start = time.perf_counter()
        try:
            return run(*args, **options)
        finally:
            seconds[name] = time.perf_counter() - start

    setattr(module, name, timed)


def best(run: Callable[[], object], times: int = 5) -> float:
    """Return the seconds of the fastest of several runs."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return min(taken)


def parts(folder: Path) -> dict[str, float]:
    """Return the speed of the engines on their own, on one core."""
    from dcmanon import Anonymizer

    from rttqa_build.deidentify.dictionary import registered_uids
    from rttqa_build.deidentify.elements import walk
    from rttqa_build.deidentify.engine import pseudonymise
    from rttqa_build.deidentify.identity import Harvest, harvest, merged
    from rttqa_build.deidentify.job import Job, ObjectPlan
    from rttqa_build.deidentify.marks import Marks
    from rttqa_build.deidentify.policy import compile_policy
    from rttqa_build.deidentify.residue import Scanner
    from rttqa_build.deidentify.spelling import patterns
    from rttqa_build.deidentify.stream import parse
    from rttqa_build.pseudonym import CentreKey, Pseudonyms

    slices = [path.read_bytes() for path in sorted(folder.rglob("CT.*"))[:40]]
    structures = next(folder.rglob("RS.*")).read_bytes()
    found = merged(harvest(walk(parse(data))) for data in (*slices, structures))
    many = Harvest(found.facts | frozenset(_staff(150)))
    scanner = Scanner(many)
    names = Pseudonyms.derive(CentreKey(bytes(range(32))), "bench")
    marks = Marks("BENCH-1", "bench", "bench", "", "RXX", "Centre")
    job = Job(compile_policy(), marks, 60, names.base_uid, registered_uids(), Scanner(found).identifies)
    theirs = Anonymizer()

    def ours(data: bytes) -> bytes:
        return pseudonymise(parse(data), job, ObjectPlan()).data

    results = [parse(ours(data)) for data in slices]
    megabytes = sum(len(stream.data) for stream in results) / 1e6
    scan = best(lambda: [scanner.scan_dicom(stream, "image") for stream in results])
    each = 1e3 / len(slices)
    return {
        "CT slice, ours, ms": best(lambda: [ours(data) for data in slices]) * each,
        "CT slice, dcmanon, ms": best(lambda: [theirs.anonymize(BytesIO(data)) for data in slices]) * each,
        "RTSTRUCT, ours, ms": best(lambda: ours(structures)) * 1e3,
        "RTSTRUCT, dcmanon, ms": best(lambda: theirs.anonymize(BytesIO(structures))) * 1e3,
        "residue scan, patterns": len(patterns(many)),
        "residue scan, MB/s": megabytes / scan,
    }


def _staff(count: int) -> Iterator[Fact]:
    """Yield invented names, always the same, that make a search of the size of a large centre's."""
    from rttqa_build.deidentify.identity import Fact, Kind, Who

    for number in range(count):
        letters = (
            hashlib.sha256(b"%d" % number).hexdigest().translate(str.maketrans("0123456789", "ghijklmnop"))
        )
        yield Fact(Who.STAFF, Kind.NAME, f"{letters[:9]}^{letters[9:16]}".title().encode())


def main() -> None:
    run = {"build": stages, "parts": parts}[sys.argv[1]]
    print(json.dumps(run(Path(sys.argv[2]))))


if __name__ == "__main__":
    main()

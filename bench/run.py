"""The speed comparison: `python bench/run.py [--corpus DIR] [--repeat N] [--json FILE]`.

Side by side, in one run, on the same cores and a warm file cache, in turn: `rttqa-build build` of the
generated case, and dcmanon followed by a libdeflate-6 zip. Then where the time goes, memory, and `check`.
Prints a Markdown table, ratios first, and ends with 1 when a bar is not met.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

HERE = Path(__file__).parent
PAUSE = 0.01  # seconds between looks at the memory
TRIAL, CASE, COHORT = "example-phantom", "BENCH-1", 500
SETTINGS = """\
settings: 1
centre:
  code: RXX
  name: Example Cancer Centre
  contact: {{name: Radiotherapy Physics, email: rt.physics@example.org}}
data_root: {data}
key_file: ../centre.key
build_dir: ../build
"""
MANIFEST = """\
manifest: 1
trial: example-phantom
submission: {{patient: {patient}, purpose: dummy-run, revision: 1}}
source: BENCH-1
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: medians in seconds by command and by stage, the engines' figures, memory in MB."""

    cores: int
    files: int
    megabytes: float
    largest_mb: float
    seconds: dict[str, float]
    every: dict[str, list[float]]
    peak_mb: float
    stages: dict[str, float]
    parts: dict[str, float]

    def ratio(self, ours: str, theirs: str) -> float:
        """Return how long ours takes, theirs being 1."""
        return self.seconds[ours] / self.seconds[theirs]


class Row(NamedTuple):
    """A line of the table; ``met`` is None where there is no bar."""

    what: str
    value: str
    bar: str = ""
    met: bool | None = None


# --- running -----------------------------------------------------------------------------------------------


def run(command: list[str], folder: Path) -> float:
    """Run a program to its end and return its wall time in seconds; stop with its output when it fails."""
    # Byte code is kept, as for any user: compiling the program at each start is no part of its work.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=output, stderr=output)
        process.wait()
        seconds = time.perf_counter() - start
        if process.returncode:
            output.seek(0)
            sys.exit(f"{command[2:]} failed:\n{output.read().decode(errors='replace')}")
    return seconds


def peak(command: list[str], folder: Path) -> float:
    """Run a program and return the largest memory of its processes in MB; 0 where there is no /proc."""
    highest = 0.0
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            highest = max(highest, sum(map(_megabytes, _family(process.pid))))
            time.sleep(PAUSE)
    return highest


def _family(process: int) -> list[int]:
    """Return a process and its descendants."""
    found = [process]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _family(int(child))
    return found


def _megabytes(process: int) -> float:
    """Return a process's share of the memory; nothing of one that has ended meanwhile."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1e3
    return 0.0


def in_turn(commands: dict[str, list[str]], repeat: int, folder: Path) -> dict[str, list[float]]:
    """Run all commands in turn, once to warm up and then ``repeat`` times."""
    runs: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(repeat + 1):
        for name, command in commands.items():
            for leftover in ("theirs", "ours"):
                shutil.rmtree(folder.parent / leftover, ignore_errors=True)
            result = run(command, folder)
            if turn:
                runs[name].append(result)
    return runs


def said(command: list[str], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout


def tool(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "rttqa_build", *arguments]


def script(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(HERE / name), *arguments]


# --- preparing ---------------------------------------------------------------------------------------------


def repository(folder: Path, data: Path) -> None:
    """Make a submissions repository with one manifest, and the centre's key beside it."""
    submit(folder, CASE)
    settings = folder / "rttqa.yaml"
    settings.write_text(SETTINGS.format(data=json.dumps(str(data))))
    run(tool("key", "new"), folder)
    fingerprint = re.search(r"\b[0-9a-f]{16}\b", said(tool("key", "show"), folder))
    assert fingerprint, "no fingerprint was shown"
    settings.write_text(f"{settings.read_text()}key_fingerprint: {fingerprint[0]}\n")


def submit(folder: Path, patient: str) -> None:
    submission = folder / "submissions" / patient
    submission.mkdir(parents=True)
    (submission / "manifest.yaml").write_text(MANIFEST.format(patient=patient))


def measure(work: Path, data: Path, repeat: int) -> Figures:
    """Return every figure. Writes to ``work``; reads, or first makes, the case in ``data``."""
    case, here = data / CASE, work / "repository"
    if not case.is_dir():
        run(script("corpus.py", str(case)), work)
    repository(here, data)
    ours, theirs = str(work / "ours"), str(work / "theirs")
    runs = in_turn(
        {
            "build": tool("build"),
            "dcmanon, then zip": script("rival.py", "steps", str(case), theirs),
            "dcmanon and zip at once": script("rival.py", "pipeline", str(case), theirs),
            "pseudonymise": tool("pseudonymise", str(case), ours, "--trial", TRIAL, "--patient", CASE),
            "dcmanon": script("rival.py", "dcmanon", str(case), theirs),
            "check of 1": tool("check", CASE),
        },
        repeat,
        here,
    )
    stages = [json.loads(said(script("stages.py", "build", str(here)), work)) for _ in range(repeat)]
    for number in range(2, COHORT + 1):
        submit(here, f"BENCH-{number}")
    runs |= in_turn({f"check of {COHORT}": tool("check")}, repeat, here)
    sizes = [path.stat().st_size / 1e6 for path in case.rglob("*") if path.is_file()]
    return Figures(
        os.cpu_count() or 1,
        len(sizes),
        sum(sizes),
        max(sizes),
        {name: median(each) for name, each in runs.items()},
        {name: [round(one, 3) for one in each] for name, each in runs.items()},
        max(peak(tool("build", CASE), here) for _ in range(3)),
        {name: median(one[name] for one in stages) for name in stages[0]},
        json.loads(said(script("stages.py", "parts", str(case)), work)),
    )


# --- telling -----------------------------------------------------------------------------------------------


def rows(found: Figures) -> list[Row]:
    """Return the table: ratios first, then seconds, then where they go."""
    ratio = found.ratio("build", "dcmanon, then zip")
    memory = 300 + 2.5 * found.largest_mb
    one, cohort = found.seconds["check of 1"], found.seconds[f"check of {COHORT}"]
    speed = found.parts["residue scan, MB/s"]
    return [
        Row("**build ÷ (dcmanon, then zip)**", f"**{ratio:.2f}**", "< 1", ratio < 1),
        Row("build ÷ (dcmanon and zip at once)", f"{found.ratio('build', 'dcmanon and zip at once'):.2f}"),
        Row("pseudonymise ÷ dcmanon", f"{found.ratio('pseudonymise', 'dcmanon'):.2f}"),
        *(Row(name, f"{seconds:.2f} s") for name, seconds in found.seconds.items() if "check" not in name),
        Row("peak memory of build", f"{found.peak_mb:.0f} MB", f"< {memory:.0f} MB", found.peak_mb < memory),
        Row("check of 1 manifest", f"{one:.2f} s", "< 0.4 s", one < 0.4),
        Row(f"check of {COHORT} manifests", f"{cohort:.2f} s", "< 3 s", cohort < 3),
        *(Row(f"stage: {name}", f"{seconds * 1e3:.0f} ms") for name, seconds in found.stages.items()),
        *(Row(name, f"{value:.2f}") for name, value in found.parts.items() if "residue" not in name),
        Row(
            f"residue scan, a core, {found.parts['residue scan, patterns']:.0f} patterns",
            f"{speed:.0f} MB/s",
            "≥ 400 MB/s",
            speed >= 400,
        ),
    ]


def table(found: Figures) -> str:
    """Return the rows as Markdown."""
    case = f"{found.files} files, {found.megabytes:.0f} MB, {found.cores} cores"
    marks = {True: " (met)", False: " (**not met**)", None: ""}
    lines = (f"| {row.what} | {row.value} | {row.bar}{marks[row.met]} |" for row in rows(found))
    return "\n".join((case, "", "| | measured | bar |", "|---|---|---|", *lines))


def main() -> int:
    """Measure, print, and return 1 when a bar is not met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="folder for the generated case; kept and used again")
    parser.add_argument("--repeat", type=int, default=5, help="how often each is run, at least 3 (default 5)")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rttqa-bench-") as scratch:
        work = Path(scratch)
        data = asked.corpus.absolute() if asked.corpus else work / "data"
        found = measure(work, data, max(asked.repeat, 3))
    print(table(found))
    if asked.json:
        asked.json.write_text(json.dumps(asdict(found), indent=1) + "\n")
    return int(any(row.met is False for row in rows(found)))


if __name__ == "__main__":
    sys.exit(main())

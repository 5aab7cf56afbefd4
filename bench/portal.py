"""Upload of a large package to the portal's double on loopback: `python bench/portal.py [--gigabytes N]`.

In turn, to the same server: `curl -T`, and `NextcloudPortal.put` in a process of its own. Prints throughput,
their ratio, and the upload's largest resident memory; ends with 1 when a bar is not met (within 10 % of curl,
under 150 MB). The double is started as a program of its own: nothing is imported from it.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.portal import remote_name, wire
from rttqa_build.portal.link import Link
from rttqa_build.portal.nextcloud import NextcloudPortal
from rttqa_build.records.receipt import OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

DOUBLE = Path(__file__).resolve().parent.parent / "tests" / "nextcloud_double.py"
SLOWER, MEMORY = 1.10, 150.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--repeat", type=int, default=5)
    asked = parser.parse_args()
    curl = shutil.which("curl")
    if curl is None:
        raise SystemExit("curl is needed for the comparison")
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "package.zip"
        sha256 = made(package, int(asked.gigabytes * 1e9))
        ours, theirs, peaks = [], [], []
        with served() as place:
            for _ in range(asked.repeat):
                theirs.append(by_curl(curl, package, place))
                seconds, peak = by_us(package, sha256, place)
                ours.append(seconds)
                peaks.append(peak)
        size = package.stat().st_size
    return told(size, min(ours), min(theirs), max(peaks))  # the best: others use this computer too


def told(size: int, ours: float, theirs: float, peak: float) -> int:
    print(f"| {size / 1e9:.1f} GB | MB/s | bar |\n|---|---|---|")
    print(f"| curl -T | {size / theirs / 1e6:.0f} | |")
    print(
        f"| rttqa-build | {size / ours / 1e6:.0f} | {ours / theirs:.2f} × curl's time, at most {SLOWER:.2f} |"
    )
    print(f"| its largest memory | {peak:.0f} MB | at most {MEMORY:.0f} MB |")
    return int(ours > SLOWER * theirs or peak > MEMORY)


def made(path: Path, size: int) -> str:
    """Write a file of that size that no compression shortens; return its SHA-256."""
    digest, block = hashlib.sha256(), os.urandom(1 << 20)
    with path.open("wb") as out:
        while left := size - out.tell():
            digest.update(block[:left])
            out.write(block[:left])
    return digest.hexdigest()


class Place(NamedTuple):
    """Where the double listens, and what it takes."""

    port: int
    token: str
    password: str


@contextlib.contextmanager
def served() -> Iterator[Place]:
    """Run the double in a process of its own: its memory and its lock are not ours."""
    command = [sys.executable, str(DOUBLE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Place(**json.loads(process.stdout.readline()))
        finally:
            process.terminate()


def by_curl(curl: str, package: Path, place: Place) -> float:
    """Return the seconds that curl takes to upload the package as we do."""
    address = f"http://127.0.0.1:{place.port}/public.php/dav/files/{place.token}/by-curl.zip"
    login = f"{place.token}:{place.password}"
    headers = ["-H", "X-Hash: sha256", "-H", "X-Requested-With: XMLHttpRequest", "-H", "Expect:"]
    begun = time.perf_counter()
    subprocess.run([curl, "-sSf", "-u", login, *headers, "-T", str(package), address], check=True)
    return time.perf_counter() - begun


def by_us(package: Path, sha256: str, place: Place) -> tuple[float, float]:
    """Return the seconds of one upload, and the largest memory in MB of the process that made it."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(upload, (str(package), sha256, place))


def upload(package: str, sha256: str, place: Place) -> tuple[float, float]:
    link = Link("127.0.0.1", place.port, secure=False, prefix="", token=place.token)
    route = wire.Route(link, None, None, wire.PATIENT)
    portal = NextcloudPortal(route, lambda: place.password, lambda _done, _size: None)
    size = Path(package).stat().st_size
    begun = time.perf_counter()
    portal.preflight(size)
    with Path(package).open("rb") as handle:
        outcome = portal.put(handle, remote_name("package.zip", sha256, 0), size, sha256)
    seconds = time.perf_counter() - begun
    assert outcome.kind is OutcomeKind.VERIFIED, outcome
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())

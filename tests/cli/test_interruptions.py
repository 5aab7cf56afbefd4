"""A build that is stopped, killed or out of disk: nothing half-made, and the next run works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cli_centre import NAME, snapshot

if TYPE_CHECKING:
    from cli_centre import Centre

# Each stops the program at a point of the build: while members are written, when the package is verified,
# when all is published but the lock.
WHILE_WRITING = """
from rttqa_build.stages import packing
inner, calls = packing.compress, []
def compress(data):
    calls.append(1)
    if len(calls) == 5:
        {stop}
    return inner(data)
packing.compress = compress
"""
WHILE_VERIFYING = """
from rttqa_build.stages import packing
def verify(*_, **__):
    {stop}
packing.verify = verify
"""
BEFORE_THE_LOCK = """
from rttqa_build import lock
def dump(_):
    {stop}
lock.dump = dump
"""
PACKAGE = f"example-phantom_RXX_{NAME}_dummy-run_r1.zip"


def stop(name: str) -> str:
    return f"import os, signal, time; os.kill(os.getpid(), signal.{name}); time.sleep(0.3)"


def whole(centre: Centre) -> None:
    """Demand that a build works, gives the one package, and leaves nothing else."""
    ran = centre.call("build")
    assert (ran.code, centre.packages) == (0, [PACKAGE]), ran.told
    kept = sorted(path.name for path in centre.built.iterdir())
    assert kept == sorted([PACKAGE, "report.html", "deidentification.json"])
    assert sorted(path.name for path in centre.submission.iterdir()) == ["lock.yaml", "manifest.yaml"]


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
@pytest.mark.parametrize("point", [WHILE_WRITING, BEFORE_THE_LOCK])
def test_a_build_that_is_killed(point: str, centre: Centre) -> None:
    ran = centre.altered(point.format(stop=stop("SIGKILL")), "build")
    assert ran.code == -signal.SIGKILL
    assert [name for name in centre.packages if (centre.built / name).exists()] in ([], [PACKAGE])
    assert not (centre.submission / "lock.yaml").exists()
    whole(centre)


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
@pytest.mark.parametrize("point", [WHILE_WRITING, WHILE_VERIFYING])
def test_a_build_that_is_interrupted(point: str, centre: Centre) -> None:
    ran = centre.altered(point.format(stop=stop("SIGINT")), "build")
    assert ran.code == 130
    assert "interrupted" in ran.err
    assert centre.packages in ([], [PACKAGE])
    assert not list(centre.built.glob(".*"))
    assert not (centre.submission / "lock.yaml").exists()
    whole(centre)


STARTING = """
import sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "rttqa_build.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
"""


def test_a_program_that_is_interrupted_while_it_starts(centre: Centre) -> None:
    ran = centre.altered(STARTING, "build")
    assert (ran.code, ran.err.strip()) == (130, "interrupted; nothing was begun")


WHILE_LOADING = """
from rttqa_build.cli import building
class Interrupted:
    def __set_name__(self, owner, name):
        raise KeyboardInterrupt
def build(*_, **__):
    type("Kind", (), {"member": Interrupted()})
building.build = build
"""
WHEN_ALL_IS_DONE = """
import os, signal, time
from rttqa_build.cli import workers
from rttqa_build.sibling import Sibling
workers.os.cpu_count = lambda: 2
inner = Sibling.shutdown
def shutdown(self, wait=True, *, cancel_futures=False):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)
    inner(self, wait, cancel_futures=cancel_futures)
Sibling.shutdown = shutdown
"""


def test_a_program_that_is_interrupted_while_a_class_is_made(centre: Centre) -> None:
    ran = centre.altered(WHILE_LOADING, "build")
    assert (ran.code, ran.err.strip()) == (130, "interrupted; nothing half-made is left behind")


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_a_program_that_is_interrupted_when_all_is_done(centre: Centre) -> None:
    ran = centre.altered(WHEN_ALL_IS_DONE, "build")
    assert (ran.code, ran.err) == (0, "")
    assert centre.packages == [PACKAGE]


FULL_WHILE_WRITING = """
import errno, io
from rttqa_build.package import archive
class Full(io.BytesIO):
    def write(self, data):
        raise OSError(errno.ENOSPC, "no space")
inner = archive.Writer.__init__
archive.Writer.__init__ = lambda self, sink: inner(self, Full())
"""
FULL_WHILE_SYNCING = """
import errno, os
def fsync(_):
    raise OSError(errno.ENOSPC, "no space")
os.fsync = fsync
"""


@pytest.mark.parametrize("point", [FULL_WHILE_WRITING, FULL_WHILE_SYNCING])
def test_a_disk_that_is_full(point: str, packed: Centre) -> None:
    before = snapshot(packed.submission, packed.built)
    ran = packed.altered(point, "build")
    assert ran.code == 3
    assert "the disk is full" in ran.err
    assert "hint: free some space" in ran.err
    assert snapshot(packed.submission, packed.built) == before
    assert not list(packed.built.glob(".*"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="closed pipes are POSIX's here")
def test_output_that_nobody_reads(centre: Centre) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        [sys.executable, "-m", "rttqa_build", "trials", "example-prostate"],
        cwd=centre.root,
        env=centre.environ,
        stdout=writing,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(writing)
        _, told = process.communicate()
    assert (process.returncode, told) == (3, b"")

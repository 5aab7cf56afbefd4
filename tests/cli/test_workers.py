"""One process or two, and whatever becomes of the second: the same package, lock and report."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest
from cli_centre import NAME

from rttqa_build.cli.workers import surveying, workers
from rttqa_build.sibling import Sibling

if TYPE_CHECKING:
    from pathlib import Path

    from cli_centre import Centre

WITH_IT = """
from rttqa_build.cli import workers
workers.os.cpu_count = lambda: 2
"""
ALONE = """
from rttqa_build.cli import workers
workers.os.cpu_count = lambda: 1
"""
# The second process is killed before its first, its third, its last task.
KILLED = (
    WITH_IT
    + """
import os, signal
from rttqa_build.sibling import Sibling
inner, names = Sibling._asked, []
def asked(self, request):
    names.append(request)
    if len(names) == {number}:
        self._process.kill()
        self._process.wait()
    return inner(self, request)
Sibling._asked = asked
"""
)
# It says which functions it was asked for, and leaves pydicom to the second process.
TOLD = (
    WITH_IT
    + """
import atexit, sys
from rttqa_build.sibling import Sibling
inner = Sibling.submit
def submit(self, fn, /, *args, **kwargs):
    names.append(fn.__name__)
    return inner(self, fn, *args, **kwargs)
names = []
Sibling.submit = submit
atexit.register(lambda: print("ASKED", *names, "pydicom" in sys.modules, "numpy" in sys.modules))
"""
)


def made(centre: Centre) -> dict[str, str]:
    """Return the digest of each file that a build leaves."""
    files = [*centre.built.iterdir(), centre.submission / "lock.yaml"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def built(centre: Centre, code: str, *options: str) -> dict[str, str]:
    ran = centre.altered(code, "build", *options)
    assert ran.code == 0, ran.told
    return made(centre)


def test_the_second_process_changes_nothing(centre: Centre) -> None:
    alone = built(centre, ALONE)
    assert len(alone) == 4
    assert built(centre, WITH_IT) == alone
    assert built(centre, WITH_IT, "--jobs", "1") == alone
    for number in (1, 3, 6):
        assert built(centre, KILLED.format(number=number)) == alone


def test_headers_pages_and_the_last_look_are_left_to_it(centre: Centre) -> None:
    """What is loaded for them alone is not loaded twice: half of a build's start."""
    ran = centre.altered(TOLD, "build")
    asked = ran.out.partition("ASKED ")[2].split()
    assert set(asked[:-2]) == {"read_files", "probe", "typeset", "prepare", "verify", "render"}
    assert asked[-2:] == ["False", "False"]


def test_who_asks_for_one_job_gets_one_process() -> None:
    with Sibling() as sibling:
        there = sibling.submit(os.getpid).result()
        with workers(sibling, 1) as crew:
            assert crew.beside.submit(os.getpid).result() == os.getpid()
            assert sibling._process is not None
            assert sibling._process.returncode is not None
        with workers(None, 1) as crew:
            assert crew.jobs == 1
    assert there != os.getpid()


def test_where_nobody_reads_beside_nothing_is_read_ahead(tmp_path: Path) -> None:
    """A mistake in the words that follow would wait for the whole export."""
    (tmp_path / "slice.dcm").write_bytes(b"x")
    with workers(None, 1) as crew:
        assert surveying(tmp_path, crew).survey is None
    with Sibling() as sibling, workers(sibling, 2) as crew:
        begun = surveying(tmp_path, crew).survey
        assert begun is not None
        assert list(begun.sizes) == ["slice.dcm"]


@pytest.mark.parametrize("verb", ["build", "approve", "pseudonymise"])
def test_help_and_mistakes_do_not_wait_for_it(verb: str, centre: Centre) -> None:
    assert centre.altered(WITH_IT, verb, "--help").code == 0
    assert centre.altered(WITH_IT, verb, "--no-such-option", NAME).code == 2

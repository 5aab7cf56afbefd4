"""The tests notice what they are for: each seeded fault makes its test fail (`docs/seeded-faults.md`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from seeded_faults import FAULTS

if TYPE_CHECKING:
    from seeded_faults import Fault

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "seeded-faults.md"
_HEAD = """# Seeded faults

A test that cannot fail proves nothing. `make test-long` puts each of these faults into a copy of the
pseudonymisation, one at a time, and demands that the test beside it fails. The list is
`tests/seeded_faults.py`; this page is compared with it by `tests/test_seeded_faults.py`, which writes it anew
with `UPDATE_GOLDEN=1`.

| fault | module | noticed by |
|---|---|---|
"""


def page() -> str:
    rows = (f"| {f.what} | `{f.module}` | `{f.test.removeprefix('tests/')}` |\n" for f in FAULTS)
    return _HEAD + "".join(rows)


def module(root: Path, fault: Fault) -> Path:
    return root / "rttqa_build" / "deidentify" / f"{fault.module}.py"


def test_the_page_lists_the_faults() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(page(), "utf-8", newline="\n")
    assert PAGE.read_text("utf-8") == page()
    assert len({fault.what for fault in FAULTS}) == len(FAULTS) >= 20


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_every_fault_still_has_its_place(fault: Fault) -> None:
    assert module(ROOT, fault).read_text("utf-8").count(fault.old) == 1


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, for its tests to run in."""
    root = tmp_path_factory.mktemp("faulty") / "project"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "dist")
    shutil.copytree(ROOT, root, ignore=ignored)
    return root


def run(root: Path, *tests: str) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    environ = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=root, env=environ, capture_output=True, check=False, timeout=300
    ).returncode


@pytest.mark.long
def test_without_a_fault_the_tests_pass(copy: Path) -> None:
    assert run(copy, *sorted({fault.test for fault in FAULTS})) == 0


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_every_fault_is_noticed(fault: Fault, copy: Path) -> None:
    path = module(copy, fault)
    sound = path.read_text("utf-8")
    path.write_text(sound.replace(fault.old, fault.new), "utf-8")
    try:
        assert run(copy, fault.test) == 1
    finally:
        path.write_text(sound, "utf-8")

"""The wheel: everything that the program reads is inside, and it works without the source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import rttqa_build

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "rttqa_build"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    out = tmp_path_factory.mktemp("wheel")
    command = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out)]
    subprocess.run([sys.executable, "-m", *command, str(ROOT)], check=True)
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(site: Path, cwd: Path, *arguments: str) -> str:
    """Run the program from the unpacked wheel, in a folder that has nothing to do with the source tree."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RTTQA_")}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return done.stdout


def expected() -> set[str]:
    files = {path for path in PACKAGE.rglob("*") if path.is_file()}
    for name in ("schemas", "trials"):
        files |= {path for path in (ROOT / name).rglob("*") if path.is_file()}
    names = {path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".pyc"}
    return {name if name.startswith("rttqa_build/") else f"rttqa_build/{name}" for name in names}


def test_all_that_the_program_reads_is_inside(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == expected()


def test_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert rttqa_build.__version__ == project["version"]
    assert f"## [{project['version']}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_it_runs_without_the_source_tree(installed: Path, tmp_path: Path) -> None:
    place = run(installed, tmp_path, "-c", "import rttqa_build; print(rttqa_build.__file__)")
    assert Path(place.strip()).is_relative_to(installed)
    listed = run(installed, tmp_path, "-m", "rttqa_build", "trials")
    for trial in (path.name for path in (ROOT / "trials").iterdir()):
        assert trial in listed
    run(installed, tmp_path, "-m", "rttqa_build", "init", "our trials")
    assert (tmp_path / "our trials" / ".rttqa" / "schemas" / "settings.schema.json").is_file()


def test_the_demonstration_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    told = run(installed, tmp_path, "-m", "rttqa_build", "demo", "a demo")
    assert "EP-0123: received by the portal" in told
    assert len(list((tmp_path / "a demo-data" / "portal").glob("*.zip"))) == 1

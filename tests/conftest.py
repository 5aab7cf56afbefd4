"""Fixtures that several test modules share."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import build_case
import cli_centre
import pytest

from rttqa_build import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable

    from build_case import Run
    from cli_centre import Centre

    from rttqa_build.synthetic import SyntheticPatient

GOLDEN = Path(__file__).resolve().parent / "golden"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare with a stored text; with UPDATE_GOLDEN=1 store it instead, for a look at the difference."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN"):
            path.write_text(text, "utf-8", newline="\n")
        assert text == path.read_text("utf-8")

    return compare


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def small_patient(tmp_path_factory: pytest.TempPathFactory) -> SyntheticPatient:
    """The small patient, written to a folder. Shared: build another to alter objects or files."""
    return synthetic.write(tmp_path_factory.mktemp("small"), extent=synthetic.SMALL)


@pytest.fixture(scope="session")
def full_patient(tmp_path_factory: pytest.TempPathFactory) -> SyntheticPatient:
    """The patient of the demonstration. Shared: alter nothing."""
    return synthetic.write(tmp_path_factory.mktemp("full"), clutter=True, form_for="EP-0123")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    """Build a variant of the small patient by name, once a session. Shared: alter nothing."""

    @functools.cache
    def run(name: str) -> Run:
        return build_case.run(build_case.named(name), tmp_path_factory.mktemp(name))

    return run


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """A centre with a phantom that can be built. Shared: alter a copy (``centre``)."""
    return cli_centre.centre(tmp_path_factory.mktemp("centre"))


@pytest.fixture(scope="session")
def delivered(settled: Centre, tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """A centre whose phantom was built, committed and received. Shared: alter a copy (``received``)."""
    made = settled.at(tmp_path_factory.mktemp("received"))
    assert made.run("build").code == 0
    made.commit()
    assert made.run("submit").code == 0
    made.commit()
    return made


@pytest.fixture
def centre(settled: Centre, tmp_path: Path) -> Centre:
    """A centre of the test's own, nothing built yet."""
    return settled.at(tmp_path / "a centre")


@pytest.fixture
def received(delivered: Centre, tmp_path: Path) -> Centre:
    """A centre of the test's own whose phantom was received."""
    return delivered.at(tmp_path / "a centre")

"""Fixtures that several test modules share."""

from __future__ import annotations

import functools
import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import build_case
import cli_centre
import pytest
import remembered

from rttqa_build import synthetic
from rttqa_build.dose import dvh
from rttqa_build.sibling import Here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from build_case import Run
    from cli_centre import Centre

    from rttqa_build.synthetic import SyntheticPatient

GOLDEN = Path(__file__).resolve().parent / "golden"

# What is collected lives to the end. Searching it for garbage over and over was a quarter of the time.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000, 10, 10)


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare with a stored text; with UPDATE_GOLDEN=1 store it instead, for a look at the difference."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN"):
            path.write_text(text, "utf-8", newline="\n")
        assert text == path.read_text("utf-8")

    return compare


@pytest.fixture(scope="session", autouse=True)
def _histograms_once() -> Iterator[None]:
    """Let builds of the same contours and doses share their histograms: they are half of a build's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rttqa_build.evidence.verdicts.dvh", remembered.histograms())
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_process() -> Iterator[None]:
    """Let verbs that are called in this process do all their work here: a second one takes 0.2 s to start.

    What a test runs as a program of its own has both.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rttqa_build.cli.workers.second", Here)
        yield


@pytest.fixture
def histograms_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every build of this test reckon its histograms itself."""
    monkeypatch.setattr("rttqa_build.evidence.verdicts.dvh", dvh)


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
def closed(settled: Centre, tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """A centre whose phantom was built and committed. Shared: alter a copy (``packed``)."""
    made = settled.at(tmp_path_factory.mktemp("packed"))
    assert made.call("build").code == 0
    made.commit()
    return made


@pytest.fixture(scope="session")
def delivered(closed: Centre, tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """A centre whose phantom was built, committed and received. Shared: alter a copy (``received``)."""
    made = closed.at(tmp_path_factory.mktemp("received"))
    assert made.call("submit").code == 0
    made.commit()
    return made


@pytest.fixture
def centre(settled: Centre, tmp_path: Path) -> Centre:
    """A centre of the test's own, nothing built yet."""
    return settled.at(tmp_path / "a centre")


@pytest.fixture
def packed(closed: Centre, tmp_path: Path) -> Centre:
    """A centre of the test's own with a package to send."""
    return closed.at(tmp_path / "a centre")


@pytest.fixture
def received(delivered: Centre, tmp_path: Path) -> Centre:
    """A centre of the test's own whose phantom was received."""
    return delivered.at(tmp_path / "a centre")

"""Fixtures that several test modules share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rttqa_build import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable

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

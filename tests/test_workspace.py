from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rttqa_build.diagnostic import UsageError
from rttqa_build.workspace import SettingsError, Workspace

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
settings: 1
centre: {code: RXX, name: Example, contact: {name: Physics, email: rt@example.org}}
data_root: ../data
key_file: ../centre.key
"""


def workspace(root: Path) -> Workspace:
    (root / "rttqa.yaml").write_text(SETTINGS)
    return Workspace.find(root, {})


def test_a_manifest_that_cannot_be_read_is_a_finding_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "submissions" / "EP-0001"
    (folder / "manifest.yaml").mkdir(parents=True)
    loaded = workspace(tmp_path).load(folder / "manifest.yaml")
    assert [one.code for one in loaded.diagnostics] == ["M014"]
    assert loaded.manifest is None


def test_a_lock_that_cannot_be_read_is_a_finding_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "submissions" / "EP-0001"
    (folder / "lock.yaml").mkdir(parents=True)
    (folder / "manifest.yaml").write_text("manifest: 1\n")
    assert "M408" in [one.code for one in workspace(tmp_path).load(folder / "manifest.yaml").diagnostics]


def test_a_synced_folder_is_refused_unless_the_settings_say_so(tmp_path: Path) -> None:
    text = SETTINGS.replace("../centre.key", "/home/me/OneDrive - NHS/centre.key")
    (tmp_path / "rttqa.yaml").write_text(text)
    with pytest.raises(UsageError, match="cloud"):
        Workspace.find(tmp_path, {}).key_path()
    (tmp_path / "rttqa.yaml").write_text(text + "allow_synced_folders: true\n")
    assert Workspace.find(tmp_path, {}).key_path().name == "centre.key"


@pytest.mark.parametrize(
    ("prefixes", "codes"),
    [
        ("", []),
        ("id_prefixes: {example-phantom: PHANTOM-0}", []),
        ("id_prefixes: {example-phantom: PHANTOM-1}", ["M228"]),
        ("id_prefixes: {another-trial: X}", []),
        ("id_prefixes: null", ["M103"]),
    ],
)
def test_a_trial_id_of_another_centre_is_told_where_it_stands(
    prefixes: str, codes: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "submissions" / "phantom"
    folder.mkdir(parents=True)
    (folder / "manifest.yaml").write_text(
        "manifest: 1\ntrial: example-phantom\nsource: phantom\n"
        "submission: {patient: PHANTOM-07, purpose: dummy-run, revision: 1}\n"
    )
    (tmp_path / "rttqa.yaml").write_text(f"{SETTINGS}{prefixes}\n")
    try:
        found = Workspace.find(tmp_path, {}).load(folder / "manifest.yaml").diagnostics
    except SettingsError as error:
        found = error.diagnostics
    assert [one.code for one in found] == codes
    assert all(one.where.item in {"submission.patient", "id_prefixes"} for one in found)
    assert not any("PHANTOM" in f"{one.message} {one.hint}" for one in found)

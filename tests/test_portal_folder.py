from __future__ import annotations

import hashlib
import io
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rttqa_build.diagnostic import RttqaError
from rttqa_build.portal import FolderPortal, remote_name
from rttqa_build.receipt import Outcome, OutcomeKind

DATA = os.urandom(3 << 20)
SHA = hashlib.sha256(DATA).hexdigest()
NAME = f"example_EP-0123_{SHA[:12]}.zip"


def put(folder: Path, data: bytes = DATA) -> Outcome:
    return FolderPortal(folder).put(io.BytesIO(data), NAME, len(DATA), SHA)


def test_a_package_arrives_whole_and_alone(tmp_path: Path) -> None:
    handle = io.BytesIO(DATA)
    handle.seek(17)  # verify has read from it
    outcome = FolderPortal(tmp_path).put(handle, NAME, len(DATA), SHA)
    assert outcome == Outcome(OutcomeKind.VERIFIED, SHA)
    assert [p.name for p in tmp_path.iterdir()] == [NAME]
    assert (tmp_path / NAME).read_bytes() == DATA


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"another's")
    outcome = put(tmp_path)
    assert outcome.kind is OutcomeKind.REFUSED
    assert (tmp_path / NAME).read_bytes() == b"another's"


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x", b"", b"\0" + DATA[1:]])
def test_bytes_that_changed_are_not_handed_over(data: bytes, tmp_path: Path) -> None:
    outcome = put(tmp_path, data)
    assert outcome.kind is OutcomeKind.REFUSED
    assert "changed" in outcome.facts["reason"]
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_reads_back_otherwise_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damage(_: int) -> None:
        part = next(tmp_path.glob(".*.part"))
        part.write_bytes(b"\0" + part.read_bytes()[1:])

    monkeypatch.setattr(os, "fsync", damage)
    outcome = put(tmp_path)
    assert outcome.kind is OutcomeKind.REFUSED
    assert outcome.echo not in {"", SHA}
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_and_a_full_disk_are_outcomes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "not there" in put(tmp_path / "missing").facts["reason"]

    def full(_: int) -> None:
        raise OSError(28, "No space", str(tmp_path))

    monkeypatch.setattr(os, "fsync", full)
    outcome = put(tmp_path)
    assert outcome.kind is OutcomeKind.REFUSED
    assert "full" in outcome.facts["reason"]
    assert str(tmp_path) not in str(outcome.facts)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_after_the_name_was_given_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def late(self: Path, target: Path) -> None:
        rename(self, target)
        raise OSError(5, "lost connection")

    monkeypatch.setattr(Path, "rename", late)
    assert put(tmp_path).kind is OutcomeKind.UNKNOWN
    assert (tmp_path / NAME).read_bytes() == DATA


def codes(portal: FolderPortal, need: int = 1) -> list[str]:
    try:
        portal.preflight(need)
    except RttqaError as error:
        return [error.code] if error.exit_code == 3 and error.hint else [f"{error.code} without a hint"]
    return []


class Usage(NamedTuple):
    free: int


def test_preflight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert codes(FolderPortal(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []
    assert codes(FolderPortal(tmp_path / "missing")) == ["U012"]
    assert codes(FolderPortal(tmp_path / "made" / "here", make=True)) == []
    (tmp_path / "file").write_bytes(b"")
    assert codes(FolderPortal(tmp_path / "file", make=True)) == ["U012"]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10 << 20))
    assert codes(FolderPortal(tmp_path), 8 << 20) == []
    assert codes(FolderPortal(tmp_path), 10 << 20) == ["U014"]


def test_preflight_of_a_folder_that_takes_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object) -> None:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(Path, "write_bytes", deny)
    assert codes(FolderPortal(tmp_path)) == ["U013"]


def test_a_share_that_does_not_tell_its_space_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        raise OSError(38, "not implemented")

    monkeypatch.setattr(shutil, "disk_usage", fail)
    assert codes(FolderPortal(tmp_path)) == []


def test_a_folder_is_local(tmp_path: Path) -> None:
    portal = FolderPortal(tmp_path)
    assert (portal.host, portal.local) == ("folder", True)


@given(st.text(), st.integers(0, 9))
def test_a_name_at_the_portal_holds_only_safe_characters(package: str, tried: int) -> None:
    import re

    assert re.fullmatch(r"[A-Za-z0-9_-]+_[0-9a-f]{12}(_t\d+)?\.zip", remote_name(package, "0" * 64, tried))


def test_each_try_takes_a_new_name() -> None:
    names = [remote_name("plato_RXX_PL-1_r1.zip", SHA, tried) for tried in range(3)]
    assert names[0] == f"plato_RXX_PL-1_r1_{SHA[:12]}.zip"
    assert names[1].endswith("_t2.zip")
    assert len(set(names)) == 3

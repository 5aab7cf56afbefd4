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
from rttqa_build.portal import FolderPortal, interrupted, remote_name
from rttqa_build.records.receipt import Outcome, OutcomeKind

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


def test_the_very_package_under_its_name_is_proof(tmp_path: Path) -> None:
    assert put(tmp_path).kind is OutcomeKind.VERIFIED
    again = put(tmp_path)
    assert (again.kind, again.echo, "already" in again.facts["reason"]) == (OutcomeKind.VERIFIED, SHA, True)
    assert [p.name for p in tmp_path.iterdir()] == [NAME]


def test_what_killed_runs_left_goes_and_nothing_else(tmp_path: Path) -> None:
    others = [f".other_EP-0123_{SHA[:12]}.zip.part", ".example_EP-0123_000000000000.zip.part", NAME + ".part"]
    for name in (f".{NAME.replace('.zip', '_t3.zip')}.part", *others):
        (tmp_path / name).write_bytes(b"left")
    assert put(tmp_path).kind is OutcomeKind.VERIFIED
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([NAME, *others])


def test_another_run_at_the_same_copy_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / f".{NAME}.part").write_bytes(b"half")
    outcome = put(tmp_path)
    assert (outcome.kind, "another run" in outcome.facts["reason"]) == (OutcomeKind.REFUSED, True)
    assert (tmp_path / f".{NAME}.part").read_bytes() == b"half"


def test_stopping_the_copy_leaves_nothing(tmp_path: Path) -> None:
    class Stopped(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise KeyboardInterrupt
            return super().read(size)

    outcome = FolderPortal(tmp_path).put(Stopped(DATA), NAME, len(DATA), SHA)
    assert (outcome.kind, interrupted(outcome)) == (OutcomeKind.REFUSED, True)
    assert list(tmp_path.iterdir()) == []


def test_stopping_while_the_file_is_named_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def late(self: Path, target: Path) -> None:
        rename(self, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", late)
    with pytest.raises(KeyboardInterrupt):
        put(tmp_path)
    assert (tmp_path / NAME).read_bytes() == DATA


@pytest.mark.parametrize("moved", [False, True])
def test_a_share_that_vanishes_while_the_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, moved: bool
) -> None:
    """The folder tells nothing any more; with ``moved`` False it is back at once, the copy still hidden."""
    share, exists = tmp_path / "share", Path.exists
    share.mkdir()

    def gone(self: Path) -> bool:
        if self.suffix in {".part", ".zip"} and list(share.glob(".*.part")):
            raise OSError(5, "Input/output error")
        return exists(self)

    def vanish(*_: object) -> None:
        if moved:
            monkeypatch.setattr(Path, "exists", gone)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "rename", vanish)
    outcome = put(share)
    assert outcome.kind is (OutcomeKind.UNKNOWN if moved else OutcomeKind.REFUSED)


def test_a_share_that_vanishes_after_the_proof_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "unlink", fail)
    assert put(tmp_path).kind is OutcomeKind.VERIFIED


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


def test_preflight_of_a_folder_that_cannot_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object) -> None:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(Path, "is_dir", deny)
    assert codes(FolderPortal(tmp_path)) == ["U012"]


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

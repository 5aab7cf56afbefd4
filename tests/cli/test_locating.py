"""``locate`` and ``approve`` through the command line: for a person on a terminal only."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from typing import TYPE_CHECKING

import pydicom
import pytest
from cli_centre import NAME, snapshot

if TYPE_CHECKING:
    from cli_centre import Centre

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX's")


def test_an_image_is_found_by_uid_path_and_digest_and_nothing_is_written(received: Centre) -> None:
    package = received.built / received.packages[0]
    with zipfile.ZipFile(package) as archive:
        path = next(name for name in archive.namelist() if "/CT_" in name)
        uid = str(pydicom.dcmread(io.BytesIO(archive.read(path))).SOPInstanceUID)
        plan = next(name for name in archive.namelist() if "/RP" in name or "plan" in name.lower())
        plan_uid = str(pydicom.dcmread(io.BytesIO(archive.read(plan))).SOPInstanceUID)
    before = snapshot(received.root, received.data)
    told = [received.typed("", "locate", what).out for what in (uid, path)]
    place = next(line for line in told[0].splitlines() if "sha256" in line).split()[0]
    digest = hashlib.sha256((received.export / place).read_bytes()).hexdigest()
    told.append(received.typed("", "locate", digest, NAME).out)
    assert all(f"{NAME}: 1 file in" in text and f"{place}  sha256 {digest[:12]}" in text for text in told)
    assert "sha256" in received.typed("", "locate", plan_uid).out
    assert snapshot(received.root, received.data) == before


def test_it_is_told_on_a_terminal_only(received: Centre) -> None:
    ran = received.call("locate", "abcdef")
    assert (ran.code, ran.out) == (2, "")


@pytest.mark.parametrize(("what", "code"), [("abcdef0123", 1), ("plan", 2), ("2.25.1", 1)])
def test_what_is_not_found(what: str, code: int, received: Centre) -> None:
    assert received.typed("", "locate", what).code == code


@pytest.mark.parametrize(
    ("name", "said"), [("lock.yaml", "lock.yaml cannot"), ("manifest.yaml", "not looked")]
)
def test_what_could_not_be_looked_through_is_told(name: str, said: str, received: Centre) -> None:
    """Else nothing would tell a UID of another package from one whose record is damaged."""
    (received.submission / name).write_text("uids: [", "utf-8")
    assert said in received.typed("", "locate", "2.25.1").out


def test_it_needs_the_key(received: Centre) -> None:
    (received.data / "centre.key").unlink()
    assert "[A001]" in received.typed("", "locate", "abcdef0123").out


@pytest.mark.parametrize("role", ["Dr Smith", "physicist 943 476 5919", "for Hargreaves", "WINTERBOURNE"])
def test_a_role_that_identifies_is_not_recorded(role: str, packed: Centre) -> None:
    ran = packed.typed("y\n", "approve", NAME, "--role", role)
    assert ran.code == 2
    assert "--role" in ran.out
    assert not (packed.submission / "approval.yaml").exists()

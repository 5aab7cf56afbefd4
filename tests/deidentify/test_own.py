from __future__ import annotations

import pytest

from rttqa_build.deidentify.elements import Leaf
from rttqa_build.deidentify.identity import Fact, Harvest, Kind, Who
from rttqa_build.deidentify.own import is_own, without_fields
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.diagnostic import Location

MACHINE, LABEL, COMMENT, OPERATOR = 0x300A00B2, 0x300A0002, 0x00104000, 0x00081070


@pytest.mark.parametrize(
    ("tag", "value", "own"),
    [
        (MACHINE, b"LINAC_1 ", True),
        (MACHINE, b"LINAC_2 ", False),
        (LABEL, b"PLAN", True),
        (LABEL, b"LINAC_1", False),
        (COMMENT, b"PLAN", False),
        (COMMENT, b"REMOVED\0", True),
        (COMMENT, b"REMOVED\\x", False),
        (OPERATOR, b"PSEUDONYMISED ", True),
        (OPERATOR, b"PSEUDONYMISED^Ann", False),
        (COMMENT, b"", False),
    ],
)
def test_what_the_engine_writes_for_anybody(tag: int, value: bytes, own: bool) -> None:
    assert is_own(Leaf(tag, "LO", value, ())) is own


def test_fields_of_our_files_are_no_content() -> None:
    lock = b"package:\n  size: 3\nuids:\n  plan:\n  - base: x\nstructures:\n  Digest: 1\n  name: Digest\n"
    assert without_fields(lock) == (b":\n  : 3\n:\n  :\n  - : x\n:\n  Digest: 1\n  : Digest\n")


def test_roles_are_keys_of_every_lock() -> None:
    search = Scanner(Harvest(frozenset({Fact(Who.PATIENT, Kind.NAME, b"Dose^Ann")})))
    lock = b"inputs:\n  dose:\n    count: 1\nfindings:\n  - code: D204\n    subject: dose\n"
    other = b"inputs:\n  ann dose:\n    count: 1\n"
    assert not search.scan_bytes(lock, Location("lock.yaml"))
    assert search.scan_bytes(other, Location("lock.yaml"))


def test_names_are_found_in_what_fields_hold() -> None:
    search = Scanner(Harvest(frozenset({Fact(Who.PATIENT, Kind.NAME, b"Tool^Package")})))

    def found(text: str) -> list[str]:
        return [d.code for d in search.scan_bytes(text.encode(), Location("lock.yaml"))]

    assert found("tool: 1.0\npackage:\n  name: x\n") == []
    assert found("tool: Tool Package\n") == ["A100"]
    assert found("local:\n  Tool Package:\n") == ["A100"]

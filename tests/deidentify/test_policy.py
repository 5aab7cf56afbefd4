"""What is done with elements beyond PS3.15 Table E.1-1; every row of it is in ``test_conformance``."""

from __future__ import annotations

import pytest

from rttqa_build.deidentify.policy import Action, compile_policy

POLICY = compile_policy()
UNLISTED = 0x00189999  # an even group, no row, no keyword


@pytest.mark.parametrize(
    ("tag", "vr", "action"),
    [
        *((UNLISTED, vr, Action.EMPTY) for vr in ("LO", "SH", "LT", "ST", "UT", "UC", "UR", "AE")),
        *((UNLISTED, vr, Action.EMPTY) for vr in ("OB", "OW", "OF", "OD", "OL", "OV", "UN")),
        *((UNLISTED, vr, Action.FITTING) for vr in ("CS", "AS", "TM")),
        *((UNLISTED, vr, Action.NUMERIC) for vr in ("DS", "IS")),
        *((UNLISTED, vr, Action.KEEP) for vr in ("US", "UL", "SS", "SL", "FL", "FD", "UV", "SV", "AT")),
        (UNLISTED, "DA", Action.DATE),
        (UNLISTED, "DT", Action.DATE),
        (UNLISTED, "PN", Action.DUMMY),
        (UNLISTED, "UI", Action.UID),
        (UNLISTED, "SQ", Action.ENTER),
        (0x00190010, "LO", Action.REMOVE),
        (0x00191001, "US", Action.REMOVE),
        (0x00180000, "UL", Action.REMOVE),
        (0x50003000, "OW", Action.REMOVE),
        (0x60020010, "US", Action.REMOVE),
        (0x60003000, "OW", Action.REMOVE),
        (0x00100010, "PN", Action.SUBJECT),
        (0x00100020, "LO", Action.SUBJECT),
        (0x7FE00010, "OW", Action.KEEP),
        (0x30060050, "DS", Action.NUMERIC),
        (0x00280030, "DS", Action.NUMERIC),
        (0x00280030, "LO", Action.EMPTY),
        (0x7FE00010, "SQ", Action.ENTER),
        (0x7FE00010, "LT", Action.EMPTY),
        (0x00080016, "UI", Action.CLASS),
        (0x00080016, "SQ", Action.ENTER),
        (0x00080016, "LO", Action.EMPTY),
    ],
)
def test_default_denial(tag: int, vr: str, action: Action) -> None:
    assert POLICY.action(tag, vr) is action


def test_dates_are_emptied_where_the_trial_removes_them() -> None:
    assert compile_policy("remove").action(UNLISTED, "DA") is Action.EMPTY


def test_patient_characteristics_stay_only_where_a_trial_retains_them() -> None:
    kept = compile_policy(retain=frozenset({"patient_characteristics"}))
    for tag, vr in ((0x00100040, "CS"), (0x00101020, "DS"), (0x00101030, "DS")):
        assert POLICY.action(tag, vr) in (Action.EMPTY, Action.REMOVE)
        assert kept.action(tag, vr) in (Action.FITTING, Action.NUMERIC)

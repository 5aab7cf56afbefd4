from __future__ import annotations

from typing import Any

import pytest
from case_builder import manifest, trial

from rttqa_build.checks.judgement import judge
from rttqa_build.codes import CATALOGUE
from rttqa_build.diagnostic import Severity, finding
from rttqa_build.manifest import Submission, Waiver
from rttqa_build.trial.consistency import waivable

COARSE = finding("D204", "coarse", subject="dose")
OTHER = finding("D204", "coarse", subject="sum")
NEVER = ("A100", "A003", "K101", "M201", "U014", "R201", "R301", "R310", "R311", "R501")


def submission(purpose: str) -> dict[str, Any]:
    return {"submission": Submission(purpose, 1, "EP-0123")}


@pytest.mark.parametrize(
    ("rule", "purpose", "expected"),
    [
        ({}, "dummy-run", Severity.ERROR),
        ({"default": "warning"}, "dummy-run", Severity.WARNING),
        ({"default": "warning", "dummy-run": "info"}, "dummy-run", Severity.INFO),
        ({"default": "warning", "dummy-run": "info"}, "prospective-review", Severity.WARNING),
        ({"dummy-run": "info"}, "prospective-review", Severity.ERROR),
    ],
)
def test_severity_by_trial_and_purpose(rule: dict[str, str], purpose: str, expected: Severity) -> None:
    one = trial(severities={"D204": rule} if rule else {})
    (found,) = judge([COARSE], manifest(**submission(purpose)), one)
    assert found.severity is expected
    assert found.fatal is (expected is Severity.ERROR)


@pytest.mark.parametrize("code", NEVER)
def test_what_can_be_neither_lowered_nor_waived(code: str) -> None:
    never = finding(code, "never")
    assert not waivable(never.code)
    lenient = trial(severities={never.code: {"default": "info"}})
    waived = manifest(waivers=(Waiver(never.code, "please"),))
    (found, unused) = sorted(judge([never], waived, lenient), key=lambda d: d.code == "M250")
    assert found.severity is Severity(CATALOGUE[never.code].severity)
    assert not found.waived
    assert unused.code == "M250"


def test_all_of_families_a_k_m_u_and_the_links_are_beyond_waiving() -> None:
    for code in CATALOGUE:
        assert waivable(code) == (code[0] in "CSPD" or code[:2] in ("R0", "R1", "R4")), code


@pytest.mark.parametrize(
    ("waivers", "waived", "unused"),
    [
        ([], 0, 0),
        ([Waiver("D204", "why", "dose")], 1, 0),
        ([Waiver("D204", "why", "")], 2, 0),
        ([Waiver("D204", "why", "plan")], 0, 1),
        ([Waiver("D203", "why", "dose")], 0, 1),
        ([Waiver("D204", "why", "dose"), Waiver("D204", "why", "sum")], 2, 0),
        ([Waiver("D204", "why", ""), Waiver("P105", "why", "")], 2, 1),
    ],
)
def test_waivers_meet_findings_by_code_and_subject(waivers: list[Waiver], waived: int, unused: int) -> None:
    found = judge([COARSE, OTHER], manifest(waivers=tuple(waivers)), trial())
    assert [d.waived for d in found].count("why") == waived
    assert [d.code for d in found].count("M250") == unused
    assert sum(d.fatal for d in found if d.code != "M250") == 2 - waived


def test_an_unused_waiver_is_told_with_its_line() -> None:
    found = judge([], manifest(waivers=(Waiver("P105", "a"), Waiver("D204", "b"))), trial())
    assert [(d.code, d.where.line, d.fatal) for d in found] == [("M250", 9, True), ("M250", 10, True)]


def test_findings_come_once_and_in_order() -> None:
    found = judge([OTHER, COARSE, COARSE], manifest(), trial())
    assert [d.subject for d in found] == ["dose", "sum"]

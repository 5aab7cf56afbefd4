from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from case_builder import manifest, trial

from rttqa_build.manifest import Submission
from rttqa_build.trial.deadline import Due, deadline, due, working_days

MONDAY, FRIDAY = "2026-03-02", "2026-03-06"
NEXT_MONDAY = "2026-03-09"


@pytest.mark.parametrize(
    ("today", "start", "wanted", "expected"),
    [
        (MONDAY, NEXT_MONDAY, 5, []),
        (MONDAY, NEXT_MONDAY, 6, ["M230"]),
        (FRIDAY, NEXT_MONDAY, 1, []),
        (FRIDAY, NEXT_MONDAY, 2, ["M230"]),
        (NEXT_MONDAY, NEXT_MONDAY, 0, ["M231"]),
        (NEXT_MONDAY, MONDAY, 5, ["M231"]),
        (MONDAY, NEXT_MONDAY, None, []),
        (MONDAY, "", 5, []),
        (MONDAY, "2026-02-30", 5, []),  # no such date is told elsewhere
    ],
)
def test_days_that_are_left(today: str, start: str, wanted: int | None, expected: list[str]) -> None:
    one = Submission("prospective-review", 1, "EP-0123", radiotherapy_start=start)
    asking = replace(trial(deadline_working_days=wanted), status="unofficial")
    found = list(deadline(manifest(submission=one), asking, today))
    assert [each.code for each in found] == expected
    assert not [each for each in found if each.fatal or start in each.message]


@pytest.mark.parametrize("changes", [{"purpose": "data-collection"}, {}])
def test_where_nobody_waits(changes: dict[str, Any]) -> None:
    one = replace(Submission("prospective-review", 1, "EP-0123", radiotherapy_start=MONDAY), **changes)
    example = trial(deadline_working_days=5)
    asking = replace(example, status="unofficial") if changes else example
    assert list(deadline(manifest(submission=one), asking, MONDAY)) == []


def test_working_days_leave_out_weekends() -> None:
    assert working_days(date(2026, 3, 6), date(2026, 3, 9)) == 1
    assert working_days(date(2026, 3, 7), date(2026, 3, 9)) == 0
    assert working_days(date(2026, 3, 9), date(2026, 3, 6)) == 0
    assert working_days(date(2026, 3, 2), date(2026, 3, 30)) == 20


@pytest.mark.parametrize(
    ("today", "start", "wanted", "expected"),
    [
        (MONDAY, NEXT_MONDAY, 5, Due(MONDAY, 0)),
        (MONDAY, NEXT_MONDAY, 1, Due(FRIDAY, 4)),
        (FRIDAY, NEXT_MONDAY, 5, Due(MONDAY, -4)),
        (MONDAY, NEXT_MONDAY, 6, Due("2026-02-27", -1)),
        ("2026-03-07", NEXT_MONDAY, 1, Due(FRIDAY, -1)),
        (MONDAY, FRIDAY, 0, Due(FRIDAY, 4)),
        (MONDAY, "", 5, None),
        (MONDAY, FRIDAY, None, None),
        ("", FRIDAY, 1, None),
    ],
)
def test_until_when_to_send(today: str, start: str, wanted: int | None, expected: Due | None) -> None:
    asking = replace(trial(deadline_working_days=wanted), status="unofficial")
    assert due("prospective-review", start, asking, today) == expected
    assert due("data-collection", start, asking, today) is None
    assert due("prospective-review", start, replace(asking, status="example"), today) is None


@pytest.mark.parametrize("wanted", range(8))
def test_on_the_last_day_it_is_in_time_and_on_the_next_it_is_late(wanted: int) -> None:
    asking = replace(trial(deadline_working_days=wanted), status="unofficial")
    last = due("prospective-review", "2026-03-18", asking, MONDAY)
    assert last is not None
    assert working_days(date.fromisoformat(last.date), date(2026, 3, 18)) == wanted
    assert last.left == working_days(date(2026, 3, 2), date.fromisoformat(last.date))

"""A coincidence as a user meets it: the build stops, people release it on a terminal, it arrives."""

from __future__ import annotations

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
PLAN, STRUCTURES = "data/planning/RP_1.dcm", "data/planning/RS_1.dcm"


def born(centre: Centre, day: str) -> None:
    for path in sorted(centre.export.rglob("*")):
        if path.is_file():
            written = pydicom.dcmread(path)
            written.PatientBirthDate = day
            written.save_as(path)


@pytest.fixture
def held(centre: Centre) -> tuple[Centre, str]:
    """A centre whose patient was born on the day on which, moved into the past, the plan was reviewed."""
    assert centre.call("build").code == 0
    with zipfile.ZipFile(centre.built / centre.packages[0]) as archive:
        name = next(name for name in archive.namelist() if name.endswith(PLAN))
        day = str(pydicom.dcmread(io.BytesIO(archive.read(name))).ReviewDate)
    (centre.submission / "lock.yaml").unlink()
    (centre.built / centre.packages[0]).unlink()
    born(centre, day)
    return centre, day


def test_a_coincidence_stops_the_build(held: tuple[Centre, str]) -> None:
    centre, day = held
    stopped = centre.call("build")
    assert (stopped.code, "[A102]" in stopped.out, f"approve {NAME}" in stopped.out) == (1, True, True)
    assert day not in stopped.told
    assert centre.packages == []
    assert "held back" in centre.call("status").out
    assert centre.call("status", "--format", "json").json[0]["state"] == "held back"

    before = snapshot(centre.submission)
    alone = centre.call("approve", NAME)
    assert (alone.code, "on a terminal" in alone.err) == (2, True)
    refused = centre.typed("n\n", "approve", NAME)
    assert (refused.code, "not released" in refused.out, day in refused.out) == (1, True, True)
    unsure = centre.typed("y\na day as any other\nn\n", "approve", NAME)
    assert (unsure.code, "not released" in unsure.out) == (1, True)
    assert snapshot(centre.submission) == before


def test_a_release_names_places_and_no_value(held: tuple[Centre, str]) -> None:
    centre, day = held
    centre.call("build")
    answers = f"y\nborn {day}\nHargreaves\nthe day of the review, moved\ny\n"
    released = centre.typed(answers, "approve", NAME)
    assert released.code == 0, released.out
    assert released.out.count("that identifies somebody") == 2
    for shown in (f"{PLAN}: ReviewDate", f"{STRUCTURES}: ReviewDate", f"| {day}", "for this content only"):
        assert shown in released.out
    text = (centre.submission / "approval.yaml").read_text("utf-8")
    assert (text.count(PLAN), text.count("A102"), "approvals: []" in text) == (1, 1, True)
    assert day not in text
    assert f"{day[:4]}-{day[4:6]}-{day[6:]}" not in text
    assert "build it again" in centre.call("status").out


def test_what_two_people_released_arrives(held: tuple[Centre, str]) -> None:
    centre, _ = held
    centre.edit("portal:", "gate: {approvals: 2}\nportal:", centre.root / "rttqa.yaml")
    centre.call("build")
    centre.typed("y\nthe day of the review, moved\ny\n", "approve", NAME)
    built = centre.call("build")
    assert (built.code, "warning[A110]" in built.out) == (0, True)
    assert "code: A110" in (centre.submission / "lock.yaml").read_text("utf-8")
    own = centre.typed("y\n", "approve", NAME)  # what this person released is not asked again
    assert (own.code, "Find 1" in own.out) == (0, False)
    centre.commit()
    one_person = centre.call("submit").out
    assert "[U005]" in one_person
    assert "[U009]" in one_person
    first_lines = centre.call("review", "HEAD~1").out.partition("### Look at this first")[2].splitlines()
    assert f"**{NAME}** releases a find, A102 in ReviewDate of 2 files: the day" in first_lines[2]

    centre.git("config", "user.email", "second@example.org")
    second = centre.typed("y\nI agree\ny\ny\n", "approve", NAME)
    assert (second.code, "the day of the review, moved" in second.out) == (0, True), second.out
    centre.commit()
    sent = centre.call("submit")
    assert sent.code == 0, sent.told
    (arrived,) = (centre.data / "portal").glob("*.zip")
    assert centre.call("verify", arrived).code == 0


def test_any_change_of_the_content_voids_a_release(held: tuple[Centre, str]) -> None:
    centre, day = held
    centre.call("build")
    assert centre.typed("y\na day as any other\ny\n", "approve", NAME).code == 0
    assert centre.call("build").code == 0
    plan = next(path for path in sorted(centre.export.rglob("RP*")) if path.is_file())
    written = pydicom.dcmread(plan)
    written.RTPlanLabel = "Another"
    written.save_as(plan)
    changed = centre.call("build")
    assert (changed.code, "[A102]" in changed.out, "[A111]" in changed.out) == (1, True, True)
    assert "held back" in centre.call("status").out
    again = centre.typed("y\nlooked at anew\ny\n", "approve", NAME)
    assert (again.code, day in again.out) == (0, True)
    text = (centre.submission / "approval.yaml").read_text("utf-8")
    assert (text.count("A102"), "as any other" in text) == (1, False)  # the void one goes
    assert centre.call("build").code == 0
    (centre.submission / "approval.yaml").unlink()
    assert "[A102]" in centre.call("build", "--locked").out


def test_without_a_find_there_is_nothing_to_release(centre: Centre) -> None:
    unbuilt = centre.typed("", "approve", NAME)
    assert (unbuilt.code, "was not built" in unbuilt.out) == (2, True)
    centre.call("build")
    approved = centre.typed("y\n", "approve", NAME)
    assert (approved.code, "Find 1" in approved.out) == (0, False)
    assert "released" not in (centre.submission / "approval.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    "row",
    [
        "{code: A104, element: StudyDate, files: [data/planning/RP_1.dcm]}",
        "{code: A102, element: StudyDate, files: []}",
        "{code: A102, element: StudyDate, files: [data/planning/RP_1.dcm], value: Rose}",
        "{code: A102, element: 'Müller', files: [data/planning/RP_1.dcm]}",
    ],
)
def test_other_rows_are_damage(row: str, centre: Centre) -> None:
    common = f"reason: r, by: a@example.org, date: 2026-11-22, content: {'0' * 64}}}"
    text = f"approvals: []\nreleased:\n  - {row[:-1]}, {common}\n"
    (centre.submission / "approval.yaml").write_text(text, "utf-8")
    assert "[M409]" in centre.call("check").out

"""``status``: a table for people, JSON for programs."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import pytest
from cli_centre import NAME

from rttqa_build import disk
from rttqa_build.cli.output import Terminal
from rttqa_build.cli.table import show_table
from rttqa_build.library import shipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli_centre import Centre

COLUMNS = ("submission", "state", "missing", "send by", "age", "next step")
ROWS = [
    ("A-1", "incomplete", "3", "2026-12-07 (5 left)", "", "complete the manifest: check finds 3 errors"),
    ("B" * 64, "submitted, unverified", "", "", "12 d", "have the trial group confirm it, " * 4),
]
PROSPECTIVE = """\
manifest: 1
trial: own
submission:
  patient: EP-0001
  purpose: prospective-review
  revision: 1
  radiotherapy_start: {start}
source: EP-0001
"""


def table(rows: Sequence[tuple[str, ...]], *, colour: bool = False, local: bool = False) -> str:
    out = io.StringIO()
    show_table(COLUMNS, rows, {0}, Terminal(out, colour, local, 80 if local else 0))
    return out.getvalue()


@pytest.mark.parametrize("colour", [True, False])
def test_on_a_terminal_it_fits(*, colour: bool) -> None:
    shown = table(ROWS, colour=colour, local=True)
    assert ("\x1b[" in shown) is colour
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(len, plain.splitlines())) <= 80
    assert shown.isascii() or colour
    said = re.sub(r"\s", "", plain)
    assert "A-1" in said
    assert plain.count("B") == 64


def test_where_no_person_looks_each_row_is_one_line() -> None:
    shown = table(ROWS)
    assert len(shown.splitlines()) == 3
    assert shown.isascii()
    assert re.search(r"^A-1 +incomplete +3 +2026-12-07 \(5 left\) +complete", shown, re.MULTILINE)


def test_empty_columns_are_left_out() -> None:
    assert table([("A-1", "draft", "", "", "", "build it")]) == (
        "submission  state  next step\nA-1         draft  build it\n"
    )


def own_trial(centre: Centre) -> None:
    """Give the repository a trial that is no example, with a deadline of five working days."""
    text = (shipped("trials") / "example-prostate" / "trial.yaml").read_text("utf-8")
    text = text.replace("id: example-prostate", "id: own").replace("status: example", "status: unofficial")
    schema = (shipped("schemas") / "example-prostate.schema.json").read_text("utf-8")
    disk.write(centre.root / "trials" / "own" / "trial.yaml", text.encode())
    disk.write(
        centre.root / "schemas" / "own.schema.json", schema.replace("example-prostate", "own").encode()
    )


def facts(centre: Centre) -> dict[str, Any]:
    rows: list[dict[str, Any]] = centre.call("status", "--format", "json").json
    return {row["name"]: row for row in rows}


def test_a_deadline(centre: Centre) -> None:
    own_trial(centre)
    for name, start in (("EP-0001", "2999-12-30"), ("EP-0002", "2001-01-10")):
        path = centre.root / "submissions" / name / "manifest.yaml"
        path.parent.mkdir()
        path.write_text(PROSPECTIVE.format(start=start), "utf-8")
    told = facts(centre)
    far, late = told["EP-0001"], told["EP-0002"]
    assert (far["deadline"]["date"], far["today"]) == ("2999-12-23", False)
    assert far["deadline"]["working_days_left"] > 1000
    assert (late["deadline"]["date"], late["today"]) == ("2001-01-03", True)
    assert late["deadline"]["working_days_left"] < -1000
    assert (far["state"], far["age_days"]) == ("incomplete", None)
    assert far["missing"] > 0
    shown = centre.call("status").out
    assert re.search(r"^EP-0002 .* 2001-01-03 \(late by \d+\)", shown, re.MULTILINE)
    assert "1 of 3 needs something today" in shown


def test_a_received_submission_has_an_age(received: Centre) -> None:
    one = facts(received)[NAME]
    assert (one["state"], one["missing"], one["deadline"], one["today"]) == ("received", 0, None, False)
    assert one["age_days"] in {0, 1}
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", one["since"])
    assert "today" not in received.call("status").out


def test_a_damaged_record_is_to_be_brought_back(received: Centre) -> None:
    (received.submission / "receipt.yaml").write_bytes(b"receipt: [\n")
    one = facts(received)[NAME]
    assert (one["state"], one["missing"]) == ("blocked", 1)
    assert one["next"] == "bring receipt.yaml back from Git with `git restore`: it is damaged"


def test_what_cannot_wait_is_counted(received: Centre) -> None:
    received.call("outcome", NAME, "--grade", "per-protocol")
    assert facts(received)[NAME]["today"] is True
    assert "1 of 1 needs something today" in received.call("status").out

"""Write docs/conformance.md, what is done with every row of PS3.15 Table E.1-1: ``make conformance``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rttqa_build.deidentify.elements import LONG_VRS
from rttqa_build.deidentify.policy import Action, compile_policy
from rttqa_build.deidentify.reader import dictionary
from rttqa_build.deidentify.table import read_keep_list, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.deidentify.table import Kept, Row

PAGE = Path(__file__).with_name("conformance.md")
_HEAD = """# Conformance to PS3.15 Table E.1-1

Every row of the table, edition 2026c: what the standard says, what is done, and why where there is a choice.
The profile is Basic Application Level Confidentiality (113100) with Clean Descriptors (113105) and Retain
Longitudinal Temporal Information with Modified Dates (113107); where a trial says `dates: remove`, 113107 is
not used. Retain Patient Characteristics (113108) is used where a trial retains them, as PET needs, and then
in all objects for three rows: sex, size and weight.

An element is looked up in this order: the reviewed keep list, the option's column, the basic action, and
where neither names it, denial by value representation (below). Of several actions that the standard leaves
open, the weakest that keeps the object valid is taken: X/Z → Z, X/D, Z/D and X/Z/D → D, X/Z/U* → U. It is the
same at every level: in sequences within sequences, in sequences that hide under `UN`; private sequences go
with all they hold.

- *removed*: the element is gone. *emptied*: it stays without a value, a sequence without items.
- *replaced by a dummy*: text `REMOVED`, names `PSEUDONYMISED`, dates 1900-01-01, binary values zero.
- *UID replaced*: by the keyed pseudonym, but for UIDs registered in PS3.6 Annex A.
- *date shifted*: by whole weeks, the same for all of a patient's dates; one that is no date is emptied.
  *time kept*: where it is a time.
- *cleaned*: kept, unless it holds an identity found in the originals; then neutral text stands there.
- *sequence entered*: its items stay, and each element in them is treated by its own rule.

Where the VR is unknown (implicit VR, and newer than the data dictionary at hand, or `UN`), what would be
shifted is emptied. At the top level the de-identification marks and the Clinical Trial modules replace what
stood there. The column *standard* gives basic profile / 113107 / 113105 / 113108.

`tests/deidentify/test_conformance.py` plants a value in every row, at six places, in four encodings, under
each set of options, and reads the result back with pydicom; it derives what must be there from the table by
itself, and holds this page to it. The page is written from the table and the keep list by `make conformance`.
"""
_CHOICES = {
    "X/Z": "of X and Z, Z: types 2 and 3 stay valid",
    "X/D": "of X and D, D: type 1 stays valid",
    "Z/D": "of Z and D, D: type 1 stays valid",
    "X/Z/D": "of X, Z and D, D: type 1 stays valid",
    "X/Z/U*": "U*: the UIDs in it are replaced, so that links survive",
}
_SUBJECT = "the trial ID is the patient's name and number from here on"
_RETAINED = "kept where the trial retains patient characteristics (PET)"
_REQUIRED = "removed dates leave a dummy, a registration must have it (PS3.3 10.9)"
_PET = "removed dates leave a dummy, enhanced PET must have it (PS3.3 C.8.22.2)"
_REASONS = {
    "PatientName": _SUBJECT,
    "PatientID": _SUBJECT,
    "ReferencedStudySequence": "of X and Z, X: an item is required where it is present (PS3.3 C.7.2.1)",
    "PresentationCreationDate": f"113107: one offset; {_REQUIRED}",
    "PresentationCreationTime": f"113107: times stay; {_REQUIRED}",
    "RadiopharmaceuticalStartDateTime": f"113107: one offset; {_PET}",
    "PatientSex": _RETAINED,
    "PatientSize": _RETAINED,
    "PatientWeight": _RETAINED,
}
_VRS = sorted(
    {
    *LONG_VRS, "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS",
    "ST", "TM", "UI", "UL", "US",
    }
)  # fmt: skip
_UNLISTED = 0x00189999


def page() -> str:
    """Return the page: the table row by row, the keep list, and the denial by value representation."""
    return "\n".join([_HEAD, *_table(), *_keep_list(), *_denial(), ""])


def _table() -> Iterator[str]:
    yield "## The table\n"
    yield "| tag | attribute | VR | standard | done | done with dates removed | why |"
    yield "|---|---|---|---|---|---|---|"
    kept = {line.tag: line for line in read_keep_list()}
    shift, remove = compile_policy("shift"), compile_policy("remove")
    for row in read_table():
        if row.number is None:
            done = both = Action.REMOVE.value
        else:
            done = _done(row, shift.action(row.number, _vr(row)))
            both = _done(row, remove.action(row.number, _vr(row)))
        standard = " / ".join(
            code or "–" for code in (row.basic, row.modified_dates, row.descriptors, row.patient)
        )
        tag = f"({row.tag[:4]},{row.tag[4:]})"
        yield f"| {tag} | {row.keyword} | {_vr(row)} | {standard} | {done} | {both} | {_why(row, kept)} |"


def _vr(row: Row) -> str:
    """Return the row's VR; where the edition gives none, the dictionary or the keyword tells it."""
    if row.vr or row.number is None:
        return row.vr
    by_keyword = "SQ" if row.keyword.endswith("Sequence") else "DT" if row.modified_dates else "LO"
    return dictionary().get(row.number, by_keyword)


def _done(row: Row, action: Action) -> str:
    return "time kept" if action is Action.FITTING and row.vr == "TM" else action.value


def _why(row: Row, kept: dict[int, Kept]) -> str:
    if row.number is not None and (line := kept.get(row.number)):
        return f"keep list: {line.reason}"
    if row.keyword in _REASONS:
        return _REASONS[row.keyword]
    if row.modified_dates == "C":
        return _why_of_time(row)
    cleaned = "113105 may keep it cleaned; no QA needs it, so the basic action"
    return _CHOICES.get(row.basic, cleaned if row.descriptors == "C" else "")


def _why_of_time(row: Row) -> str:
    if _vr(row) in ("DA", "DT"):
        return "113107: one offset for all dates"
    if row.vr == "TM":
        return "113107: times stay, days move by whole weeks"
    return "no date that could be shifted: the basic action"


def _keep_list() -> Iterator[str]:
    yield "\n## The keep list\n"
    yield "It stands over the table and over the denial. Adding a line is a decision that needs review.\n"
    yield "| tag | attribute | done | neutral value | why |"
    yield "|---|---|---|---|---|"
    for line in read_keep_list():
        dummy = f"`{line.dummy}`" if line.dummy else ""
        tag = f"{line.tag >> 16:04X},{line.tag & 0xFFFF:04X}"
        yield f"| {tag} | {line.keyword} | {line.action} | {dummy} | {line.reason} |"


def _denial() -> Iterator[str]:
    yield "\n## Beyond the table\n"
    yield "What no row and no line of the keep list names is treated by its value representation.\n"
    yield "| VR | done | done with dates removed |"
    yield "|---|---|---|"
    shift, remove = compile_policy("shift"), compile_policy("remove")
    for vr in _VRS:
        yield f"| {vr} | {shift.action(_UNLISTED, vr).value} | {remove.action(_UNLISTED, vr).value} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")

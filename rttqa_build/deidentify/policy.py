"""What happens to an element: keep list > option column > basic action > default denial (PS3.15 Annex E).

:func:`compile_policy` folds the table, the keep list and the trial's options into one :class:`Policy`;
:meth:`Policy.action` then answers for any tag and value representation, known or not.
"""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from rttqa_build.deidentify.table import Kept, Row, read_keep_list, read_safe_private, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping

Dates = Literal["shift", "remove"]


class Action(enum.Enum):
    """What the engine does with an element."""

    __hash__ = object.__hash__  # the one of Enum is Python code, and this is asked for at every element

    KEEP = "kept"
    CLEAN = "cleaned"
    CODE = "code kept where its scheme is public"
    CLASS = "kept where it is a UID"
    FITTING = "kept where it fits its value representation"
    NUMERIC = "kept where it is numeric"
    ENTER = "sequence entered"
    UID = "UID replaced"
    DATE = "date shifted"
    SUBJECT = "replaced by the trial ID"
    DUMMY = "replaced by a dummy"
    EMPTY = "emptied"
    REMOVE = "removed"
    PRIVATE = "private element kept where it is listed and numeric"
    MARK = "written anew"


NUMERIC_VRS = frozenset({"US", "UL", "SS", "SL", "FL", "FD", "UV", "SV", "AT"})
TEXT_VRS = frozenset({"LO", "SH", "LT", "ST", "UT", "UC", "UR", "AE"})
DATE_VRS = frozenset({"DA", "DT"})
FITTING_VRS = frozenset({"CS", "AS", "TM"})
BULK_VRS = frozenset({"OB", "OW", "OF", "OD", "OL", "OV"})

PATIENT_NAME, PATIENT_ID = 0x00100010, 0x00100020
# UIDs that name a class, a syntax, a coding scheme or a context group, whoever registered them: these say
# what something is, never whose it is.
CLASS_UIDS = frozenset(
    {
        0x00020002, 0x00020010, 0x00041510, 0x00041512, 0x00080016, 0x0008001A, 0x0008001B, 0x00080062,
        0x0008010C, 0x00080117, 0x00080118, 0x00081150, 0x0008115A, 0x00083002, 0x04000010,
    }
)  # fmt: skip

# The weakest action that keeps the object valid, for each choice that the table leaves.
_BASIC = {
    "X": Action.REMOVE,
    "Z": Action.EMPTY,
    "D": Action.DUMMY,
    "U": Action.UID,
    "X/Z": Action.EMPTY,
    "X/D": Action.DUMMY,
    "Z/D": Action.DUMMY,
    "X/Z/D": Action.DUMMY,
    "X/Z/U*": Action.UID,
}
# ReferencedStudySequence must hold an item where it is present (PS3.3 C.7.2.1): of X/Z only X is valid.
_NEVER_EMPTY = {0x00081110: Action.REMOVE}
# ContentCreationDate and -Time must have a value where their module is (PS3.3 10.9), and so must
# RadiopharmaceuticalStartDateTime in enhanced PET (PS3.3 C.8.22.2): removing them, as the basic profile has
# it, would leave an invalid registration or image.
_NEVER_REMOVED = {0x00700082: Action.DUMMY, 0x00700083: Action.DUMMY, 0x00181078: Action.DUMMY}
_KEPT = {
    "keep": Action.KEEP,
    "clean": Action.CLEAN,
    "code": Action.CODE,
    "dummy": Action.DUMMY,
    "empty": Action.EMPTY,
}
# Elements that make PET quantification possible (PS3.15, Retain Patient Characteristics): sex, size, weight.
_PATIENT_CHARACTERISTICS = {0x00100040: Action.KEEP, 0x00101020: Action.KEEP, 0x00101030: Action.KEEP}


@dataclass(frozen=True, slots=True)
class Policy:
    """The compiled rules. ``listed`` holds tags that a list names; the rest is denied by VR.

    ``safe_private``: group → creator and low bytes of the private elements that stay.
    """

    listed: Mapping[int, Action]
    wildcards: tuple[Row, ...]
    dummies: Mapping[int, str]
    dates: Dates
    safe_private: Mapping[int, tuple[bytes, frozenset[int]]] = field(default_factory=dict)
    _memo: dict[tuple[int, str], Action] = field(default_factory=dict, compare=False, repr=False)

    def action(self, tag: int, vr: str) -> Action:
        """Return what to do with an element of this tag and value representation."""
        known = self._memo.get((tag, vr))
        if known is None:
            known = self._memo[tag, vr] = self._decide(tag, vr)
        return known

    def _decide(self, tag: int, vr: str) -> Action:
        if tag >> 16 in self.safe_private:
            return Action.PRIVATE
        if tag >> 16 & 1 or not tag & 0xFFFF or any(row.covers(tag) for row in self.wildcards):
            return Action.REMOVE  # private, group lengths (retired), curves and overlays
        if 0x5000 <= tag >> 16 <= 0x50FF or 0x6000 <= tag >> 16 <= 0x60FF:
            return Action.REMOVE  # an overlay's description without its data has no use
        listed = self.listed.get(tag, Action.DATE)
        if listed is Action.UID or (listed is Action.DUMMY and vr in ("SQ", "UI")):
            return {"SQ": Action.ENTER, "UI": Action.UID}.get(vr, Action.EMPTY)
        # what is kept unseen may not be of a VR that holds text, what is kept as text not of one for names,
        # dates or UIDs
        vrs = {
            Action.KEEP: NUMERIC_VRS | BULK_VRS,
            Action.CLEAN: TEXT_VRS | FITTING_VRS | NUMERIC_VRS | BULK_VRS,
            Action.CLASS: {"UI"},
            Action.DATE: frozenset[str](),
        }
        return listed if vr in vrs.get(listed, {vr}) else self._beyond_the_table(vr)

    def _beyond_the_table(self, vr: str) -> Action:
        if vr in NUMERIC_VRS:
            return Action.KEEP
        if vr in DATE_VRS:
            return Action.DATE if self.dates == "shift" else Action.EMPTY
        if vr in ("DS", "IS"):
            return Action.NUMERIC
        if vr in FITTING_VRS:
            return Action.FITTING
        return {"SQ": Action.ENTER, "UI": Action.UID, "PN": Action.DUMMY}.get(vr, Action.EMPTY)


@functools.cache
def compile_policy(dates: Dates = "shift", retain: frozenset[str] = frozenset()) -> Policy:
    """Return the rules for a trial.

    ``dates``: ``shift`` is the option Retain Longitudinal Temporal Information with Modified Dates (113107),
    ``remove`` leaves dates to the basic profile. ``retain``: ``patient_characteristics`` (113108),
    ``safe_private`` (113111).
    """
    rows, kept = read_table(), read_keep_list()
    listed: dict[int, Action] = {
        row.number: _table_action(row, dates) for row in rows if row.number is not None
    }
    listed |= _NEVER_EMPTY
    if dates == "remove":
        listed |= _NEVER_REMOVED
    if "patient_characteristics" in retain:
        listed |= _PATIENT_CHARACTERISTICS
    listed |= {line.tag: _KEPT[line.action] for line in kept}
    listed |= {PATIENT_NAME: Action.SUBJECT, PATIENT_ID: Action.SUBJECT}
    listed |= dict.fromkeys(CLASS_UIDS, Action.CLASS)
    wildcards = tuple(row for row in rows if row.number is None)
    safe = {line.group: (line.creator, line.elements) for line in read_safe_private()}
    return Policy(listed, wildcards, _dummies(kept), dates, safe if "safe_private" in retain else {})


def _table_action(row: Row, dates: Dates) -> Action:
    """Return the action of a row: a date option stands over the basic profile.

    The option Clean Descriptors does not appear: what it may keep is on the keep list, and every other row
    with a C takes its basic action.
    """
    if row.modified_dates == "C" and dates == "shift" and row.vr in ("DA", "DT", "TM", ""):
        return Action.DATE
    return _BASIC[row.basic]


def _dummies(kept: tuple[Kept, ...]) -> Mapping[int, str]:
    return {line.tag: line.dummy for line in kept if line.dummy}

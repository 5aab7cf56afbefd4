"""What becomes of one value, action by action: :data:`HANDLERS`. Its place in the file is the engine's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rttqa_build.deidentify import encode, oddities, rois
from rttqa_build.deidentify.charset import codecs, decoded, is_plain
from rttqa_build.deidentify.dates import shifted_date, shifted_datetime
from rttqa_build.deidentify.labels import LABELS
from rttqa_build.deidentify.numerals import whole_numbers
from rttqa_build.deidentify.policy import BULK_VRS, NUMERIC_VRS, TEXT_VRS, Action
from rttqa_build.deidentify.remarks import is_personal
from rttqa_build.deidentify.rois import ROI_NAME, ROI_NUMBERS, ROIS, free_name
from rttqa_build.deidentify.terms import without_terms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rttqa_build.deidentify.elements import Element, Stream
    from rttqa_build.deidentify.job import Job, ObjectPlan

SPECIFIC_CHARACTER_SET = 0x00080005
CODING_SCHEME_DESIGNATOR = 0x00080102
# PS3.16 Table 8-1: designators of published schemes; those that begin with 99 are private (PS3.3 8.2)
PUBLIC_SCHEMES = frozenset(
    b"DCM SCT SRT SNM3 UCUM LN FMA NCIt RADLEX UMLS BI MSH I9 I10 ICDO3 IBSI ISO3166_1 NEU MA".split()
)
_TIME = rb"(([01]\d|2[0-3])(:?[0-5]\d(:?([0-5]\d|60)(\.\d{1,9})?)?)?)? *"  # else a hospital number passes
_REPERTOIRE = {
    "CS": re.compile(rb"[A-Z0-9 _\\]*"),
    "AS": re.compile(rb"(\d{3}[DWMY])?(\\\d{3}[DWMY])*"),
    "TM": re.compile(_TIME + rb"(\\" + _TIME + rb")*"),
}
_DUMMIES = {
    "PN": b"PSEUDONYMISED", "DA": b"19000101", "DT": b"19000101000000", "TM": b"000000", "AS": b"000Y",
    "DS": b"0", "IS": b"0", "CS": b"REMOVED", "AE": b"REMOVED", "UR": b"urn:oid:1.0",
}  # fmt: skip


class Values:
    """The values of one file; holds the UIDs and the texts that it has met on the way."""

    def __init__(self, stream: Stream, job: Job, plan: ObjectPlan) -> None:
        self.stream = stream
        self.data = stream.data
        self.job = job
        self.plan = plan
        self.texts: set[tuple[int, str]] = set()
        self.uids: dict[bytes, bytes] = {}
        self.character_set = oddities.character_set(stream.find(SPECIFIC_CHARACTER_SET) or b"")
        self.codec = _codec(self.character_set)

    def new_uids(self, value: bytes) -> bytes:
        """Return a UI value, which may be multiple, with every UID that is not registered replaced."""
        known = self.uids.get(value)
        if known is None:
            known = self.uids[value] = self._replaced(value)
        return known

    def _replaced(self, value: bytes) -> bytes:
        parts = (part.strip(b"\0 ") for part in value.split(b"\\"))
        new = (p if not p or p in self.job.registered else self.job.uid(p).encode() for p in parts)
        return encode.pad(b"\\".join(new), "UI")

    def _uid(self, element: Element, _: list[Element]) -> bytes:
        return self.new_uids(self.data[element.value : element.end])

    def _class_uid(self, element: Element, _: list[Element]) -> bytes | None:
        """Keep what is a UID; what is none, or too long, could be anything."""
        value = self.data[element.value : element.end]
        parts = [part.strip(b"\0 ") for part in value.split(b"\\")]
        sound = all(not part or oddities.is_uid(part) for part in parts)
        return None if sound and not any(map(self._is_personal, parts)) else self._replaced(value)

    def _is_personal(self, uid: bytes) -> bool:
        """Return whether a UID that nobody registered is an object's, or has the patient's number in it."""
        if uid in self.job.registered:
            return False
        arcs = (arc for arc in uid.split(b".") if len(arc) > 6)
        return any(self.job.identifying(text.decode("ascii")) for text in (uid, *arcs))

    def _clean(self, element: Element, siblings: list[Element]) -> bytes | None:
        """Keep text unless it holds an identity; a mapped ROI takes the trial's name."""
        if element.tag == ROI_NAME:
            number = rois.number(self.stream, siblings, ROI_NUMBERS[ROIS])
            name = self.plan.rois.get(number)
            if name is not None:
                self.texts.add((element.tag, name))
                return name.encode("ascii")
            new_names = self.plan.rois.values()
            return self._clean_text(element, free_name(self.stream, number, new_names, self._text))
        return self._clean_text(element, self.job.policy.dummies.get(element.tag, ""))

    def _clean_text(self, element: Element, neutral: str) -> bytes | None:
        if self._identifies(element):
            return neutral.encode("ascii")
        text = self._text(element)
        if text and element.vr in TEXT_VRS:
            self.texts.add((element.tag, text))
        return None

    def _code(self, element: Element, siblings: list[Element]) -> bytes | None:
        """Keep a code of a published coding scheme; replace what a private scheme says."""
        if not self.data[element.value : element.end].strip(b"\0 "):
            return None
        scheme = next(
            (self.data[e.value : e.end] for e in siblings if e.tag == CODING_SCHEME_DESIGNATOR), b""
        )
        if scheme.strip(b"\0 ") in PUBLIC_SCHEMES:
            return None if not self._identifies(element) else self._neutral(element)
        return self._neutral(element)

    def _neutral(self, element: Element) -> bytes:
        return self.job.policy.dummies.get(element.tag, "").encode("ascii")

    def _identifies(self, element: Element) -> bool:
        """Return whether a text holds an identity, in its character set or in one that it may be meant in."""
        value = self.data[element.value : element.end]
        if element.tag in LABELS and is_personal(
            value, () if is_plain(value) else (self.character_set.decode("ascii"),)
        ):
            return True
        return self._is_identity(value) and self._is_identity(without_terms(element.tag, element.vr, value))

    def _is_identity(self, value: bytes) -> bool:
        charsets = self.character_set.decode("ascii"), *self.job.charsets
        return any(self.job.identifying(text) for text in {self._read(value), *decoded(value, charsets)})

    def _text(self, element: Element) -> str:
        return self._read(self.data[element.value : element.end])

    def _read(self, value: bytes) -> str:
        return value.decode(self.codec, "replace").strip("\0 ")

    def _fitting(self, element: Element, _: list[Element]) -> bytes | None:
        value = self.data[element.value : element.end]
        if element.tag == SPECIFIC_CHARACTER_SET:
            return encode.pad(oddities.character_set(value), "CS")
        if not _REPERTOIRE[element.vr].fullmatch(value.rstrip(b"\0")):
            return b""
        return b"" if element.vr == "CS" and self._identifies_code(element.tag, value) else None

    def _identifies_code(self, tag: int, value: bytes) -> bool:
        """Return whether a code string holds an identity beside the terms that the standard defines."""
        texts = (value, without_terms(tag, "CS", value))
        return all(self.job.identifying(text.decode("ascii").strip("\0 ")) for text in texts)

    def _numeric(self, element: Element, _: list[Element]) -> bytes | None:
        """Keep numeric strings that hold nothing but numbers, but no whole number that is the patient's."""
        value = self.data[element.value : element.end]
        if not oddities.is_numeric(value):
            return b""
        return b"" if any(map(self.job.identifying, whole_numbers(value))) else None

    def _date(self, element: Element, _: list[Element]) -> bytes:
        shift = shifted_date if element.vr == "DA" else shifted_datetime
        values = self.data[element.value : element.end].rstrip(b"\0 ").split(b"\\")
        return encode.pad(b"\\".join(shift(value, self.job.weeks) for value in values), element.vr)

    def _dummy(self, element: Element, _: list[Element]) -> bytes:
        listed = self.job.policy.dummies.get(element.tag)
        if listed is not None:
            return encode.pad(listed.encode("ascii"), element.vr)
        if element.vr in NUMERIC_VRS | BULK_VRS | {"UN"}:
            return bytes(8)  # a whole number of values of every such VR
        return encode.pad(_DUMMIES.get(element.vr, b"REMOVED"), element.vr)


# not bound methods: these would hold the pixels of the object until the garbage collector comes by
HANDLERS: Mapping[Action, Callable[[Values, Element, list[Element]], bytes | None]] = {
    Action.CLEAN: Values._clean,
    Action.CODE: Values._code,
    Action.FITTING: Values._fitting,
    Action.NUMERIC: Values._numeric,
    Action.CLASS: Values._class_uid,
    Action.UID: Values._uid,
    Action.DATE: Values._date,
    Action.SUBJECT: lambda values, _, __: values.job.marks.subject.encode(),
    Action.DUMMY: Values._dummy,
    Action.EMPTY: lambda _, __, ___: b"",
}
# what becomes of these depends on nothing but the element itself
BY_VALUE = frozenset(
    {Action.FITTING, Action.NUMERIC, Action.CLASS, Action.DATE, Action.SUBJECT, Action.DUMMY, Action.EMPTY}
)


def _codec(character_set: bytes) -> str:
    """Return the Python codec of a Specific Character Set; Latin-1, which never fails, where unknown."""
    codec = next(iter(codecs(character_set.decode("ascii"))), "latin-1")
    return "latin-1" if codec == "ascii" else codec

"""One object's elements → the pseudonymised file, by the policy; kept values are copied as bytes.

A :class:`Job` holds what the objects of one submission share; :func:`pseudonymise` is a pure function of it
and of one parsed file. It never decodes a numeric or pixel value.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.deidentify import encode
from rttqa_build.deidentify.marks import Marks, file_meta
from rttqa_build.deidentify.policy import TEXT_VRS, Action, Policy
from rttqa_build.deidentify.stream import UNDEFINED, Encoding, Item, StreamError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rttqa_build.deidentify.stream import Element, Stream

    Chunk = bytes | memoryview

SOP_CLASS_UID, SOP_INSTANCE_UID, SERIES_INSTANCE_UID = 0x00080016, 0x00080018, 0x0020000E
SPECIFIC_CHARACTER_SET = 0x00080005
CODING_SCHEME_DESIGNATOR = 0x00080102
ROI_NAME = 0x30060026
OVERLAYS = 0x60  # groups 60xx
# where an item's ROI number stands: structure set, contours, observations, related ROIs
ROI_NUMBERS = {
    0x30060020: 0x30060022,
    0x30060039: 0x30060084,
    0x30060080: 0x30060084,
    0x30060030: 0x30060084,
}
# PS3.16 Table 8-1: designators of published schemes; those that begin with 99 are private (PS3.3 8.2)
PUBLIC_SCHEMES = frozenset(
    b"DCM SCT SRT SNM3 UCUM LN FMA NCIt RADLEX UMLS BI MSH I9 I10 ICDO3 IBSI ISO3166_1 NEU MA".split()
)
_UID_CHARACTERS = b"0123456789.\\ \0"
_TIME = rb"(\d\d(:?\d\d(:?\d\d(\.\d{1,9})?)?)?)? *"
_REPERTOIRE = {
    "CS": re.compile(rb"[A-Z0-9 _\\]*"),
    "AS": re.compile(rb"(\d{3}[DWMY])?(\\\d{3}[DWMY])*"),
    "TM": re.compile(_TIME + rb"(\\" + _TIME + rb")*"),
}
_DATE = re.compile(rb"(\d{4})[.]?(\d\d)[.]?(\d\d) ?")
_DATETIME = re.compile(rb"(\d{4})(\d\d)?(\d\d)?((?:\d\d){0,3}(?:\.\d{1,6})?(?:[+-]\d{4})?) *")
_DUMMIES = {
    "PN": b"PSEUDONYMISED", "DA": b"19000101", "DT": b"19000101000000", "TM": b"000000", "AS": b"000Y",
    "DS": b"0", "IS": b"0", "CS": b"REMOVED", "AE": b"REMOVED", "UR": b"urn:oid:1.0",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """What all objects of one submission share.

    ``uid`` maps an original UID to its pseudonym; ``registered`` are UIDs that stay; ``weeks`` is the date
    offset into the past; ``identifying`` tells whether a text holds a harvested identity.
    """

    policy: Policy
    marks: Marks
    weeks: int
    uid: Callable[[bytes], str]
    registered: frozenset[bytes]
    identifying: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """What is particular to one object.

    ``series``: its new Series Instance UID where it gets one of its own. ``rois``: ROI number → new name;
    None drops the ROI from every module.
    """

    series: str = ""
    rois: Mapping[int, str | None] = field(default_factory=dict)


class Pseudonymised(NamedTuple):
    """The new file, how often each rule was applied to which tag, the text that leaves by tag.

    ``uids`` are the original values for which a pseudonym stands in the file.
    """

    data: bytes
    rules: Counter[tuple[int, Action]]
    texts: frozenset[tuple[int, str]]
    uids: frozenset[bytes]


@functools.cache
def registered_uids() -> frozenset[bytes]:
    """Return the UIDs of PS3.6 Annex A."""
    from pydicom._uid_dict import UID_dictionary

    return frozenset(uid.encode() for uid in UID_dictionary)


def pseudonymise(stream: Stream, job: Job, plan: ObjectPlan) -> Pseudonymised:
    """Return the pseudonymised object.

    Raises :class:`StreamError` when it lacks its identity, or hides an overlay in the bits of its pixels.
    """
    sop_class = _identity(stream, SOP_CLASS_UID)
    if sop_class.translate(None, _UID_CHARACTERS):
        raise StreamError("the SOP class is no UID")
    if _has_embedded_overlay(stream):
        raise StreamError("an overlay lies in bits of the pixel data, which are copied as they are")
    writer = _Writer(stream, job, plan)
    body = writer.top()
    meta = file_meta(
        sop_class,
        writer.new_uids(_identity(stream, SOP_INSTANCE_UID)),
        stream.transfer_syntax,
    )
    return Pseudonymised(
        b"".join([meta, *body]), writer.rules, frozenset(writer.texts), frozenset(writer.uids)
    )


def _identity(stream: Stream, tag: int) -> bytes:
    value = (stream.find(tag) or b"").rstrip(b"\0 ")
    if not value:
        raise StreamError("the object has no SOP class or SOP instance UID")
    return value


def _has_embedded_overlay(stream: Stream) -> bool:
    """Return whether an overlay has a place in the pixels (PS3.3 C.9.2, retired) and no data of its own."""
    overlays = {e.tag: stream.value(e) for e in stream.elements if e.tag >> 24 == OVERLAYS}
    return any(
        tag & 0xFFFF == 0x0102 and value.strip(b"\0 ") and tag & 0xFFFF0000 | 0x3000 not in overlays
        for tag, value in overlays.items()
    )


class _Writer:
    """Rewrites the elements of one file. Holds what it found on the way: rules applied, texts that leave."""

    def __init__(self, stream: Stream, job: Job, plan: ObjectPlan) -> None:
        self.data = stream.data
        self.view = memoryview(stream.data)  # pixels are copied once, when the parts are joined
        self.stream = stream
        self.job = job
        self.plan = plan
        self.rules: Counter[tuple[int, Action]] = Counter()
        self.texts: set[tuple[int, str]] = set()
        self.codec = _codec(stream.find(SPECIFIC_CHARACTER_SET))
        self.uids: dict[bytes, bytes] = {}

    def top(self) -> list[Chunk]:
        """Return the chunks of the data set, marks merged in at their place."""
        marks = dict(self.job.marks.elements(self.stream.encoding))
        if self.plan.series:
            value = self.plan.series.encode()
            marks[SERIES_INSTANCE_UID] = encode.element(
                self.stream.encoding, SERIES_INSTANCE_UID, "UI", value
            )
        own = [e for e in self.stream.elements if e.tag not in marks]
        chunks: list[Chunk] = []
        position = 0
        for tag in sorted(marks):
            upto = position
            while upto < len(own) and own[upto].tag < tag:
                upto += 1
            chunks.extend(self._elements(own[position:upto], self.stream.encoding))
            chunks.append(marks[tag])
            position = upto
        return [*chunks, *self._elements(own[position:], self.stream.encoding)]

    def _elements(self, elements: list[Element], encoding: Encoding) -> list[Chunk]:
        """Return the chunks of a list of elements; neighbours that stay are copied as one."""
        chunks: list[Chunk] = []
        data, action_of = self.view, self.job.policy.action
        start = end = 0
        for element in elements:
            action = action_of(element.tag, element.vr)
            if action is Action.KEEP:
                new: bytes | None = None
                stays = True
            else:
                stays, new = self._apply(action, element, elements, encoding)
            if stays and element.start == end:
                end = element.end
                continue
            if end > start:
                chunks.append(data[start:end])
            start, end = (element.start, element.end) if stays else (0, 0)
            if new:
                chunks.append(new)
        if end > start:
            chunks.append(data[start:end])
        return chunks

    def _apply(
        self, action: Action, element: Element, siblings: list[Element], encoding: Encoding
    ) -> tuple[bool, bytes | None]:
        """Return whether the element stays as it is, else its new bytes (none: it goes)."""
        if action is Action.REMOVE:
            self.rules[element.tag, action] += 1
            return False, None
        if element.items is not None:
            return False, self._sequence(action, element, encoding)
        old = self.data[element.value : element.end]
        value = _HANDLERS[action](self, element, siblings)
        if value is None or value == old:
            return True, None
        self.rules[element.tag, action] += 1
        vr = self._written_vr(element, encoding)
        return False, encode.element(encoding, element.tag, vr, value)

    def _written_vr(self, element: Element, encoding: Encoding) -> str:
        """Return the VR that stands in the file: ``UN`` stays ``UN``."""
        if not encoding.explicit:
            return element.vr
        return self.data[element.start + 4 : element.start + 6].decode("ascii")

    def _sequence(self, action: Action, element: Element, encoding: Encoding) -> bytes:
        items = () if action is not Action.ENTER else self._kept_items(element)
        if action is not Action.ENTER:
            self.rules[element.tag, Action.EMPTY] += 1
        undefined = self.data[element.value - 4 : element.value] == _UNDEFINED_BYTES
        vr = self._written_vr(element, encoding)
        written = (
            encode.item(
                item.encoding,
                b"".join(self._elements(item.elements, item.encoding)),
                undefined=item.undefined,
            )
            for item in items
        )
        return encode.sequence(encoding, element.tag, written, vr=vr, undefined=undefined)

    def _kept_items(self, element: Element) -> tuple[Item, ...]:
        """Return the items of a sequence, without those of ROIs that are dropped."""
        items = element.items or ()
        number_tag = ROI_NUMBERS.get(element.tag)
        if number_tag is None or None not in self.plan.rois.values():
            return items
        kept = tuple(
            i for i in items if self.plan.rois.get(self._number(i.elements, number_tag), "") is not None
        )
        if len(kept) < len(items):
            self.rules[element.tag, Action.REMOVE] += len(items) - len(kept)
        return kept

    def _number(self, elements: list[Element], tag: int) -> int:
        raw = next((self.data[e.value : e.end] for e in elements if e.tag == tag), b"").strip(b"\0 ")
        return int(raw) if raw.isdigit() else -1

    def new_uids(self, value: bytes) -> bytes:
        """Return a UI value, which may be multiple, with every UID that is not registered replaced."""
        known = self.uids.get(value)
        if known is None:
            parts = (part.strip(b"\0 ") for part in value.split(b"\\"))
            new = (p if not p or p in self.job.registered else self.job.uid(p).encode() for p in parts)
            known = self.uids[value] = encode.pad(b"\\".join(new), "UI")
        return known

    def _uid(self, element: Element, _: list[Element]) -> bytes:
        return self.new_uids(self.data[element.value : element.end])

    def _class_uid(self, element: Element, _: list[Element]) -> bytes | None:
        value = self.data[element.value : element.end]
        return self.new_uids(value) if value.translate(None, _UID_CHARACTERS) else None

    def _clean(self, element: Element, siblings: list[Element]) -> bytes | None:
        """Keep text unless it holds an identity; a mapped ROI takes the trial's name."""
        if element.tag == ROI_NAME:
            number = self._number(siblings, ROI_NUMBERS[0x30060020])
            name = self.plan.rois.get(number)
            if name is not None:
                self.texts.add((element.tag, name))
                return name.encode("ascii")
            return self._clean_text(element, f"ROI_{max(number, 0)}")
        return self._clean_text(element, self.job.policy.dummies.get(element.tag, ""))

    def _clean_text(self, element: Element, neutral: str) -> bytes | None:
        text = self._text(element)
        if self.job.identifying(text):
            return neutral.encode("ascii")
        if text and element.vr in TEXT_VRS:
            self.texts.add((element.tag, text))
        return None

    def _code(self, element: Element, siblings: list[Element]) -> bytes | None:
        """Keep a code of a published coding scheme; replace what a private scheme says."""
        scheme = next(
            (self.data[e.value : e.end] for e in siblings if e.tag == CODING_SCHEME_DESIGNATOR), b""
        )
        if scheme.strip(b"\0 ") in PUBLIC_SCHEMES:
            return None if not self._identifies(element) else self._neutral(element)
        return self._neutral(element)

    def _neutral(self, element: Element) -> bytes:
        return self.job.policy.dummies.get(element.tag, "").encode("ascii")

    def _identifies(self, element: Element) -> bool:
        return self.job.identifying(self._text(element))

    def _text(self, element: Element) -> str:
        return self.data[element.value : element.end].decode(self.codec, "replace").strip("\0 ")

    def _fitting(self, element: Element, _: list[Element]) -> bytes | None:
        value = self.data[element.value : element.end]
        if not _REPERTOIRE[element.vr].fullmatch(value.rstrip(b"\0")):
            return b""
        if element.vr == "CS" and self.job.identifying(value.decode("ascii").strip("\0 ")):
            return b""
        return None

    def _numeric(self, element: Element, _: list[Element]) -> bytes | None:
        """Keep numeric strings that hold nothing but numbers, but no whole number that is the patient's."""
        value = self.data[element.value : element.end]
        if value.translate(None, b"0123456789.+-eE \\\0"):
            return b""
        whole = value.strip(b"\0 ")
        identifies = len(whole) > 6 and whole.isdigit() and self.job.identifying(whole.decode("ascii"))
        return b"" if identifies else None

    def _date(self, element: Element, _: list[Element]) -> bytes:
        shift = _shifted_date if element.vr == "DA" else _shifted_datetime
        values = self.data[element.value : element.end].rstrip(b"\0 ").split(b"\\")
        return encode.pad(b"\\".join(shift(value, self.job.weeks) for value in values), element.vr)

    def _dummy(self, element: Element, _: list[Element]) -> bytes:
        listed = self.job.policy.dummies.get(element.tag)
        if listed is not None:
            return encode.pad(listed.encode("ascii"), element.vr)
        if element.vr in ("OB", "OW", "UN"):
            return b""
        if element.vr in ("US", "SS"):
            return b"\0\0"
        return encode.pad(_DUMMIES.get(element.vr, b"REMOVED"), element.vr)


# not kept by the writer: bound to it they would hold its pixels until the garbage collector comes by
_HANDLERS: Mapping[Action, Callable[[_Writer, Element, list[Element]], bytes | None]] = {
    Action.CLEAN: _Writer._clean,
    Action.CODE: _Writer._code,
    Action.FITTING: _Writer._fitting,
    Action.NUMERIC: _Writer._numeric,
    Action.CLASS: _Writer._class_uid,
    Action.UID: _Writer._uid,
    Action.DATE: _Writer._date,
    Action.SUBJECT: lambda writer, _, __: writer.job.marks.subject.encode(),
    Action.DUMMY: _Writer._dummy,
    Action.EMPTY: lambda _, __, ___: b"",
}
_UNDEFINED_BYTES = UNDEFINED.to_bytes(4, "little")


def _shifted_date(value: bytes, weeks: int) -> bytes:
    """Return a DA value moved into the past; one that is no date is emptied."""
    match = _DATE.fullmatch(value)
    shifted = match and _back(match.group(1, 2, 3), weeks)
    return f"{shifted:%Y%m%d}".encode().rjust(8, b"0") if shifted else b""


def _shifted_datetime(value: bytes, weeks: int) -> bytes:
    """Return a DT value moved into the past, as precise as it was; time, fraction and zone stay."""
    match = _DATETIME.fullmatch(value)
    if match is None:
        return b""
    year, month, day, rest = match.groups()
    shifted = _back((year, month or b"01", day or b"01"), weeks)
    if shifted is None:
        return b""
    digits = f"{shifted:%Y%m%d}".rjust(8, "0")
    precision = 4 + 2 * (month is not None) + 2 * (day is not None)
    return digits[:precision].encode() + rest


def _back(parts: tuple[bytes, ...], weeks: int) -> dt.date | None:
    try:
        return dt.date(*(int(part) for part in parts)) - dt.timedelta(weeks=weeks)
    except (ValueError, OverflowError):
        return None


def _codec(value: bytes | None) -> str:
    """Return the Python codec of a Specific Character Set; Latin-1, which never fails, where unknown."""
    from pydicom.charset import python_encoding

    names = [name.strip(b"\0 ").decode("ascii", "replace") for name in (value or b"").split(b"\\")]
    codec = next((python_encoding[name] for name in names if name in python_encoding and name), "latin-1")
    return "latin-1" if codec == "iso8859" else codec

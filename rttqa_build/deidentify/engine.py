"""One object's elements → the pseudonymised file, by the policy; kept values are copied as bytes.

A :class:`Job` holds what the objects of one submission share; :func:`pseudonymise` is a pure function of it
and of one parsed file. It never decodes a numeric or pixel value.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.deidentify import encode, oddities
from rttqa_build.deidentify.charset import decoded
from rttqa_build.deidentify.dates import shifted_date, shifted_datetime
from rttqa_build.deidentify.elements import UNDEFINED, Encoding, Item
from rttqa_build.deidentify.marks import Marks, file_meta
from rttqa_build.deidentify.numerals import whole_numbers
from rttqa_build.deidentify.policy import BULK_VRS, NUMERIC_VRS, TEXT_VRS, Action, Policy
from rttqa_build.deidentify.stream import StreamError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rttqa_build.deidentify.elements import Element, Stream

    Chunk = bytes | memoryview

SOP_CLASS_UID, SOP_INSTANCE_UID, SERIES_INSTANCE_UID = 0x00080016, 0x00080018, 0x0020000E
SPECIFIC_CHARACTER_SET = 0x00080005
CODING_SCHEME_DESIGNATOR = 0x00080102
ROI_NAME, ROIS, RELATED_OBSERVATIONS = 0x30060026, 0x30060020, 0x300600A0
OBSERVATIONS, OBSERVATION_NUMBER = 0x30060080, 0x30060082
OVERLAYS = 0x60  # groups 60xx
# where an item's ROI number stands: structure set, contours, observations, related ROIs
ROI_NUMBERS = {
    ROIS: 0x30060022,
    0x30060039: 0x30060084,
    OBSERVATIONS: 0x30060084,
    0x30060030: 0x30060084,
}
# PS3.16 Table 8-1: designators of published schemes; those that begin with 99 are private (PS3.3 8.2)
PUBLIC_SCHEMES = frozenset(
    b"DCM SCT SRT SNM3 UCUM LN FMA NCIt RADLEX UMLS BI MSH I9 I10 ICDO3 IBSI ISO3166_1 NEU MA".split()
)
_TIME = rb"(\d\d(:?\d\d(:?\d\d(\.\d{1,9})?)?)?)? *"
_REPERTOIRE = {
    "CS": re.compile(rb"[A-Z0-9 _\\]*"),
    "AS": re.compile(rb"(\d{3}[DWMY])?(\\\d{3}[DWMY])*"),
    "TM": re.compile(_TIME + rb"(\\" + _TIME + rb")*"),
}
_DUMMIES = {
    "PN": b"PSEUDONYMISED", "DA": b"19000101", "DT": b"19000101000000", "TM": b"000000", "AS": b"000Y",
    "DS": b"0", "IS": b"0", "CS": b"REMOVED", "AE": b"REMOVED", "UR": b"urn:oid:1.0",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """What all objects of one submission share.

    ``uid`` maps an original UID to its pseudonym; ``registered`` are UIDs that stay; ``weeks`` is the date
    offset into the past; ``identifying`` tells whether a text holds a harvested identity; ``supplied`` is the
    job for objects of a case that the trial supplied, whose dates stay. ``memo`` remembers what became of
    short elements: most are the same in every slice.
    """

    policy: Policy
    marks: Marks
    weeks: int
    uid: Callable[[bytes], str]
    registered: frozenset[bytes]
    identifying: Callable[[str], bool]
    supplied: Job | None = None
    memo: dict[tuple[bytes, Encoding], bytes | None] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """What is particular to one object.

    ``series``: its new Series Instance UID where it gets one of its own. ``rois``: ROI number → new name;
    None drops the ROI from every module. ``supplied``: the object is one that the trial supplied.
    """

    series: str = ""
    rois: Mapping[int, str | None] = field(default_factory=dict)
    supplied: bool = False


class Pseudonymised(NamedTuple):
    """The new file, how often each rule was applied to which tag, the text that leaves by tag.

    ``uids`` are the original values for which a pseudonym stands in the file; what stood in the place of a
    class is not among them: it refers to nothing.
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
    if not oddities.is_uid(sop_class):
        raise StreamError("the SOP class is no UID")
    if _has_embedded_overlay(stream):
        raise StreamError("an overlay lies in bits of the pixel data, which are copied as they are")
    writer = _Writer(stream, (job.supplied or job) if plan.supplied else job, plan)
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
        self.character_set = oddities.character_set(stream.find(SPECIFIC_CHARACTER_SET) or b"")
        self.codec = _codec(self.character_set)
        self.uids: dict[bytes, bytes] = {}

    def top(self) -> list[Chunk]:
        """Return the chunks of the data set, marks merged in at their place."""
        marks = dict(self.job.marks.elements(self.stream.encoding))
        if self.plan.series:
            value = self.plan.series.encode()
            marks[SERIES_INSTANCE_UID] = encode.element(
                self.stream.encoding, SERIES_INSTANCE_UID, "UI", value
            )
        self.rules.update((tag, Action.MARK) for tag in marks)
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
        if action is Action.PRIVATE and self._is_safe(element, siblings):
            return True, None
        if action in (Action.REMOVE, Action.PRIVATE):
            action = Action.REMOVE
            self.rules[element.tag, action] += 1
            return False, None
        if element.items is not None:
            return False, self._sequence(action, element, encoding)
        if action in _BY_VALUE and element.end - element.start <= _SHORT:
            new = self._remembered(action, element, siblings, encoding)
        else:
            new = self._rewritten(action, element, siblings, encoding)
        if new is None:
            return True, None
        self.rules[element.tag, action] += 1
        return False, new

    def _remembered(
        self, action: Action, element: Element, siblings: list[Element], encoding: Encoding
    ) -> bytes | None:
        """Return what became of the same element in another slice, or in another item."""
        memo, key = self.job.memo, (self.data[element.start : element.end], encoding)
        if key in memo:
            return memo[key]
        new = self._rewritten(action, element, siblings, encoding)
        if len(memo) < _MOST_REMEMBERED:
            memo[key] = new
        return new

    def _rewritten(
        self, action: Action, element: Element, siblings: list[Element], encoding: Encoding
    ) -> bytes | None:
        """Return the new bytes of an element that is no sequence; none when it stays as it is."""
        value = _HANDLERS[action](self, element, siblings)
        if value is None or value == self.data[element.value : element.end]:
            return None
        return encode.element(encoding, element.tag, self._written_vr(element, encoding), value)

    def _is_safe(self, element: Element, siblings: list[Element]) -> bool:
        """Return whether a private element is a number that the trial retains, or the creator of one."""
        group, number = element.tag >> 16, element.tag & 0xFFFF
        creator, safe = self.job.policy.safe_private[group]
        if 0x10 <= number <= 0xFF:
            return self.data[element.value : element.end].strip(b"\0 ") == creator
        reserved = group << 16 | number >> 8
        block = next((self.data[e.value : e.end] for e in siblings if e.tag == reserved), b"")
        value = self.data[element.value : element.end]
        return block.strip(b"\0 ") == creator and number & 0xFF in safe and oddities.is_numeric(value)

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
        if None not in self.plan.rois.values():
            return items
        if element.tag == RELATED_OBSERVATIONS:
            dropped, number_tag = self._dropped_observations(), OBSERVATION_NUMBER
        else:
            dropped, number_tag = self._dropped_rois(), ROI_NUMBERS.get(element.tag, 0)
        kept = tuple(i for i in items if self._number(i.elements, number_tag) not in dropped)
        if len(kept) < len(items):
            self.rules[element.tag, Action.REMOVE] += len(items) - len(kept)
        return kept

    def _dropped_rois(self) -> set[int]:
        return {number for number, name in self.plan.rois.items() if name is None}

    def _dropped_observations(self) -> set[int]:
        """Return the numbers of the observations of ROIs that are dropped."""
        dropped = self._dropped_rois()
        return {
            self._number(item.elements, OBSERVATION_NUMBER)
            for item in self._items_of(OBSERVATIONS)
            if self._number(item.elements, ROI_NUMBERS[OBSERVATIONS]) in dropped
        }

    def _items_of(self, tag: int) -> tuple[Item, ...]:
        """Return the items of a sequence of the data set."""
        return next((e.items or () for e in self.stream.elements if e.tag == tag), ())

    def _free_name(self, number: int) -> str:
        """Return a name for an ROI whose own identifies, as no other ROI has it."""
        own = (e for item in self._items_of(ROIS) for e in item.elements if e.tag == ROI_NAME)
        taken = {self._text(e).casefold() for e in own}
        taken |= {name.casefold() for name in self.plan.rois.values() if name}
        name = f"ROI_{max(number, 0)}"
        while name.casefold() in taken:
            name += "_"
        return name

    def _number(self, elements: list[Element], tag: int) -> int:
        raw = next((self.data[e.value : e.end] for e in elements if e.tag == tag), b"")
        try:
            return int(float(raw.strip(b"\0 ")))
        except (ValueError, OverflowError):
            return -1

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
            number = self._number(siblings, ROI_NUMBERS[ROIS])
            name = self.plan.rois.get(number)
            if name is not None:
                self.texts.add((element.tag, name))
                return name.encode("ascii")
            return self._clean_text(element, self._free_name(number))
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
        value, named = self.data[element.value : element.end], self.character_set.decode("ascii")
        return any(self.job.identifying(text) for text in {self._text(element), *decoded(value, (named,))})

    def _text(self, element: Element) -> str:
        return self.data[element.value : element.end].decode(self.codec, "replace").strip("\0 ")

    def _fitting(self, element: Element, _: list[Element]) -> bytes | None:
        value = self.data[element.value : element.end]
        if element.tag == SPECIFIC_CHARACTER_SET:
            return encode.pad(oddities.character_set(value), "CS")
        if not _REPERTOIRE[element.vr].fullmatch(value.rstrip(b"\0")):
            return b""
        if element.vr == "CS" and self.job.identifying(value.decode("ascii").strip("\0 ")):
            return b""
        return None

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
# what becomes of these depends on nothing but the element itself
_BY_VALUE = frozenset(
    {Action.FITTING, Action.NUMERIC, Action.CLASS, Action.DATE, Action.SUBJECT, Action.DUMMY, Action.EMPTY}
)
_SHORT, _MOST_REMEMBERED = 128, 1 << 15
_UNDEFINED_BYTES = UNDEFINED.to_bytes(4, "little")


def _codec(character_set: bytes) -> str:
    """Return the Python codec of a Specific Character Set; Latin-1, which never fails, where unknown."""
    from pydicom.charset import python_encoding

    names = [name.decode("ascii") for name in character_set.split(b"\\")]
    codec = next((python_encoding[name] for name in names if name in python_encoding and name), "latin-1")
    return "latin-1" if codec == "iso8859" else codec

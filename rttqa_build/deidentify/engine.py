"""One object's elements → the pseudonymised file, by the policy; kept values are copied as bytes.

A :class:`~rttqa_build.deidentify.job.Job` holds what the objects of one submission share;
:func:`pseudonymise` is a pure function of it and of one parsed file. No numeric or pixel value is decoded.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.deidentify import encode, oddities
from rttqa_build.deidentify.elements import UNDEFINED, Encoding
from rttqa_build.deidentify.marks import file_meta
from rttqa_build.deidentify.policy import Action
from rttqa_build.deidentify.reader import StreamError
from rttqa_build.deidentify.rois import kept_items
from rttqa_build.deidentify.values import BY_VALUE, HANDLERS, Values

if TYPE_CHECKING:
    from rttqa_build.deidentify.elements import Element, Stream
    from rttqa_build.deidentify.job import Job, ObjectPlan

    Chunk = bytes | memoryview

SOP_CLASS_UID, SOP_INSTANCE_UID, SERIES_INSTANCE_UID = 0x00080016, 0x00080018, 0x0020000E
OVERLAYS = 0x60  # groups 60xx
# longer elements hardly recur; the memory of the others stays small
_SHORT, _MOST_REMEMBERED = 128, 1 << 15
_UNDEFINED_BYTES = UNDEFINED.to_bytes(4, "little")


class Rewritten(NamedTuple):
    """The new file in parts, how often each rule was applied to which tag, the text that leaves by tag.

    ``uids`` are the original values for which a pseudonym stands in the file; what stood in the place of a
    class is not among them: it refers to nothing.
    """

    parts: list[Chunk]
    rules: Counter[tuple[int, Action]]
    texts: frozenset[tuple[int, str]]
    uids: frozenset[bytes]


class Pseudonymised(NamedTuple):
    """The new file, how often each rule was applied to which tag, the text that leaves by tag."""

    data: bytes
    rules: Counter[tuple[int, Action]]
    texts: frozenset[tuple[int, str]]


def pseudonymise(stream: Stream, job: Job, plan: ObjectPlan) -> Pseudonymised:
    """Return the pseudonymised object; raise :class:`StreamError` as :func:`rewritten` does."""
    made = rewritten(stream, job, plan)
    del stream  # the elements of a large structure set take more than its bytes, which are copied now
    return Pseudonymised(b"".join(made.parts), made.rules, made.texts)


def rewritten(stream: Stream, job: Job, plan: ObjectPlan) -> Rewritten:
    """Return the pseudonymised object in parts.

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
        writer.values.new_uids(_identity(stream, SOP_INSTANCE_UID)),
        stream.transfer_syntax,
    )
    return Rewritten(
        [meta, *body], writer.rules, frozenset(writer.values.texts), frozenset(writer.values.uids)
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
        self.values = Values(stream, job, plan)

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
                new: bytes | list[bytes] | None = None
                stays = True
            else:
                stays, new = self._apply(action, element, elements, encoding)
            if stays and element.start == end:
                end = element.end
                continue
            if end > start:
                chunks.append(data[start:end])
            start, end = (element.start, element.end) if stays else (0, 0)
            if isinstance(new, list):
                chunks.extend(new)
            elif new:
                chunks.append(new)
        if end > start:
            chunks.append(data[start:end])
        return chunks

    def _apply(
        self, action: Action, element: Element, siblings: list[Element], encoding: Encoding
    ) -> tuple[bool, bytes | list[bytes] | None]:
        """Return whether the element stays as it is, else its new bytes, or parts of them (none: it goes)."""
        if action is Action.PRIVATE and self._is_safe(element, siblings):
            return True, None
        if action in (Action.REMOVE, Action.PRIVATE):
            action = Action.REMOVE
            self.rules[element.tag, action] += 1
            return False, None
        if element.items is not None:
            return False, self._sequence(action, element, encoding)
        if action in BY_VALUE and element.end - element.start <= _SHORT:
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
        value = HANDLERS[action](self.values, element, siblings)
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

    def _sequence(self, action: Action, element: Element, encoding: Encoding) -> list[bytes]:
        items = kept_items(self.stream, element, self.plan.rois) if action is Action.ENTER else ()
        if action is not Action.ENTER:
            self.rules[element.tag, Action.EMPTY] += 1
        elif gone := len(element.items or ()) - len(items):
            self.rules[element.tag, Action.REMOVE] += gone
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
        return encode.sequence_parts(encoding, element.tag, written, vr=vr, undefined=undefined)

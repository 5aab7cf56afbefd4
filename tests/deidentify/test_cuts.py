"""A file cut anywhere is refused; here is the exact truth about cuts between two elements of the data set.

A cut inside an element, a sequence or the file meta information breaks a length, and the reader refuses it. A
cut between two top-level elements leaves a well-formed, shorter file: that it is no whole object is known by
what must be there. Each class has a required element near its end; without it the object is refused when it
is to be sent. Behind that element only what an object may lack can be missing: such a file cannot be told
from a whole one, and lacks nothing required.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import modalities
import pydicom
import pytest
from dicom_builder import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    element,
    header,
    item,
    ordered,
    part10,
    sequence,
)
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from rttqa_build import synthetic
from rttqa_build.deidentify.dictionary import registered_uids
from rttqa_build.deidentify.engine import pseudonymise
from rttqa_build.deidentify.job import Job, ObjectPlan
from rttqa_build.deidentify.marks import Marks
from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.deidentify.reader import StreamError
from rttqa_build.deidentify.stream import demand_whole, parse
from rttqa_build.pseudonym import CentreKey, Pseudonyms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicom_builder import Syntax
    from pydicom.dataset import Dataset

    from rttqa_build.deidentify.elements import Element, Stream

# kind → object of the patient, and the highest required element: cuts behind it lack nothing required
KINDS = {
    "CT": ("ct/001", 0x7FE00010),
    "MR": ("mr/001", 0x7FE00010),
    "PT": ("pt/001", 0x7FE00010),
    "RTDOSE": ("dose", 0x7FE00010),
    "RTSTRUCT": ("structure_set", 0x30060080),
    "RTPLAN": ("plan", 0x300C0060),
    "RT Ion Plan": ("ion", 0x300C0060),
    "REG": ("registration", 0x00700308),
}

NAMES = Pseudonyms.derive(CentreKey(bytes(range(32))), "example-prostate")
JOB = Job(
    compile_policy(),
    Marks("EP-0123", "example", "Example", "", "RXX", "Centre"),
    353,
    NAMES.base_uid,
    registered_uids(),
    lambda _: False,
)


def written(dataset: Dataset, syntax: str) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    out = io.BytesIO()
    pydicom.dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


@pytest.fixture(scope="module")
def objects() -> dict[str, Dataset]:
    extent = synthetic.Extent(8, 2, 8, 1, 2, 4, 40, 6)
    return modalities.patient(extent=extent).objects


def whole(data: bytes) -> Stream:
    """Read a file as it is read before it is sent."""
    stream = parse(data)
    demand_whole(stream)
    pseudonymise(stream, JOB, ObjectPlan())  # which asks for SOP class and instance
    return stream


def boundaries(elements: list[Element]) -> Iterator[int]:
    """Yield where elements and items begin and end, at every level."""
    for one in elements:
        yield from (one.start, one.value, one.end)
        for inner in one.items or ():
            yield from boundaries(inner.elements)


def places(stream: Stream, size: int) -> list[int]:
    """Return where to cut: at every boundary, on both sides of it, and in the midst of every value."""
    every = set(boundaries([*stream.meta, *stream.elements]))
    middles = {(one.value + one.end) // 2 for one in stream.elements}
    near = {at + step for at in every for step in (-1, 0, 1)}
    first = stream.elements[0].start
    return sorted(at for at in near | middles if first < at < size)


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian], ids=["explicit", "implicit"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_is_refused(kind: str, syntax: str, objects: dict[str, Dataset]) -> None:
    key, last_required = KINDS[kind]
    data = written(objects[key], syntax)
    stream = whole(data)
    assert stream.padding == 0
    may_end = {one.end for one in stream.elements if one.tag >= last_required}
    tops = {one.end for one in stream.elements}
    silent = []
    for at in places(stream, len(data)):
        try:
            parse(data[:at])
        except StreamError:
            continue
        try:
            whole(data[:at])
        except StreamError:
            assert at in tops, "only a cut between two elements may leave a well-formed file"
            continue
        silent.append(at)
    assert set(silent) <= may_end
    assert len(silent) <= len(may_end)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG], ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("undefined", [False, True])
def test_every_byte_of_a_nested_object(syntax: Syntax, undefined: bool) -> None:
    inner = element(syntax, 0x30060026, "LO", b"PTV") + element(syntax, 0x30060036, "CS", b"MANUAL")
    middle = sequence(syntax, 0x30060020, inner, inner, undefined=undefined)
    body = {
        0x00080016: element(syntax, 0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.481.3"),
        0x00080018: element(syntax, 0x00080018, "UI", b"1.2.3"),
        0x30060010: sequence(syntax, 0x30060010, middle, undefined=not undefined),
        0x30060080: sequence(syntax, 0x30060080, inner, undefined=undefined),
    }
    data = part10(syntax, ordered(body))
    tops = {one.end for one in whole(data).elements}
    first = min(tops) - 1
    for at in range(first, len(data)):
        with pytest.raises(StreamError):
            whole(data[:at])


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG], ids=lambda syntax: syntax.name)
def test_an_item_that_does_not_end_within_its_sequence(syntax: Syntax) -> None:
    """Both are of undefined length or neither, as a rule: here the sequence tells where it ends."""
    body = element(syntax, 0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.481.3") + element(
        syntax, 0x00080018, "UI", b"1.2.3"
    )
    endless = item(syntax, element(syntax, 0x30060026, "LO", b"PTV"), undefined=True)[:-8]
    data = part10(syntax, body + header(syntax, 0x30060080, "SQ", len(endless)) + endless)
    with pytest.raises(StreamError, match="does not end"):
        parse(data)


def test_every_byte_of_hidden_sequences_and_fragments() -> None:
    inner = element(IMPLICIT, 0x00081155, "UI", b"1.2.3.4")
    fragments = b"".join(
        struct.pack("<HHL", 0xFFFE, 0xE000, len(part)) + part
        for part in (b"", b"\xff\xd8ab", b"cdef\xff\xd9")
    )
    body = {
        0x00080016: element(EXPLICIT, 0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2"),
        0x00080018: element(EXPLICIT, 0x00080018, "UI", b"1.2.3"),
        0x00081115: sequence(EXPLICIT, 0x00081115, inner, vr="UN"),
        0x00081140: sequence(EXPLICIT, 0x00081140, inner, inner, vr="UN", undefined=True),
        0x7FE00010: struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
        + fragments
        + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0),
    }
    jpeg = EXPLICIT._replace(uid="1.2.840.10008.1.2.4.50")
    data = part10(jpeg, ordered(body))
    assert len(whole(data).elements) == 5
    for at in range(data.index(b"1.2.3\0") + 6, len(data)):
        with pytest.raises(StreamError):
            whole(data[:at])


def test_every_byte_of_a_deflated_object(objects: dict[str, Dataset]) -> None:
    plain = written(objects["structure_set"], ExplicitVRLittleEndian)
    body = plain[parse(plain).elements[0].start :]
    data = part10(DEFLATED, body)
    whole(data)
    for at in range(len(data) - 2, len(data) - 400, -1):
        with pytest.raises(StreamError):
            whole(data[:at])

from __future__ import annotations

import ast
import hashlib
import io
import struct
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bag_builder import (
    CT,
    FOLDER,
    PLAN,
    bag,
    encoded,
    instance,
    item,
    objects,
    package,
    payload,
    reference,
    undefined_lengths,
    zipped,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian

import rttqa_build.verify
from rttqa_build.diagnostic import RttqaError
from rttqa_build.package.archive import Writer, compress
from rttqa_build.verify import VerifyReport, stream, text, verify

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "package.zip"
CANARY = "SMITHERS"


def codes(content: bytes) -> list[str]:
    return sorted({diagnostic.code for diagnostic in checked(content).diagnostics})


def checked(content: bytes, jobs: int = 1) -> VerifyReport:
    return verify(io.BytesIO(content), NAME, jobs=jobs)


def test_a_clean_package_has_no_findings() -> None:
    content = package()
    report = checked(content)
    assert report.diagnostics == ()
    assert (report.folder, report.members, report.size) == (FOLDER, 14, len(content))
    assert report.modalities == {"CT": 3, "REG": 1, "RTDOSE": 1, "RTPLAN": 1, "RTSTRUCT": 1}
    assert report.dangling == 1
    assert report == checked(content, jobs=3)


def test_a_package_of_the_builds_own_writer_has_no_findings(tmp_path: Path) -> None:
    sink = io.BytesIO()
    writer = Writer(sink)
    for path, content in bag(payload()).items():
        writer.add(f"{FOLDER}/{path}", compress(content))
    writer.finish()
    (tmp_path / NAME).write_bytes(sink.getvalue())
    report = verify(tmp_path / NAME, NAME)
    assert report.diagnostics == ()
    assert report.size == writer.size
    assert report.sha256 == hashlib.sha256(sink.getvalue()).hexdigest()
    assert report.content_digest == checked(package()).content_digest


def test_a_handle_stays_open() -> None:
    handle = io.BytesIO(package())
    verify(handle, NAME)
    assert not handle.closed


def test_a_missing_file_is_an_operational_error(tmp_path: Path) -> None:
    with pytest.raises(RttqaError) as caught:
        verify(tmp_path / "none.zip", NAME)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("syntax", "undefined"),
    [
        (ExplicitVRLittleEndian, False),
        (ExplicitVRLittleEndian, True),
        (ExplicitVRBigEndian, False),
        (ExplicitVRBigEndian, True),
        (None, True),
    ],
)
def test_every_encoding_is_read(syntax: str | None, undefined: bool) -> None:
    datasets = objects()
    for path, dataset in datasets.items():
        if undefined:
            undefined_lengths(dataset)
        if syntax:
            raw = encoded(dataset)
            datasets[path] = again = read(raw)
            again.file_meta.TransferSyntaxUID = UID(syntax)
    assert checked(package(datasets)).diagnostics == ()


def read(raw: bytes) -> Dataset:
    from pydicom import dcmread

    dataset = dcmread(io.BytesIO(raw))
    fresh = Dataset()
    fresh.update(dataset)
    fresh.file_meta = dataset.file_meta
    return fresh


# --- the container ---------------------------------------------------------------------------------


def with_name(name: str, attributes: int = 0o100644) -> bytes:
    """Return a package with one entry more, under a raw name."""
    target = io.BytesIO(package())
    with zipfile.ZipFile(target, "a") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        info.external_attr = attributes << 16
        archive.writestr(info, b"text")
    return target.getvalue()


def patched(
    content: bytes, path: str, local: tuple[int, bytes] | None, central: tuple[int, bytes] | None
) -> bytes:
    """Overwrite fields (offset in the header, bytes) of an entry's two headers."""
    raw = bytearray(content)
    name = f"{FOLDER}/{path}".encode()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start, directory = archive.getinfo(name.decode()).header_offset, archive.start_dir
    for place, change in ((start, local), (raw.index(name, directory) - 46, central)):
        if change:
            raw[place + change[0] : place + change[0] + len(change[1])] = change[1]
    return bytes(raw)


def flipped() -> bytes:
    """Flip one bit in the middle of a stored payload."""
    content = bytearray(zipped_stored())
    place = content.index(b"Contact rt@example.org")
    content[place] ^= 1
    return bytes(content)


def zipped_stored() -> bytes:
    sink = io.BytesIO()
    writer = Writer(sink)
    for path, content in bag(payload()).items():
        writer.add(f"{FOLDER}/{path}", compress(content))
    writer.finish()
    return sink.getvalue()


def with_deflated_bomb() -> bytes:
    return zipped(bag({**payload(), "data/documents/form.txt": bytes(1_000_000)}))


def with_lying_size() -> bytes:
    """Let a bomb say that it is small, in both headers."""
    size = struct.pack("<L", 20_000)
    return patched(with_deflated_bomb(), "data/documents/form.txt", (22, size), (24, size))


CONTAINER: dict[str, tuple[Callable[[], bytes], list[str]]] = {
    "not a zip": (lambda: b"PK but no zip", ["K010"]),
    "empty file": (lambda: b"", ["K010"]),
    "cut": (lambda: package()[:-30], ["K010"]),
    "climbs out": (lambda: with_name("../x"), ["K011"]),
    "climbs out below the folder": (lambda: with_name(f"{FOLDER}/../../x"), ["K011"]),
    "absolute": (lambda: with_name("/etc/x"), ["K011"]),
    "backslash": (lambda: with_name(FOLDER + "\\x"), ["K011"]),
    "drive": (lambda: with_name("C:/x"), ["K011"]),
    "control character": (lambda: with_name(f"{FOLDER}/data/a\rb.txt"), ["K011"]),
    "trailing dot": (lambda: with_name(f"{FOLDER}/data/a./b.txt"), ["K011"]),
    "outside the folder": (lambda: with_name("elsewhere/x.txt"), ["K019"]),
    "beside the folder": (lambda: with_name("x.txt"), ["K019"]),
    "folder named otherwise": (lambda: zipped(bag(payload()), "SMITHERS"), ["K019", "K043"]),
    "link": (lambda: with_name(f"{FOLDER}/data/documents/a.txt", 0o120777), ["K013", "K031"]),
    "folder entry": (lambda: with_name(f"{FOLDER}/data/documents/", 0o040755), ["K013", "K031"]),
    "long path": (lambda: with_name(f"{FOLDER}/data/documents/{'a' * 80}.txt"), ["K018", "K031"]),
    "same name ignoring case": (lambda: with_name(f"{FOLDER}/data/readme.TXT"), ["K012", "K031"]),
    "encrypted": (lambda: patched(package(), "data/README.txt", (6, b"\1\0"), (8, b"\1\0")), ["K014"]),
    "other method": (
        lambda: patched(package(), "data/README.txt", (8, b"\x0c\0"), (10, b"\x0c\0")),
        ["K014"],
    ),
    "encrypted in one header": (lambda: patched(package(), "data/README.txt", (6, b"\1\0"), None), ["K015"]),
    "name in one header": (lambda: patched(package(), "data/README.txt", (45, b"X"), None), ["K015"]),
    "size in one header": (lambda: patched(package(), "data/README.txt", (22, b"\1"), None), ["K015"]),
    "time in one header": (lambda: patched(package(), "data/README.txt", (10, b"\1"), None), ["K015"]),
    "no local header": (lambda: patched(package(), "data/README.txt", (0, b"XX"), None), ["K015"]),
    "bomb": (with_deflated_bomb, ["K016"]),
    "bomb that lies": (with_lying_size, ["K021", "K034"]),
    "DOS folder": (lambda: patched(package(), "data/README.txt", None, (38, b"\x10")), ["K013"]),
    "other disk": (lambda: patched(package(), "data/README.txt", None, (34, b"\1")), ["K015"]),
    "fewer entries at the end": (lambda: package()[:-14] + b"\1\0\1\0" + package()[-10:], ["K015"]),
    "bytes in front": (lambda: b"MZ" + package(), ["K020"]),
    "bytes behind": (lambda: package() + b"more", ["K020"]),
    "flipped bit": (flipped, ["K021"]),
    "wrong CRC in both": (
        lambda: patched(package(), "data/README.txt", (14, b"\1\2\3\4"), (16, b"\1\2\3\4")),
        ["K021"],
    ),
}


@pytest.mark.parametrize(("content", "expected"), CONTAINER.values(), ids=CONTAINER)
def test_faults_of_the_container(content: Callable[[], bytes], expected: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spoilt = content()
    assert codes(spoilt) == expected


def test_one_name_twice() -> None:
    files = [*bag(payload()).items(), ("data/README.txt", b"Contact rt@example.org\n")]
    with pytest.warns(UserWarning, match="Duplicate"):
        content = zipped(files)
    assert "K012" in codes(content)


@pytest.mark.parametrize("extra", ["comment", "extra", "archive comment"])
def test_bytes_that_belong_to_no_entry(extra: str) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path, content in bag(payload()).items():
            info = zipfile.ZipInfo(f"{FOLDER}/{path}")
            info.external_attr = 0o100644 << 16
            info.comment = b"hidden" if extra == "comment" else b""
            info.extra = b"\xfe\xca\2\0hi" if extra == "extra" else b""
            archive.writestr(info, content)
        archive.comment = b"hidden" if extra == "archive comment" else b""
    assert codes(target.getvalue()) == ["K020"]


def test_a_gap_between_entries() -> None:
    content = package()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = archive.start_dir
    shifted = bytearray(content[:start] + b"gap" + content[start:])
    shifted[-6:-2] = struct.pack("<L", start + 3)
    assert codes(bytes(shifted)) == ["K020"]


def test_too_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rttqa_build.verify.container.MOST_ENTRIES", 3)
    assert codes(package()) == ["K017"]


def test_compressed_data_have_a_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rttqa_build.verify.container.LARGEST_COMPRESSED", 100)
    assert "K016" in codes(package())


# --- the bag ---------------------------------------------------------------------------------------


def spoilt(change: Callable[[dict[str, bytes]], object]) -> bytes:
    files = bag(payload())
    change(files)
    return zipped(files)


def replaced(path: str, old: bytes, new: bytes) -> bytes:
    files = bag(payload())
    assert old in files[path]
    files[path] = files[path].replace(old, new)
    return zipped(files)


BAG: dict[str, tuple[Callable[[], bytes], list[str]]] = {
    "file dropped": (lambda: spoilt(lambda files: files.pop("data/documents/form.pdf")), ["K032"]),
    "file added": (lambda: spoilt(lambda files: files.update({"data/documents/b.txt": b"b"})), ["K031"]),
    "file changed": (lambda: replaced("data/README.txt", b"Contact", b"contact"), ["K033"]),
    "oxum octets": (lambda: replaced("bag-info.txt", b"Oxum: ", b"Oxum: 1"), ["K033", "K034"]),
    "oxum missing": (lambda: replaced("bag-info.txt", b"Payload-Oxum", b"Payload-Size"), ["K030", "K033"]),
    "no bagit.txt": (lambda: spoilt(lambda files: files.pop("bagit.txt")), ["K030", "K035"]),
    "other version": (lambda: replaced("bagit.txt", b"1.0", b"0.9"), ["K030", "K033"]),
    "no manifest": (
        lambda: spoilt(lambda files: files.pop("manifest-sha256.txt")),
        ["K030", "K035", "K036"],
    ),
    "manifest line": (
        lambda: replaced("manifest-sha256.txt", b"  data/README", b" "),
        ["K031", "K032", "K033", "K036"],
    ),
    "manifest not text": (
        lambda: replaced("manifest-sha256.txt", b"data/README", b"\xff\xfe"),
        ["K030", "K033", "K036"],
    ),
    "no tag manifest": (lambda: spoilt(lambda files: files.pop("tagmanifest-sha256.txt")), ["K030"]),
    "tag file not listed": (lambda: spoilt(lambda files: files.update({"notes.txt": b"n"})), ["K035"]),
    "no provenance": (lambda: spoilt(lambda files: files.pop("provenance.json")), ["K035", "K036"]),
    "provenance of another": (lambda: replaced("provenance.json", b"sha256", b"sha512"), ["K033", "K036"]),
    "program": (lambda: zipped(bag({**payload(), "data/documents/viewer.exe": b"MZ"})), ["K022"]),
    "DICOMDIR": (lambda: zipped(bag({**payload(), "data/DICOMDIR": b"x"})), ["K022"]),
    "no objects": (lambda: zipped(bag({"data/README.txt": b"nothing"})), ["K047"]),
}


@pytest.mark.parametrize(("content", "expected"), BAG.values(), ids=BAG)
def test_faults_of_the_bag(content: Callable[[], bytes], expected: list[str]) -> None:
    assert codes(content()) == expected


# --- the objects -----------------------------------------------------------------------------------

SLICE, STRUCTURE_SET = "data/planning/CT_0001.dcm", "data/planning/RS_1.dcm"
PLANNED, DOSED = "data/planning/RP_1.dcm", "data/planning/RD_1.dcm"
REGISTERED = "data/registration/RE_1.dcm"


def with_change(path: str, change: Callable[[Dataset], object]) -> bytes:
    datasets = objects()
    change(datasets[path])
    return package(datasets)


def with_bytes(path: str, change: Callable[[bytes], bytes]) -> bytes:
    files = payload()
    files[path] = change(files[path])
    return zipped(bag(files))


def setting(keyword: str, value: object) -> Callable[[Dataset], object]:
    return lambda dataset: setattr(dataset, keyword, value)


def private(dataset: Dataset) -> None:
    dataset.private_block(0x0029, "SMITHERS", create=True).add_new(1, "LO", CANARY)


def private_inside(dataset: Dataset) -> None:
    private(dataset.ROIContourSequence[0].ContourSequence[0].ContourImageSequence[0])


def private_creator_in_undefined(dataset: Dataset) -> object:
    private_inside(dataset)
    return undefined_lengths(dataset)


def deflated(dataset: Dataset) -> object:
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return dataset


def unknown_syntax(data: bytes) -> bytes:
    return data.replace(b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.9\0")


OBJECTS: dict[str, tuple[Callable[[], bytes], list[str]]] = {
    "cut": (lambda: with_bytes(DOSED, lambda data: data[:-10]), ["K040"]),
    "no DICOM": (lambda: with_bytes(DOSED, lambda _: b"text"), ["K040"]),
    "bytes behind": (lambda: with_bytes(DOSED, lambda data: data + b"\0\0\0"), ["K040"]),
    "unknown transfer syntax": (lambda: with_bytes(SLICE, unknown_syntax), ["K040", "K050"]),
    "deflated": (lambda: with_change(SLICE, deflated), ["K040", "K050"]),
    "short pixel data": (lambda: with_change(SLICE, setting("PixelData", b"12")), ["K041"]),
    "long pixel data": (lambda: with_change(SLICE, setting("PixelData", bytes(130))), ["K041"]),
    "no pixel data": (lambda: with_change(SLICE, lambda dataset: dataset.pop("PixelData")), ["K041"]),
    "no samples": (lambda: with_change(SLICE, lambda dataset: dataset.pop("SamplesPerPixel")), ["K041"]),
    "a frame less": (lambda: with_change(DOSED, setting("NumberOfFrames", "2")), ["K041"]),
    "not marked": (
        lambda: with_change(PLANNED, lambda dataset: dataset.pop("PatientIdentityRemoved")),
        ["K042"],
    ),
    "marked NO": (lambda: with_change(PLANNED, setting("PatientIdentityRemoved", "NO")), ["K042"]),
    "real name": (lambda: with_change(PLANNED, setting("PatientName", CANARY)), ["K043"]),
    "no name": (lambda: with_change(PLANNED, lambda dataset: dataset.pop("PatientName")), ["K043"]),
    "another ID": (lambda: with_change(SLICE, setting("PatientID", "EP-0124")), ["K043"]),
    "real ID inside": (
        lambda: with_change(
            PLANNED, setting("SourcePatientGroupIdentificationSequence", [item(PatientID="X1")])
        ),
        ["K043"],
    ),
    "private": (lambda: with_change(SLICE, private), ["K044"]),
    "private inside": (lambda: with_change(STRUCTURE_SET, private_inside), ["K044"]),
    "private, delimited": (lambda: with_change(STRUCTURE_SET, private_creator_in_undefined), ["K044"]),
    "preamble": (lambda: with_bytes(SLICE, lambda data: b"MZ" + data[2:]), ["K045"]),
    "padding": (lambda: with_change(SLICE, setting("DataSetTrailingPadding", b"hide")), ["K045"]),
    "meta UID": (lambda: with_bytes(SLICE, lambda data: data.replace(b"2.25.101", b"2.25.109", 1)), ["K046"]),
    "meta title": (
        lambda: with_change(
            SLICE, lambda dataset: setattr(dataset.file_meta, "SourceApplicationEntityTitle", "A")
        ),
        ["K046"],
    ),
    "other name": (
        lambda: zipped(bag({**payload(), "data/documents/a.pdf": encoded(objects()[SLICE])})),
        ["K051"],
    ),
    "NHS number": (
        lambda: with_change(PLANNED, setting("RTPlanDescription", "NHS no. 943 476 5919")),
        ["K060"],
    ),
    "birth date": (
        lambda: with_change(STRUCTURE_SET, setting("StructureSetLabel", "DOB 3/4/1950")),
        ["K060"],
    ),
    "postcode": (lambda: with_change(PLANNED, setting("RTPlanLabel", "SW1A 1AA")), ["K061"]),
    "text file": (
        lambda: zipped(bag({**payload(), "data/documents/a.txt": "born 3 April 1950".encode("utf-16")})),
        ["K060"],
    ),
}


@pytest.mark.parametrize(("content", "expected"), OBJECTS.values(), ids=OBJECTS)
def test_faults_of_the_objects(content: Callable[[], bytes], expected: list[str]) -> None:
    assert codes(content()) == expected


def test_office_documents_are_searched() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("xl/sharedStrings.xml", "<si><t>NHS</t></si><si><t>9434765919</t></si>")
    assert codes(zipped(bag({**payload(), "data/documents/a.xlsx": target.getvalue()}))) == ["K060"]


def drop(path: str) -> bytes:
    datasets = objects()
    del datasets[path]
    return package(datasets)


def with_fused_series(dataset: Dataset) -> None:
    frame = dataset.ReferencedFrameOfReferenceSequence[0]
    fused = item(SeriesInstanceUID="2.25.777", ContourImageSequence=[reference(CT, "2.25.778")])
    frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence.append(fused)
    contour = dataset.ROIContourSequence[0].ContourSequence[0]
    contour.ContourImageSequence.append(reference(CT, "2.25.778"))


def with_unlisted_image(dataset: Dataset) -> None:
    contour = dataset.ROIContourSequence[0].ContourSequence[0]
    contour.ContourImageSequence.append(reference(CT, "2.25.778"))


LINKS: dict[str, tuple[Callable[[], bytes], list[str]]] = {
    "no plan for the dose": (lambda: drop(PLANNED), ["K050"]),
    "no structures for the plan": (lambda: drop(STRUCTURE_SET), ["K050"]),
    "an image missing": (lambda: drop("data/planning/CT_0002.dcm"), ["K050"]),
    "no image of a registered frame": (lambda: drop("data/diagnostic_ct/CT_0001.dcm"), ["K050"]),
    "an image nowhere listed": (lambda: with_change(STRUCTURE_SET, with_unlisted_image), ["K050"]),
    "a fused series may be missing": (lambda: with_change(STRUCTURE_SET, with_fused_series), []),
    "no registration": (lambda: drop(REGISTERED), []),
    "no dose": (lambda: drop(DOSED), []),
    "dose refers to a structure set": (
        lambda: with_change(DOSED, setting("ReferencedRTPlanSequence", [reference(PLAN, "2.25.200")])),
        ["K050"],
    ),
}


@pytest.mark.parametrize(("content", "expected"), LINKS.values(), ids=LINKS)
def test_links(content: Callable[[], bytes], expected: list[str]) -> None:
    assert codes(content()) == expected


# --- findings --------------------------------------------------------------------------------------


def test_no_finding_shows_a_value() -> None:
    datasets = objects()
    for dataset in datasets.values():
        dataset.PatientName = CANARY
        dataset.PatientID = CANARY
        dataset.StudyDescription = f"{CANARY} NHS 9434765919 smithers@example.org"
        dataset.Modality = f"{CANARY}_X"
        private(dataset)
    files = payload(datasets)
    files[f"data/{CANARY}.dcm"] = encoded(instance(CT, "2.25.700", CANARY, "2.25.701"))
    files[f"data/documents/{CANARY}.txt"] = f"born 1 May 1950, {CANARY}".encode()
    report = verify(io.BytesIO(zipped(bag(files))), NAME)
    assert {d.code for d in report.diagnostics} == {"K043", "K044", "K060", "K061"}
    assert set(report.modalities) == {"OT"}
    shown = repr(report).lower()
    for value in (CANARY.lower(), "9434765919", "@example", "1950"):
        assert value not in shown


def test_equal_findings_are_one_with_a_count() -> None:
    datasets = objects()
    for dataset in datasets.values():
        dataset.PatientID = CANARY
    (found,) = checked(package(datasets)).diagnostics
    assert found.message.endswith("The same holds for 6 other files.")
    assert (found.where.file, found.where.item) == (NAME, "data/planning/CT_0001.dcm PatientID")
    assert found.subject == "data/planning/CT_0001.dcm"


def test_private_elements_are_placed() -> None:
    (found,) = (
        d for d in checked(with_change(STRUCTURE_SET, private_inside)).diagnostics if "1001" in d.where.item
    )
    place = "ROIContourSequence.ContourSequence.ContourImageSequence.(0029,1001)"
    assert found.where.item == f"{STRUCTURE_SET} {place}"


@pytest.mark.parametrize("undefined", [False, True], ids=["lengths", "delimiters"])
@pytest.mark.parametrize("syntax", [None, ExplicitVRLittleEndian], ids=["implicit", "explicit"])
def test_every_cut_is_noticed(undefined: bool, syntax: str | None) -> None:
    dataset = objects()[STRUCTURE_SET]
    if undefined:
        undefined_lengths(dataset)
    if syntax:
        dataset = read(encoded(dataset))
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
    whole = encoded(dataset)
    top_level = ends(whole)
    stream.read(whole)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        unnoticed = {size for size in range(132, len(whole)) if not noticed(whole[:size])}
    assert unnoticed <= top_level


def ends(data: bytes) -> set[int]:
    """Return where a file may end unnoticed: behind the meta information and each top-level element."""
    from pydicom.filereader import dcmread

    tells = {element.file_tell for element in dcmread(io.BytesIO(data)) if element.file_tell}
    start = 144 + int.from_bytes(data[140:144], "little")
    return {start} | {tell - header for tell in tells for header in (8, 12)}


def noticed(data: bytes) -> bool:
    try:
        stream.read(data)
    except stream.UnreadableError:
        return True
    return False


@given(st.binary(max_size=300), st.integers(0, 2000))
@settings(max_examples=150, deadline=None)
def test_damaged_objects_never_raise_anything_else(noise: bytes, place: int) -> None:
    whole = encoded(objects()[STRUCTURE_SET])
    place = 132 + place % (len(whole) - 132)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        noticed(whole[:place] + noise + whole[place + len(noise) :])


@given(st.integers(0, 4000), st.binary(min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_a_damaged_package_is_always_noticed(place: int, noise: bytes) -> None:
    content = bytearray(package())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        place %= archive.start_dir - len(noise)
    before = bytes(content)
    content[place : place + len(noise)] = noise
    assert bytes(content) == before or checked(bytes(content)).diagnostics


def test_deep_nesting_is_refused_not_a_crash() -> None:
    inner = b""
    for _ in range(3000):
        item_header = struct.pack("<HHL", 0xFFFE, 0xE000, len(inner))
        inner = struct.pack("<HHL", 0x3006, 0x0039, len(inner) + 8) + item_header + inner
    assert codes(with_bytes(REGISTERED, lambda data: data[: 144 + data[140]] + inner)) == ["K040"]


# --- text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ("NHS Number: 943 476 5919", [text.NHS]),
        ("nhs 9434765919.", [text.NHS]),
        ("943-476-5919 (NHS)", [text.NHS]),
        ("943 476 5919", [text.MAYBE_NHS]),
        ("9434765919", []),
        ("NHS 9434765918", []),
        ("NHS 1943476591900", []),
        ("NHS 2.25.9434765919", []),
        ("DOB: 01/02/1950", [text.BIRTH]),
        ("Date of birth 1950-02-01", [text.BIRTH]),
        ("born on 1st February 1950", [text.BIRTH]),
        ("d.o.b. 19500201", [text.BIRTH]),
        ("planned on 01/02/2020", []),
        ("lives at EC1A 1BB now", [text.POSTCODE]),
        ("M1 1AE", [text.POSTCODE]),
        ("PTV1 2GY", []),
        ("GTV T1 2MM", []),
        ("write to a.b@nhs.net", [text.EMAIL]),
        ("dose @ 60 Gy", []),
        ("tel 020 7946 0123", [text.PHONE]),
        ("+44 (0)20 7946 0123", [text.PHONE]),
        ("07700900123", [text.PHONE]),
        ("version 13.6.23, 120 kV, HFS", []),
        ("1.2.840.10008.5.1.4.1.1.2", []),
        ("2017-05-25 10:11:12", []),
        ("PTV_6000 Rectum CTV60 Kidney_L", []),
    ],
)
def test_generic_identifier_patterns(value: str, kinds: list[str]) -> None:
    assert list(text.kinds(value.encode())) == kinds


def test_a_bare_number_counts_where_the_element_is_for_one() -> None:
    assert text.kinds(b"9434765919", bare_numbers=True) == (text.NHS,)
    assert text.kinds(b"9434765918", bare_numbers=True) == ()


def test_verify_imports_none_of_the_builds_code() -> None:
    folder = Path(rttqa_build.verify.__file__).parent
    imported = {
        node.module or ""
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    } | {
        alias.name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    ours = {name for name in imported if name.startswith("rttqa_build")}
    general = {"rttqa_build.diagnostic", "rttqa_build.inflight"}
    assert {name for name in ours if not name.startswith("rttqa_build.verify")} == general
    assert not imported & {"deflate", "numpy", "typst"}

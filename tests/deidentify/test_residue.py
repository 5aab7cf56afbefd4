from __future__ import annotations

import hashlib
import io
import time
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from rttqa_build.deidentify import stream
from rttqa_build.deidentify.birth import date_spellings
from rttqa_build.deidentify.elements import Leaf, Stream, walk
from rttqa_build.deidentify.identity import Fact, Harvest, Kind, Who, harvest, harvest_names, merged
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.deidentify.spelling import patterns
from rttqa_build.deidentify.vocabulary import ordinary_words
from rttqa_build.diagnostic import Location

CT = "1.2.840.10008.5.1.4.1.1.2"
UID = "1.2.246.352.71.4.123456789.1234"
HERE = Location("package")


def fact(kind: Kind, value: str | bytes, who: Who = Who.PATIENT, charset: str = "") -> Fact:
    value = value if isinstance(value, bytes) else value.encode()
    return Fact(who, kind, value, (charset,) if charset else ())


def scanner(*facts: Fact, allowed: tuple[str, ...] = ()) -> Scanner:
    return Scanner(Harvest(frozenset(facts)), allowed)


PATIENT = scanner(
    fact(Kind.NAME, "HARGREAVES^WILHELMINA"),
    fact(Kind.NAME, "White^Grace"),
    fact(Kind.NAME, "Müller^Jörg".encode("latin_1"), charset="ISO_IR 100"),
    fact(Kind.NAME, "O'Brien^Siobhán"),
    fact(Kind.NAME, b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", charset="\\ISO 2022 IR 87"),
    fact(Kind.NUMBER, "4857766"),
    fact(Kind.NUMBER, "943 476 5919"),
    fact(Kind.NUMBER, "RXX/0071234"),
    fact(Kind.NUMBER, "8123"),
    fact(Kind.LABEL, "Course1"),
    fact(Kind.BIRTH_DATE, "19490312"),
    fact(Kind.PHONE, "020 7946 0123"),
    fact(Kind.ADDRESS, "12 Rose Lane, Leeds, LS1 4AP"),
    fact(Kind.NAME, "Pemberton^Jane^^Dr", Who.STAFF),
    fact(Kind.PLACE, "Royal Velindre Hospital", Who.STAFF),
    fact(Kind.PLACE, "Radiotherapy", Who.STAFF),
    fact(Kind.WORD, "Zwolle", Who.SOURCE),
    Fact(Who.UID, Kind.UID, UID.encode()),
    Fact(Who.UID, Kind.UID, b"1.2.3"),
    allowed=("EP-0123", "Example Cancer Centre", "Pemberton Trials Unit"),
)


def codes(text: str, scan: Scanner = PATIENT) -> list[str]:
    return [d.code for d in scan.scan_text(text, HERE)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("HARGREAVES^WILHELMINA", "A100"),
        ("Hargreaves", "A100"),
        ("W Hargreaves", "A100"),
        ("whargreaves", "A100"),
        ("hargreavesw@example.org", "A100"),
        ("PTV_HARGREAVES", "A100"),
        ("ptvhargreaves1", "A100"),  # eight letters are evidence inside a word, too
        ("planMuller", "A100"),
        ("MÜLLER", "A100"),
        ("Mueller", "A100"),
        ("M\u00fcller", "A100"),
        ("Mu\u0308ller", "A100"),
        ("Har\u00adgreaves", "A100"),
        ("OBrien", "A100"),
        ("o\u2019brien", "A100"),
        ("siobhan", "A100"),
        ("患者山田様", "A100"),
        ("White", "A100"),  # an ordinary word as a whole value
        ("dose for White, Grace", "A100"),
        ("GraceWhite_2", "A100"),
        ("letter to G. White", "A100"),
        ("ID 4857766.", "A101"),
        ("id:4857766", "A101"),
        ("485 7766", "A101"),
        ("NHS 943-476-5919", "A101"),
        ("rev 2 943 476 5919", "A101"),
        ("9434765919", "A101"),
        ("rxx0071234", "A101"),
        ("0071234", "A101"),
        ("8123", "A101"),  # four digits as a whole value
        ("+44 (0)20 7946 0123", "A103"),
        ("02079460123", "A103"),
        ("at 12 rose  lane", "A103"),
        ("ls14ap", "A103"),
        ("Dr Pemberton", "A105"),
        ("royal velindre\nhospital", "A105"),
        ("velindre", "A105"),
        ("copy in ZWOLLE", "A106"),
        (UID, "A104"),
        (f"CT.{UID}.dcm", "A104"),
        (f"{UID}.7", "A104"),  # derived from an original
    ],
)
def test_spellings_are_found(text: str, code: str) -> None:
    assert codes(text) == [code]


@pytest.mark.parametrize(
    "text",
    [
        "19490312", "1949-03-12", "1949/3/12", "12/03/1949", "12.03.49", "12-3-1949", "12 03 1949", "120349",
        "12031949", "490312", "03/12/1949", "12 Mar 1949", "12 March 1949", "12th of March 1949", "12MAR49",
        "March 12, 1949", "12-mar-49", "born 12/03/1949.", "DOB:12.3.1949",
    ],
)  # fmt: skip
def test_birth_dates_are_found(text: str) -> None:
    assert codes(text) == ["A102"]


@pytest.mark.parametrize(
    "text",
    [
        "White matter", "off-white", "a grace period", "graceful", "Whitehall", "R. White matter",
        "14857766", "48577661", "4857766.5", "0.4857766", "48577 661", "2.25.4857766", "2.25.1234857766.1",
        "81234", "dose 8123 units", "12/03/19491", "112/03/1949", "1949031212", "20 7946 01234",
        f"{UID}5", "1.2.246.352.71.4.123456789", f"3{UID}", "version 1.2.3", "1.2.3.4",
        "Course1", "Radiotherapy", "Royal Hospital", "PTV_6000 60 Gy in 20#", "Prostate60 VMAT final",
    ],
)  # fmt: skip
def test_coincidences_are_none(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize("text", ["EP-0123", "example  cancer centre", "ask the Pemberton Trials Unit"])
def test_what_is_there_on_purpose_is_no_residue(text: str) -> None:
    assert codes(text) == []


def test_a_patient_id_that_is_already_the_trial_id() -> None:
    facts = (
        fact(Kind.NUMBER, "EP0123"),
        fact(Kind.NAME, "EP-0123^EP-0123"),
        fact(Kind.NAME, "ep-0123^Prostate"),
    )
    scan = scanner(*facts, fact(Kind.NUMBER, "EP-0123"), fact(Kind.LABEL, "EP-0123"), allowed=("EP-0123",))
    for text in ("EP-0123", "EP-0123_r1/data", "patient EP-0123 of example-prostate", "ep_0123"):
        assert codes(text, scan) == []
    assert scan.limits() == ()


def test_allowed_text_shields_only_itself() -> None:
    assert codes("Pemberton Trials Unit, Dr Pemberton") == ["A105"]


def test_what_is_found_is_told_in_good_english() -> None:
    told = PATIENT.scan_text("Dr Pemberton of Velindre", HERE)
    assert [d.message for d in told] == [
        "A name of staff or institution is still in this text.",
        "An institution or station of staff or institution is still in this text.",
    ]


def test_all_hits_in_one_run_and_no_value_in_any() -> None:
    found = PATIENT.scan_text(f"Hargreaves 4857766 12/03/1949 LS1 4AP {UID} Dr Pemberton Zwolle", HERE)
    assert [d.code for d in found] == ["A100", "A101", "A102", "A103", "A104", "A105", "A106"]
    shown = (
        f"{found} {PATIENT!r} {patterns(Harvest(frozenset({fact(Kind.NAME, 'Zylbersztajn^Q')})))!r}".lower()
    )
    assert not any(v in shown for v in ("hargreaves", "4857766", "1949", "ls1", UID, "pemberton", "zyl"))


def test_staff_may_be_allowed_in_documents() -> None:
    assert PATIENT.scan_text("Dr Pemberton", HERE, staff=False) == ()
    assert [d.code for d in PATIENT.scan_text("Dr Pemberton for Hargreaves", HERE, staff=False)] == ["A100"]


@pytest.mark.parametrize(
    ("kind", "value", "text", "found"),
    [
        (Kind.NAME, "Patel^Ravi", "rpatel", True),
        (Kind.NAME, "Patel^Ravi", "patelr@example.org", True),
        (Kind.NAME, "Patel^Ravi", "patella", False),
        (Kind.NAME, "Bone^Tara", "see T. Bone", True),
        (Kind.NAME, "Bone^Rita", "R Bone", False),  # the right bone
        (Kind.NAME, "van der Berg^Jo", "van der", False),
        (Kind.PLACE, "Royal General Hospital", "royal general hospital", True),
        (Kind.PLACE, "Royal General Hospital", "Royal General Hospitals", False),
    ],
)
def test_surroundings(kind: Kind, value: str, text: str, found: bool) -> None:
    assert bool(codes(text, scanner(fact(kind, value)))) is found


def test_opaque_binary_in_other_casings_than_harvested() -> None:
    scan = scanner(fact(Kind.NAME, "Zylberstein^Q"))
    for text in (b"ZYLBERSTEIN", b"zylberstein", b"Zylberstein"):
        assert scan.scan_opaque(b"\x01\xff" + text + b"\x80", HERE)


def test_text_is_read_in_the_character_set_of_its_object() -> None:
    scan = scanner(fact(Kind.NAME, "\u041d\u0438\u043d\u0430^\u0427\u0435\u0445"))
    text = "\u043d\u0438\u043d\u0430"
    assert scan.scan_dicom(dicom({"SpecificCharacterSet": "ISO_IR 144", "ImageComments": text}), "image")


def test_identifiers_too_short_to_search_are_told() -> None:
    scan = scanner(fact(Kind.NUMBER, "12"))
    assert codes("12", scan) == []
    assert [d.code for d in scan.limits()] == ["A107"]


@pytest.mark.parametrize("codec", ["utf_8", "utf_16_le", "utf_16_be", "latin_1"])
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Wilhelmina", "A100"), ("WILHELMINA", "A100"), ("9434765919", "A101"), ("19490312", "A102"),
        (UID, "A104"), ("Pemberton", "A105"),
    ],
)  # fmt: skip
def test_opaque_binary(text: str, code: str, codec: str) -> None:
    data = b"\x01\x80\xff" * 9 + text.encode(codec) + b"\x02\x90\xfe" * 9
    assert [d.code for d in PATIENT.scan_opaque(data, HERE)] == [code]
    assert code in [d.code for d in PATIENT.scan_bytes(data, HERE)]


@pytest.mark.parametrize(
    "text", ["Mueller", "White", "4857766", "194903121", "29434765919", "9434765919.5", UID + "9"]
)
@pytest.mark.parametrize("codec", ["latin_1", "utf_16_le"])
def test_opaque_binary_takes_only_long_and_whole_patterns(text: str, codec: str) -> None:
    assert PATIENT.scan_opaque(b"\x01\x80" * 9 + text.encode(codec) + b"\x02\x90" * 9, HERE) == ()


# --- DICOM objects -----------------------------------------------------------------------------------------


def dicom(elements: dict[str, object], preamble: bytes = bytes(128)) -> Stream:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = pydicom.uid.UID(CT), pydicom.uid.UID("2.25.1")
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = (
        pydicom.uid.UID(CT),
        pydicom.uid.UID("2.25.1"),
    )
    ds.preamble = preamble
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, enforce_file_format=True)
    return stream.parse(out.getvalue())


def item(**elements: object) -> Dataset:
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


@pytest.mark.parametrize(
    ("elements", "found"),
    [
        ({"SeriesDescription": "for Hargreaves"}, ("A100", "SeriesDescription")),
        ({"BodyPartExamined": "MUELLER"}, ("A100", "BodyPartExamined")),
        (
            {"BeamSequence": [item(BeamName="1"), item(BeamName="arc 4857766")]},
            ("A101", "BeamSequence.BeamName"),
        ),
        ({"ContentDate": "19490312"}, ("A102", "ContentDate")),
        ({"AcquisitionDateTime": "19490312101500.5"}, ("A102", "AcquisitionDateTime")),
        ({"FrameOfReferenceUID": UID}, ("A104", "FrameOfReferenceUID")),
        ({"FrameOfReferenceUID": UID + ".5"}, ("A104", "FrameOfReferenceUID")),
        ({"FrameOfReferenceUID": "1.2.3"}, ("A104", "FrameOfReferenceUID")),
        ({"StationName": "Pemberton"}, ("A105", "StationName")),
        ({"ICCProfile": b"\x01\x02WILHELMINA\x03"}, ("A100", "ICCProfile")),
        ({"SpecificCharacterSet": "ISO_IR 100", "ImageComments": "für Jörg"}, ("A100", "ImageComments")),
        ({"ContentDate": "19490313", "ContentTime": "120349", "SliceThickness": "4857766"}, None),
        ({"SOPInstanceUID": "2.25.9434765919", "SeriesDescription": "White matter"}, None),
        ({"FrameOfReferenceUID": UID + "5"}, None),
    ],
)
def test_elements_of_an_object(elements: dict[str, object], found: tuple[str, str] | None) -> None:
    results = PATIENT.scan_dicom(dicom(elements), "plan:phase1")
    assert [(d.code, d.where.file, d.where.item) for d in results] == (
        [(found[0], "plan:phase1", found[1])] if found else []
    )


@pytest.mark.parametrize(
    ("vr", "value", "kinds"),
    [
        ("DS", b"1.0\\4857766\\-2.5e-3", set()),
        ("DS", b"1.0\\4857766\\Hargreaves", {Kind.NAME, Kind.NUMBER}),
        ("IS", b"Hargreaves ", {Kind.NAME}),
        ("TM", b"120349.5", set()),
        ("DA", b"1949.03.12", {Kind.BIRTH_DATE}),
        ("DA", b"20200101-19490312", {Kind.BIRTH_DATE}),
        ("UI", b"1.2.840.10008.1.2\\" + UID.encode() + b"\0", {Kind.UID}),
        ("UN", b"Hargreaves", {Kind.NAME}),
    ],
)
def test_numeric_values_are_proven_numeric(vr: str, value: bytes, kinds: set[Kind]) -> None:
    hits = PATIENT._leaf_hits(Leaf(0x30060050, vr, value, ()), ())
    assert {hit.kind for hit in hits} == kinds


def test_the_preamble_is_searched() -> None:
    found = PATIENT.scan_dicom(dicom({}, b"Hargreaves".ljust(128, b"\0")), "image")
    assert [(d.code, d.where.item) for d in found] == [("A100", "preamble")]


def test_the_same_label_in_every_slice_is_told_once_and_found_always() -> None:
    for _ in range(2):
        assert len(PATIENT.scan_dicom(dicom({"SeriesDescription": "Hargreaves"}), "image")) == 1


@pytest.mark.parametrize("folder", ["eclipse_phantom", "gammaplan_srs", "monaco_vmat"])
def test_real_exports_show_their_own_identity(folder: str) -> None:
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / folder
    if not path.is_dir():
        pytest.skip("the real exports are not here")
    files = sorted(path.glob("*.dcm"))[-6:]
    streams = [stream.parse(file.read_bytes()) for file in files]
    found = merged(harvest(walk(each)) for each in streams) | harvest_names(f.name for f in files)
    scan = Scanner(found)
    for each in streams:
        hits = {(d.code, d.where.item) for d in scan.scan_dicom(each, "role")}
        assert ("A104", "SOPInstanceUID") in hits
        assert {item for _, item in hits} >= {"PatientID"} or folder == "gammaplan_srs"
        assert not any("RTPlanLabel" in item or "ROIName" in item or "BeamName" in item for _, item in hits)


# --- properties --------------------------------------------------------------------------------------------

names = st.text("bcdfghjklmnpqrtvwxz", min_size=4, max_size=12).filter(lambda n: n not in ordinary_words())


@settings(max_examples=40, deadline=None)
@given(
    names, names, st.sampled_from(["{} {}", "{1}, {0}", "{1}^{0}", "x_{1}", "({0})"]), st.sampled_from("lut")
)
def test_any_name_is_found_in_any_form(given_name: str, family: str, form: str, case: str) -> None:
    scan = scanner(fact(Kind.NAME, f"{family}^{given_name}"))
    text = form.format(given_name, family)
    text = {"l": text.lower(), "u": text.upper(), "t": text.title()}[case]
    assert codes(text, scan) == ["A100"]


@settings(max_examples=40, deadline=None)
@given(st.dates())
def test_every_spelling_of_a_date_is_found(day: object) -> None:
    scan = scanner(fact(Kind.BIRTH_DATE, str(day).replace("-", "")))
    if scan._births:
        assert all(
            codes(f"born {text}, in", scan) == ["A102"] for text in date_spellings(next(iter(scan._births)))
        )


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_search(data: bytes) -> None:
    PATIENT.scan_bytes(data, HERE)
    whose = {Kind.WORD: Who.SOURCE, Kind.UID: Who.UID}
    facts = (fact(kind, data, whose.get(kind, Who.PATIENT), "\\ISO 2022 IR 87") for kind in Kind)
    scan = scanner(*facts)
    scan.scan_bytes(data, HERE)


def test_a_name_thousands_of_times_over_without_a_break_takes_no_long_time() -> None:
    begun = time.process_time()
    assert codes("hargreaves" * 20_000) == ["A100"]
    assert time.process_time() - begun < 10


@pytest.mark.parametrize("name", ["Ada^Bea", "Abe^Ken", "Dee^Ann", "Ace^Fae"])
def test_a_digest_names_nobody(name: str) -> None:
    """Six letters and ten figures: short names stand in digests by chance, and locks are full of these."""
    digests = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(1000)]
    search = scanner(fact(Kind.NAME, name), fact(Kind.NUMBER, "48213"))
    lock = "".join(f"  digest: {digest}\n  sha: '{digest}'\n" for digest in digests)
    assert codes(lock, search) == []
    assert codes(name.replace("^", " "), search) == ["A100"]
    family = name.partition("^")[0].lower()
    assert codes(f"{digests[0][:30]}7{family}1{digests[1][:29]}", search) == []
    assert codes(f"{digests[0][:30]}7{family}1{digests[1][:28]}", search) == ["A100"]
    assert codes(f"digest: {digests[0]} of {family}", search) == ["A100"]
    assert codes("48213" + "0" * 3, search) == []
    assert codes("x 48213", search) == ["A101"]

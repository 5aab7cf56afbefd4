"""PS3.15 Table E.1-1, every row × place × encoding × option, read back with pydicom.

What must become of a row follows here from the table's columns, the keep list and the rules of
`docs/conformance.md`, without asking the project's policy. All rows go through the engine together, one
object for each place, encoding and set of options; each row is then judged on its own.
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
import io
import itertools
import runpy
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pydicom
import pytest
from dicom_builder import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    SYNTAXES,
    VRS,
    Syntax,
    element,
    ordered,
    part10,
    sequence,
)
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_sequence

from rttqa_build.deidentify.dictionary import registered_uids
from rttqa_build.deidentify.engine import pseudonymise
from rttqa_build.deidentify.job import Job, ObjectPlan
from rttqa_build.deidentify.marks import Marks
from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.deidentify.stream import parse
from rttqa_build.pseudonym import CentreKey, Pseudonyms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydicom.dataset import Dataset

    from rttqa_build.deidentify.policy import Dates

ROOT = Path(__file__).resolve().parents[2]
NAMES = Pseudonyms.derive(CentreKey(bytes(range(32))), "example-prostate")
SUBJECT, WEEKS = "EP-0123", 353
MARKS = Marks(SUBJECT, "example-prostate", "Example", "Sponsor", "RXX", "Example Cancer Centre")
# what the marks write at the top level (PS3.3 C.7.1.3, C.7.3.1), whatever stood there
MARKED = {
    "PatientName": SUBJECT, "PatientID": SUBJECT, "ClinicalTrialSponsorName": "Sponsor",
    "ClinicalTrialProtocolID": "example-prostate", "ClinicalTrialProtocolName": "Example",
    "ClinicalTrialSiteID": "RXX", "ClinicalTrialSiteName": "Example Cancer Centre",
    "ClinicalTrialSubjectID": SUBJECT,
}  # fmt: skip
TOKEN, BORN = b"PLANTED", b"19510307"
UID_ROOT = b"1.2.826.77."


# --- the table ---------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A row of the table as its file states it."""

    number: int
    tag: int
    keyword: str
    vr: str
    basic: str
    dates: str
    patient: str

    @property
    def known(self) -> bool:
        """Whether implicit VR tells what the element is."""
        return dictionary_has_tag(self.tag)

    @property
    def planted(self) -> bytes:
        """A value that no other row has, of a kind that the VR can hold."""
        if self.vr == "UI":
            return UID_ROOT + str(self.number + 1).encode()
        if self.vr == "IS":
            return f"77{self.number:03}".encode()
        return VALUES.get(self.vr, TOKEN + f"{self.number:03}".encode())


VALUES = {
    "DA": BORN, "DT": BORN + b"043000.25+0100", "TM": b"043000", "AS": b"074Y", "DS": b"83.5",
    "US": b"\x4d\x50", "UR": b"http://planted.example/",
}  # fmt: skip


def lines(name: str) -> Iterator[dict[str, str]]:
    text = (ROOT / "rttqa_build" / "data" / name).read_text("utf-8").splitlines()
    return csv.DictReader(line for line in text if not line.startswith("#"))


def vr_of(line: Mapping[str, str]) -> str:
    """Return the row's VR; the edition leaves some out, and their keywords tell it."""
    if line["vr"]:
        return line["vr"]
    return "SQ" if line["keyword"].endswith("Sequence") else "DT" if line["modified_dates"] else "LO"


TABLE = list(lines("ps3_15_e1_1.csv"))
KEPT = {int(line["tag"], 16): line for line in lines("keep.csv")}
ROWS = [
    Row(
        number,
        int(line["tag"], 16),
        line["keyword"],
        vr_of(line),
        line["basic"],
        line["modified_dates"],
        line["patient"],
    )
    for number, line in enumerate(TABLE)
    if not {"x", "g"} & set(line["tag"])
]
WILD = {line["tag"]: line for line in TABLE if {"x", "g"} & set(line["tag"])}


# --- what must become of it --------------------------------------------------------------------------------


class Mode(NamedTuple):
    """The options of a trial, and whether what was planted counts as an identity."""

    name: str
    dates: Dates
    patient: bool
    identity: bool


MODES = [
    Mode("dates shifted", "shift", False, True),
    Mode("dates removed", "remove", False, True),
    Mode("patient characteristics", "shift", True, True),
    Mode("no identity", "shift", False, False),
    Mode("no identity, characteristics", "shift", True, False),
]
GONE, EMPTY, SAME, DUMMY, UID, DATE, ENTERED = (
    "removed", "emptied", "kept", "dummy", "UID", "date", "entered"
)  # fmt: skip
# Of several actions the weakest that keeps the object valid (PS3.15 E.3: X, Z and D by the attribute's type).
WEAKEST = {
    "X": GONE, "Z": EMPTY, "D": DUMMY, "U": UID,
    "X/Z": EMPTY, "X/D": DUMMY, "Z/D": DUMMY, "X/Z/D": DUMMY, "X/Z/U*": UID,
}  # fmt: skip
# Content Creation Date and Time by today's name: a registration must have them (PS3.3 10.9), and enhanced PET
# the start of the injection (PS3.3 C.8.22.2).
REQUIRED_DATES = {
    "PresentationCreationDate", "PresentationCreationTime", "RadiopharmaceuticalStartDateTime",
}  # fmt: skip
CHARACTERISTICS = {"PatientSex", "PatientSize", "PatientWeight"}


def expected(row: Row, mode: Mode, *, top: bool, told: bool) -> str | bytes:
    """Return what must become of a row: one of the words above, or the value that must stand there.

    ``told``: whether file or dictionary tells the element's VR.
    """
    if row.keyword in ("PatientName", "PatientID") or (top and row.keyword in MARKED):
        return MARKED[row.keyword].encode()
    if line := KEPT.get(row.tag):
        return listed(row, line, mode)
    if mode.patient and row.keyword in CHARACTERISTICS:
        return EMPTY if row.vr == "CS" and mode.identity else SAME  # words are no sex
    if mode.dates == "shift" and row.dates == "C" and row.vr in ("DA", "DT", "TM"):
        return (SAME if row.vr == "TM" else DATE) if told else EMPTY
    if mode.dates == "remove" and row.keyword in REQUIRED_DATES:
        return DUMMY
    return basic(row)


def listed(row: Row, line: Mapping[str, str], mode: Mode) -> str | bytes:
    if line["action"] == "keep" or (line["action"] == "clean" and not mode.identity):
        return SAME
    # a neutral ROI name has the ROI's number, which the item here does not hold
    return b"ROI_0" if row.keyword == "ROIName" else line["dummy"].encode()


def basic(row: Row) -> str:
    if row.keyword == "ReferencedStudySequence":
        return GONE  # an item is required where it is present (PS3.3 C.7.2.1)
    action = WEAKEST[row.basic]
    by_vr = {"SQ": {DUMMY: ENTERED, UID: ENTERED}, "UI": {DUMMY: UID}}
    return by_vr.get(row.vr, {}).get(action, action)


def shifted(value: bytes) -> bytes:
    day = dt.datetime.strptime(value[:8].decode(), "%Y%m%d").date() - dt.timedelta(weeks=WEEKS)  # noqa: DTZ007
    return f"{day:%Y%m%d}".encode() + value[8:]


# --- planting ----------------------------------------------------------------------------------------------

# Sequences that the table does not name, so that they are entered.
OUTER, MIDDLE, INNER = 0x00081115, 0x00081199, 0x300A00B0
PRIVATE_CREATOR, PRIVATE = 0x32530010, 0x32531001
HARMLESS = (0x30060022, "IS", b"5")  # ROINumber


def planted_element(syntax: Syntax, row: Row, vr: str) -> bytes:
    if row.vr == "SQ":
        inner = IMPLICIT if vr == "UN" else syntax
        content = element(inner, 0x00104000, "LT", TOKEN) + element(inner, *HARMLESS)
        return sequence(syntax, row.tag, content, vr=vr)
    return element(syntax, row.tag, vr, row.planted)


def every_row(syntax: Syntax, *, vr: str = "", lowest: int = 0) -> dict[int, bytes]:
    """Return an element for every row, under its own VR or another."""
    return {row.tag: planted_element(syntax, row, vr or row.vr) for row in ROWS if row.tag >= lowest}


def identity(syntax: Syntax) -> dict[int, bytes]:
    (sop,) = [row for row in ROWS if row.keyword == "SOPInstanceUID"]
    return {
        0x00080016: element(syntax, 0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.481.5"),
        sop.tag: element(syntax, sop.tag, "UI", sop.planted),
    }


def at_top(syntax: Syntax) -> dict[int, bytes]:
    return every_row(syntax, lowest=0x00080000)


def as_unknown(syntax: Syntax) -> dict[int, bytes]:
    return every_row(syntax, vr="UN", lowest=0x00080000) | identity(syntax)


def nested(syntax: Syntax) -> dict[int, bytes]:
    inner = sequence(syntax, INNER, ordered(every_row(syntax)), undefined=True)
    middle = sequence(syntax, MIDDLE, inner, inner)
    return {OUTER: sequence(syntax, OUTER, element(syntax, *HARMLESS), middle, undefined=True)}


def hidden(syntax: Syntax) -> dict[int, bytes]:
    """Hide a sequence under UN, which makes it implicit VR from there on."""
    inner = sequence(IMPLICIT, INNER, ordered(every_row(IMPLICIT)))
    return {OUTER: sequence(syntax, OUTER, inner, vr="UN", undefined=True)}


def hidden_of_known_length(syntax: Syntax) -> dict[int, bytes]:
    return {OUTER: sequence(syntax, OUTER, ordered(every_row(IMPLICIT)), vr="UN")}


def private(syntax: Syntax) -> dict[int, bytes]:
    content = ordered(every_row(syntax))
    return {
        PRIVATE_CREATOR: element(syntax, PRIVATE_CREATOR, "LO", b"VENDOR"),
        PRIVATE: sequence(syntax, PRIVATE, sequence(syntax, INNER, content), undefined=True),
        PRIVATE + 1: sequence(syntax, PRIVATE + 1, ordered(every_row(IMPLICIT)), vr="UN"),
        PRIVATE + 2: element(syntax, PRIVATE + 2, "UN", content),
        OUTER: sequence(
            syntax,
            OUTER,
            element(syntax, PRIVATE_CREATOR, "LO", b"VENDOR") + sequence(syntax, PRIVATE, content),
        ),
    }


class Place(NamedTuple):
    """Where the rows stand: ``path`` holds sequence and item, ``syntaxes`` those that have such a place."""

    name: str
    plant: Any
    path: tuple[tuple[int, int], ...]
    syntaxes: tuple[Syntax, ...] = SYNTAXES


UN_SYNTAXES = (EXPLICIT, BIG, DEFLATED)
UN_UNDEFINED = (EXPLICIT, DEFLATED)  # pydicom looks for the end of such a one in the file's byte order
PLACES = [
    Place("top", at_top, ()),
    Place("nested", nested, ((OUTER, 1), (MIDDLE, 1), (INNER, 0))),
    Place("under UN", hidden, ((OUTER, 0), (INNER, 0)), UN_UNDEFINED),
    Place("under UN of known length", hidden_of_known_length, ((OUTER, 0),), UN_SYNTAXES),
    Place("as UN", as_unknown, (), UN_SYNTAXES),
    Place("private", private, ((OUTER, 0),)),
]
CASES = [
    (place, syntax, mode) for place, mode in itertools.product(PLACES, MODES) for syntax in place.syntaxes
]


# --- reading back ------------------------------------------------------------------------------------------


def job(mode: Mode) -> Job:
    retain = frozenset({"patient_characteristics"}) if mode.patient else frozenset[str]()
    return Job(
        compile_policy(mode.dates, retain),
        MARKS,
        WEEKS,
        NAMES.base_uid,
        registered_uids(),
        lambda text: mode.identity and TOKEN.decode() in text,
    )


def run(data: bytes, mode: Mode = MODES[0]) -> bytes:
    return pseudonymise(parse(data), job(mode), ObjectPlan()).data


@functools.cache
def result(place: Place, syntax: Syntax, mode: Mode) -> tuple[bytes, Mapping[int, Any]]:
    """Return the pseudonymised file of one case, and what pydicom reads where the rows were planted."""
    made = identity(syntax) | place.plant(syntax)
    data = run(part10(syntax, ordered(made)), mode)
    level: Dataset = pydicom.dcmread(io.BytesIO(data))
    for tag, number in place.path:
        level = items(level, tag)[number]
    return data, values(level)


def values(level: Dataset) -> dict[int, Any]:
    """Return raw values as pydicom cut them; a sequence as the values of its items."""
    found: dict[int, Any] = {}
    for raw in list(level.values()):  # as they were read; asking for one by its tag would decode it
        tag = int(raw.tag)
        vr = raw.VR if raw.VR not in (None, "UN") else dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"
        if vr == "SQ":
            found[tag] = [values(item) for item in items(level, tag)]
        else:
            assert isinstance(raw, RawDataElement)
            found[tag] = raw.value or b""
    return found


def items(level: Dataset, tag: int) -> list[Dataset]:
    """Return a sequence's items; pydicom takes those under UN for big endian where the file is."""
    raw = next(one for one in level.values() if one.tag == tag)
    if isinstance(raw, RawDataElement) and raw.VR == "UN" and raw.value and not raw.is_little_endian:
        return list(read_sequence(io.BytesIO(raw.value), True, True, len(raw.value), "ascii"))
    return list(level[tag].value)


def judge(row: Row, found: Mapping[int, Any], want: str | bytes) -> bool:
    """Return whether what pydicom found is what the rules want."""
    if row.tag not in found:
        return want == GONE
    value = found[row.tag]
    if isinstance(value, list):
        return (want, value) in ((ENTERED, [{HARMLESS[0]: b"5 "}]), (EMPTY, []))
    if want == DUMMY:
        return len(value) > 0 and row.planted not in value and TOKEN not in value
    if isinstance(want, bytes):
        return bytes(value).rstrip(b"\0 ") == want
    return bytes(value).rstrip(b"\0 ") == {
        EMPTY: b"",
        SAME: row.planted,
        UID: NAMES.base_uid(row.planted).encode(),
        DATE: shifted(row.planted) if row.vr in ("DA", "DT") else b"",
    }.get(want)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.tag:08X}-{row.keyword}")
def test_every_row_is_treated_as_the_standard_and_the_trial_say(row: Row) -> None:
    wrong = []
    for place, syntax, mode in CASES:
        top = place.path == ()
        if top and row.tag < 0x00080000:
            continue  # groups of commands, file meta information and directories: no part of a data set
        told = row.known or (syntax.explicit and "UN" not in place.name)
        want = GONE if place.name == "private" else expected(row, mode, top=top, told=told)
        if not judge(row, result(place, syntax, mode)[1], want):
            wrong.append((place.name, syntax.name, mode.name, want))
    assert not wrong


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
@pytest.mark.parametrize("mode", [mode for mode in MODES if mode.identity], ids=lambda mode: mode.name)
def test_nothing_planted_is_left_anywhere_in_the_file(place: Place, mode: Mode) -> None:
    for syntax in place.syntaxes:
        data, _ = result(place, syntax, mode)
        needles = (TOKEN, TOKEN.lower(), UID_ROOT, BORN, b"planted.example")
        assert not [needle for needle in needles if needle in data]


def test_every_row_is_planted_at_every_place() -> None:
    assert len(TABLE) == 656
    assert len(ROWS) + len(WILD) == len(TABLE)
    for place, syntax in itertools.product(PLACES, SYNTAXES):
        made = ordered(place.plant(syntax))
        assert all(row.planted in made for row in ROWS if row.vr != "SQ" and row.tag >= 0x00080000)


def test_the_data_set_of_a_deflated_object_is_written_as_explicit_little_endian() -> None:
    data, _ = result(PLACES[0], DEFLATED, MODES[0])
    assert pydicom.dcmread(io.BytesIO(data)).file_meta.TransferSyntaxUID == EXPLICIT.uid
    assert data == result(PLACES[0], EXPLICIT, MODES[0])[0]


# --- rows with wildcards -----------------------------------------------------------------------------------

# elements of the repeating groups (PS3.3 C.9.2, C.10.2, retired), in the first, another and the last group
CURVES = [(group << 16 | n, vr) for group in (0x5000, 0x5004, 0x50FE) for n, vr in (
    (0x0005, "US"), (0x0020, "CS"), (0x0022, "LO"), (0x0040, "SH"), (0x2500, "LO"), (0x2600, "SQ"),
    (0x3000, "OW"), (0x3010, "LT"),
)]  # fmt: skip
OVERLAYS = [(group << 16 | n, vr) for group in (0x6000, 0x6002, 0x60FE) for n, vr in (
    (0x0010, "US"), (0x0022, "LO"), (0x0040, "CS"), (0x1301, "IS"), (0x1500, "LO"), (0x3000, "OW"),
    (0x4000, "LT"),
)]  # fmt: skip
PRIVATES = [(group << 16 | n, vr) for group in (0x0009, 0x0019, 0x3253, 0x5001, 0x6003, 0x7FE1, 0xFFFD)
    for n, vr in ((0x0010, "LO"), (0x1001, "PN"), (0x1002, "UN"), (0x1003, "SQ"), (0x10FF, "FD"))
]  # fmt: skip
WILD_ELEMENTS = {
    "50xxxxxx": CURVES, "60xx3000": OVERLAYS, "60xx4000": OVERLAYS, "ggggeeee": PRIVATES
}  # fmt: skip


def test_every_wildcard_of_the_table_is_known_here() -> None:
    assert WILD.keys() == WILD_ELEMENTS.keys()
    assert {line["basic"] for line in WILD.values()} == {"X"}


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("wild", WILD)
def test_curves_overlays_and_private_elements_go_at_every_level(wild: str, syntax: Syntax) -> None:
    made = {
        tag: sequence(syntax, tag, element(syntax, 0x00104000, "LT", TOKEN))
        if vr == "SQ"
        else element(syntax, tag, vr, TOKEN + b"!")
        for tag, vr in WILD_ELEMENTS[wild]
    }
    inside = sequence(syntax, MIDDLE, sequence(syntax, INNER, ordered(made)), undefined=True)
    hiding = sequence(syntax, INNER, ordered(made)) if not syntax.explicit else b""
    body = identity(syntax) | made | {OUTER: sequence(syntax, OUTER, inside)}
    if hiding:
        body[INNER] = hiding
    data = run(
        part10(syntax, ordered(body)), MODES[3]
    )  # planted text counts as harmless: all the same it goes
    left = {int(e.tag) for e in pydicom.dcmread(io.BytesIO(data)).iterall()}
    assert left.isdisjoint(made)
    assert {OUTER, MIDDLE, INNER} <= left
    assert TOKEN not in data


# --- every value representation ----------------------------------------------------------------------------

NUMERIC = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "AT": 4, "FL": 4, "FD": 8, "UV": 8, "SV": 8}
BULK = {"OB", "OW", "OF", "OD", "OL", "OV"}
TEXT = {"LO", "SH", "LT", "ST", "UT", "UC", "UR", "AE"}
LONG_TOKEN = TOKEN + b"_1"  # eight bytes: a whole number of values of every numeric VR


@pytest.mark.parametrize("vr", VRS)
@pytest.mark.parametrize("syntax", [EXPLICIT, BIG], ids=lambda syntax: syntax.name)
def test_no_row_keeps_what_is_planted_under_a_foreign_representation(vr: str, syntax: Syntax) -> None:
    """A row's tag may come under any VR: then the VR's own rules hold, and no text passes."""
    made = {}
    for row in (row for row in ROWS if row.tag >= 0x00080000):
        if vr == "SQ" or (vr == "UN" and row.vr == "SQ"):
            inner = IMPLICIT if vr == "UN" else syntax
            content = element(inner, 0x00104000, "LT", LONG_TOKEN)
            made[row.tag] = sequence(syntax, row.tag, content, vr=vr)
        else:
            made[row.tag] = element(syntax, row.tag, vr, LONG_TOKEN)
    data = run(part10(syntax, ordered(made | identity(syntax))))
    found = values(pydicom.dcmread(io.BytesIO(data)))
    if vr in NUMERIC:  # numbers are copied as bytes; what may hide in them is for the residue scan
        assert {row.keyword for row in ROWS if LONG_TOKEN in (found.get(row.tag) or b"")} <= NUMBERS_STAY
    else:
        assert TOKEN not in data
    for row in ROWS:
        if WEAKEST[row.basic] is GONE and row.dates != "C" and row.tag not in KEPT and row.tag >= 0x00080000:
            assert row.keyword in MARKED or row.tag not in found


# rows whose own action says nothing of numbers: date rows (113107) and labels, under a numeric VR
NUMBERS_STAY = {row.keyword for row in ROWS if row.dates == "C"}

UNLISTED = 0x00189998  # an even group, no row, no line, no keyword


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG, DEFLATED], ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("dates", ["shift", "remove"])
@pytest.mark.parametrize("vr", sorted(set(VRS) - {"SQ"}))
def test_beyond_the_table_the_representation_decides(vr: str, dates: Dates, syntax: Syntax) -> None:
    mode = Mode("", dates, False, True)
    for value, want in beyond(vr, dates):
        body = identity(syntax) | {
            UNLISTED: element(syntax, UNLISTED, vr, value),
            OUTER: sequence(syntax, OUTER, element(syntax, UNLISTED, vr, value), undefined=True),
        }
        after = pydicom.dcmread(io.BytesIO(run(part10(syntax, ordered(body)), mode)))
        for level in (after, after[OUTER].value[0]):
            raw = values(level)[UNLISTED]
            assert (raw if vr in NUMERIC else raw.rstrip(b"\0 ")) == want


def beyond(vr: str, dates: Dates) -> list[tuple[bytes, bytes]]:
    """Return values of an unlisted element and what must stand there afterwards."""
    keep_date = dates == "shift"
    if vr in NUMERIC:
        number = bytes(range(1, NUMERIC[vr] + 1))
        return [(number, number)]
    if vr in TEXT | BULK | {"UN"}:
        return [(b"harmless", b""), (LONG_TOKEN, b"")]
    return {
        "CS": [(b"PROSTATE", b"PROSTATE"), (b"Prostate", b""), (TOKEN, b"")],
        "AS": [(b"074Y", b"074Y"), (b"SEVENTY", b"")],
        "TM": [
            *((b"043000.25", b"043000.25"), (b"235960", b"235960")),
            *((b"9990000018", b""), (b"half past", b""), (b"483920", b"")),
        ],
        "DS": [(b"-1.50\\3e0", b"-1.50\\3e0"), (TOKEN, b""), (b"1.5 mm", b"")],
        "IS": [(b"-12\\7", b"-12\\7"), (TOKEN, b"")],
        "DA": [(BORN, shifted(BORN) if keep_date else b""), (b"7 March", b"")],
        "DT": [(VALUES["DT"], shifted(VALUES["DT"]) if keep_date else b""), (b"7 March", b"")],
        "PN": [(TOKEN, b"PSEUDONYMISED")],
        "UI": [
            (UID_ROOT + b"1", NAMES.base_uid(UID_ROOT + b"1").encode()),
            (b"1.2.840.10008.1.1", b"1.2.840.10008.1.1"),
            (b"UNKNOWN", NAMES.base_uid(b"UNKNOWN").encode()),
            (
                UID_ROOT + b"1\\1.2.840.10008.1.1\\" + UID_ROOT + b"2",
                b"\\".join(
                    [
                        NAMES.base_uid(UID_ROOT + b"1").encode(),
                        b"1.2.840.10008.1.1",
                        NAMES.base_uid(UID_ROOT + b"2").encode(),
                    ]
                ),
            ),
        ],
    }[vr]


def test_every_representation_is_tried() -> None:
    assert set(VRS) - {"SQ"} == {
        *NUMERIC,
        *BULK,
        *TEXT,
        "UN",
        "CS",
        "AS",
        "TM",
        "DS",
        "IS",
        "DA",
        "DT",
        "PN",
        "UI",
    }


# --- file meta information ---------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_preamble_and_file_meta_information_are_ours(syntax: Syntax) -> None:
    """The table's row for group 0002, and beyond it: nothing of the sender's group 0002 stays."""
    own = [
        element(EXPLICIT, 0x00020012, "UI", UID_ROOT + b"901"),
        element(EXPLICIT, 0x00020013, "SH", TOKEN),
        element(EXPLICIT, 0x00020016, "AE", TOKEN),
        element(EXPLICIT, 0x00020026, "UR", TOKEN),
        element(EXPLICIT, 0x00020100, "UI", UID_ROOT + b"902"),
        element(EXPLICIT, 0x00020102, "OB", TOKEN + b"!"),
    ]
    preamble = (TOKEN * 20)[:128]
    data = run(part10(syntax, ordered(identity(syntax)), meta=own, preamble=preamble))
    after = pydicom.dcmread(io.BytesIO(data))
    assert after.preamble == bytes(128)
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert TOKEN not in data
    assert UID_ROOT not in data
    assert len(after.file_meta) == 7
    assert struct.unpack_from("<L", data, 140)[0] == after.file_meta.FileMetaInformationGroupLength


# --- the page ----------------------------------------------------------------------------------------------

SAID = {
    "removed": GONE, "emptied": EMPTY, "replaced by a dummy": DUMMY, "UID replaced": UID,
    "date shifted": DATE, "time kept": SAME, "sequence entered": ENTERED,
    "replaced by the trial ID": SUBJECT.encode(),
}  # fmt: skip
PAGE = ROOT / "docs" / "conformance.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == runpy.run_path(str(ROOT / "docs" / "write_conformance.py"))["page"]()


def page_rows() -> dict[str, list[str]]:
    rows = (line.split("|") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ("))
    return {cells[1].strip("() ").replace(",", ""): [cell.strip() for cell in cells] for cells in rows}


def test_the_page_has_every_row_and_says_what_is_done() -> None:
    said = page_rows()
    for line in TABLE:
        assert said[line["tag"]][2] == line["keyword"]
    for row in ROWS:
        cells = said[f"{row.tag:08X}"]
        for words, mode in ((cells[5], MODES[3]), (cells[6], Mode("", "remove", False, False))):
            want = expected(row, mode, top=False, told=True)
            if row.tag in KEPT:
                assert words in (
                    "cleaned",
                    "kept",
                    "replaced by a dummy",
                    "code kept where its scheme is public",
                )
            else:
                assert SAID[words] == want, row.keyword

"""Vendor oddities, each by name: what real exports do that DICOM does not allow."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from build_case import members, named, run
from dicom_builder import BIG, EXPLICIT, IMPLICIT, SYNTAXES, Syntax, element, part10, sequence
from hypothesis import given, settings
from hypothesis import strategies as st

from rttqa_build.build import build
from rttqa_build.deidentify import oddities
from rttqa_build.deidentify.dictionary import registered_uids
from rttqa_build.deidentify.engine import pseudonymise
from rttqa_build.deidentify.job import Job, ObjectPlan
from rttqa_build.deidentify.marks import Marks
from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.deidentify.reader import CutError, LineEndingError, StreamError
from rttqa_build.deidentify.stream import demand_whole, head, parse
from rttqa_build.pseudonym import CentreKey, Pseudonyms
from rttqa_build.resolve import Selected
from rttqa_build.stages.intake import take_in
from rttqa_build.stages.objects import tasks
from rttqa_build.study import Instance, Kind, Reason, SourceFile, StructureFacts

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.deidentify.elements import Stream
    from rttqa_build.stages.intake import Intake

STORAGE = b"1.2.840.10008.5.1.4.1.1."
CT, RTSTRUCT, RTPLAN = STORAGE + b"2", STORAGE + b"481.3", STORAGE + b"481.5"
NAMES = Pseudonyms.derive(CentreKey(bytes(range(32))), "example-prostate")
JOB = Job(
    compile_policy(),
    Marks("EP-0123", "example-prostate", "Example", "", "RXX", "Centre"),
    353,
    NAMES.base_uid,
    registered_uids(),
    lambda text: "hargreaves" in text.lower() or "müller" in text.lower(),
)
PIXELS = bytes(n % 251 for n in range(512))
BARE = (EXPLICIT, IMPLICIT, BIG)


def a_slice(
    syntax: Syntax = EXPLICIT, uid: bytes = b"1.2.3.4", sop_class: bytes = CT, **changes: bytes
) -> bytes:
    """Return the data set of a CT slice; ``changes`` replace the values of elements by name."""
    order = "<H" if syntax.little else ">H"
    given = {"uid": uid, "date": b"20240229", "modality": b"CT", "series": b"1.2.3", **changes}
    return b"".join(
        (
            *([element(syntax, 0x00080005, "CS", given["charset"])] if "charset" in given else []),
            element(syntax, 0x00080016, "UI", sop_class),
            element(syntax, 0x00080018, "UI", given["uid"]),
            element(syntax, 0x00080020, "DA", given["date"]),
            element(syntax, 0x00080060, "CS", given["modality"]),
            *([element(syntax, 0x00080070, "LO", given["maker"])] if "maker" in given else []),
            *([element(syntax, 0x00081010, "SH", given["station"])] if "station" in given else []),
            element(syntax, 0x00100010, "PN", b"HARGREAVES^W"),
            *([element(syntax, 0x00180060, "DS", given["kvp"])] if "kvp" in given else []),
            element(syntax, 0x0020000D, "UI", b"1.2.2"),
            element(syntax, 0x0020000E, "UI", given["series"]),
            element(syntax, 0x00280002, "US", struct.pack(order, 1)),
            element(syntax, 0x00280010, "US", struct.pack(order, 16)),
            element(syntax, 0x00280011, "US", struct.pack(order, 16)),
            element(syntax, 0x00280100, "US", struct.pack(order, 16)),
            element(syntax, 0x7FE00010, "OW", given.get("pixels", PIXELS)),
        )
    )


def a_plan(syntax: Syntax = EXPLICIT, sop_class: bytes = RTPLAN, geometry: bytes = b"PATIENT") -> bytes:
    reference = element(syntax, 0x00081150, "UI", RTSTRUCT) + element(syntax, 0x00081155, "UI", b"1.2.9")
    beam = element(syntax, 0x300A00C0, "IS", b"1") + element(syntax, 0x300A00C2, "LO", b"Ant")
    return b"".join(
        (
            element(syntax, 0x00080016, "UI", sop_class),
            element(syntax, 0x00080018, "UI", b"1.2.3.5"),
            element(syntax, 0x00080060, "CS", b"RTPLAN"),
            element(syntax, 0x300A0002, "SH", b"Prostate60"),
            element(syntax, 0x300A000C, "CS", geometry),
            sequence(syntax, 0x300A0070, element(syntax, 0x300A0071, "IS", b"1")),
            sequence(syntax, 0x300A00B0, beam),
            sequence(syntax, 0x300C0060, reference),
            element(syntax, 0x300E0002, "CS", b"APPROVED"),
        )
    )


def rewritten(data: bytes) -> Stream:
    return parse(pseudonymise(parse(data), JOB, ObjectPlan()).data)


def value(stream: Stream, tag: int) -> bytes:
    return (stream.find(tag) or b"").rstrip(b"\0 ")


# --- how the file begins -----------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda s: s.name)
def test_no_preamble(syntax: Syntax) -> None:
    with_one = part10(syntax, a_slice(syntax))
    assert oddities.without_preamble(with_one) == 132
    assert oddities.without_preamble(with_one[132:]) == 0
    assert rewritten(with_one[132:]).data == rewritten(with_one).data


@pytest.mark.parametrize("syntax", BARE, ids=lambda s: s.name)
def test_no_file_meta_information(syntax: Syntax) -> None:
    made = rewritten(a_slice(syntax))
    assert made.transfer_syntax == syntax.uid
    assert made.data == rewritten(part10(syntax, a_slice(syntax))).data


@pytest.mark.parametrize("syntax", BARE, ids=lambda s: s.name)
def test_missing_transfer_syntax(syntax: Syntax) -> None:
    meta = element(EXPLICIT, 0x00020012, "UI", b"1.2.3")
    made = rewritten(bytes(128) + b"DICM" + meta + a_slice(syntax))
    assert made.transfer_syntax == syntax.uid
    assert made.data == rewritten(part10(syntax, a_slice(syntax))).data


# --- values that are none ----------------------------------------------------------------------------------


@pytest.mark.parametrize("uid", [b"UNKNOWN", b"1.2." + b"3" * 70, b"1.2.HARGREAVES", b"-", b"1..2"])
def test_invalid_uids_are_mapped_and_never_passed_on(uid: bytes) -> None:
    assert not oddities.is_uid(uid)
    made = rewritten(part10(EXPLICIT, a_slice(uid=uid, series=uid)))
    assert value(made, 0x00080018) == value(made, 0x0020000E) == NAMES.base_uid(uid).encode()
    assert len(uid) < 3 or uid not in made.data


def test_the_contracts_vector_for_an_invalid_uid() -> None:
    made = rewritten(part10(EXPLICIT, a_slice(uid=b"UNKNOWN")))
    assert value(made, 0x00080018) == b"2.25.61192633424580634121048636154643283059"


@pytest.mark.parametrize(
    ("uid", "stays"),
    [
        (b"1.2.840.10008.5.1.4.1.1.2", True),
        (b"1.2.246.352.70.1.70", True),
        (b"1.2." + b"3" * 61, False),
        (b"HARGREAVES", False),
        (b"7654321", False),
        (b"1.2.03", False),
    ],
)
def test_class_uids_stay_only_where_they_are_uids(uid: bytes, *, stays: bool) -> None:
    body = a_slice()
    reference = sequence(EXPLICIT, 0x00081140, element(EXPLICIT, 0x00081150, "UI", uid))
    at = body.index(struct.pack("<HH", 0x0010, 0x0010))
    made = rewritten(part10(EXPLICIT, body[:at] + reference + body[at:]))
    assert (uid in made.data) is stays
    if not stays:
        with pytest.raises(StreamError, match="SOP class"):
            rewritten(part10(EXPLICIT, a_slice(sop_class=uid)))


def test_over_long_short_strings_are_no_reason_to_refuse() -> None:
    long = b"a station name of far more than sixteen characters"
    assert value(rewritten(part10(EXPLICIT, a_slice(station=long))), 0x00081010) == b"REMOVED"
    plan = a_plan().replace(
        element(EXPLICIT, 0x300A0002, "SH", b"Prostate60"), element(EXPLICIT, 0x300A0002, "SH", long)
    )
    assert value(rewritten(part10(EXPLICIT, plan)), 0x300A0002) == long


@pytest.mark.parametrize("date", [b"20241399", b"29/02/24", b"HARGREAV", b"2024", b"        ", b"00000000"])
def test_dates_that_are_none_are_emptied(date: bytes) -> None:
    assert value(rewritten(part10(EXPLICIT, a_slice(date=date))), 0x00080020) == b""


def test_dates_as_acr_nema_wrote_them_are_shifted() -> None:
    assert value(rewritten(part10(EXPLICIT, a_slice(date=b"2024.02.29"))), 0x00080020) == b"20170525"


@pytest.mark.parametrize(
    ("number", "stays"),
    [
        (b"120", True),
        (b"-1.5e-3", True),
        (b" 1 \\2. \\.5\\", True),
        (b"1.2345678901234567890", True),
        (b"120kV", False),
        (b"1,5", False),
        (b"nan", False),
        (b"07700 900123", False),
        (b"020-7946-0018", False),
        (b"12.03.1949", False),
        (b"+", False),
    ],
)
def test_decimal_strings_that_are_no_numbers_are_emptied(number: bytes, *, stays: bool) -> None:
    made = rewritten(part10(EXPLICIT, a_slice(kvp=number)))
    assert value(made, 0x00180060) == (number.rstrip(b" ") if stays else b"")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=40))
@settings(max_examples=50, deadline=None)
def test_every_written_number_is_one(numbers: list[float]) -> None:
    assert oddities.is_numeric("\\".join(str(n) for n in numbers).encode())


# --- character sets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"ISO_IR 100", b"ISO_IR 100"),
        (b"iso-ir 100", b"ISO_IR 100"),
        (b"ISO_IR_192", b"ISO_IR 192"),
        (b"UTF-8", b"ISO_IR 192"),
        (b"NONSENSE", b"ISO_IR 100"),
        (b"\\ISO 2022 IR 87", b"\\ISO 2022 IR 87"),
        (b"ISO 2022 IR 6\\iso2022ir87\\HARGREAVES", b"ISO 2022 IR 6\\ISO 2022 IR 87"),
        (b"", b""),
    ],
)
def test_wrong_character_sets_are_spelt_right(written: bytes, meant: bytes) -> None:
    assert oddities.character_set(written) == meant
    assert value(rewritten(part10(EXPLICIT, a_slice(charset=written))), 0x00080005) == meant


@pytest.mark.parametrize("charset", [None, b"", b"ISO_IR 6", b"ISO_IR 100", b"ISO_IR 192", b"NONSENSE"])
@pytest.mark.parametrize("codec", ["latin-1", "utf-8"])
def test_a_name_is_found_in_a_label_whatever_the_character_set_says(
    charset: bytes | None, codec: str
) -> None:
    """Absent or wrong: names come in Latin-1 and UTF-8 under any heading."""
    label = "Müller".encode(codec)
    body = a_slice(maker=label) if charset is None else a_slice(maker=label, charset=charset)
    made = rewritten(part10(EXPLICIT, body))
    assert value(made, 0x00080070) == b"REMOVED"


# --- what hangs together -----------------------------------------------------------------------------------


def intake(folder: Path, **files: bytes) -> Intake:
    for name, data in files.items():
        (folder / f"{name}.dcm").write_bytes(data)
    return take_in(folder, 1, lambda _: None)


@pytest.mark.parametrize("syntax", BARE, ids=lambda s: s.name)
def test_a_plan_under_a_private_sop_class_is_a_plan(syntax: Syntax, tmp_path: Path) -> None:
    """Halcyon: the planning system's own SOP class, Modality RTPLAN."""
    halcyon = b"1.2.246.352.70.1.70"
    data = part10(syntax, a_plan(syntax, halcyon))
    (found,) = intake(tmp_path, plan=data).study.instances
    assert found.kind is Kind.PLAN
    assert value(rewritten(data), 0x00080016) == halcyon


def test_one_uid_for_two_contents_is_a_finding(tmp_path: Path) -> None:
    from rttqa_build.study import conflicts

    other = a_slice(pixels=PIXELS[::-1])
    found = intake(tmp_path, a=part10(EXPLICIT, a_slice()), b=part10(EXPLICIT, other))
    assert [d.code for d in conflicts(found.study)] == ["R501"]


def test_the_same_content_twice_is_used_once(tmp_path: Path) -> None:
    data = part10(EXPLICIT, a_slice())
    found = intake(tmp_path, a=data, b=data)
    assert len(found.study.instances) == 1
    assert [fate.reason for fate in found.study.others] == [Reason.DUPLICATE]
    assert not found.diagnostics


def test_rt_objects_of_one_series_get_a_series_each() -> None:
    def one(uid: str) -> Instance:
        file = SourceFile(uid, 1, uid)
        facts = StructureFacts("RS", ())
        return Instance(
            file, Kind.STRUCTURE_SET, "1.2", uid, "1.2.77", "1.2.2", "", "RTSTRUCT", "1.2", facts=facts
        )

    selected = [
        Selected("structure_set", name, (one(uid),)) for name, uid in (("a", "1.3.1"), ("b", "1.3.2"))
    ]
    first, second = (task.plan.series for task in tasks(selected, NAMES, lambda _: {}))
    assert first != second
    assert NAMES.base_uid("1.2.77") not in (first, second)


@pytest.mark.parametrize("syntax", BARE, ids=lambda s: s.name)
@pytest.mark.parametrize("undefined", [False, True])
def test_zero_length_sequences_and_undefined_lengths(syntax: Syntax, *, undefined: bool) -> None:
    empty = sequence(syntax, 0x00081140, undefined=undefined)
    nested = sequence(
        syntax, 0x00081115, sequence(syntax, 0x00081199, undefined=undefined), undefined=undefined
    )
    hollow = sequence(syntax, 0x00082112, b"", undefined=undefined)
    body = a_slice(syntax)
    at = body.index(element(syntax, 0x00100010, "PN", b"HARGREAVES^W"))
    made = rewritten(part10(syntax, body[:at] + nested + empty + hollow + body[at:]))
    items = {e.tag: e.items for e in made.elements}
    assert items[0x00081140] == ()
    assert [i.elements for i in items[0x00082112] or ()] == [[]]
    (outer,) = items[0x00081115] or ()
    assert [(e.tag, e.items) for e in outer.elements] == [(0x00081199, ())]


# --- damaged on the way ------------------------------------------------------------------------------------

PIXELS_WITH_FEEDS = bytes(10 if n % 7 == 0 else 13 if n % 11 == 0 else n % 251 for n in range(512))


@pytest.mark.parametrize("make", [a_slice, a_plan])
@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda s: s.name)
def test_converted_line_endings_are_refused_by_name(make: object, syntax: Syntax) -> None:
    """LF to CR LF: what a transfer in text mode does. Pixel data then look whole, with garbage behind."""
    body = a_slice(syntax, pixels=PIXELS_WITH_FEEDS) if make is a_slice else a_plan(syntax)
    data = part10(syntax, body)
    converted = data.replace(b"\n", b"\r\n")
    if converted == data:
        pytest.skip("no line feed in it")
    with pytest.raises(LineEndingError, match="line endings"):
        parse(converted)


def test_one_converted_line_ending_is_enough() -> None:
    pixels = PIXELS.replace(b"\n", b"\0").replace(b"\r", b"\0")
    data = part10(EXPLICIT, a_slice(pixels=pixels[:200] + b"\n" + pixels[201:]))
    inside = data.replace(b"\n", b"\r\n")
    assert len(inside) == len(data) + data.count(b"\n")
    with pytest.raises(LineEndingError):
        parse(inside)


def test_line_endings_converted_the_other_way_are_refused_and_the_hint_says_so(tmp_path: Path) -> None:
    """CR LF to LF: bytes are lost, nothing proves why; the hint names the usual cause."""
    pixels = PIXELS[:200] + b"\r\n" * 20 + PIXELS[240:]
    found = intake(tmp_path, a=part10(EXPLICIT, a_slice(pixels=pixels)).replace(b"\r\n", b"\n"))
    (only,) = found.diagnostics
    assert only.code == "A005"
    assert "text mode" in only.hint


def test_converted_line_endings_are_a_finding_with_a_hint(tmp_path: Path) -> None:
    data = part10(EXPLICIT, a_slice(pixels=PIXELS_WITH_FEEDS)).replace(b"\n", b"\r\n")
    (only,) = intake(tmp_path, a=data).diagnostics
    assert (only.code, only.fatal) == ("A004", True)
    assert "binary" in only.hint


GARBAGE = [
    b"\n",
    b"\r\n",
    b"\x1a",
    b"\0",
    b"\0\0\0",
    b"scanned by HARGREAVES, ward 7",
    b"HARGREAVES",
    bytes(range(1, 200)),
    b"\x10\x00\x10\x00PN\x04\0HARG",
    b"\0" * 40 + b"HARGREAVES",
]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda s: s.name)
@pytest.mark.parametrize("make", [a_slice, a_plan])
@pytest.mark.parametrize("garbage", GARBAGE)
def test_trailing_garbage_is_removed(make: object, syntax: Syntax, garbage: bytes) -> None:
    data = part10(syntax, a_slice(syntax) if make is a_slice else a_plan(syntax))
    stream = parse(data + garbage)
    assert stream.padding - parse(data).padding == len(garbage)
    assert bool(stream.garbage) is bool(garbage.strip(b"\0"))
    assert rewritten(data + garbage).data == rewritten(data).data


@pytest.mark.parametrize("make", [a_slice, a_plan])
def test_trailing_garbage_is_told(make: object, tmp_path: Path) -> None:
    data = part10(IMPLICIT, a_slice(IMPLICIT) if make is a_slice else a_plan(IMPLICIT))
    found = intake(tmp_path, a=data + b"scanned by HARGREAVES")
    (only,) = found.diagnostics
    assert (only.code, only.fatal) == ("A006", False)
    assert "21 bytes" in only.message
    assert "HARG" not in f"{only.message}{only.hint}{only.local}"
    (instance,) = found.study.instances
    assert instance.file.garbage == 21


@pytest.mark.parametrize("syntax", BARE, ids=lambda s: s.name)
@pytest.mark.parametrize("make", [a_slice, a_plan])
def test_no_cut_passes_for_garbage(make: object, syntax: Syntax) -> None:
    """Wherever a file is cut, it is refused, or lacks nothing that it must have."""
    data = part10(syntax, a_slice(syntax) if make is a_slice else a_plan(syntax))
    complete = parse(data)
    last = complete.elements[-1]
    for cut in range(complete.elements[0].start + 1, len(data)):
        try:
            stream = parse(data[:cut])
            demand_whole(stream)
        except StreamError:
            continue
        assert make is a_plan
        assert cut == last.start
        assert not stream.garbage


@pytest.mark.parametrize(
    ("sop_class", "geometry", "shortest"),
    [(RTPLAN, b"PATIENT", 0x300C0060), (RTPLAN, b"TREATMENT_DEVICE", 0x300A00B0)],
)
def test_a_cut_between_elements_is_noticed_by_what_lacks(
    sop_class: bytes, geometry: bytes, shortest: int
) -> None:
    data = part10(EXPLICIT, a_plan(EXPLICIT, sop_class, geometry))
    for one in parse(data).elements:
        stream = parse(data[: one.end])
        if one.tag < shortest:
            with pytest.raises(CutError, match="ends before"):
                demand_whole(stream)
        else:
            demand_whole(stream)


def test_the_beginning_of_a_damaged_file_tells_what_it_was() -> None:
    data = part10(EXPLICIT, a_slice())
    for broken in (data[:-9], data[: data.index(b"\x28\0\x02\0US") + 3]):
        assert head(broken)[0x0020000E] == b"1.2.3"
        assert head(broken)[0x00080060] == b"CT"
    assert head(b"no such thing") == {}
    assert head(data[:140]) == {}


def test_deflated_data_end_with_their_stream() -> None:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflater.compress(a_slice()) + deflater.flush()
    meta = element(EXPLICIT, 0x00020010, "UI", b"1.2.840.10008.1.2.1.99")
    stream = parse(bytes(128) + b"DICM" + meta + body + b"HARGREAVES")
    assert stream.garbage == 10


@pytest.mark.parametrize("garbage", [b"\xff" * 20, b"scanned by HARGREAVES\n"])
def test_a_build_from_files_with_garbage_is_that_of_clean_ones(garbage: bytes, tmp_path: Path) -> None:
    """Histograms, pictures and checks read the originals with pydicom: these must not see the garbage."""
    first = run(named("prostate"), tmp_path)
    for name in ("ct/001", "structure_set", "plan", "dose", "registration", "mr/001"):
        path = first.patient.paths[name]
        path.write_bytes(path.read_bytes() + garbage)
    again = build(replace(first.order, output=tmp_path / "again"))
    assert again.package is not None, again.diagnostics
    assert [d.code for d in again.diagnostics].count("A006") == 6
    assert objects(again.package) == objects(first.package)


def objects(package: Path) -> dict[str, bytes]:
    return {name: data for name, data in members(package).items() if name.endswith(".dcm")}

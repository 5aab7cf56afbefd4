"""Names in other scripts, where the object says nothing of its character set, or something that is not so."""

from __future__ import annotations

import pytest

from rttqa_build.deidentify import encode
from rttqa_build.deidentify.charset import decoded
from rttqa_build.deidentify.elements import Encoding
from rttqa_build.deidentify.engine import pseudonymise
from rttqa_build.deidentify.identity import Fact, Harvest, Kind, Who
from rttqa_build.deidentify.job import Job, ObjectPlan
from rttqa_build.deidentify.marks import Marks, file_meta
from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.deidentify.stream import parse

EXPLICIT = Encoding(explicit=True, little=True)
KOREAN, CHINESE = b"\x1b$)C", b"\x1b$)A"


def escaped(escape: bytes, text: str, codec: str) -> bytes:
    return escape + text.encode(codec)


ESCAPED = {
    "山田": escaped(b"", "山田", "iso2022_jp"),
    "길동": escaped(KOREAN, "길동", "euc_kr"),
    "小东": escaped(CHINESE, "小东", "gb2312"),
    "Иванова": escaped(b"\x1b-L", "Иванова", "iso8859_5"),
    "Διονυσίου": escaped(b"\x1b-F", "Διονυσίου", "iso8859_7"),
    "שרון": escaped(b"\x1b-H", "שרון", "iso8859_8"),
    "قباني": escaped(b"\x1b-G", "قباني", "iso8859_6"),
    "Šimůnek": escaped(b"\x1b-B", "Šimůnek", "iso8859_2"),
    "ใจดี": escaped(b"\x1b-T", "ใจดี", "iso8859_11"),
}


@pytest.mark.parametrize("text", ESCAPED)
def test_an_escape_sequence_says_itself_what_it_is(text: str) -> None:
    assert any(text in read for read in decoded(b"PTV " + ESCAPED[text]))


# the name and character set of one object × how another object has the name, and what it says of that
ELSEWHERE = [
    ("Иванова", "ISO_IR 144", "iso8859_5", "iso8859_5"),
    ("Иванова", "ISO_IR 144", "iso8859_5", "cp1251"),
    ("قباني", "ISO_IR 127", "iso8859_6", "cp1256"),
    ("Ķēniņš", "ISO_IR 110", "iso8859_4", "cp1257"),
    ("山田", "\\ISO 2022 IR 87", "iso2022_jp", "iso2022_jp"),
    ("山田", "\\ISO 2022 IR 87", "iso2022_jp", "shift_jis"),
    ("山田", "\\ISO 2022 IR 87", "iso2022_jp", "euc_jp"),
    ("길동", "\\ISO 2022 IR 149", "euc_kr", "euc_kr"),
    ("小东", "\\ISO 2022 IR 58", "gb2312", "gb2312"),
    ("小东", "GB18030", "gb18030", "gb18030"),
    ("ใจดี", "ISO_IR 166", "iso8859_11", "iso8859_11"),
]


@pytest.mark.parametrize("says", ["", "ISO_IR 100", "ISO_IR 192"])
@pytest.mark.parametrize(("name", "charset", "codec", "elsewhere"), ELSEWHERE)
def test_a_name_is_read_in_the_character_sets_of_all_objects(
    name: str, charset: str, codec: str, elsewhere: str, says: str
) -> None:
    scanner = Scanner(
        Harvest(frozenset({Fact(Who.PATIENT, Kind.NAME, name.encode(codec), (charset,))})), ["EP-0123"]
    )
    label = b"PTV " + name.encode(elsewhere)
    plan = parse(_plan(label, says))
    assert [one.code for one in scanner.scan_dicom(plan, "plan")] == ["A100"]
    data = pseudonymise(plan, _job(scanner), ObjectPlan()).data
    assert label not in data
    assert not scanner.scan_dicom(parse(data), "plan")


def _plan(label: bytes, charset: str) -> bytes:
    sop_class, sop_instance = b"1.2.840.10008.5.1.4.1.1.481.5", b"1.2.3.4"
    values = (
        (0x00080005, "CS", charset.encode()),
        (0x00080016, "UI", sop_class),
        (0x00080018, "UI", sop_instance),
        (0x300A0002, "SH", label),
    )
    body = b"".join(encode.element(EXPLICIT, tag, vr, value) for tag, vr, value in values if value)
    return file_meta(sop_class, sop_instance, "1.2.840.10008.1.2.1") + body


def _job(scanner: Scanner) -> Job:
    return Job(
        compile_policy(),
        Marks("EP-0123", "example", "Example", "", "RXX", "Example Cancer Centre"),
        100,
        lambda uid: f"2.25.{sum(uid)}",
        frozenset(),
        scanner.identifies,
        charsets=scanner.charsets,
    )

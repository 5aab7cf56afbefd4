"""Plain text and tables in every encoding that programs write, and the other ways in which a text is read."""

from __future__ import annotations

import time

import pytest
from document_case import codes, run
from hypothesis import given, settings
from hypothesis import strategies as st

from rttqa_build.deidentify.documents.reading import readings
from rttqa_build.deidentify.identity import Fact, Harvest, Kind, Who
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.diagnostic import Location

NHS = "9434765870"
FACTS = {Kind.NAME: "HARGREAVES^Wilhelmina", Kind.NUMBER: NHS, Kind.BIRTH_DATE: "19490312"}
SEARCH = Scanner(
    Harvest(
        frozenset(
            {
                *(Fact(Who.PATIENT, kind, value.encode()) for kind, value in FACTS.items()),
                Fact(Who.PATIENT, Kind.NAME, "Müller^Zoë".encode()),
            }
        )
    )
)


def residue(data: bytes, kind: str) -> list[str]:
    scrubbed = run(data, kind)
    assert codes(scrubbed) == []
    assert scrubbed.data == data
    return [d.code for d in SEARCH.scan_text("\n".join(scrubbed.texts), Location("form"))]


ENCODINGS = ("utf_8", "utf_8_sig", "utf_16", "utf_32", "utf_7", "cp1252")


@pytest.mark.parametrize("kind", ["txt", "csv"])
@pytest.mark.parametrize("codec", ENCODINGS)
@pytest.mark.parametrize("name", ["Müller", "Zoë", "Hargreaves"])
def test_names_are_found_in_every_encoding(name: str, codec: str, kind: str) -> None:
    assert residue(f"name;dose\n{name};60\n".encode(codec), kind) == ["A100"]


def test_text_that_is_all_in_shifted_utf_7_is_found() -> None:
    assert residue(b"+AEgAYQByAGcAcgBlAGEAdgBlAHM-", "csv") == ["A100"]
    assert residue(b"+441632 960417, a+b, +AEg", "txt") == []


REFUSED = {
    "UTF-16 without a mark": "Hargreaves".encode("utf_16_le"),
    "UTF-16 of the other order without a mark": "Hargreaves".encode("utf_16_be"),
    "UTF-32 without a mark": "Hargreaves".encode("utf_32_be"),
    "half a character": "Hargreaves".encode("utf_16")[:-1],
    "EBCDIC": b"\xc8\xc1\xd9\xc7\xd9\xc5\xc1\xe5\xc5\xe2",
    "Cyrillic": "Нина Харгривз, лечение".encode("cp1251"),
    "Chinese": "医院放射治疗".encode("gb18030"),
    "Japanese with escapes": "山田太郎".encode("iso2022_jp"),
    "bytes that Windows-1252 has not": b"Harg\x81reaves\xe9",
    "a control character": b"Harg\x08reaves",
    "a deletion": b"Hargx\x7freaves",
    "a character that was lost": "Harg\ufffdreaves".encode(),
}


@pytest.mark.parametrize("kind", ["txt", "csv"])
@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_for_certain_is_refused(what: str, kind: str) -> None:
    assert codes(run(REFUSED[what], kind)) == ["A204"]


@pytest.mark.parametrize(
    "data", ["Café, naïve, 60 Gy".encode("cp1252"), b"text\x1a", b"a\tb\r\nc\x0c", "12 µGy".encode("cp1252")]
)
def test_ordinary_text_is_taken(data: bytes) -> None:
    assert codes(run(data, "txt")) == []


CELLS = (
    f"{NHS}.0|9.43476587E9|9.43476587E+09|9.4347658700000E+09|943\u2013476\u20135870|943 476 5870|0{NHS}|"
    '="9434765870"|\uff19\uff14\uff13\uff14\uff17\uff16\uff15\uff18\uff17\uff10|"Hargreaves, Wilhelmina"|'
    "12.III.1949|&#72;argreaves|H%61rgreaves|_x0048_argreaves"
).split("|")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_cells_of_a_table_are_found_however_a_spreadsheet_wrote_them(cell: str, mark: str) -> None:
    table = "\n".join(mark.join(row) for row in [("id", "dose"), (cell, "60"), ("x", "2")])
    assert len(residue(table.encode(), "csv")) == 1


READINGS = {
    "Har-\ngreaves": "Hargreaves",
    "Har\u00ad\r\ngreaves": "Hargreaves",
    "Har\u2010\r\n   greaves": "Hargreaves",
    "943-\n476-\n5870": "9434765870",
    "seen by H A R G R E A V E S today": "seen by HARGREAVES today",
    "9.5E3": "9500",
    "1E2": "100",
    '="Har" & "greaves"': '="Hargreaves"',
    "9\n4\n3\n4\n7\n6\n5\n8\n7\n0": "9434765870",
    "9\n4\n3\n-\n4\n7\n6\n-\n5\n8\n7\n0": "943-476-5870",
    "943\n476 \n5870": "9434765870",
    " H\nA\n R \nG": "HARG",
    "1\n2\n/\n0\n3\n/\n4\n9": "12/03/49",
    "born 1 2 0 3 1 9 4 9": "born 12031949",
    "1 2  / 0 3 / 1 9 4 9 dose": "12/03/1949 dose",
}


@pytest.mark.parametrize("text", READINGS)
def test_other_readings(text: str) -> None:
    assert readings(f"first\n{text}")[:2] == (f"first\n{text}", READINGS[text])


@pytest.mark.parametrize(
    "text",
    [
        "PTV 60 Gy",
        "1.5E-3",
        "1.2345E2",
        "9E99",
        "a-b",
        "I a m",
        "50 % of & so",
        "x_y_z",
        "_xD800",
        "",
        "1\n2\n3",
        "943\n476\n587",
        "a\nb c\nd\ne",
        "1 2 3 4 5 6 7 8 9",
    ],
)
def test_most_texts_have_one_reading(text: str) -> None:
    assert readings(text) == (text,)


@pytest.mark.parametrize("line", ["a" + 50_000 * " " + "b", 50_000 * "a\n", 50_000 * " \n", 50_000 * "a b "])
def test_long_runs_take_no_long_time(line: str) -> None:
    began = time.process_time()
    SEARCH.scan_text("\n".join(readings(line)), Location("form"))
    assert time.process_time() - began < 3


@settings(max_examples=200, deadline=None)
@given(
    st.text(
        st.one_of(st.characters(), st.sampled_from('_x0D8&#;%4-\n "+E.9')),
        max_size=60,
    )
)
def test_readings_of_any_text_can_be_searched(text: str) -> None:
    for reading in readings(text):
        reading.encode()
        SEARCH.scan_text(reading, Location("form"))

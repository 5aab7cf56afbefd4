"""Values that no export holds, and any file may: none takes more time or memory than its length."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from dicom_builder import EXPLICIT, element, part10, sequence
from document_case import codes, parts, rezip, run

from rttqa_build.deidentify import spelling, stream
from rttqa_build.deidentify.charset import with_terms
from rttqa_build.deidentify.elements import Leaf
from rttqa_build.deidentify.identity import Fact, Harvest, Kind, Who, harvest
from rttqa_build.deidentify.reader import StreamError
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.diagnostic import Location, RttqaError
from rttqa_build.stages.intake import take_in
from rttqa_build.study import header

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rttqa_build.deidentify.pattern import Pattern

PN, LO = (0x00100010, "PN"), (0x00100020, "LO")
SEARCH = Scanner(
    Harvest(
        frozenset(
            {
                Fact(Who.PATIENT, Kind.NAME, b"WHITE^MARGARET"),
                Fact(Who.PATIENT, Kind.NUMBER, b"1234"),
            }
        )
    ),
    ["EP-0123"],
)


def named(*values: bytes) -> Harvest:
    return Harvest(frozenset(Fact(Who.STAFF, Kind.NAME, value) for value in values))


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@pytest.mark.parametrize("what", [PN, LO])
def test_a_value_longer_than_any_can_be_is_refused(what: tuple[int, str]) -> None:
    assert harvest([Leaf(*what, b"A" * 4096, ())]).facts
    assert harvest([Leaf(*what, b"A\\" * 4096, ())]).facts
    with pytest.raises(StreamError, match="longer than any can be"):
        harvest([Leaf(*what, b"A" * 4097, ())])


def test_a_file_with_such_a_value_is_a_finding(tmp_path: Path) -> None:
    body = element(EXPLICIT, 0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.66") + element(
        EXPLICIT, 0x00100010, "PN", b"A" * 60_000
    )
    (tmp_path / "a").write_bytes(part10(EXPLICIT, body))
    assert [found.code for found in take_in(tmp_path, 1, lambda _: None).diagnostics] == ["A002"]


def test_an_roi_number_of_thousands_of_digits_is_none(tmp_path: Path) -> None:
    numbers = b"".join(
        element(EXPLICIT, tag, vr, value)
        for tag, vr, value in (
            (0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.481.2"),
            (0x00080018, "UI", b"1.2.826.0.1.99"),
            (0x00080060, "CS", b"RTDOSE"),
            (0x0020000E, "UI", b"1.2.826.0.1.98"),
        )
    )
    reference = sequence(EXPLICIT, 0x30040060, element(EXPLICIT, 0x30060084, "IS", b"1" * 5000))
    (tmp_path / "a").write_bytes(part10(EXPLICIT, numbers + sequence(EXPLICIT, 0x30040050, reference)))
    assert [one.roi_numbers for one in take_in(tmp_path, 1, lambda _: None).study.instances] == [frozenset()]


def test_both_readers_inflate_as_much() -> None:
    assert stream.LARGEST_INFLATED == header._INFLATED_LIMIT <= 1 << 28


@pytest.mark.parametrize(
    "name",
    [
        b"ba" * 2048,
        b" ".join(b"w%x" % n for n in range(800)),
        b"a" * 4096,
        b"a" * 2000 + b"12345" + b"b" * 2000,
    ],
    ids=["vowels", "words", "letters", "digits"],
)
def test_a_long_name_is_spelt_in_no_time(name: bytes) -> None:
    spelt: list[Pattern] = []
    assert seconds(lambda: spelt.extend(spelling.patterns(named(name)))) < 2
    assert sum(len(one.text) for one in spelt) < 100 * len(name)


def test_numbers_in_names_are_told_from_letters_about_them() -> None:
    found = spelling._NUMBER_IN_NAME.findall("abc1xyz123456ab 1234567 é123456c789012")
    assert found == ["xyz123456ab", "1234567", "123456c", "789012"]


def test_a_surname_of_thousands_has_them_all_for_partners() -> None:
    many = named(*(b"SMITHE^QX%c%c%c" % (65 + n % 26, 65 + n // 26 % 26, 65 + n // 676) for n in range(2000)))
    assert seconds(lambda: spelling.patterns(many)) < 5
    (smithe,) = (one for one in spelling.patterns(many) if one.text == "smithe" and one.partners)
    assert len(smithe.partners) == 2000


def test_more_people_than_an_export_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spelling, "_MOST", 20)
    files = frozenset(Fact(Who.SOURCE, Kind.NUMBER, b"%d" % n) for n in range(123456, 123556))
    assert len(spelling.patterns(Harvest(files))) == 100
    with pytest.raises(RttqaError, match="more people"):
        spelling.patterns(named(*(b"QUIL%c^ANSELM" % n for n in range(65, 91))))


def test_character_sets_are_kept_once() -> None:
    assert with_terms((), b"ISO_IR 100 ") == ("ISO_IR 100",)
    assert with_terms(("ISO_IR 100",), b"ISO 2022 IR 100\\NONE\\\\ISO 2022 IR 87") == (
        "ISO_IR 100",
        "ISO 2022 IR 87",
    )
    leaves = [Leaf(0x00080005, "CS", b"ISO_IR 100", ()), Leaf(0x00100010, "PN", b"M\xfcller", ())] * 50_000
    assert seconds(lambda: harvest(leaves)) < 3
    assert {fact.charsets for fact in harvest(leaves).facts} == {("ISO_IR 100",)}


@pytest.mark.parametrize(
    "text",
    ["1234 " * 100_000 + "x", "white " * 100_000, "EP-0123 Margaret " * 30_000],
    ids=["a number", "an ordinary word", "beside what is allowed"],
)
def test_a_line_of_many_coincidences_is_searched_in_no_time(text: str) -> None:
    assert seconds(lambda: SEARCH.scan_text(text, Location("text"))) < 6


@pytest.mark.parametrize(
    ("text", "found"),
    [("a\n (1234) .\nb", True), ("a\n1234 b", False), ("b 1234\n", False), ("1234", True)],
)
def test_a_short_number_counts_on_a_line_of_its_own(text: str, found: bool) -> None:
    assert bool(SEARCH.scan_text(text, Location("text"))) is found


@pytest.mark.parametrize("text", [',"a",' + '"' * 4000 + "x\n", '"a","b"\n' + '"' * 4000 + "x\n"])
def test_lines_of_quotation_marks_are_read_in_no_time(text: str) -> None:
    assert seconds(lambda: run(text.encode(), "csv")) < 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_cells_are_parted_by_what_parts_them_in_every_line(delimiter: str) -> None:
    rows = [["first, name", "Wilhel"], ["it's", "x"], ["b; c", "y"]]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    assert "first, name\nWilhel\nit's\nx\nb; c\ny" in run(text.encode(), "csv").texts


def office(**members: str) -> bytes:
    base = {"[Content_Types].xml": "<Types/>", "_rels/.rels": "<Relationships/>"}
    return rezip([(name, text.encode()) for name, text in (base | members).items()])


def relationships(*links: tuple[str, str]) -> str:
    made = (f'<Relationship Id="r{n}" Type="x/{kind}" Target="{to}"/>' for n, (kind, to) in enumerate(links))
    return f"<Relationships>{''.join(made)}</Relationships>"


def test_a_chain_of_parts_that_only_a_dropped_one_leads_to_goes_in_no_time() -> None:
    chain = {f"word/_rels/p{n}.xml.rels": relationships(("y", f"p{n + 1}.xml")) for n in range(2000)}
    chain |= {f"word/p{n}.xml": "<a/>" for n in range(2000)}
    chain["word/_rels/document.xml.rels"] = relationships(
        ("customXml", "p0.xml"), *(("y", f"t{n}.xml") for n in range(5000)), ("y", "p1990.xml")
    )
    scrubbed = run(office(**chain), "docx")
    kept = {name for name in parts(scrubbed.data) if name.startswith("word/p")}
    assert kept == {f"word/p{n}.xml" for n in range(1990, 2000)}
    assert seconds(lambda: run(office(**chain), "docx")) < 6


@pytest.mark.parametrize("number", ["1" * 5000, "abc", "", "-1"])
def test_a_format_whose_number_is_none_is_no_error(number: str) -> None:
    styles = f'''<styleSheet><numFmts><numFmt numFmtId="{number}" formatCode="dd/mm/yy"/></numFmts>
        <cellXfs><xf numFmtId="{number}"/></cellXfs></styleSheet>'''
    assert codes(run(office(**{"xl/styles.xml": styles}), "xlsx")) == []

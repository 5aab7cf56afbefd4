"""What stands in several cells of a table: words, the parts of a number, a date; and what only seems to."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import docx
import openpyxl
import pytest
from document_case import W, changed, codes, parts, run
from docx.oxml import parse_xml

from rttqa_build.deidentify.documents import cells, tables
from rttqa_build.deidentify.identity import Fact, Harvest, Kind, Who
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.diagnostic import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rttqa_build.deidentify.documents import Scrubbed

ROOT = Path(__file__).resolve().parents[2]
FACTS = {Kind.NAME: "HARGREAVES^Wilhelmina", Kind.NUMBER: "9434765919", Kind.BIRTH_DATE: "19490312"}
SEARCH = Scanner(Harvest(frozenset(Fact(Who.PATIENT, k, v.encode()) for k, v in FACTS.items())))


def residue(scrubbed: Scrubbed) -> set[str]:
    assert codes(scrubbed) == []
    return {d.code for d in SEARCH.scan_text("\n".join(scrubbed.texts), Location("form"))}


def letter(rows: Sequence[Sequence[object]]) -> bytes:
    made, out = docx.Document(), io.BytesIO()
    table = made.add_table(len(rows), max(map(len, rows)))
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=False):
            cell.text = str(text)
    made.save(out)
    return out.getvalue()


def workbook(rows: Iterable[Sequence[object]]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def as_excel_writes(rows: Sequence[Sequence[object]]) -> bytes:
    """Return a workbook with its texts in the table of shared strings, each once, in the order of a sort."""
    strings = sorted({text for row in rows for text in row if isinstance(text, str)}) or ["x"]
    items = "".join(f"<si><t>{text}</t></si>" for text in strings)

    def cell(row: int, column: int, text: object) -> str:
        kind, value = ("s", strings.index(text)) if isinstance(text, str) else ("n", text)
        return f'<c r="{chr(65 + column)}{row}" t="{kind}"><v>{value}</v></c>'

    xml = "".join(
        f'<row r="{at}">{"".join(cell(at, n, text) for n, text in enumerate(row))}</row>'
        for at, row in enumerate(rows, 1)
    )
    namespace = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    new: dict[str, bytes | None] = {
        "xl/sharedStrings.xml": f"<sst {namespace}>{items}</sst>".encode(),
        "xl/worksheets/sheet1.xml": (
            f"<worksheet {namespace}><sheetData>{xml}</sheetData></worksheet>".encode()
        ),
    }
    return changed(workbook([["x"]]), **new)


SPLIT: dict[str, tuple[list[list[object]], str]] = {
    "a surname": ([["Harg", "reaves"]], "A100"),
    "a surname in capitals": ([["HARG", "REAVES"]], "A100"),
    "a surname in three": ([["Har", "grea", "ves"]], "A100"),
    "a surname behind other words": ([["for Mrs Harg", "reaves, who"]], "A100"),
    "a surname with a hyphen": ([["Har-", "greaves"]], "A100"),
    "a surname in a column": ([["Harg", "60"], ["reaves", "57"]], "A100"),
    "a surname in lines of a cell": ([["dose", "Harg\nreaves"]], "A100"),
    "a number in a row": ([["NHS", 943, 476, 5919]], "A101"),
    "a number as texts": ([["NHS", "943", "476", "5919"]], "A101"),
    "a number with hyphens": ([["NHS", 943, "-", 476, "-", 5919]], "A101"),
    "a number in a column": ([[943, 1], [476, 2], [5919, 3]], "A101"),
    "a date of birth": ([["born", 12, 3, 1949]], "A102"),
    "a date of birth as texts": ([["born", "12", "03", "1949"]], "A102"),
    "a date of birth with slashes": ([["born", "12", "/", "3", "/", "1949"]], "A102"),
    "a date of birth with its month": ([["born", "12th", "March", 1949]], "A102"),
    "boxes": ([list("HARGREAVES")], "A100"),
    "boxes of a number": ([["NHS", *"9434765919"]], "A101"),
}


@pytest.mark.parametrize("what", SPLIT)
def test_what_is_split_over_cells_is_found(what: str) -> None:
    rows, code = SPLIT[what]
    assert residue(run(as_excel_writes(rows), "xlsx")) == {code}
    assert residue(run(workbook(rows), "xlsx")) == {code}
    assert residue(run(letter(rows), "docx")) == {code}
    if not any("\n" in str(text) for row in rows for text in row):
        table = "".join(",".join(f'"{text}"' for text in row) + "\n" for row in rows)
        assert residue(run(table.encode(), "csv")) == {code}


APART: dict[str, list[list[object]]] = {
    "other tables": [["Harg", "x"], [], ["y", "z"], ["reaves", "w"]],
    "capitals": [["Harg", "Reaves"], ["Harg", "REAVES"]],
    "a value between": [["Harg", 60, "reaves"]],
    "single letters": [["HARGREAVE", "S", "Hargreave", "s"]],
    "a number in other parts": [[9434, 765, 919], [943476, 5919], [94, 3476, 5919]],
    "a number among others": [[943, 476, 59190], [1943, 476, 5919], [943.5, 476, 5919]],
    "figures": [["x", 12, 3, 19490], ["x", 112, 3, 1949], ["x", 12, 3.5, 1949]],
}


@pytest.mark.parametrize("what", APART)
def test_what_stands_apart_is_no_residue(what: str) -> None:
    rows = APART[what]
    assert residue(run(as_excel_writes(rows), "xlsx")) == set()
    assert residue(run(letter([row or [""] for row in rows]), "docx")) == set()


def test_two_tables_are_not_one_column() -> None:
    body = "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    made, out = docx.Document(), io.BytesIO()
    for text in ("reaves", "Harg"):
        made.element.body.insert(0, parse_xml(f"<w:sdt {W}>{body.format(text)}</w:sdt>"))
    made.save(out)
    assert residue(run(out.getvalue(), "docx")) == set()


WORDS = (
    "registered to PTV Low Bo L eye R Lens max MIN MEAN s S D field man Mark s Bol us win well mean Pet rs"
)
NAMES = (
    "Goodman^A Maxfield^B Winfield^C Meanwell^D Marks^E Lowe^F Peters^G Leye^H Bolus^I Coltman^J Register^K"
)


@pytest.mark.parametrize("name", NAMES.split())
def test_tables_of_structures_and_doses_raise_no_alarm(name: str) -> None:
    search = Scanner(Harvest(frozenset({Fact(Who.PATIENT, Kind.NAME, name.encode())})))
    words: list[object] = [*WORDS.split()]
    rows = [words, words[::-1], *([word] for word in words)]
    text = "\n".join(run(as_excel_writes(rows), "xlsx").texts)
    assert search.scan_text(text, Location("form")) == ()


def test_a_cell_knows_its_column() -> None:
    xml = (
        b'<sheetData><row><c r="B1"><v>1</v></c><c r="AA1" t="s"><v>0</v></c><c r="C1" t="s"><v>9</v></c>'
        b'</row><row><c t="inlineStr"><is><t>a</t></is></c><c><f>x</f><v>b</v></c></row></sheetData>'
    )
    assert tables.rows(xml, ["text"]) == [{2: "1", 27: "text"}, {0: "a", 1: "b"}, {}]
    span = b'<tbl><tr><tc><tcPr><gridSpan val="3"/></tcPr><t>a</t></tc><tc><t>b</t></tc></tr></tbl>'
    assert tables.rows(span) == [{0: "a", 3: "b"}, {}]


def test_numbers_that_are_none_do_no_harm() -> None:
    digits = b"9" * 5000
    xml = b'<sheetData><row><c r="1" t="s"><v>' + digits + b'</v></c><c t="s"><v>1</v></c></row></sheetData>'
    assert tables.rows(xml, ["text"])[0] == {}
    span = b'<tbl><tr><tc><gridSpan val="' + digits + b'"/><t>a</t></tc></tr></tbl>'
    assert tables.rows(span)[0] == {0: "a"}


def test_tables_without_end_are_read_in_part() -> None:
    many = ({n: "Har" if n % 2 else "grieve" for n in range(1000)} for _ in range(10**9))
    assert "Hargrieve" in "\n".join(cells.texts(many))


def test_a_workbook_keeps_its_bytes_apart_from_what_must_go() -> None:
    document = as_excel_writes([["Structure", "dose"], ["PTV", 60]])
    assert (
        parts(run(document, "xlsx").data)["xl/sharedStrings.xml"] == parts(document)["xl/sharedStrings.xml"]
    )

"""Documents as libraries for Word and Excel write them: texts are searched or removed, the rest survives."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import TYPE_CHECKING

import docx
import openpyxl
import pytest
from document_case import RELS, W, changed, codes, lines, parts, run, with_part
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table
from PIL import Image

from rttqa_build.deidentify.identity import Fact, Harvest, Kind, Who
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.diagnostic import Location

if TYPE_CHECKING:
    from docx.document import Document

    from rttqa_build.deidentify.documents import Scrubbed

NHS = "9434765870"
FACTS = {Kind.NAME: "HARGREAVES^Wilhelmina", Kind.NUMBER: NHS, Kind.BIRTH_DATE: "19490312"}
SEARCH = Scanner(Harvest(frozenset(Fact(Who.PATIENT, k, v.encode()) for k, v in FACTS.items())))


def residue(scrubbed: Scrubbed) -> list[str]:
    """Return the codes of what the search finds in a document, as a build searches it."""
    assert codes(scrubbed) == []
    return [d.code for d in SEARCH.scan_text("\n".join(scrubbed.texts), Location("form"))]


def planted(data: bytes) -> set[str]:
    """Return which planted words (Zwo01 …) are in a document's parts, or in their names."""
    held = b"".join(name.encode() + part for name, part in parts(data).items())
    return {word.decode().title() for word in re.findall(rb"(?i)zwo\d\d", held)}


# --- Word --------------------------------------------------------------------------------------------------


def letter() -> Document:
    made = docx.Document()
    made.add_paragraph("dose")
    return made


def saved(made: Document) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _beside(made: Document, name: str, xml: str, kind: str) -> Part:
    part = Part(PackURI(f"/word/{name}.xml"), "application/xml", xml.encode(), made.part.package)
    made.part.relate_to(part, f"{RELS}/{kind}")
    return part


def full_letter() -> bytes:
    made = letter()
    made.add_heading("Zwo01", 1)
    made.add_table(1, 2).cell(0, 1).text = "Zwo02"
    section = made.sections[0]
    section.different_first_page_header_footer = True
    section.header.paragraphs[0].text, section.footer.paragraphs[0].text = "Zwo03", "Zwo04"
    section.first_page_header.paragraphs[0].text = "Zwo05"
    made.add_comment(made.paragraphs[0].runs[0], text="Zwo06", author="Zwo40", initials="Zwo41")
    made.add_paragraph().add_run("Zwo07").font.hidden = True
    made.styles.add_style("Zwo08", 1)
    text = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>"
    note = '<w:footnote w:id="1">' + text.format("Zwo09") + "</w:footnote>"
    _beside(made, "footnotes", f"<w:footnotes {W}>{note}</w:footnotes>", "footnotes")
    note = '<w:endnote w:id="1">' + text.format("Zwo10") + "</w:endnote>"
    _beside(made, "endnotes", f"<w:endnotes {W}>{note}</w:endnotes>", "endnotes")
    body = (
        f"<w:p {W}><w:del w:id='1' w:author='Zwo42'><w:r><w:delText>Zwo11</w:delText></w:r></w:del>"
        "<w:ins w:id='2' w:author='Zwo42'><w:r><w:t>Zwo12</w:t></w:r></w:ins>"
        "<w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText>TITLE Zwo13</w:instrText></w:r>"
        "<w:r><w:pict><v:shape xmlns:v='urn:schemas-microsoft-com:vml' alt='Zwo14'><v:textbox>"
        f"<w:txbxContent>{text.format('Zwo15')}</w:txbxContent></v:textbox></v:shape></w:pict></w:r>"
        "<w:bookmarkStart w:id='3' w:name='Zwo16'/><w:bookmarkEnd w:id='3'/></w:p>"
    )
    made.element.body.insert(0, parse_xml(body))
    properties = made.core_properties
    properties.author = properties.title = properties.comments = properties.keywords = "Zwo43"
    data = _beside(made, "item9", "<x>Zwo44</x>", "customXml")
    data.relate_to(
        Part(PackURI("/word/props9.xml"), "application/xml", b"<x>Zwo45</x>"), f"{RELS}/customXmlProps"
    )
    made.part.relate_to("https://zwo46.example", f"{RELS}/hyperlink", is_external=True)
    return saved(made)


def test_a_letter_is_searched_whole_and_loses_who_wrote_it() -> None:
    document = full_letter()
    assert planted(document) == {f"Zwo{n:02}" for n in (*range(1, 17), *range(40, 47))}
    scrubbed = run(document, "docx")
    assert codes(scrubbed) == []
    found = "\n".join(scrubbed.texts)
    assert planted(scrubbed.data) == {f"Zwo{n:02}" for n in range(1, 17)}
    assert all(word in found for word in planted(scrubbed.data))
    left = parts(scrubbed.data)
    assert not [name for name in left if "thumbnail" in name or "customXml" in name or "props9" in name]
    assert run(scrubbed.data, "docx").data == scrubbed.data


def test_a_letter_stays_a_letter() -> None:
    made = letter()
    made.paragraphs[0].runs[0].bold = True
    made.add_table(2, 2, style="Table Grid").cell(1, 1).text = "60 Gy"
    made.add_paragraph("first", style="List Bullet")
    opened = docx.Document(io.BytesIO(run(saved(made), "docx").data))
    assert opened.paragraphs[0].runs[0].bold
    assert getattr(opened.tables[0].style, "name", "") == "Table Grid"
    assert opened.tables[0].cell(1, 1).text == "60 Gy"
    assert [getattr(p.style, "name", "") for p in opened.paragraphs if p.text == "first"] == ["List Bullet"]


def _t(text: str) -> str:
    return f"<w:r><w:t xml:space='preserve'>{text}</w:t></w:r>"


PARTED = {
    "runs": _t("Har") + _t("gre") + _t("aves"),
    "runs laid out in lines": "\n    ".join((_t("Har"), _t("greaves"))),
    "a bookmark": _t("Har") + "<w:bookmarkStart w:id='7' w:name='b'/>" + _t("greaves"),
    "a spelling mark": _t("Har") + "<w:proofErr w:type='spellStart'/>" + _t("greaves"),
    "a comment of XML": "<w:r><w:t>Har<!-- x -->greaves</w:t></w:r>",
    "an instruction of XML": "<w:r><w:t>Har<?x y?>greaves</w:t></w:r>",
    "a character reference": _t("&#72;argre&#x61;ves"),
    "a soft hyphen": _t("Har\u00adgreaves"),
    "an optional hyphen of Word": "<w:r><w:t>Har</w:t><w:softHyphen/><w:t>greaves</w:t></w:r>",
    "characters of no width": _t("H\u200bar\u2060gre\ufeffaves"),
    "a deletion": _t("Har")
    + f"<w:del w:id='5'>{_t('x').replace('w:t', 'w:delText')}</w:del>"
    + _t("greaves"),
    "an insertion": _t("Har") + f"<w:ins w:id='5'>{_t('x')}</w:ins>" + _t("greaves"),
    "a deletion that was inserted": (
        "<w:ins w:id='4'><w:del w:id='5'><w:r><w:delText>Hargreaves</w:delText></w:r></w:del></w:ins>"
    ),
    "a hyphen and a line's end": f"{_t('Har-')}<w:r><w:br/></w:r>{_t('greaves')}",
    "a hyphen, a blank, a page's end": f"{_t('Har- ')}<w:r><w:br w:type='page'/></w:r>{_t('greaves')}",
    "a hyphen of Word and a line's end": (
        "<w:r><w:t>Har</w:t><w:noBreakHyphen/><w:cr/><w:t>greaves</w:t></w:r>"
    ),
    "a soft hyphen and a line's end": _t("Har\u00ad") + "<w:r><w:br/></w:r>" + _t("greaves"),
    "hyphens and line ends in a number": (
        f"{_t('943-')}<w:r><w:br/></w:r>{_t('476-')}<w:r><w:br/></w:r>{_t('5870')}"
    ),
    "a hyphen at the end of a paragraph": f"{_t('Har-')}</w:p><w:p>{_t('greaves')}",
    "a field": _t("Har") + "<w:r><w:instrText>PAGE</w:instrText></w:r>" + _t("greaves"),
    "a text box": (
        f"{_t('Har')}<w:r><w:pict><w:txbxContent><w:p>{_t('box')}</w:p></w:txbxContent></w:pict></w:r>"
        f"{_t('greaves')}"
    ),
    "spaced letters": _t("H A R G R E A V E S"),
    "an NHS number in runs": _t("943") + _t("\u2011476") + _t("\u20115870"),
    "an NHS number with hyphens of Word": (
        "<w:r><w:t>943</w:t><w:noBreakHyphen/><w:t>476</w:t><w:noBreakHyphen/><w:t>5870</w:t></w:r>"
    ),
    "a birth date in runs": _t("12") + _t("th March ") + _t("1949"),
}


@pytest.mark.parametrize("how", PARTED)
def test_a_word_that_is_parted_is_found(how: str) -> None:
    made = letter()
    made.element.body.insert(0, parse_xml(f"<w:sdt {W}><w:p>{PARTED[how]}</w:p></w:sdt>"))
    assert residue(run(saved(made), "docx")) != []


def test_what_stands_beside_is_not_run_together() -> None:
    made = letter()
    made.add_paragraph("Har").add_run().add_break()
    made.add_paragraph("greaves")
    made.styles["Normal"].font.name = "Hargreaves Sans"  # a typeface
    assert residue(run(saved(made), "docx")) == []


def test_comments_and_instructions_of_xml_go() -> None:
    made = letter()
    made.element.body.insert(0, parse_xml(f"<w:p {W}><!-- Zwo01 --><?x Zwo02?>{_t('kept')}</w:p>"))
    scrubbed = run(saved(made), "docx")
    assert planted(saved(made)) == {"Zwo01", "Zwo02"}
    assert planted(scrubbed.data) == set()
    assert "kept" in lines(scrubbed)


def test_encodings_of_xml_that_could_be_read_otherwise_are_refused() -> None:
    xml = f'<?xml version="1.0" encoding="utf-7"?><w:document {W}>+AEgAYQByAGc-</w:document>'.encode()
    assert codes(run(changed(saved(letter()), **{"word/document.xml": xml}), "docx")) == ["A204"]


# --- parts that are told by their relationships, and what is no XML ---------------------------------------


@pytest.mark.parametrize(
    "target", ["DocProps/Core.XML", "docProps/c%6Fre.xml", "./docProps/../docProps/core.xml"]
)
def test_parts_are_known_however_their_name_is_written(target: str) -> None:
    made = letter()
    made.core_properties.author = "Zwo01"
    rels = parts(saved(made))["_rels/.rels"].replace(b"docProps/core.xml", target.encode())
    assert planted(run(changed(saved(made), **{"_rels/.rels": rels}), "docx").data) == set()


def test_parts_that_go_go_however_their_name_is_written() -> None:
    document = with_part(
        saved(letter()), "customXml/Item 1.xml", b"<x>Zwo01</x>", "customXml", "word/document.xml"
    )
    rels = parts(document)["word/_rels/document.xml.rels"].replace(b"Item 1.xml", b"ITEM%201.xml")
    scrubbed = run(changed(document, **{"word/_rels/document.xml.rels": rels}), "docx")
    assert codes(scrubbed) == []
    assert planted(scrubbed.data) == set()


def test_hidden_data_of_fields_goes() -> None:
    made = letter()
    field = "<w:fldChar w:fldCharType='begin'><w:fldData>WndvMDE=Zwo01</w:fldData></w:fldChar>"
    made.element.body.insert(0, parse_xml(f"<w:p {W}><w:r>{field}</w:r>{_t('kept')}</w:p>"))
    scrubbed = run(saved(made), "docx")
    assert planted(scrubbed.data) == set()
    assert "kept" in lines(scrubbed)


def test_namespaces_of_strangers_are_searched() -> None:
    made = letter()
    made.element.body.insert(0, parse_xml(f"<w:p {W}><q:x xmlns:q='urn:Hargreaves'/></w:p>"))
    assert residue(run(saved(made), "docx")) == ["A100"]


def _picture(kind: str, **remark: object) -> bytes:
    out = io.BytesIO()
    Image.new("L", (9, 9)).save(out, kind, **remark)
    return out.getvalue()


REMARKS = {
    "gif": _picture("GIF", comment=b"by Zwolle"),
    "tif": _picture("TIFF", tiffinfo={315: "by Zwolle"}),
    "bmp": _picture("BMP") + b"Zwolle",
    "emf": bytes(40) + "Zwolle".encode("utf_16_le") + bytes(9),
    "wmf": bytes(40) + b"Zwolle" + bytes(9),
}


@pytest.mark.parametrize("kind", REMARKS)
def test_pictures_of_other_kinds_are_searched_as_text(kind: str) -> None:
    search = Scanner(Harvest(frozenset({Fact(Who.PATIENT, Kind.NAME, b"Zwolle^Anna")})))
    document = with_part(saved(letter()), f"word/media/x.{kind}", REMARKS[kind], "image", "word/document.xml")
    assert codes(run(document, "docx")) == ["A207"]
    text = "\n".join(run(document, "docx", reviewed=True).texts)
    assert [d.code for d in search.scan_text(text, Location("form"))] == ["A100"]


@pytest.mark.parametrize("kind", ["xlMacrosheet", "xlIntlMacrosheet"])
def test_macros_of_old_are_refused(kind: str) -> None:
    document = with_part(written(openpyxl.Workbook()), "xl/macrosheets/sheet1.xml", b"<macrosheet/>", kind)
    assert codes(run(document, "xlsm")) == ["A203"]


# --- Excel -------------------------------------------------------------------------------------------------


def written(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def full_workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Zwo01"
    sheet.append(["Zwo02", "Target"])
    sheet.append(["PTV_6000", 60])
    sheet["D1"] = '="Zwo03" & A2'
    sheet["A1"].comment = Comment("Zwo04", "Zwo40")
    sheet.oddHeader.left.text, sheet.evenFooter.right.text = "Zwo05", "Zwo06"
    for state in ("hidden", "veryHidden"):
        extra = book.create_sheet(state)
        extra.sheet_state, extra["A1"] = state, "Zwo07" if state == "hidden" else "Zwo08"
    sheet.row_dimensions[2].hidden = True
    book.defined_names["Zwo09"] = openpyxl.workbook.defined_name.DefinedName("Zwo09", attr_text="Zwo01!$A$1")
    choice = DataValidation(type="list", formula1='"Zwo10,other"')
    choice.prompt, choice.error = "Zwo11", "Zwo12"
    sheet.add_data_validation(choice)
    choice.add("B5")
    sheet.add_table(Table(displayName="Zwo13", ref="A1:B2"))
    sheet.conditional_formatting.add(
        "A1:A9", CellIsRule("equal", ['"Zwo14"'], fill=PatternFill("solid", bgColor="FFC7CE"))
    )
    sheet["A7"].number_format = '0" Zwo15"'
    sheet["A7"] = 5
    book.properties.creator = book.properties.description = book.properties.keywords = "Zwo41"
    document = with_part(written(book), "xl/threadedComments/t1.xml", _THREADED.encode(), "threadedComment")
    document = with_part(document, "xl/persons/p1.xml", _PERSONS.encode(), "person")
    document = with_part(document, "xl/pivotCache/c1.xml", _CACHE.encode(), "pivotCacheDefinition")
    document = with_part(document, "xl/pivotCache/r1.xml", _RECORDS.encode(), "pivotCacheRecords")
    document = with_part(document, "xl/externalLinks/e1.xml", _EXTERNAL.encode(), "externalLink")
    return with_part(document, "customXml/item1.xml", b"<x>Zwo42</x>", "customXml")


_THREADED = (
    '<ThreadedComments><threadedComment ref="A1" dT="2026-01-01T00:00:00" personId="{1}" id="{2}">'
    "<text>Zwo16</text></threadedComment></ThreadedComments>"
)
_PERSONS = '<personList><person displayName="Zwo43" id="{1}" userId="S::Zwo44" providerId="AD"/></personList>'
_CACHE = (
    '<pivotCacheDefinition refreshedBy="Zwo45"><cacheFields><cacheField name="Zwo17"><sharedItems>'
    '<s v="Zwo18"/></sharedItems></cacheField></cacheFields></pivotCacheDefinition>'
)
_RECORDS = '<pivotCacheRecords><r><s v="Zwo19"/></r></pivotCacheRecords>'
_EXTERNAL = (
    '<externalLink><externalBook><sheetNames><sheetName val="Zwo20"/></sheetNames><sheetDataSet><sheetData>'
    '<row r="1"><cell r="A1" t="str"><v>Zwo21</v></cell></row></sheetData></sheetDataSet></externalBook>'
    "</externalLink>"
)


def test_a_workbook_is_searched_whole_and_loses_who_wrote_it() -> None:
    document = full_workbook()
    assert planted(document) >= {f"Zwo{n:02}" for n in (*range(1, 22), *range(40, 46))}
    scrubbed = run(document, "xlsx")
    assert codes(scrubbed) == []
    found = "\n".join(scrubbed.texts)
    assert planted(scrubbed.data) == {f"Zwo{n:02}" for n in range(1, 22)}
    assert all(word in found for word in planted(scrubbed.data))
    assert run(scrubbed.data, "xlsx").data == scrubbed.data


def test_a_workbook_stays_a_workbook() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["A2"], sheet["B1"] = 60, "=SUM(A1:A1)*2", dt.date(2026, 3, 4)
    sheet["A1"].font, sheet["A1"].number_format = Font(italic=True, name="Georgia"), "0.0"
    sheet.merge_cells("C1:D2")
    sheet.column_dimensions["A"].width, sheet.freeze_panes = 33, "B2"
    sheet.protection.sheet = True
    choice = DataValidation(type="list", formula1='"yes,no"')
    sheet.add_data_validation(choice)
    choice.add("B5")
    opened = openpyxl.load_workbook(io.BytesIO(run(written(book), "xlsx").data)).active
    assert opened is not None
    assert (opened["A2"].value, opened["A1"].number_format, opened["A1"].font.i) == (
        "=SUM(A1:A1)*2",
        "0.0",
        True,
    )
    assert opened["B1"].value == dt.datetime(2026, 3, 4)  # noqa: DTZ001 - cells have no time zone
    assert [str(merged) for merged in opened.merged_cells.ranges] == ["C1:D2"]
    assert (opened.column_dimensions["A"].width, opened.freeze_panes) == (33, "B2")
    assert opened.protection.sheet
    assert opened.data_validations.dataValidation[0].formula1 == '"yes,no"'


def _inline(text: str) -> str:
    return f'<c r="C9" t="inlineStr"><is>{text}</is></c>'


CELLS = {
    "an escape of Excel": _inline("<t>_x0048_argreaves</t>"),
    "an escape inside": _inline("<t>Har_x200B_greaves</t>"),
    "a comment of XML": _inline("<t>Har<!-- x -->greaves</t>"),
    "an instruction of XML": _inline("<t>Har<?x?>greaves</t>"),
    "rich text": _inline("<r><t>Har</t></r><r><rPr><b/></rPr><t>greaves</t></r>"),
    "rich text in lines": _inline("<r><t>Har</t></r>\n  <r><t>greaves</t></r>"),
    "a reading in between": _inline(
        "<r><t>Har</t></r><rPh sb='0' eb='1'><t>x</t></rPh><r><t>greaves</t></r>"
    ),
    "a formula that joins": '<c r="C9" t="str"><f>"Har"&amp;"greaves"</f><v>x</v></c>',
    "a reference twice escaped": _inline("<t>&amp;#72;argreaves</t>"),
    "a number": f'<c r="C9"><v>{NHS}</v></c>',
    "a number with a fraction": f'<c r="C9"><v>{NHS}.0</v></c>',
    "a number as a power": '<c r="C9"><v>9.43476587E9</v></c>',
    "a number as a padded power": '<c r="C9"><v>9.4347658700000E+09</v></c>',
    "a date with a time": '<c r="C9" t="d"><v>1949-03-12T00:00:00</v></c>',
    "a formula of a date": '<c r="C9"><f>DATE(1949,3,12)</f><v>17969</v></c>',
}


@pytest.mark.parametrize("how", CELLS)
def test_a_cell_that_spells_otherwise_is_found(how: str) -> None:
    document = written(openpyxl.Workbook())
    sheet = parts(document)["xl/worksheets/sheet1.xml"].decode()
    row = f'<sheetData><row r="9">{CELLS[how]}</row></sheetData>'
    new = re.sub(r"<sheetData ?/>|<sheetData></sheetData>", lambda _: row, sheet)
    assert new != sheet
    assert residue(run(changed(document, **{"xl/worksheets/sheet1.xml": new.encode()}), "xlsx")) != []


def test_shared_strings_in_runs_are_found() -> None:
    book = openpyxl.Workbook()
    book.create_sheet()["A1"] = "Zwolle"
    document = written(book)
    name, shared = next((name, part) for name, part in parts(document).items() if b"<t>Zwolle</t>" in part)
    split = shared.replace(b"<t>Zwolle</t>", b"<r><t>Har</t></r>\n<r><t>greaves</t></r>")
    assert residue(run(changed(document, **{name: split}), "xlsx")) == ["A100"]


@pytest.mark.parametrize("value", ["Hargreaves", NHS, "PTV Hargreaves", "12 Mar 49"])
def test_names_of_sheets_and_values_of_pivot_tables_are_found(value: str) -> None:
    book = openpyxl.Workbook()
    book.create_sheet(value)
    assert residue(run(written(book), "xlsx")) != []
    kind = "n" if value == NHS else "s"
    cache = f'<pivotCacheRecords><r><{kind} v="{value}"/></r></pivotCacheRecords>'
    document = with_part(written(openpyxl.Workbook()), "xl/c.xml", cache.encode(), "pivotCacheRecords")
    assert residue(run(document, "xlsx")) != []


# --- forms with a box for each character -------------------------------------------------------------------

BOXES = {
    "an NHS number": (list(NHS), "A101"),
    "an NHS number with hyphens": ([*NHS[:3], "-", *NHS[3:6], "-", *NHS[6:]], "A101"),
    "the parts of an NHS number": ([NHS[:3], NHS[3:6], NHS[6:]], "A101"),
    "a date of birth": (list("12031949"), "A102"),
    "a short date of birth": (list("12/03/49"), "A102"),
    "a name": (list("HARGREAVES"), "A100"),
}


SIDE_BY_SIDE = {
    "a number and a date": (NHS + "12031949", {"A101", "A102"}),
    "a date, then a number": ("120349" + NHS, {"A101", "A102"}),
    "a number, a date, a postcode": (NHS + "12031949" + "OX37DQ", {"A101", "A102"}),
    "two names": ("WILMAHARGREAVES", {"A100"}),
    "two short names": ("ANNALOWE", {"A100"}),
}


@pytest.mark.parametrize("what", SIDE_BY_SIDE)
def test_what_fills_boxes_side_by_side_is_told_apart(what: str) -> None:
    run_together, wanted = SIDE_BY_SIDE[what]
    facts = (*FACTS.items(), (Kind.NAME, "LOWE^Anna"))
    search = Scanner(Harvest(frozenset(Fact(Who.PATIENT, kind, value.encode()) for kind, value in facts)))
    made, book, out = letter(), openpyxl.Workbook(), io.BytesIO()
    table = made.add_table(1, len(run_together))
    for cell, text in zip(table.rows[0].cells, run_together, strict=True):
        cell.text = text
    book.active.append([int(c) if c.isdigit() else c for c in run_together])
    book.save(out)
    forms = {
        "docx": saved(made),
        "xlsx": out.getvalue(),
        "csv": (",".join(run_together) + "\n").encode(),
        "txt": " ".join(run_together).encode(),
    }
    for kind, form in forms.items():
        text = "\n".join(run(form, kind).texts)
        found = {d.code for d in search.scan_text(text, Location("form"))}
        assert found == wanted, kind


def test_a_table_of_figures_is_no_row_of_boxes() -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for n in range(5):
        book.active.append([(7 * n + m * m) % 10 for m in range(12)])
    book.active.append([int(c) for c in f"0{NHS}3"])
    book.save(out)
    assert residue(run(out.getvalue(), "xlsx")) == []


@pytest.mark.parametrize("what", BOXES)
def test_what_is_written_into_boxes_is_found(what: str) -> None:
    cells, code = BOXES[what]
    made = letter()
    row = made.add_table(2, len(cells) + 1).rows[0]
    for cell, text in zip(row.cells, ["number", *cells], strict=True):
        cell.text = text
    book = openpyxl.Workbook()
    for line in (["number", *cells], ["dose", 60]):
        book.active.append(
            [int(text) if len(text) == 1 and text.isdigit() else text for text in map(str, line)]
        )
    out = io.BytesIO()
    book.save(out)
    assert residue(run(saved(made), "docx")) == [code]
    assert residue(run(out.getvalue(), "xlsx")) == [code]
    assert residue(run("\n".join(["number", *cells, "dose"]).encode(), "txt")) == [code]


@pytest.mark.parametrize(
    "text",
    [
        "&CHargreaves",
        "&L&BHARGREAVES",
        '&R&"Arial,Bold"HARGREAVES',
        "&C&14HARGREAVES",
        "&C&KFF0000HARGREAVES",
    ],
)
def test_names_behind_codes_of_a_header_are_found(text: str) -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["dose"])
    book.active.oddHeader.center.text = "XXX"
    book.save(out)
    sheet = "xl/worksheets/sheet1.xml"
    header = text.replace("&", "&amp;").replace('"', "&quot;").encode()
    xml = parts(out.getvalue())[sheet].replace(b"&amp;CXXX", header)
    assert header in xml
    assert residue(run(changed(out.getvalue(), **{sheet: xml}), "xlsx")) == ["A100"]


ENTERED = {
    "the default of a field": '<w:ffData><w:textInput><w:default w:val="White"/></w:textInput></w:ffData>',
    "a choice": "<w:sdt><w:sdtPr><w:dropDownList>"
    '<w:listItem w:displayText="White"/></w:dropDownList></w:sdtPr></w:sdt>',
    "the title of a field": '<w:sdt><w:sdtPr><w:alias w:val="White"/></w:sdtPr></w:sdt>',
    "a bookmark": '<w:bookmarkStart w:id="0" w:name="White"/>',
}


@pytest.mark.parametrize("what", ENTERED)
def test_ordinary_names_in_what_people_enter_are_found(what: str) -> None:
    body = "word/document.xml"
    data = saved(letter())
    xml = parts(data)[body].replace(b"<w:t>dose</w:t>", b"<w:t>dose</w:t>" + ENTERED[what].encode())
    search = Scanner(Harvest(frozenset({Fact(Who.PATIENT, Kind.NAME, b"White^Grace")})))
    text = "\n".join(run(changed(data, **{body: xml}), "docx").texts)
    assert [d.code for d in search.scan_text(text, Location("form"))] == ["A100"]

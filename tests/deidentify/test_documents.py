from __future__ import annotations

import datetime as dt
import hashlib
import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import openpyxl
import pypdf
import pytest
import typst
from document_case import RELS, W, changed, codes, lines, parts, rezip, run, with_part
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.styles import Font
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, TextStringObject

from rttqa_build.deidentify.documents import EXTENSIONS
from rttqa_build.diagnostic import Location

if TYPE_CHECKING:
    from collections.abc import Callable


# --- XLSX --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Prescription"
    sheet["A1"], sheet["A2"], sheet["A3"] = "PTV_6000", 60, "=A2*2"
    sheet["A1"].font = Font(bold=True, color="FFFF0000")
    sheet["A1"].comment = Comment("looks fine", "Dr Pemberton")
    sheet["B1"] = dt.date(1949, 3, 12)
    sheet["A4"].hyperlink = "file:///C:/Users/pemberton/plan.pdf"
    sheet["A5"].hyperlink = "https://example.org/pemberton"
    sheet["A4"] = sheet["A5"] = "link"
    hidden = book.create_sheet("Notes")
    hidden.sheet_state, hidden["A1"] = "hidden", "seen by nobody"
    book.properties.creator = book.properties.lastModifiedBy = "Pemberton"
    book.properties.title = "Plan of Pemberton"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_xlsx_loses_authors_and_paths_and_keeps_the_rest(workbook: bytes) -> None:
    scrubbed = run(workbook, "XLSX")
    assert codes(scrubbed) == []
    assert not [name for name, part in parts(scrubbed.data).items() if b"emberton" in part]
    book = openpyxl.load_workbook(io.BytesIO(scrubbed.data))
    sheet = book["Prescription"]
    assert sheet["A3"].value == "=A2*2"
    assert sheet["A1"].font.b
    assert sheet["A1"].font.color.rgb == "FFFF0000"
    assert sheet["B1"].value == dt.datetime(1949, 3, 12)  # noqa: DTZ001 - cells have no time zone
    assert sheet["A1"].comment.text == "looks fine"
    assert book["Notes"].sheet_state == "hidden"


def test_xlsx_text_has_hidden_sheets_comments_formulae_and_dates(workbook: bytes) -> None:
    assert lines(run(workbook, "xlsx")) >= {
        "PTV_6000", "60", "A2*2", "1949-03-12", "looks fine", "seen by nobody", "Prescription",
    }  # fmt: skip


def test_xlsx_indices_of_shared_strings_are_no_content(workbook: bytes) -> None:
    cells = b'<sheetData><row r="9"><c r="A9" t="s"><v>48</v></c><c r="B9"><v>77</v></c></row>'
    sheet = parts(workbook)["xl/worksheets/sheet1.xml"].replace(b"<sheetData>", cells)
    found = lines(run(changed(workbook, **{"xl/worksheets/sheet1.xml": sheet}), "xlsx"))
    assert "77" in found
    assert "48" not in found


def test_the_same_document_gives_the_same_bytes(workbook: bytes) -> None:
    once = run(workbook, "xlsx")
    assert once == run(workbook, "xlsx")
    assert run(once.data, "xlsx").data == once.data


def test_printer_settings_go_with_all_that_points_to_them(workbook: bytes) -> None:
    sheet = parts(workbook)["xl/worksheets/sheet1.xml"].replace(
        b"<pageMargins", b'<pageSetup xmlns:r="r" orientation="landscape" r:id="rIdX"/><pageMargins'
    )
    document = changed(workbook, **{"xl/worksheets/sheet1.xml": sheet})
    document = with_part(
        document,
        "xl/printerSettings/p1.bin",
        b"\\\\srv\\Pemberton",
        "printerSettings",
        "xl/worksheets/sheet1.xml",
    )
    left = parts(run(document, "xlsx").data)
    assert "xl/printerSettings/p1.bin" not in left
    assert b"rIdX" not in b"".join(left.values())
    assert b'orientation="landscape"' in left["xl/worksheets/sheet1.xml"]


def test_links_to_other_workbooks_lose_their_path(workbook: bytes) -> None:
    external = (
        b'<externalLink><externalBook r:id="rId1" xmlns:r="r"><sheetNames/></externalBook></externalLink>'
    )
    document = with_part(workbook, "xl/externalLinks/externalLink1.xml", external, "externalLink")
    rels = (
        f'<Relationships><Relationship Id="rId1" Type="{RELS}/externalLinkPath" '
        'Target="Pemberton 2.xlsx" TargetMode="External"/></Relationships>'
    )
    document = changed(document, **{"xl/externalLinks/_rels/externalLink1.xml.rels": rels.encode()})
    left = parts(run(document, "xlsx").data)
    assert b'Target="removed"' in left["xl/externalLinks/_rels/externalLink1.xml.rels"]
    assert left["xl/externalLinks/externalLink1.xml"] == external


def test_absolute_path_of_the_workbook_goes(workbook: bytes) -> None:
    alternate = (
        b'<mc:AlternateContent xmlns:mc="m"><mc:Choice Requires="x15">'
        b'<x15ac:absPath url="C:\\Users\\Pemberton\\" xmlns:x15ac="a"/>'
        b"</mc:Choice></mc:AlternateContent><sheets>"
    )
    book = parts(workbook)["xl/workbook.xml"].replace(b"<sheets>", alternate)
    left = parts(run(changed(workbook, **{"xl/workbook.xml": book}), "xlsx").data)["xl/workbook.xml"]
    assert b"Pemberton" not in left
    assert b'<mc:Choice Requires="x15"></mc:Choice>' in left


@pytest.mark.parametrize("kind", ["connections", "queryTable"])
def test_data_connections_are_refused(workbook: bytes, kind: str) -> None:
    assert codes(run(with_part(workbook, "xl/c.xml", b"<c/>", kind), "xlsx")) == ["A206"]


@pytest.mark.parametrize("kind", ["oleObject", "package", "control"])
def test_embedded_files_are_refused(workbook: bytes, kind: str) -> None:
    assert codes(run(with_part(workbook, "xl/embeddings/o.bin", b"x", kind), "xlsx")) == ["A202"]


def test_parts_of_unknown_kind_are_refused(workbook: bytes) -> None:
    assert codes(run(changed(workbook, **{"xl/strange.exe": b"MZ"}), "xlsx")) == ["A202"]


def test_macros_leave_only_when_listed(workbook: bytes) -> None:
    macros = b"\xd0\xcf\x11\xe0 Sub Auto_Open"
    document = with_part(workbook, "xl/vbaProject.bin", macros, "vbaProject")
    assert codes(run(document, "xlsm")) == ["A203"]
    allowed = run(document, "xlsm", allowed_macros=(hashlib.sha256(macros).hexdigest(),))
    assert parts(allowed.data)["xl/vbaProject.bin"] == macros
    assert macros in allowed.opaque


def test_entities_are_never_expanded(workbook: bytes) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    assert codes(run(changed(workbook, **{"xl/workbook.xml": bomb}), "xlsx")) == ["A206"]


def test_bombs_are_refused(workbook: bytes) -> None:
    assert codes(run(changed(workbook, **{"xl/x.xml": bytes(3 << 20)}), "xlsx")) == ["A205"]


def test_pictures_inside_need_a_person(workbook: bytes) -> None:
    document = changed(workbook, **{"xl/media/image1.png": png(comment="Pemberton")})
    assert codes(run(document, "xlsx")) == ["A207"]
    scrubbed = run(document, "xlsx", reviewed=True)
    assert b"Pemberton" not in parts(scrubbed.data)["xl/media/image1.png"]


def test_encrypted_office_documents_are_refused(workbook: bytes) -> None:
    assert codes(run(b"\xd0\xcf\x11\xe0" + bytes(600), "xlsx")) == ["A201"]
    flagged = bytearray(workbook)
    flagged[flagged.index(b"PK\x01\x02") + 8] |= 1
    assert codes(run(bytes(flagged), "xlsx")) == ["A201"]


# --- DOCX --------------------------------------------------------------------------------------------------


def docx(body: str, **others: str) -> bytes:
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{RELS}/{name}" Target="{name}.xml"/>'
        for n, name in enumerate(others)
    )
    members = {
        "[Content_Types].xml": '<Types><Override PartName="/word/document.xml" ContentType="x"/></Types>',
        "_rels/.rels": f'<Relationships><Relationship Id="r" Type="{RELS}/officeDocument" '
        'Target="word/document.xml"/></Relationships>',
        "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": f"<Relationships>{links}</Relationships>",
        **{f"word/{name}.xml": text for name, text in others.items()},
    }
    return rezip([(name, text.encode()) for name, text in members.items()])


def test_docx_text_is_joined_over_runs() -> None:
    body = (
        "<w:p><w:r><w:t>Wilhelmina Har</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>greaves</w:t></w:r></w:p>"
        "<w:p><w:r><w:t>next</w:t><w:tab/><w:t>word</w:t></w:r></w:p>"
    )
    assert lines(run(docx(body), "docx")) >= {"Wilhelmina Hargreaves", "next word"}


def test_docx_loses_authors_of_comments_and_changes() -> None:
    body = '<w:p><w:ins w:id="1" w:author="Pemberton"><w:r><w:t>kept</w:t></w:r></w:ins></w:p>'
    comments = (
        f'<w:comments {W}><w:comment w:author="Pemberton" w:initials="JP"><w:p/></w:comment></w:comments>'
    )
    document = docx(
        body, comments=comments, settings=f'<w:settings {W}><w:attachedTemplate r:id="x"/></w:settings>'
    )
    left = parts(run(document, "docx").data)
    assert not [name for name, part in left.items() if b"Pemberton" in part or b'"JP"' in part]
    assert b"<w:t>kept</w:t>" in left["word/document.xml"]
    assert b"attachedTemplate" not in left["word/settings.xml"]


def test_docx_custom_data_goes() -> None:
    document = docx("<w:p/>", customXml="<x>Pemberton</x>")
    left = parts(run(document, "docx").data)
    assert "word/customXml.xml" not in left
    assert b"customXml" not in left["word/_rels/document.xml.rels"]


def _run(text: str) -> str:
    return f"<w:p><w:r>{text}</w:r></w:p>"


SAID = {
    "deleted text": '<w:p><w:del w:id="1"><w:r><w:delText>Zwolle</w:delText></w:r></w:del></w:p>',
    "a field": _run("<w:instrText>AUTHOR Zwolle</w:instrText>"),
    "hidden text": _run("<w:rPr><w:vanish/></w:rPr><w:t>Zwolle</w:t>"),
    "a bookmark": '<w:p><w:bookmarkStart w:id="1" w:name="Zwolle"/></w:p>',
    "a content control": '<w:sdt><w:sdtPr><w:alias w:val="Zwolle"/></w:sdtPr></w:sdt>',
    "a text box": _run(f'<w:pict><v:textbox xmlns:v="v">{_run("<w:t>Zwolle</w:t>")}</v:textbox></w:pict>'),
    "an alternative text": _run('<wp:docPr xmlns:wp="wp" id="1" descr="Zwolle"/>'),
}


@pytest.mark.parametrize("what", SAID)
def test_docx_text_is_searched_wherever_it_stands(what: str) -> None:
    assert "Zwolle" in "\n".join(run(docx(SAID[what]), "docx").texts)


@pytest.mark.parametrize("part", ["header1", "footer1", "footnotes", "endnotes", "comments", "glossary"])
def test_docx_parts_beside_the_body_are_searched(part: str) -> None:
    text = f"<w:x {W}>{_run('<w:t>Zwolle</w:t>')}</w:x>"
    assert "Zwolle" in lines(run(docx("<w:p/>", **{part: text}), "docx"))


def test_docx_authors_go_wherever_changes_are_tracked() -> None:
    who = 'w:author="Zwolle" w:initials="Z" w:date="2020-01-02T03:04:05Z"'
    body = "".join(
        f"<w:p><w:{kind} w:id='1' {who}><w:r><w:t>x</w:t></w:r></w:{kind}></w:p>"
        for kind in ("ins", "del", "moveFrom", "moveTo")
    )
    body += f"<w:p><w:r><w:rPr><w:rPrChange w:id='2' {who}><w:rPr/></w:rPrChange></w:rPr></w:r></w:p>"
    people = (
        '<w15:people xmlns:w15="w15"><w15:person w15:author="Zwolle">'
        '<w15:presenceInfo w15:providerId="AD" w15:userId="S::zwolle@x"/></w15:person></w15:people>'
    )
    left = b"".join(parts(run(docx(body, people=people), "docx").data).values())
    assert not [trace for trace in (b"Zwolle", b"zwolle", b"2020-01-02") if trace in left]
    assert left.count(b"<w:t>x</w:t>") == 4


def test_remarks_of_the_archive_go() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in parts(docx("<w:p/>")).items():
            info = zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6))
            info.comment = b"Zwolle"
            archive.writestr(info, data)
        archive.comment = b"Zwolle"
    assert run(packed.getvalue(), "docx").data == run(docx("<w:p/>"), "docx").data


def test_a_thumbnail_goes(workbook: bytes) -> None:
    document = with_part(workbook, "docProps/thumbnail.jpeg", jpeg("Zwolle"), "metadata/thumbnail")
    scrubbed = run(document, "xlsx")
    assert codes(scrubbed) == []
    left = parts(scrubbed.data)
    assert "docProps/thumbnail.jpeg" not in left
    assert b"thumbnail" not in b"".join(left.values())


def test_xlsx_very_hidden_sheets_headers_and_names_are_searched(workbook: bytes) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook))
    sheet = book.create_sheet("deep")
    sheet.sheet_state, sheet["A1"] = "veryHidden", "from Zwolle"
    sheet.oddHeader.center.text = "head of Zwolle"
    book.defined_names["Zwolle_1"] = openpyxl.workbook.defined_name.DefinedName(
        "Zwolle_1", attr_text="deep!$A$1"
    )
    out = io.BytesIO()
    book.save(out)
    text = "\n".join(run(out.getvalue(), "xlsx").texts)
    assert all(part in text for part in ("from Zwolle", "head of Zwolle", "Zwolle_1"))


# --- PDF ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pdf() -> bytes:
    source = (
        b'#set document(title: "Plan of Pemberton", author: "Pemberton")\n'
        b'Dose for Hargreaves #link("https://p.example")[x]'
    )
    return typst.compile(source)


def edited(pdf: bytes, edit: Callable[[pypdf.PdfWriter], object]) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf))
    edit(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_pdf_loses_metadata_and_links_and_keeps_its_text(pdf: bytes) -> None:
    scrubbed = run(pdf, "pdf")
    assert codes(scrubbed) == []
    assert "Dose for Hargreaves x" in lines(scrubbed)
    reader = pypdf.PdfReader(io.BytesIO(scrubbed.data))
    assert not reader.metadata
    assert reader.xmp_metadata is None
    assert b"Pemberton" not in scrubbed.data
    assert b"p.example" not in scrubbed.data
    assert run(pdf, "pdf").data == scrubbed.data


def _note(writer: pypdf.PdfWriter) -> None:
    note = DictionaryObject(
        {NameObject("/Type"): NameObject("/Annot"), NameObject("/Subtype"): NameObject("/Text")}
    )
    note[NameObject("/T")] = TextStringObject("Pemberton")
    note[NameObject("/Contents")] = TextStringObject("seen")
    note[NameObject("/Rect")] = pypdf.generic.ArrayObject([pypdf.generic.NumberObject(n) for n in range(4)])
    writer.add_annotation(0, note)
    script = DictionaryObject({NameObject("/S"): NameObject("/JavaScript")})
    script[NameObject("/JS")] = TextStringObject("app.alert('Pemberton')")
    writer.root_object[NameObject("/OpenAction")] = script


def test_pdf_annotations_lose_their_authors_and_scripts_go(pdf: bytes) -> None:
    scrubbed = run(edited(pdf, _note), "pdf")
    assert "seen" in lines(scrubbed)
    assert b"Pemberton" not in scrubbed.data
    assert b"alert" not in scrubbed.data


def test_pdf_earlier_revisions_go(pdf: bytes) -> None:
    writer = pypdf.PdfWriter(fileobj=io.BytesIO(pdf), incremental=True)
    writer.root_object[NameObject("/Lang")] = TextStringObject("en")
    out = io.BytesIO()
    writer.write(out)
    orphan = out.getvalue().replace(b"%%EOF", b"%Zwolle\n%%EOF", 1)
    assert b"Zwolle" in orphan
    assert b"Zwolle" not in run(orphan, "pdf").data


def named(**entries: object) -> DictionaryObject:
    """Return a PDF dictionary: texts are names when they begin with a stroke, else strings."""
    made = DictionaryObject()
    for key, value in entries.items():
        made[NameObject(f"/{key}")] = _object(value) if isinstance(value, str) else value
    return made


def _object(text: str) -> object:
    return NameObject(text) if text.startswith("/") else TextStringObject(text)


def annotated(writer: pypdf.PdfWriter, **entries: object) -> None:
    square = ArrayObject([NumberObject(n) for n in (0, 0, 9, 9)])
    writer.add_annotation(0, named(Type="/Annot", Rect=square, **entries))


def drawing(writer: pypdf.PdfWriter, content: bytes) -> object:
    """Return a form XObject in Helvetica."""
    font = named(Type="/Font", Subtype="/Type1", BaseFont="/Helvetica", Encoding="/WinAnsiEncoding")
    stream = pypdf.generic.DecodedStreamObject()
    stream.set_data(content)
    square = ArrayObject([NumberObject(n) for n in (0, 0, 9, 9)])
    resources = named(Font=named(F1=writer._add_object(font)))
    stream.update(named(Type="/XObject", Subtype="/Form", BBox=square, Resources=resources))
    return writer._add_object(stream.flate_encode())


def _stamp(writer: pypdf.PdfWriter) -> None:
    shown = drawing(writer, b"BT /F1 9 Tf (Zwol) Tj (le) Tj ET")
    annotated(writer, Subtype="/Stamp", AP=named(N=shown))


def _unused_drawing(writer: pypdf.PdfWriter) -> None:
    resources = writer.pages[0]["/Resources"]
    resources[NameObject("/XObject")] = named(Fx=drawing(writer, b"BT /F1 9 Tf (Zwolle) Tj ET"))  # type: ignore[index]


def _field(writer: pypdf.PdfWriter) -> None:
    annotated(writer, Subtype="/Widget", FT="/Tx", T="name", V="Zwolle")
    fields = ArrayObject([writer.pages[0]["/Annots"][-1].indirect_reference])  # type: ignore[index]
    writer.root_object[NameObject("/AcroForm")] = named(Fields=fields)


def _spoken(writer: pypdf.PdfWriter) -> None:
    content = writer.pages[0].get_contents()
    assert content is not None
    stream = pypdf.generic.DecodedStreamObject()
    said = (b"\xfe\xff" + "Zwolle".encode("utf_16_be")).hex().upper()
    stream.set_data(b"/Span <</ActualText <" + said.encode() + b">>> BDC EMC\n" + content.get_data())
    writer.pages[0][NameObject("/Contents")] = writer._add_object(stream.flate_encode())


def _comment(writer: pypdf.PdfWriter) -> None:
    content = writer.pages[0].get_contents()
    assert content is not None
    stream = pypdf.generic.DecodedStreamObject()
    stream.set_data(b"% for Zwolle\n" + content.get_data())
    writer.pages[0][NameObject("/Contents")] = writer._add_object(stream)


HELD = {
    "a note": lambda writer: annotated(writer, Subtype="/FreeText", Contents="for Zwolle"),
    "the subject of a mark": lambda writer: annotated(writer, Subtype="/Highlight", Subj="Zwolle"),
    "what a stamp shows": _stamp,
    "a drawing that no page uses": _unused_drawing,
    "a form's field": _field,
    "a bookmark": lambda writer: writer.add_outline_item(title="Zwolle", page_number=0),
    "spoken text": _spoken,
    "a comment in a page": _comment,
    "a layer's name": lambda writer: writer.root_object.update(
        named(OCProperties=named(OCGs=ArrayObject([named(Type="/OCG", Name="Zwolle")])))
    ),
}


@pytest.mark.parametrize("what", HELD)
def test_pdf_text_is_searched_wherever_it_stands(what: str, pdf: bytes) -> None:
    scrubbed = run(edited(pdf, HELD[what]), "pdf")
    assert codes(scrubbed) == []
    assert "Zwolle" in "\n".join(scrubbed.texts)


def _xmp(writer: pypdf.PdfWriter) -> None:
    stream = pypdf.generic.DecodedStreamObject()
    stream.set_data(b"<x>Zwolle</x>")
    for holder in (writer.root_object, writer.pages[0]):
        holder[NameObject("/Metadata")] = holder[NameObject("/Thumb")] = writer._add_object(stream)


def _script(writer: pypdf.PdfWriter) -> None:
    script = named(S="/JavaScript", JS="app.alert('Zwolle')")
    names = ArrayObject([TextStringObject("n"), writer._add_object(script)])
    writer.root_object[NameObject("/Names")] = named(JavaScript=named(Names=names))
    annotated(writer, Subtype="/Link", A=script)


def _launch(writer: pypdf.PdfWriter) -> None:
    annotated(writer, Subtype="/Link", A=named(S="/Launch", F="C:\\Zwolle.exe"))
    annotated(writer, Subtype="/Link", A=named(S="/GoToR", F=named(Type="/Filespec", F="//srv/Zwolle.pdf")))
    annotated(writer, Subtype="/Link", A=named(S="/URI", URI="https://zwolle.example/Zwolle"))


REMOVED = {"XMP and thumbnails": _xmp, "scripts": _script, "programs, other files, web links": _launch}


@pytest.mark.parametrize("what", REMOVED)
def test_pdf_loses_what_is_no_content(what: str, pdf: bytes) -> None:
    scrubbed = run(edited(pdf, REMOVED[what]), "pdf")
    assert codes(scrubbed) == []
    assert b"Zwolle" not in scrubbed.data
    assert "Zwolle" not in "\n".join(scrubbed.texts)


def test_pdf_text_of_an_earlier_revision_goes(pdf: bytes) -> None:
    before = edited(pdf, HELD["a note"])
    writer = pypdf.PdfWriter(fileobj=io.BytesIO(before), incremental=True)
    writer.pages[0]["/Annots"][-1].get_object().update(named(Contents="mended"))  # type: ignore[index]
    out = io.BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(before[:200])
    assert b"Zwolle" in out.getvalue()
    scrubbed = run(out.getvalue(), "pdf")
    assert "mended" in "\n".join(scrubbed.texts)
    assert b"Zwolle" not in scrubbed.data


SHOWN = {
    "a word kerned apart": b"BT /F1 9 Tf 9 9 Td [(Zw) -20 (ol) 15 (le)] TJ ET",
    "a word hyphenated at the end of a line": b"BT /F1 9 Tf 9 90 Td (from Zwol-) Tj 0 -12 Td (le) Tj ET",
    "letters one by one": b"BT /F1 9 Tf 9 9 Td (Z w o l l e) Tj ET",
    "octal codes": b"BT /F1 9 Tf 9 9 Td (\\132\\167olle) Tj ET",
    "invisible text": b"BT 3 Tr /F1 9 Tf 9 9 Td (Zwolle) Tj ET",
    "a hidden layer": b"/OC /P1 BDC BT /F1 9 Tf 9 9 Td (Zwolle) Tj ET EMC",
    "hexadecimal": b"BT /F1 9 Tf 9 9 Td <5A776F6C6C65> Tj ET",
}


@pytest.mark.parametrize("how", SHOWN)
def test_pdf_text_is_found_however_it_is_shown(how: str, pdf: bytes) -> None:
    def stamp(writer: pypdf.PdfWriter) -> None:
        annotated(writer, Subtype="/Stamp", AP=named(N=drawing(writer, SHOWN[how])))

    scrubbed = run(edited(pdf, stamp), "pdf")
    assert codes(scrubbed) == []
    assert "Zwolle" in "\n".join(scrubbed.texts)


def test_pdf_drawings_whose_text_cannot_be_read_need_a_person(pdf: bytes) -> None:
    def hidden(writer: pypdf.PdfWriter) -> None:
        annotated(writer, Subtype="/Stamp", AP=named(N=drawing(writer, b"BT /F1 9 Tf <0001> Tj ET")))

    assert codes(run(edited(pdf, hidden), "pdf")) == ["A207"]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda writer: writer.add_attachment("a.txt", b"x"), "A202"),
        (lambda writer: annotated(writer, Subtype="/FileAttachment"), "A202"),
        (lambda writer: annotated(writer, Subtype="/Screen"), "A202"),
        (lambda writer: writer.encrypt("secret", algorithm="RC4-128"), "A201"),
    ],
)
def test_pdf_attachments_and_encryption_are_refused(
    pdf: bytes, edit: Callable[[pypdf.PdfWriter], object], code: str
) -> None:
    assert codes(run(edited(pdf, edit), "pdf")) == [code]


def test_pdf_of_an_unknown_packing_is_refused(pdf: bytes) -> None:
    assert b"/FlateDecode" in pdf
    assert codes(run(pdf.replace(b"/FlateDecode", b"/FlateDecoda"), "pdf")) == ["A204"]


def test_pdf_damage_is_told_by_the_finding_alone(
    pdf: bytes, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    run(pdf[:-300] + b"(Hargreaves) xx", "pdf")
    run(pdf.replace(b"/Type/Page/", b"/Type/Page/Type/Hargreaves/"), "pdf")
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_a_scan_needs_a_person() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PDF")
    assert codes(run(out.getvalue(), "pdf")) == ["A207"]
    assert codes(run(out.getvalue(), "pdf", reviewed=True)) == []


# --- pictures, plain text, refusals ------------------------------------------------------------------------


def png(comment: str = "") -> bytes:
    info, out = PngInfo(), io.BytesIO()
    info.add_text("Author", comment)
    Image.new("RGB", (3, 2), (1, 2, 3)).save(out, "PNG", pnginfo=info, exif=_exif(comment))
    return out.getvalue()


def jpeg(comment: str) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").save(out, "JPEG", comment=comment, exif=_exif(comment), progressive=True)
    return out.getvalue()


def _exif(comment: str) -> Image.Exif:
    exif = Image.Exif()
    exif[0x013B] = comment
    return exif


@pytest.mark.parametrize(("data", "kind"), [(png("Pemberton"), "png"), (jpeg("Pemberton"), "jpg")])
def test_pictures_lose_metadata_and_keep_every_pixel(data: bytes, kind: str) -> None:
    assert codes(run(data, kind)) == ["A207"]
    scrubbed = run(data + b"Pemberton", kind, reviewed=True)
    assert b"Pemberton" in data
    assert b"Pemberton" not in scrubbed.data
    assert scrubbed.opaque == (scrubbed.data,)  # what is left is searched, not what went
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(scrubbed.data))
    assert before.tobytes() == after.tobytes()
    assert run(scrubbed.data, kind, reviewed=True).data == scrubbed.data


@pytest.mark.parametrize(("data", "kind"), [(png("x"), "png"), (jpeg("x"), "jpeg")])
def test_cut_pictures_are_refused(data: bytes, kind: str) -> None:
    for length in range(len(data) - 1):
        assert codes(run(data[:length], kind, reviewed=True)) == ["A204"]


def test_png_checksums_are_checked() -> None:
    body = b"IHDR" + bytes(13)
    wrong = b"\x89PNG\r\n\x1a\n" + struct.pack(">L", 13) + body + struct.pack(">L", zlib.crc32(body) ^ 1)
    assert codes(run(wrong, "png", reviewed=True)) == ["A204"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("Höhe".encode(), "Höhe"),
        ("Höhe".encode("cp1252"), "Höhe"),
        ("Höhe".encode("utf_16"), "Höhe"),
        (b"\xef\xbb\xbfH\xc3\xb6he", "Höhe"),
        (b"", ""),
    ],
)
def test_plain_text_stays_as_it_is(data: bytes, expected: str) -> None:
    for kind in ("txt", "csv"):
        scrubbed = run(data, kind)
        assert (scrubbed.data, scrubbed.texts[0]) == (data, expected)


def test_csv_cells_are_lines() -> None:
    assert lines(run(b'name,dose\n"White, Grace",60\nRose,20\n', "csv")) >= {"White, Grace", "Rose"}


@pytest.mark.parametrize("kind", sorted(EXTENSIONS))
def test_files_that_are_not_what_they_say(kind: str) -> None:
    data = b"%PDF-1.7 \0" if kind in ("txt", "csv") else b"not at all"
    assert codes(run(data, kind, reviewed=True)) == ["A204"]


def test_other_types_are_refused() -> None:
    assert codes(run(b"x", "pptx")) == ["A200"]


def test_large_documents_are_refused() -> None:
    assert codes(run(bytes((64 << 20) + 1), "txt")) == ["A205"]


def test_findings_tell_where_and_nothing_of_the_content(workbook: bytes) -> None:
    found = run(with_part(workbook, "xl/Pemberton.bin", b"x", "oleObject"), "xlsx")
    assert found.diagnostics[0].where == Location("paf")
    assert "Pemberton" not in f"{found} {found.diagnostics}"


@settings(max_examples=150, deadline=None)
@given(data=st.data(), kind=st.sampled_from(["xlsx", "pdf", "png", "jpg"]))
def test_damaged_documents_never_break(workbook: bytes, pdf: bytes, data: st.DataObject, kind: str) -> None:
    whole = {"xlsx": workbook, "pdf": pdf, "png": png("x"), "jpg": jpeg("x")}[kind]
    damaged = bytearray(whole)
    for _ in range(3):
        damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    run(bytes(damaged[: data.draw(st.integers(0, len(whole)))]), kind, reviewed=True)
    run(bytes(damaged), kind, reviewed=True)

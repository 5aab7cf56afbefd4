"""Pages of a PDF, drawn letter by letter as programs do: what a reader sees is found, or a person asked."""

from __future__ import annotations

import base64
import io
import re
import struct
import zlib
from typing import TYPE_CHECKING

import pypdf
import pytest
from document_case import codes, run
from PIL import Image

from rttqa_build.deidentify.documents import glyphs
from rttqa_build.deidentify.identity import Fact, Harvest, Kind, Who
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.diagnostic import Location

if TYPE_CHECKING:
    from collections.abc import Callable

NHS = "9434765870"
FACTS = {Kind.NAME: "ZWOLLE^Kerstin", Kind.NUMBER: NHS, Kind.BIRTH_DATE: "19490312"}
SEARCH = Scanner(Harvest(frozenset(Fact(Who.PATIENT, k, v.encode()) for k, v in FACTS.items())))
HELVETICA = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources 5 0 R %s>>"
RESOURCES = b"<</Font<</F1 6 0 R/F2 7 0 R>>/XObject<</X1 8 0 R>>/ExtGState<</G1 <</Font[6 0 R 9]>>>>>>"


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(content), content)


def document(
    content: bytes,
    *,
    font: bytes = HELVETICA,
    form: bytes = b"",
    page: bytes = b"",
    more: tuple[bytes, ...] = (),
) -> bytes:
    """Return a PDF of one page: F1 is Helvetica, F2 ``font``, X1 ``form``; ``more`` are objects from 9 on."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        PAGE % page,
        stream(content),
        RESOURCES,
        HELVETICA,
        font,
        form or stream(b"", b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]"),
        *more,
    ]
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (number, each)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out) + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )


def found(pdf: bytes) -> list[str]:
    scrubbed = run(pdf, "pdf")
    assert codes(scrubbed) == []
    return [d.code for d in SEARCH.scan_text("\n".join(scrubbed.texts), Location("form"))]


OTHER = b"BT /F1 9 Tf 50 700 Td (Plan assessment form of a trial: dose, fractions, structures.) Tj ET\n"


def letters(text: str, order: str | None = None, step: float = 6.0, start: float = 200) -> bytes:
    """Return text drawn letter by letter, in any order, each at its place."""
    places = {n: start + step * n for n in range(len(text))}
    numbers = sorted(places, key=lambda n: (n * 7) % len(text)) if order else list(places)
    shown = (f"1 0 0 1 {places[n]:.2f} 400 Tm ({text[n]}) Tj" for n in numbers)
    return f"BT /F1 9 Tf {' '.join(shown)} ET\n".encode()


def below(*lines: str, leading: int = 11) -> bytes:
    shown = f" 0 -{leading} Td ".join(f"({line}) Tj" for line in lines)
    return f"BT /F1 9 Tf 50 500 Td {shown} ET\n".encode()


def cells(*texts: tuple[float, float, str]) -> bytes:
    return b"".join(f"BT /F1 9 Tf {x} {y} Td ({text}) Tj ET\n".encode() for x, y, text in texts)


FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]"
SEEN = {
    "over two lines without a hyphen": below("the plan of Mrs Zwo", "lle was done"),
    "over three lines": below("the plan of Mrs Zw", "ol", "le was done"),
    "letters out of order": letters("Zwolle", "mixed"),
    "letters out of order, with a blank between": letters("xx Zwolle yy", "mixed"),
    "letters spaced by 0.3 em": b"BT /F1 9 Tf 2.7 Tc 50 500 Td (for Zwolle here) Tj ET",
    "letters spaced by 0.3 em in places": letters("Zwolle", step=8.5),
    "kerned apart": b"BT /F1 9 Tf 50 500 Td [(Zwo) -600 (lle)] TJ ET",
    "kerned apart by blanks of all widths": b"BT /F1 9 Tf 50 500 Td [(Z) -300 (w) -500 (ol) -400 (le)] TJ ET",
    "drawn twice": cells((50, 500, "Zwolle")) + letters("Zwolle", step=6.0) + letters("Zwolle", start=200.3),
    "drawn twice, letter by letter": b"BT /F1 9 Tf "
    + b" ".join(b"1 0 0 1 %d 400 Tm (%c) Tj 1 0 0 1 %d.3 400 Tm (%c) Tj" % (50 + 6 * n, c, 50 + 6 * n, c)
                for n, c in enumerate(b"Zwolle")) + b" ET",
    "letters one below another": below(*"Zwolle"),
    "letters one below another, between others": cells(
        *((20, 500 - 12 * n, c) for n, c in enumerate("Zwolle")),
        *((90, 500 - 12 * n, "dose of a beam") for n in range(6)),
    ),
    "in boxes out of order": cells(*((50 + 22 * n, 500, "Zwolle"[n]) for n in (3, 1, 0, 5, 2, 4))),
    "a column's cell on two lines": cells(
        (50, 500, "Zwol"), (150, 500, "61.2 Gy"), (50, 489, "le"), (150, 489, "34 fractions")
    ),
    "a column's cell on two lines, centred": cells(
        (50, 500, "Zwol"), (150, 500, "61.2 Gy"), (57, 489, "le"), (150, 489, "34 fractions")
    ),
    "over two cells of a row": cells((50, 500, "61.2 Gy"), (150, 500, "Zwo"), (250, 500, "lle")),
    "a number over cells": cells((50, 500, "943"), (150, 500, "476"), (250, 500, "5870")),
    "a date over cells": cells((50, 500, "12th"), (150, 500, "March"), (250, 500, "1949"), (350, 500, "x")),
    "rotated": b"BT /F1 9 Tf 0 1 -1 0 300 300 Tm (Zwolle) Tj ET",
    "rotated, letter by letter": b"BT /F1 9 Tf " + b" ".join(
        b"0 1 -1 0 300 %d Tm (%c) Tj" % (300 + 6 * n, b"Zwolle"[n]) for n in (3, 1, 0, 5, 2, 4)) + b" ET",
    "slanted": b"BT /F1 9 Tf .8 .6 -.6 .8 300 300 Tm (Zwo) Tj (lle) Tj ET",
    "mirrored, letter by letter": b"BT /F1 9 Tf " + b" ".join(
        b"-1 0 0 -1 %d 300 Tm (%c) Tj" % (300 - 6 * n, b"Zwolle"[n]) for n in (3, 1, 0, 5, 2, 4)) + b" ET",
    "white": b"1 g BT /F1 9 Tf 50 500 Td (Zwolle) Tj ET",
    "invisible": b"BT 3 Tr /F1 9 Tf 50 500 Td (Zwolle) Tj ET",
    "invisible, letter by letter": b"3 Tr " + letters("Zwolle", "mixed"),
    "as a clipping path": b"BT 7 Tr /F1 9 Tf 50 500 Td (Zwolle) Tj ET",
    "outside the page": b"BT /F1 9 Tf 5000 -500 Td (Zwolle) Tj ET",
    "tiny": b"BT /F1 0.01 Tf 50 500 Td (Zwo) Tj (lle) Tj ET",
    "in a hidden layer": b"/OC /P1 BDC BT /F1 9 Tf 50 500 Td (Zwolle) Tj ET EMC",
    "by the operators of a line": b"BT /F1 9 Tf 12 TL 50 500 Td (x) Tj (Zwolle) ' 1 1 (next) \" ET",
    "in the font of a graphics state": b"BT /G1 gs 50 500 Td <5A776F6C6C65> Tj ET",
    "a number over two lines": below("NHS number 943 476", "5870 of the trust"),
    "a number over two lines, unspaced": below("NHS number 94347", "65870"),
    "a date over two lines": below("born on 12/03/", "1949 in"),
    "a date over two lines, too": below("born on 12-03", "-1949 in"),
    "a number in boxes beside a date in boxes": cells(
        *((50 + 22 * n, 500, c) for n, c in enumerate(NHS + "12031949"))
    ),
}  # fmt: skip


def in_codes(content: bytes) -> bytes:
    """Return the content with its strings in hexadecimal, as most programs write them."""
    return re.sub(rb"\(([^()]*)\)", lambda m: b"<" + m[1].hex().encode() + b">", content)


@pytest.mark.parametrize("write", [bytes, in_codes])
@pytest.mark.parametrize("how", SEEN)
def test_what_a_reader_sees_is_found(how: str, write: Callable[[bytes], bytes]) -> None:
    wanted = (
        ["A101", "A102"]
        if "beside" in how
        else ["A102" if "date" in how else "A101" if "number" in how else "A100"]
    )
    assert found(document(write(OTHER + SEEN[how]))) == wanted


# --- writing that cannot be read ---------------------------------------------------------------------------

IN_F2 = OTHER + b"BT /F2 9 Tf 50 500 Td %s Tj ET"
GLYPHS = IN_F2 % b"<003D005A00520055004F0048>"
CODES = IN_F2 % b"(!#$%&')"
IN_A_ROW = b"/FirstChar 33/LastChar 39/Widths[9 9 9 9 9 9 9]"


def composite(entries: bytes = b"") -> bytes:
    descendant = b"<</Type/Font/Subtype/CIDFontType2/BaseFont/ABCDEF+Lucid/DW 600>>"
    return b"<</Type/Font/Subtype/Type0/BaseFont/ABCDEF+Lucid/Encoding/Identity-H/DescendantFonts[%s]%s>>" % (
        descendant,
        entries,
    )


def simple(entries: bytes = b"") -> bytes:
    descriptor = b"/FontDescriptor<</Type/FontDescriptor/Flags 4/FontName/ABCDEF+Lucid/FontFile2 9 0 R>>"
    return b"<</Type/Font/Subtype/TrueType/BaseFont/ABCDEF+Lucid" + IN_A_ROW + descriptor + entries + b">>"


def drawn_font(names: bytes, drawing: bytes, entries: bytes = b"") -> bytes:
    """Return a font of drawings (Type 3): its letters bear ``names``, and all are object 9."""
    drawings = b"".join(name + b" 9 0 R" for name in re.findall(rb"/\w+", names))
    return (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[.1 0 0 .1 0 0]/CharProcs<<%s>>"
        b"/Encoding<</Differences[33%s]>>%s%s>>" % (drawings, names, IN_A_ROW, entries)
    )


FILE = stream(b"a font program")
UNREADABLE = {
    "codes of a font without a table": (GLYPHS, composite(), FILE),
    "a table that leads to private codes": (
        GLYPHS, composite(b"/ToUnicode 9 0 R"), stream(b"1 beginbfrange <0000> <00ff> <e000> endbfrange"),
    ),
    "a table of other codes": (
        GLYPHS, composite(b"/ToUnicode 9 0 R"), stream(b"1 beginbfchar <0001> <0041> endbfchar"),
    ),
    "a font with a code of its own": (CODES, simple(), FILE),
    "names of glyphs that say nothing": (
        CODES, simple(b"/Encoding<</Differences[33/g1/g2/g3/g4/g5/g6/g7]>>"), FILE
    ),
    "drawings for letters": (
        CODES, drawn_font(b"/x1/x2/x3/x4/x5/x6/x7", b""), stream(b"9 0 d0 0 0 5 5 re f")
    ),
    "pictures for letters": (
        IN_F2 % b"(!)", drawn_font(b"/a", b""), stream(b"9 0 d0 BI /W 8 /H 8 /BPC 1 /IM true ID 12345678 EI"),
    ),
    "a font that is not there": (CODES.replace(b"/F2", b"/F9"), HELVETICA, FILE),
    "few letters at a time": (
        OTHER + b"BT /F2 9 Tf 50 500 Td <003D005A> Tj <00520055> Tj <004F0048> Tj ET", composite(), FILE
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", UNREADABLE)
def test_writing_that_no_table_explains_needs_a_person(what: str) -> None:
    content, font, nine = UNREADABLE[what]
    pdf = document(content, font=font, more=(nine,))
    assert codes(run(pdf, "pdf")) == ["A207"]
    assert codes(run(pdf, "pdf", reviewed=True)) == []


def test_bullets_and_ticks_need_none() -> None:
    table = stream(b"1 beginbfchar <00b7> <f0b7> endbfchar")
    marks = b"BT /F2 9 Tf 40 700 Td <00b7> Tj 0 -20 Td <00b700b7> Tj ET"
    assert found(document(OTHER + marks, font=composite(b"/ToUnicode 9 0 R"), more=(table,))) == []


def test_a_table_makes_codes_letters() -> None:
    table = stream(b"1 beginbfrange <003D> <0058> <0041> endbfrange")
    content = GLYPHS.replace(b"<003D005A00520055004F0048>", b"<0056005300500058>")
    scrubbed = run(document(content, font=composite(b"/ToUnicode 9 0 R"), more=(table,)), "pdf")
    assert "ZWT\\" in "\n".join(scrubbed.texts)


# --- what else an object holds -----------------------------------------------------------------------------


def annotation(entries: bytes) -> bytes:
    return b"/Annots[<</Type/Annot/Rect[0 0 9 9]%s>>]" % entries


SPLIT = in_codes(b"BT /F1 9 Tf 50 500 Td [(Zw) -500 (olle)] TJ ET")
NESTED = {
    "a drawing in a drawing": document(
        OTHER + b"q 2 0 0 2 0 0 cm /X1 Do Q",
        form=stream(b"/X2 Do", FORM + b"/Resources<</XObject<</X2 9 0 R>>>>"),
        more=(stream(SPLIT, FORM + b"/Resources 5 0 R"),),
    ),
    "a pattern": document(
        OTHER, form=stream(SPLIT, b"/PatternType 1/PaintType 1/BBox[0 0 9 9]/Resources 5 0 R")
    ),
    "an annotation's appearance": document(
        OTHER,
        page=annotation(b"/Subtype/Stamp/AP<</N 9 0 R>>"),
        more=(stream(SPLIT, FORM + b"/Resources 5 0 R"),),
    ),
    "a field of streamed text": document(
        OTHER, page=annotation(b"/Subtype/Widget/V 9 0 R"), more=(stream(b"Zwolle"),)
    ),
    "a field of streamed UTF-16": document(
        OTHER,
        page=annotation(b"/Subtype/Widget/RV 9 0 R"),
        more=(stream("\ufeffZwolle".encode("utf_16_be")),),
    ),
    "a note in UTF-8": document(OTHER, page=annotation(b"/Subtype/FreeText/Contents(\xef\xbb\xbfZwolle)")),
    "a note in UTF-16": document(
        OTHER, page=annotation(b"/Subtype/FreeText/Contents(\xff\xfeZ\0w\0o\0l\0l\0e\0)")
    ),
    "data of a program": document(OTHER, page=b"/Own 9 0 R", more=(stream(b"of Zwolle"),)),
    "a key": document(OTHER, page=b"/Own<</Zwolle 7>>"),
    "a state of a box": document(OTHER, page=annotation(b"/Subtype/Widget/AP<</N<</Zwolle 8 0 R>>>>")),
    "a mark in a page": document(OTHER + b"/Zwolle BMC EMC"),
    "spoken text with blanks": document(
        OTHER + b"/P <</ActualText <FEFF 005A 0077006F 006C006C 0065>>> BDC EMC"
    ),
    "a property of a mark": document(OTHER + b"/P <</Own[<5A776F6C6C65>]>> BDC EMC"),
    "the tree of structure": document(OTHER, page=b"/K<</S/Figure/Alt(Zwolle)>>"),
}


@pytest.mark.parametrize("where", NESTED)
def test_what_an_object_holds_is_found(where: str) -> None:
    assert found(NESTED[where]) == ["A100"]


EXIF = b"\xff\xe1\x00\x0eExif\0\0Zwolle"


def photograph() -> bytes:
    out = io.BytesIO()
    Image.new("L", (8, 8)).save(out, "JPEG")
    return out.getvalue()[:2] + EXIF + out.getvalue()[2:]


def jpx(*, boxes: bool) -> bytes:
    """Return a JPEG 2000 picture's outside, with a comment in its codestream and an XML box."""
    codestream = b"\xff\x4f\xff\x51\0\x04ab\xff\x64\0\x0a\0\1Zwolle\xff\x90\0\x04ab\xff\xd9"
    if not boxes:
        return codestream
    parts = ((b"jP  ", b"\r\n\x87\n"), (b"ftyp", b"jp2 "), (b"xml ", b"<x>Zwolle</x>"), (b"jp2c", codestream))
    return b"".join(struct.pack(">L", 8 + len(body)) + name + body for name, body in parts)


PHOTOGRAPHS = {
    "a JPEG": (photograph(), b"/Filter/DCTDecode"),
    "a JPEG in a list of one": (photograph(), b"/Filter[/DCTDecode]"),
    "a JPEG packed twice": (
        base64.a85encode(photograph()) + b"~>",
        b"/Filter[/ASCII85Decode/DCTDecode]/DecodeParms[null<</ColorTransform 1>>]",
    ),
    "a JPEG packed thrice": (
        base64.a85encode(zlib.compress(photograph())) + b"~>",
        b"/Filter[/ASCII85Decode/FlateDecode/DCTDecode]",
    ),
    "a JPEG 2000 codestream": (jpx(boxes=False), b"/Filter/JPXDecode"),
    "a JPEG 2000 file": (jpx(boxes=True), b"/Filter/JPXDecode"),
}  # fmt: skip


@pytest.mark.parametrize("what", PHOTOGRAPHS)
def test_pictures_in_a_document_lose_their_metadata(what: str) -> None:
    data, packing = PHOTOGRAPHS[what]
    picture = stream(data, b"/Type/XObject/Subtype/Image/Width 8/Height 8/BitsPerComponent 8" + packing)
    scrubbed = run(document(OTHER, form=picture), "pdf", reviewed=True)
    assert codes(scrubbed) == []
    reader = pypdf.PdfReader(io.BytesIO(scrubbed.data))
    left = reader.pages[0]["/Resources"]["/XObject"]["/X1"]  # type: ignore[index]
    assert b"Zwolle" not in left._data
    kind = "/JPXDecode" if "2000" in what else "/DCTDecode"
    assert left["/Filter"] in (kind, [kind])
    assert left._data[:2] in (b"\xff\xd8", b"\xff\x4f", b"\0\0")
    if kind == "/DCTDecode":
        assert Image.open(io.BytesIO(left._data)).size == (8, 8)


def test_a_cut_jpeg_2000_is_refused() -> None:
    for whole in (jpx(boxes=True), jpx(boxes=False)):
        entries = b"/Type/XObject/Subtype/Image/Filter/JPXDecode"
        cut = (whole[:20], whole[:9])
        assert all(codes(run(document(OTHER, form=stream(c, entries)), "pdf")) == ["A204"] for c in cut)


# --- documents that are made to exhaust --------------------------------------------------------------------


def test_drawings_that_draw_each_other_are_refused() -> None:
    itself = stream(b"/X1 Do /X1 Do", FORM + b"/Resources 5 0 R")
    assert codes(run(document(OTHER + b"/X1 Do", form=itself), "pdf")) == ["A205"]


def test_drawings_that_multiply_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glyphs, "_MOST_OPERATIONS", 30_000)
    many = [
        stream(b"/X2 Do " * 100, FORM + b"/Resources<</XObject<</X2 %d 0 R>>>>" % n) for n in range(9, 15)
    ]
    last = stream(b"n " * 100, FORM)
    assert codes(run(document(OTHER + b"/X1 Do", form=many[0], more=(*many[1:], last)), "pdf")) == ["A205"]


def test_fonts_of_many_letters_on_many_pages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glyphs, "_MOST_OPERATIONS", 30_000)
    table = stream(b"1 beginbfrange <0000> <ffff> <0000> endbfrange")
    fonts = b"".join(b"/T%d 7 0 R" % n for n in range(10))
    form = stream(b"n", FORM + b"/Resources<</Font<<%s>>>>" % fonts)
    pdf = document(OTHER + b"/X1 Do", font=composite(b"/ToUnicode 9 0 R"), form=form, more=(table,))
    assert codes(run(pdf, "pdf")) == ["A205"]


def test_operands_that_are_none_do_no_harm() -> None:
    content = b"BT /F1 /x Tf (a) Td 1 Tm [/n <41>] TJ (a) ' 1 0 0 (x) 0 0 cm /G7 gs /X7 Do Q Q"
    assert codes(run(document(OTHER + content), "pdf")) == []


def test_streams_inside_each_other_are_refused() -> None:
    """Copied once more at each level, twenty of them would fill the memory."""
    page = b"/Own" + b"<</A " * 40 + b"1" + b">>stream\nx\nendstream" * 40
    assert codes(run(document(OTHER, page=page), "pdf")) == ["A204"]


def test_words_that_gaps_alone_part_stay_words() -> None:
    """TeX writes no blanks: without the gaps all of a line would be one word."""
    line = b"[(as) -333 (Zwo) -333 (lle) -333 (is) -333 (in) -333 (two)] TJ"
    assert found(document(OTHER + b"BT /F1 9 Tf 50 500 Td " + line + b" ET")) == []


def test_keys_of_the_standard_are_no_names() -> None:
    search = Scanner(Harvest(frozenset({Fact(Who.PATIENT, Kind.NAME, b"Lang^Kids")})))
    marked = document(OTHER + b"/Span <</Lang (en)>> BDC EMC", page=b"/Lang(en)")
    text = "\n".join(run(marked, "pdf").texts)
    assert list(search.scan_text(text, Location("form"))) == []

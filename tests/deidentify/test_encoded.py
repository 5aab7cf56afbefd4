"""Base64 in the text of documents: a name in it is found, and a long word is not taken for one."""

from __future__ import annotations

import base64
import hashlib
import io
import time
from pathlib import Path
from typing import TYPE_CHECKING

import docx
import pytest
from document_case import W, codes, parts, run
from docx.oxml import parse_xml

from rttqa_build.deidentify.documents.encoded import contents
from rttqa_build.deidentify.identity import Fact, Harvest, Kind, Who
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.diagnostic import Location

if TYPE_CHECKING:
    from rttqa_build.deidentify.documents import Scrubbed

ROOT = Path(__file__).resolve().parents[2]
NAME = "Hargreaves"
SAID = {
    "a name": NAME.encode(),
    "a name in a sentence": b"copied to Mrs Hargreaves, as agreed",
    "a name in UTF-16": NAME.encode("utf_16_le"),
    "a name in UTF-16 with its mark": NAME.encode("utf_16"),
    "a name in Latin-1": "Déjà vu: the letter to Hargreaves was sent".encode("latin_1"),
    "a name in a long text": b'{"patient": "Hargreaves", "dose": 60}' * 9,
    "a name among bytes": bytes(range(128, 250)) + b"Hargreaves" + bytes(range(128, 250)),
}


SEARCH = Scanner(Harvest(frozenset({Fact(Who.PATIENT, Kind.NAME, b"HARGREAVES^Wilhelmina")})))


def residue(scrubbed: Scrubbed) -> set[str]:
    assert codes(scrubbed) == []
    texts = SEARCH.scan_text("\n".join(scrubbed.texts), Location("form"))
    binary = (SEARCH.scan_opaque(part, Location("form")) for part in scrubbed.opaque)
    return {d.code for told in (texts, *binary) for d in told}


def letter(xml: str) -> bytes:
    made, out = docx.Document(), io.BytesIO()
    made.element.body.insert(0, parse_xml(xml))
    made.save(out)
    return out.getvalue()


def found(text: str) -> bool:
    return residue(run(f"see {text} again".encode(), "txt")) == {"A100"}


@pytest.mark.parametrize("what", SAID)
def test_base64_is_read(what: str) -> None:
    whole = base64.b64encode(SAID[what]).decode()
    assert found(whole)
    assert found(whole.rstrip("="))
    assert found(f"data:text/plain;base64,{whole}")
    assert found(base64.encodebytes(SAID[what]).decode())
    assert found(base64.encodebytes(SAID[what]).decode().replace("\n", "\r\n  "))


def test_base64_in_an_attribute_is_read() -> None:
    attribute = base64.b64encode(b"name=Hargreaves").decode()
    document = letter(f"<w:p {W}><q:x xmlns:q='urn:q' q:data='{attribute}'/></w:p>")
    assert residue(run(document, "docx")) == {"A100"}


def test_a_packed_copy_of_a_drawing_goes() -> None:
    drawing = "<v:shape xmlns:v='urn:v' xmlns:o='urn:o' o:gfxdata='UEsDBBQABgAIAAAAIQ==' alt='kept'/>"
    scrubbed = run(letter(f"<w:p {W}><w:r><w:pict>{drawing}</w:pict></w:r></w:p>"), "docx")
    left = parts(scrubbed.data)["word/document.xml"]
    assert b"gfxdata" not in left
    assert b"kept" in left


def test_long_words_are_no_base64() -> None:
    texts = [path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md")]
    texts += [path.read_text("utf-8") for path in (ROOT / "trials").rglob("*.yaml")]
    read = "".join(contents(texts).texts)
    assert len(read) < 9  # bytes in the range of letters, now and then


def test_pictures_in_base64_are_bytes() -> None:
    picture = b"".join(hashlib.sha256(bytes([n, m])).digest() for n in range(30) for m in range(30))
    assert contents([base64.b64encode(picture).decode()]) == ((), (picture,))


@pytest.mark.parametrize("text", ["A" * 3_000_000, "A/" * 1_500_000 + "!", ("A" * 70 + "\n") * 40_000 + "!"])
def test_long_runs_take_no_longer(text: str) -> None:
    begin = time.perf_counter()
    contents([text])
    assert time.perf_counter() - begin < 5

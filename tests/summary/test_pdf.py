from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

import pytest
import summary_example as example
import typst
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import StreamObject

from rttqa_build.diagnostic import Diagnostic
from rttqa_build.summary import pdf
from rttqa_build.summary.context import Curve, Fact

if TYPE_CHECKING:
    from collections.abc import Callable

    from rttqa_build.summary.context import Summary

HERE = Path(__file__).resolve().parent
PREAMBLE = '#import "lib.typ": *\n#show: page-style.with("T", [a], [b])\n= T\n'
SHORT = (Curve("PTV_6000", (0.0, 58.5, 62.0), (100.0, 98.0, 0.0)), Curve("Rectum", (0.0, 61.0), (100.0, 1.5)))


def rendered(summary: Summary, root: Path, template: str | None = None) -> bytes:
    result = pdf.render(summary, root, {pdf.TEMPLATE: template.encode()} if template else {})
    assert isinstance(result, bytes), result
    return result


def text(document: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(document)).pages)


def squeezed(words: str) -> str:
    return "".join(words.split())


def test_source_is_as_stored(golden: Callable[[str, str], None]) -> None:
    source = pdf.typst_source(replace(example.summary(), curves=SHORT), {})
    assert isinstance(source, str)
    golden("summary.typ", source)


def test_every_value_is_in_the_text(empty: Path) -> None:
    summary = example.summary()
    found = squeezed(text(rendered(summary, empty)))
    wanted = [
        *(row.target for row in summary.prescription),
        *(row.per_fraction for row in summary.prescription),
        *(
            value
            for row in summary.structures
            for value in (row.name, row.local_name, row.volume, row.absent)
        ),
        *(
            value
            for row in summary.constraints
            for value in (row.metric, row.optimal, row.achieved, row.reason)
        ),
        *(row.verdict for row in summary.constraints),
        *(fact.value for fact in summary.clinical),
        *(fact.value for plan in summary.plans for fact in plan.facts),
        *(beam.name for plan in summary.plans for beam in plan.beams),
        *(row.reason for row in summary.waivers),
        *(curve.structure for curve in summary.curves),
        *(row.what for row in summary.contents),
        summary.trial.title,
        summary.trial.status,
        "Independent recalculation, not for clinical use",
    ]
    assert [value for value in wanted if squeezed(value) not in found] == []


def test_a_long_name_breaks_before_the_next_column(empty: Path) -> None:
    full, name = example.summary(), "rectum_minus_ptv60_plus_5mm_" + "x" * 36
    rows = (replace(full.structures[0], local_name=name), *full.structures[1:])
    found = text(rendered(replace(full, structures=rows), empty))
    assert name not in found
    assert name in squeezed(found)


def test_a_name_wider_than_its_column_is_set_smaller(empty: Path) -> None:
    """Sixteen letters are the most that TG-263 allows; these have nowhere to break."""
    summary = example.summary()
    row, *_ = summary.constraints
    rows = (replace(row, structure="W" * 16), replace(row, structure="PTV_6000_opt"))
    document = rendered(replace(summary, constraints=rows, structures=()), empty)
    sizes: dict[str, float] = {}

    def met(words: str, _: object, matrix: list[float], __: object, size: float) -> None:
        sizes[words.strip()] = size * abs(matrix[0])

    for page in PdfReader(io.BytesIO(document)).pages:
        page.extract_text(visitor_text=met)
    assert sizes["W" * 16] < 0.8 * sizes["PTV_6000_opt"]


def test_pages_say_whose_they_are_and_the_document_is_accessible(empty: Path) -> None:
    reader = PdfReader(io.BytesIO(rendered(example.summary(views=True), empty)))
    root = reader.root_object
    assert 1 <= len(reader.pages) <= 3
    for page in reader.pages:
        assert "example-prostate" in page.extract_text()
        assert "EP-0123" in page.extract_text()
        assert "not for clinical use" in page.extract_text()
    assert "/StructTreeRoot" in root
    assert str(root["/Lang"]) == "en-GB"
    metadata = root["/Metadata"].get_object()
    assert isinstance(metadata, StreamObject)
    assert b"pdfuaid:part" in metadata.get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == "Clinical summary example-prostate EP-0123"
    assert reader.metadata.creation_date is None
    assert sum(len(page.images) for page in reader.pages) == 3


def test_the_plan_column_is_there_when_a_row_names_one(empty: Path) -> None:
    full = example.summary()
    first, second = full.prescription
    rows = [
        (first, second),
        (first, replace(second, plan="")),
        (replace(first, plan=""), replace(second, plan="")),
    ]
    found = [text(rendered(replace(full, prescription=row), empty)) for row in rows]
    assert ["Per fraction Plan" in " ".join(words.split()) for words in found] == [True, True, False]


def test_the_views_name_what_they_show(empty: Path) -> None:
    document = rendered(example.summary(views=True), empty)
    words = text(document)
    for expected in ("Axial, z = 0.0 mm", "Coronal, y = 15.0 mm", "Sagittal", "57 Gy (95 %)", "Thin lines"):
        assert expected in words
    assert len(document) < 500_000
    assert "of the highest prescribed dose" in words
    full = example.summary(views=True)
    gray = tuple(replace(one, text=one.text.partition(" (")[0]) for one in full.views_legend)
    assert "prescribed dose" not in text(rendered(replace(full, views_legend=gray, curves=()), empty))


def test_what_borderline_means_is_said_where_it_occurs(empty: Path) -> None:
    full = example.summary()
    sure = tuple(replace(row, verdict="pass") for row in full.constraints)
    found = [text(rendered(replace(full, constraints=rows), empty)) for rows in (full.constraints, sure)]
    assert ["Borderline:" in words for words in found] == [True, False]


@pytest.mark.parametrize("lines", range(4, 24, 3))
def test_a_reason_stays_with_its_constraint_and_the_plot_with_its_caption(lines: int, empty: Path) -> None:
    full = example.summary()
    rows = tuple(
        replace(full.constraints[0], structure=f"S{number:02}", reason=f"Given for {number:02}")
        for number in range(24)
    )
    history = replace(full.clinical[0], value="\n".join(["Line"] * lines))
    summary = replace(full, constraints=rows, clinical=(history,), dose="sum")
    pages = PdfReader(io.BytesIO(rendered(summary, empty))).pages
    for words in (squeezed(page.extract_text()) for page in pages):
        for number in range(24):
            assert (f"S{number:02}" in words) == (f"Givenfor{number:02}" in words)
        assert ("Dose-volumehistogram" in words) == ("Dose:sum.Independentrecalculation" in words)


def test_an_almost_empty_summary_is_one_page(empty: Path) -> None:
    full = example.summary()
    bare = type(full)(full.trial, full.centre, full.submission)
    assert len(PdfReader(io.BytesIO(rendered(bare, empty))).pages) == 1


def test_nothing_is_written_into_the_root(empty: Path) -> None:
    rendered(example.summary(views=True), empty)
    assert list(empty.iterdir()) == []


SCRIPT = """
import hashlib, sys, pathlib
sys.path.insert(0, sys.argv[1])
import summary_example
from rttqa_build.summary import pdf
root = pathlib.Path("r")
root.mkdir()
print(hashlib.sha256(pdf.render(summary_example.summary(views=True), root, {})).hexdigest())
"""


def test_same_bytes_elsewhere(empty: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256(rendered(example.summary(views=True), empty)).hexdigest()
    other = tmp_path / "a b"
    other.mkdir()
    env = os.environ | {"TZ": "Pacific/Auckland", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"}
    env["SOURCE_DATE_EPOCH"] = "1700000000"
    command = [sys.executable, "-c", SCRIPT, str(HERE)]
    done = subprocess.run(command, cwd=other, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest


def test_pictures_do_not_depend_on_zlib(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = example.summary(views=True)
    usual = rendered(summary, empty)
    compress = zlib.compress
    monkeypatch.setattr(zlib, "compress", lambda data, _level: compress(data, 9))
    assert rendered(summary, empty) == usual


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Rectum 60 Gy", '"Rectum 60 Gy"'),
        ('#"\\', '"\\u{23}\\u{22}\\u{5c}"'),
        ("a\tb\r\nc", '"a b\\u{a}c"'),
        ("\x00\u202e中", '"\\u{5b}U+0000\\u{5d}\\u{5b}U+202E\\u{5d}\\u{5b}U+4E2D\\u{5d}"'),
        ("please import", '"please \\u{69}mport"'),
        (True, "true"),
        (None, "none"),
        (-3, "-3"),
        (2.5, "2.5"),
        (float("nan"), '"nan"'),
        ((1, "a"), '(1, "a", )'),
        ((), "()"),
        ({"a": 1}, '("a": 1, )'),
        ({}, "(:)"),
    ],
)
def test_literal(value: object, expected: str) -> None:
    assert pdf.literal(value) == expected


EUROPEAN = st.characters(min_codepoint=0x21, max_codepoint=0x17F, categories=["L", "N", "P", "S"])


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(), max_size=40) | st.text("#\"\\$[]{}<>@*_`~'=-+/ \n", max_size=20))
def test_any_text_compiles_in_code_and_in_markup(words: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        history = replace(example.summary(), clinical=(Fact(words or "x", words),), curves=(), constraints=())
        loop = "{% for f in clinical %}#{{ f.value }}\n\n- {{ f.value }} = [{{ f.label }}]\n{% endfor %}"
        assert rendered(history, Path(folder), PREAMBLE + loop)


@settings(max_examples=40, deadline=None)
@given(st.text(EUROPEAN, min_size=1))
def test_any_european_text_is_shown_as_it_is(words: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        history = replace(example.summary(), clinical=(Fact("History", words),))
        page = rendered(history, Path(folder), PREAMBLE + "#{{ clinical[0].value }}")
        assert squeezed(normalize("NFC", words)) in squeezed(text(page))


@pytest.mark.parametrize("before", ["", '"', "\\", "*/ ", "$", "]", "\n= "])
def test_markup_in_a_value_is_text(before: str, empty: Path) -> None:
    words = before + "#panic(1)"
    history = replace(example.summary(), clinical=(Fact("History", words),))
    assert squeezed(words) in squeezed(text(rendered(history, empty)))


def test_the_fonts_have_what_is_claimed(empty: Path) -> None:
    blocks = ["".join(map(chr, range(low, high + 1))) for low, high in pdf._SHOWN]
    rows = tuple(Fact("x", " ".join(block)) for block in blocks)
    template = PREAMBLE + "{% for f in clinical %}#{{ f.value }}\n\n{% endfor %}"
    assert rendered(replace(example.summary(), clinical=rows), empty, template)


@pytest.mark.parametrize(
    ("template", "code", "line"),
    [
        (PREAMBLE + "\n{% if %}", "K201", 5),
        (PREAMBLE + "#{{ patient_name }}", "K201", 4),
        (PREAMBLE + "#{{ sending.radiotherapy_start }}", "K201", 4),
        (PREAMBLE + "#{{ trial.nonsense }}", "K201", 4),
        (PREAMBLE + "#{{ trial.id | safe }}", "K201", 4),
        (PREAMBLE + "#{{ [1, 2] | random }}", "K201", 4),
        (PREAMBLE + "#{{ ''.__class__.__mro__ }}", "K201", 4),
        (PREAMBLE + "#{{ 1 // 0 }}", "K201", 4),
        ("= No title", "K202", 0),
        (PREAMBLE + "#panic({{ submission.subject }})", "K202", 0),
        (PREAMBLE + '#read("/etc/hostname")', "K202", 0),
        (PREAMBLE + '#import "@preview/cetz:0.3.0"', "K203", 0),
        (PREAMBLE + '#let p = "\\u{40}preview/x:0.1.0"\n#import p', "K203", 0),
        (PREAMBLE + '#include "other.typ"', "K203", 0),
        (PREAMBLE + '#eval("im" + "port \\"x\\"")', "K203", 0),
        (PREAMBLE + "#im{% if true %}port{% endif %} p", "K203", 0),
        (PREAMBLE + "{% filter replace('\\\\u{69}', 'i') %}{{ 'import' }}{% endfilter %}", "K203", 0),
    ],
)
def test_faulty_template_of_a_trial(template: str, code: str, line: int, empty: Path) -> None:
    result = pdf.render(example.summary(), empty, {pdf.TEMPLATE: template.encode()})
    assert isinstance(result, Diagnostic)
    assert (result.code, result.where.line, result.where.file) == (code, line, pdf.TEMPLATE)
    assert "EP-0123" not in result.message + result.hint


def test_template_that_is_not_text(empty: Path) -> None:
    result = pdf.render(example.summary(), empty, {pdf.TEMPLATE: b"\xff\xfe"})
    assert isinstance(result, Diagnostic)
    assert result.code == "K201"


def test_good_template_of_a_trial(empty: Path) -> None:
    template = (
        PREAMBLE + "#dvh-plot({{ plot }})\n#chip({{ constraints[0].verdict }}, {{ constraints[0].tone }})"
    )
    assert "pass" in text(rendered(example.summary(), empty, template))


def test_a_fault_of_our_own_is_raised(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rttqa_build.summary.template.shipped", lambda _name: "#panic()")
    with pytest.raises(typst.TypstError):
        pdf.render(example.summary(), empty, {})

"""Tables of assessment forms: however a trial or a centre writes them."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest
from form_builder import TITLES, workbook
from hypothesis import given, settings
from hypothesis import strategies as st

from rttqa_build.trial import FormValues, form
from rttqa_build.trial.form import Row, Wanted
from rttqa_build.trial.metric import parse

LAYOUT = FormValues(*TITLES)


def rows(data: bytes, extension: str = "xlsx", layout: FormValues = LAYOUT) -> tuple[Row, ...]:
    found = form.read(data, extension, layout)
    assert found is not None
    return found


def one(value: object, metric: str = "D95% (Gy)", **more: Any) -> Row:
    (row,) = rows(workbook(TITLES, ("Rectum", metric, value), **more))
    return row


@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ("D95%[Gy]", "D95%[Gy]"),
        ("D95% (Gy)", "D95%[Gy]"),
        ("D 95 % [cGy]", "D95%[Gy]"),
        ("d95%", "D95%[Gy]"),
        ("V60Gy (%)", "V60Gy[%]"),
        ("V6000cGy(%)", "V60Gy[%]"),
        ("V 60 Gy (cm³)", "V60Gy[cc]"),
        ("V48,6Gy (%)", "V48.6Gy[%]"),
        ("D0.1cm3 (Gy)", "D0.1cc[Gy]"),
        ("D0.1 ml", "D0.1cc[Gy]"),
        ("Dmax (cGy)", "Max[Gy]"),
        ("Maximum dose", "Max[Gy]"),
        ("Mean dose (Gy)", "Mean[Gy]"),
        ("Dmin", "Min[Gy]"),
        ("Volume (cc)", "Volume[cc]"),
        ("CV20Gy (cc)", "CV20Gy[cc]"),
    ],
)
def test_metrics_as_planners_write_them(text: str, metric: str) -> None:
    found = form.wanted(text)
    assert found is not None
    assert found.is_of(parse(metric))


@pytest.mark.parametrize("text", ["", "V60", "D95", "Result", "D95% of what", "Vsomething (%)"])
def test_what_is_no_metric(text: str) -> None:
    assert form.wanted(text) is None


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_a_metric_or_none(text: str) -> None:
    assert form.wanted(text) is None or isinstance(form.wanted(text), Wanted)


@pytest.mark.parametrize(
    ("value", "metric", "unit", "expected"),
    [
        (57.1, "D95% (Gy)", "Gy", 57.1),
        (57, "D95%", "Gy", 57.0),
        (5710, "D95% (cGy)", "Gy", 57.1),
        ("5710 cGy", "D95% (Gy)", "Gy", 57.1),
        ("57.1 Gy", "D95%", "Gy", 57.1),
        ("57,1", "D95% (Gy)", "Gy", 57.1),
        (" 57.1 ", "D95% (Gy)", "Gy", 57.1),
        ("3.2 %", "V60Gy", "%", 3.2),
        (3.2, "V60Gy (%)", "%", 3.2),
        ("12 ml", "V60Gy", "cc", 12.0),
        (95.2, "D95% (%)", "Gy", None),
        ("3.2 %", "D95%", "Gy", None),
        (12, "V60Gy (cc)", "%", None),
        ("met", "D95% (Gy)", "Gy", None),
        ("< 5", "D95% (Gy)", "Gy", None),
        ("1,234.5", "D95% (Gy)", "Gy", None),
        (True, "D95% (Gy)", "Gy", None),
        ("#DIV/0!", "D95% (Gy)", "Gy", None),
        (None, "D95% (Gy)", "Gy", None),
    ],
)
def test_values_in_the_metrics_unit(value: object, metric: str, unit: str, expected: float | None) -> None:
    assert one(value, metric).value(unit) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.032, "0.0%"),
        (0.032, "[Red]0.0 %"),
        (3.2, '0.0"%"'),
        (3.2, '0.0" %"'),
        (3.2, "0.0\\%"),
        (3.2, "0.0"),
    ],
)
def test_a_cell_shown_as_a_percentage(value: float, shown: str) -> None:
    def as_percentage(sheet: Any) -> None:
        sheet["C2"].number_format = shown

    assert one(value, "V60Gy (%)", alter=as_percentage).value("%") == pytest.approx(3.2)


def test_titles_may_stand_anywhere_and_be_merged() -> None:
    def merge(sheet: Any) -> None:
        sheet.merge_cells("A3:A4")
        sheet.merge_cells("B3:B4")
        sheet.merge_cells("C3:D3")
        sheet.merge_cells("A5:A6")

    data = workbook(
        ("Plan assessment form",),
        (),
        (" STRUCTURE", "Metric", "This plan", None),
        (None, None, "Limit", "Achieved\n"),
        ("Rectum", "V60Gy (%)", 5, 3.2),
        (None, "V40Gy (%)", 60, 41),
        (),
        ("Bladder", "V60Gy (%)", 25, 12),
        alter=merge,
    )
    found = [(row.structure, row.place, row.value("%")) for row in rows(data)]
    assert found == [("Rectum", "D5", 3.2), ("Rectum", "D6", 41.0), ("Bladder", "D8", 12.0)]


def test_a_formula_has_the_value_it_last_had_or_none() -> None:
    data = workbook(TITLES, ("Rectum", "Dmax (Gy)", "=30+31.5"))
    (fresh,) = rows(data)
    assert (fresh.uncalculated, fresh.achieved.blank) == (True, True)
    (saved,) = rows(edited(data, rb"<v></v>|<v\s*/>", b"<v>61.5</v>"))
    assert (saved.uncalculated, saved.value("Gy")) == (False, 61.5)
    (empty,) = rows(workbook(TITLES, ("Rectum", "Dmax (Gy)", None)))
    assert (empty.uncalculated, empty.achieved.blank) == (False, True)


def test_a_form_that_is_not_filled_in_is_opened_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [("Rectum", f"D{number}%[Gy]", None) for number in range(1, 21)]
    opened, calls = form._opened, list[bool]()

    def counted(data: bytes, *, values: bool) -> Any:
        calls.append(values)
        return opened(data, values=values)

    monkeypatch.setattr(form, "_opened", counted)
    assert len(rows(workbook(TITLES, *asked))) == len(asked)
    assert calls == [True, False]


def edited(data: bytes, pattern: bytes, new: bytes) -> bytes:
    """Return a workbook with something in its first sheet replaced."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as made:
        for name in old.namelist():
            part = old.read(name)
            if name.endswith("sheet1.xml"):
                part, count = re.subn(pattern, new, part)
                assert count
            made.writestr(name, part)
    return stream.getvalue()


def test_the_sheet_of_the_layout() -> None:
    def second(sheet: Any) -> None:
        other = sheet.parent.create_sheet("Phase 2")
        for row in (TITLES, ("Rectum", "Mean", 20)):
            other.append(row)

    data = workbook(TITLES, ("Rectum", "Mean", 10), alter=second)
    named = FormValues(*TITLES, sheet="Phase 2")
    assert [row.value("Gy") for row in rows(data)] == [10]
    assert [(row.value("Gy"), row.place) for row in rows(data, layout=named)] == [(20, "C2 of sheet 2")]
    assert form.read(data, "xlsx", FormValues(*TITLES, sheet="Phase 3")) is None


def test_words_for_metrics() -> None:
    layout = FormValues(*TITLES, metrics={"Volume receiving 60 Gy": "V60Gy[%]"})
    (row,) = rows(workbook(TITLES, ("Rectum", "volume  receiving 60 Gy", 3)), layout=layout)
    assert row.metric == form.wanted("V60Gy[%]")


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_text_tables(mark: str, encoding: str) -> None:
    lines = (("Formular für µ",), TITLES, ("Rectum", "V60Gy (%)", "3.2"), ("Rectum", "Mean"), ())
    (first, second) = rows("\r\n".join(mark.join(line) for line in lines).encode(encoding), "csv")
    assert (first.place, first.value("%")) == ("row 3", 3.2)
    assert second.achieved.blank


def test_decimal_commas_in_text_tables() -> None:
    (row,) = rows(b"Structure;Metric;Achieved\nRectum;D95% (Gy);57,1\n", "csv")
    assert row.value("Gy") == 57.1


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04 nothing", workbook(("Structure", "Metric", "Limit"))],
    ids=["empty", "damaged", "a title is missing"],
)
def test_what_has_no_table(data: bytes) -> None:
    assert form.read(data, "xlsx", LAYOUT) is None


WHOLE = workbook(
    TITLES, ("Rectum", "V60Gy (%)", 3.2)
)  # made once: it holds the time, and so its length differs


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_workbook_is_no_traceback(data: st.DataObject) -> None:
    whole = bytearray(WHOLE)
    for _ in range(3):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    found = form.read(bytes(whole[: data.draw(st.integers(1, len(whole)))]), "xlsx", LAYOUT)
    assert found is None or all(isinstance(row, Row) for row in found)


def test_a_workbook_that_unpacks_to_too_much_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "LARGEST_UNPACKED", 100)
    assert form.read(workbook(TITLES), "xlsx", LAYOUT) is None

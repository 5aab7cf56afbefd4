"""Dates that charts keep as numbers of days (ECMA-376-1 21.2)."""

from __future__ import annotations

import io

import openpyxl
import pytest
from document_case import codes, run, with_part

from rttqa_build.deidentify.documents.serials import dates, is_date_format
from rttqa_build.deidentify.identity import Fact, Harvest, Kind, Who
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.diagnostic import Location

SERIAL = 17969  # 12 March 1949
FACTS = {Kind.BIRTH_DATE: "19490312", Kind.NUMBER: "9434765919"}
SEARCH = Scanner(Harvest(frozenset(Fact(Who.PATIENT, k, v.encode()) for k, v in FACTS.items())))


def residue(chart: str) -> list[str]:
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    xml = f'<c:chartSpace xmlns:c="urn:c">{chart}</c:chartSpace>'.encode()
    scrubbed = run(with_part(out.getvalue(), "xl/charts/chart1.xml", xml, "chart"), "xlsx")
    assert codes(scrubbed) == []
    return [d.code for d in SEARCH.scan_text("\n".join(scrubbed.texts), Location("form"))]


def cache(form: str, value: object = SERIAL, point: str = "", name: str = "numCache") -> str:
    own = f' formatCode="{point}"' if point else ""
    return (
        f"<c:{name}><c:formatCode>{form}</c:formatCode><c:ptCount val='2'/><c:pt idx='0'><c:v>60</c:v></c:pt>"
        f"<c:pt idx='1'{own}><c:v>{value}</c:v></c:pt></c:{name}>"
    )


FOUND = {
    "the series": cache("dd/mm/yyyy"),
    "the series, with a time": cache("yyyy\\-mm\\-dd hh:mm", f"{SERIAL}.5"),
    "days from 1904": cache("d-mmm-yy", SERIAL - 1462),
    "a point": cache("General", point="m/d/yyyy"),
    "figures of its own": cache("dd/mm/yyyy", name="numLit"),
    "an axis of dates": cache("General") + "<c:dateAx/>",
    "an axis with a format": cache("0.00") + '<c:valAx><c:numFmt formatCode="dd/mm/yy"/></c:valAx>',
    "a chart of today": (
        f'<c:numDim type="val"><c:lvl ptCount="1" formatCode="m/d/yyyy"><c:pt idx="0">{SERIAL}</c:pt></c:lvl>'
        "</c:numDim>"
    ),
}


@pytest.mark.parametrize("how", FOUND)
def test_a_date_in_a_chart_is_found(how: str) -> None:
    assert residue(FOUND[how]) == ["A102"]


NOT_FOUND = {
    "a figure": cache("General"),
    "a dose": cache('0.0" Gy"'),
    "a figure beside dates": cache("dd/mm/yyyy", 46000) + cache("0"),
    "another date": cache("dd/mm/yyyy", SERIAL + 1),
    "no number": cache("dd/mm/yyyy", "x") + cache("dd/mm/yyyy", "1e999") + cache("dd/mm/yyyy", "NaN"),
}


@pytest.mark.parametrize("how", NOT_FOUND)
def test_a_figure_in_a_chart_is_no_date(how: str) -> None:
    assert residue(NOT_FOUND[how]) == []


def test_a_number_is_not_glued_to_its_format() -> None:
    chart = "<c:numCache><c:formatCode>0.00</c:formatCode><c:pt><c:v>9434765919</c:v></c:pt></c:numCache>"
    assert residue(chart) == ["A101"]


@pytest.mark.parametrize("code", ["dd/mm/yyyy", "[$-809]d mmm", "mmm-yy", '"on" d'])
def test_formats_of_dates(code: str) -> None:
    assert is_date_format(code)


@pytest.mark.parametrize("code", ["", "General", "0.00", '0.0" day"', "\\d0", "[Red]0", "hh:ss", "# ?/?"])
def test_formats_of_figures(code: str) -> None:
    assert not is_date_format(code)


def test_what_is_no_day_stays() -> None:
    assert dates("17969") == "1949-03-12\n1953-03-13"
    assert [dates(text) for text in ("", "x", "1e999", "1e30")] == ["", "x", "1e999", "1e30"]

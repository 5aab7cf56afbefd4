"""A plan-assessment form: an XLSX workbook with text, numbers, formulae, and the metadata of Excel."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np

from rttqa_build.synthetic import anatomy
from rttqa_build.synthetic.doses import SCALING_GY
from rttqa_build.synthetic.geometry import section_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from rttqa_build.synthetic.geometry import Grid, Solid
    from rttqa_build.synthetic.identity import Identity

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument"


@dataclass(frozen=True, slots=True)
class Goal:
    """One row of the form: structure, metric as the planner writes it, limit, level (Gy, % or cc), solid."""

    structure: str
    metric: str
    limit: float
    level: float
    solid: Solid
    at_least: bool = False

    def achieved(self, doses: NDArray[np.float64], voxel_cc: float) -> float:
        """Return what the voxels of the structure reach: percent of the volume, or Gy for a dose."""
        if self.metric.startswith("V"):
            return round(100 * float((doses >= self.level).sum()) / len(doses), 1)
        if self.metric.startswith("Mean"):
            return round(float(doses.sum()) / len(doses), 2)
        hottest = self.level / voxel_cc if "cc" in self.metric else len(doses) * self.level / 100
        return round(float(np.sort(doses)[max(0, len(doses) - 1 - int(hottest))]), 2)

    def met(self, achieved: float) -> bool:
        """Return whether the limit is kept."""
        return achieved >= self.limit if self.at_least else achieved <= self.limit


_GOALS = (
    Goal("PTV 60", "D95% (Gy)", 57, 95, anatomy.PTV_HIGH, at_least=True),
    Goal("PTV 60", "D50% (Gy)", 59.4, 50, anatomy.PTV_HIGH, at_least=True),
    Goal("PTV 60", "D2% (Gy)", 64.2, 2, anatomy.PTV_HIGH),
    Goal("PTV 46", "D95% (Gy)", 43.7, 95, anatomy.PTV_LOW, at_least=True),
    Goal("Rectum", "V60Gy (%)", 5, 60, anatomy.RECTUM),
    Goal("Rectum", "V40Gy (%)", 60, 40, anatomy.RECTUM),
    Goal("Bladder", "V60Gy (%)", 25, 60, anatomy.BLADDER),
    Goal("Bladder", "V40Gy (%)", 50, 40, anatomy.BLADDER),
    Goal("Fem Head L", "V40Gy (%)", 50, 40, anatomy.FEMUR_L),
    Goal("Fem Head R", "V40Gy (%)", 50, 40, anatomy.FEMUR_R),
    Goal("Bowel", "D0.1cc (Gy)", 50, 0.1, anatomy.BOWEL),
    Goal("Penile bulb", "Mean dose (Gy)", 30, 0, anatomy.BULB),
)

Row = tuple[str | float, ...]


def assessment_form(patient: str, who: Identity, prescription: str, rows: Iterable[Row] = ()) -> bytes:
    """Return the workbook for a trial ID.

    The sheet names nobody. The metadata do, as they do when a form was filled in at a hospital's PC: author,
    company, and the folder in which it was last saved.
    """
    sheet = [
        ("Plan assessment form",),
        ("Trial ID", patient),
        ("Planning system", "Synthetic TPS 1.0"),
        ("Technique", "VMAT, 2 arcs, 6 MV"),
        ("Prescription", prescription),
        ("Structure", "Metric", "Limit", "Achieved", "Result"),
        *rows,
    ]
    return _zipped(
        {
            "[Content_Types].xml": _content_types(),
            "_rels/.rels": _relations(
                (f"{_OFFICE}/officeDocument", "xl/workbook.xml"),
                (f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
                (f"{_OFFICE}/extended-properties", "docProps/app.xml"),
            ),
            "docProps/core.xml": _core(who),
            "docProps/app.xml": _application(who),
            "xl/workbook.xml": _workbook(who),
            "xl/_rels/workbook.xml.rels": _relations((f"{_OFFICE}/worksheet", "worksheets/sheet1.xml")),
            "xl/worksheets/sheet1.xml": _worksheet(sheet),
        }
    )


def achieved(grid: Grid, stored: NDArray[np.uint32]) -> list[Row]:
    """Return the form's rows for a dose: structure, metric, limit, value, whether the limit is kept."""
    rows: list[Row] = []
    x, y, z = grid.spacing
    for goal in _GOALS:
        value = goal.achieved(_inside(grid, stored, goal.solid), x * y * z / 1000)
        rows.append((goal.structure, goal.metric, goal.limit, value, "met" if goal.met(value) else "not met"))
    return rows


def _inside(grid: Grid, stored: NDArray[np.uint32], solid: Solid) -> NDArray[np.float64]:
    """Return the dose in Gy of each voxel whose centre lies in a solid."""
    x, y = grid.axis(0), grid.axis(1)
    found = []
    for plane, z in zip(stored, grid.levels(), strict=True):
        section = solid.at(z)
        if section is not None:
            rows, columns, inside = section_mask(section, x, y)
            found.append(plane[rows, columns][inside])
    return np.concatenate(found) * SCALING_GY


def _content_types() -> str:
    parts = (
        ("/xl/workbook.xml", f"{_TYPE}.spreadsheetml.sheet.main+xml"),
        ("/xl/worksheets/sheet1.xml", f"{_TYPE}.spreadsheetml.worksheet+xml"),
        ("/docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml"),
        ("/docProps/app.xml", f"{_TYPE}.extended-properties+xml"),
    )
    overrides = "".join(f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in parts)
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="{rels}"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )


def _relations(*targets: tuple[str, str]) -> str:
    links = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'


def _core(who: Identity) -> str:
    author = escape(" ".join(reversed(who.planner.split("^"))))
    return (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:creator>{author}</dc:creator><cp:lastModifiedBy>{escape(who.login)}</cp:lastModifiedBy>"
        '<dcterms:created xsi:type="dcterms:W3CDTF">2026-02-10T09:00:00Z</dcterms:created>'
        "</cp:coreProperties>"
    )


def _application(who: Identity) -> str:
    return (
        '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
        f"<Application>Microsoft Excel</Application><Company>{escape(who.hospital)}</Company></Properties>"
    )


def _workbook(who: Identity) -> str:
    place = "http://schemas.microsoft.com/office/spreadsheetml/2010/11/ac"
    return (
        f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        'xmlns:x15="http://schemas.microsoft.com/office/spreadsheetml/2010/11/main" mc:Ignorable="x15">'
        f'<mc:AlternateContent><mc:Choice Requires="x15"><x15ac:absPath xmlns:x15ac="{place}" '
        f'url="C:\\Users\\{escape(who.login)}\\Trials\\"/></mc:Choice></mc:AlternateContent>'
        '<sheets><sheet name="PAF" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )


def _worksheet(rows: Sequence[Row]) -> str:
    lines = "".join(
        f'<row r="{number}">{"".join(_cell(number, *cell) for cell in enumerate(row))}</row>'
        for number, row in enumerate(rows, start=1)
    )
    return f'<worksheet xmlns="{_SHEET}"><sheetData>{lines}</sheetData></worksheet>'


def _cell(row: int, column: int, value: str | float) -> str:
    """Return a cell: a number, text, or (``met``, ``not met``) the formula that says so, with its value."""
    place = f"{'ABCDE'[column]}{row}"
    if isinstance(value, (int, float)):
        return f'<c r="{place}"><v>{value}</v></c>'
    if value in {"met", "not met"}:
        least = f'OR(LEFT(B{row},3)="D95",LEFT(B{row},3)="D50")'
        test = f"{least},D{row}&gt;=C{row},D{row}&lt;=C{row}"
        return f'<c r="{place}" t="str"><f>IF(IF({test}),"met","not met")</f><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def _zipped(parts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), (_HEAD + content).encode())
    return buffer.getvalue()

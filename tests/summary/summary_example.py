"""An example context: invented values only, computed with + − × ÷ so that golden files hold everywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rttqa_build.summary.context import (
    BeamRow,
    CentreText,
    ConstraintRow,
    Contact,
    ContentRow,
    Context,
    Curve,
    Fact,
    FindingRow,
    FreeText,
    LeftOut,
    LegendEntry,
    Local,
    PlanText,
    PrescriptionRow,
    RuleCount,
    Sending,
    Slices,
    SourceText,
    StructureRow,
    SubmissionText,
    Summary,
    TrialText,
    View,
    WaiverRow,
)
from rttqa_build.summary.figures import curve
from rttqa_build.summary.views import Cut, Overlay, legend, slice_of, squared, view

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRIAL = TrialText(
    "example-prostate",
    "An example trial of prostate radiotherapy in 20 fractions",
    "Example trial definition, for demonstration only",
    "2.0",
    Contact("Example trial QA team", "qa@example.org"),
)
CENTRE = CentreText("RXX", "Example Cancer Centre", Contact("Radiotherapy Physics", "rt.physics@example.org"))
SUBMISSION = SubmissionText("EP-0123", "Prospective case review", 1, "hypofractionated")

_ORGANS = (  # name, planning system's name, type, cm³, dose at half volume Gy, width Gy
    ("PTV_6000", "PTV 60 final", "PTV", 128.4, 60.1, 1.2),
    ("PTV_4860", "PTV 48.6", "PTV", 214.9, 54.0, 5.5),
    ("CTVp_6000", "ctv prostate", "CTV", 61.3, 60.6, 0.7),
    ("Rectum", "rectum", "ORGAN", 71.6, 24.0, 20.0),
    ("Bladder", "bladder", "ORGAN", 243.0, 17.5, 16.0),
    ("FemoralHead_L", "Fem head L", "ORGAN", 52.8, 16.0, 8.0),
    ("FemoralHead_R", "Fem head R", "ORGAN", 53.1, 15.0, 8.5),
    ("PenileBulb", "bulb", "ORGAN", 6.42, 21.0, 15.0),
    ("External", "BODY", "EXTERNAL", 21043.7, 3.0, 7.0),
)


def dvh(name: str, cc: float, middle: float, width: float) -> Curve:
    """Return a rational sigmoid, which needs no exponential."""
    dose = np.arange(0, 6301) / 100
    x = (dose - middle) / width
    share = 0.5 - 0.5 * x / np.sqrt(0.3 + x * x)
    share = (share - share[-1]) / (share[0] - share[-1])
    return curve(name, list(dose), list(share * cc), cc)


def _plane(cut: Cut) -> tuple[Cut, tuple[Overlay, ...]]:
    """Return a cut through ellipses: body, femoral heads, bladder, rectum, target; two isodoses."""
    x, y, z = np.broadcast_arrays(*cut.points)

    def ellipsoid(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> NDArray[np.bool_]:
        axes = zip((z, y, x), centre, radii, strict=True)
        distance: NDArray[np.float64] = sum(
            (((a - c) / r) * ((a - c) / r) for a, c, r in axes), np.zeros_like(z)
        )
        return distance <= 1

    body = ((y / 115) * (y / 115) + (x / 180) * (x / 180)) <= 1
    heads = ellipsoid((0, 10, 95), (28, 26, 26)) | ellipsoid((0, 10, -95), (28, 26, 26))
    bladder, rectum = ellipsoid((35, -25, 0), (32, 30, 40)), ellipsoid((0, 62, 0), (70, 17, 19))
    target = ellipsoid((0, 15, 0), (30, 26, 30))
    hu = np.full(body.shape, -1000.0)
    for mask, value in ((body, -80.0), (heads, 500.0), (bladder, 10.0), (rectum, -20.0), (target, 45.0)):
        hu[mask] = value
    isodose, low = ellipsoid((0, 15, 0), (38, 33, 39)), ellipsoid((0, 12, 0), (62, 62, 105))
    overlays = (
        Overlay("PTV_6000", target, "#ff3c3c"),
        Overlay("Rectum", rectum, "#be7828"),
        Overlay("Bladder", bladder, "#50aaff"),
        Overlay("57 Gy (95 %)", isodose, "#ffdc00", thin=True),
        Overlay("30 Gy (50 %)", low, "#3cdc78", thin=True),
    )
    return replace(cut, values=hu), overlays


def pelvis() -> tuple[tuple[View, ...], tuple[LegendEntry, ...]]:
    """Return views of the ellipses through the target."""
    x, y, z = (
        (np.arange(count, dtype=np.float64) - count / 2) * step
        for count, step in ((160, 2.5), (96, 2.5), (60, 3))
    )
    cuts = squared(
        (
            Cut("axial", np.zeros((y.size, x.size)), y, x, 0.0),
            Cut("coronal", np.zeros((z.size, x.size)), z[::-1], x, 15.0),
            Cut("sagittal", np.zeros((z.size, y.size)), z[::-1], y, 0.0),
        )
    )
    drawn = [_plane(cut) for cut in cuts]
    return tuple(view(cut, "PTV_6000", above) for cut, above in drawn), legend(above for _, above in drawn)


def slices() -> Slices:
    """Return three slices of the ellipses."""
    x, y = np.arange(-180.0, 181, 5), np.arange(-120.0, 121, 5)
    cuts = squared([Cut("axial", np.zeros((y.size, x.size)), y, x, z) for z in (-30.0, 0.0, 20.0)], 12_000)
    drawn = [_plane(cut) for cut in cuts]
    entries = tuple(LegendEntry(one.colour, one.name, one.thin) for one in drawn[0][1])
    return Slices(tuple(slice_of(cut, above) for cut, above in drawn), entries)


def summary(*, views: bool = False) -> Summary:
    """Return a rich example."""
    pictures, legend = pelvis() if views else ((), ())
    return Summary(
        TRIAL,
        CENTRE,
        SUBMISSION,
        contents=(
            ContentRow("planning CT images", 96),
            ContentRow("structure set", 1),
            ContentRow("plan", 1),
            ContentRow("dose distribution", 1),
            ContentRow("documents", 2),
        ),
        prescription=(
            PrescriptionRow("PTV_6000", "60 Gy", 20, "3 Gy", "phase1", 60.0),
            PrescriptionRow("PTV_4860", "48.6 Gy", 20, "2.43 Gy", "phase1", 48.6),
        ),
        structures=(
            *(StructureRow(n, local, kind, f"{cc} cm³") for n, local, kind, cc, _, _ in _ORGANS),
            StructureRow("Bowel", absent="not within 2 cm of the PTV"),
        ),
        constraints=(
            ConstraintRow("PTV_6000", "D98%[Gy]", "≥ 57 Gy", "≥ 55.8 Gy", "57.4 Gy", "pass", "57.5 Gy"),
            ConstraintRow("PTV_6000", "D2%[Gy]", "≤ 63 Gy", "≤ 64.2 Gy", "62.1 Gy", "pass", "62.0 Gy"),
            ConstraintRow("Rectum", "V24.6Gy[%]", "≤ 80 %", "", "48.3 %", "pass", "48.1 %"),
            ConstraintRow("Rectum", "V48.6Gy[%]", "≤ 50 %", "", "21.9 %", "pass", "21.7 %"),
            ConstraintRow("Rectum", "V60Gy[%]", "≤ 3 %", "≤ 5 %", "2.97 %", "borderline", "2.8 %"),
            ConstraintRow(
                "Bladder",
                "V60Gy[%]",
                "≤ 5 %",
                "≤ 10 %",
                "11.2 %",
                "fail",
                "11.0 %",
                "bladder half empty on the planning scan; coverage preferred after discussion",
            ),
            ConstraintRow("FemoralHead_L", "V40.8Gy[%]", "", "≤ 50 %", "0 %", "pass"),
            ConstraintRow("FemoralHead_R", "V40.8Gy[%]", "", "≤ 50 %", "0 %", "pass"),
            ConstraintRow("Bowel", "V40.8Gy[cm³]", "", "≤ 17 cm³", "", "not evaluated"),
        ),
        curves=tuple(dvh(name, cc, middle, width) for name, _, _, cc, middle, width in _ORGANS),
        plans=(
            PlanText(
                "Prostate60",
                (
                    Fact("Type", "photon"),
                    Fact("Intent", "curative"),
                    Fact("Fractions", "20"),
                    Fact("Approval", "approved"),
                    Fact("Planning system", "Example Planner 16.1"),
                    Fact("Dose grid", "2.5 × 2.5 × 2.5 mm"),
                ),
                (
                    BeamRow("Arc 1 CW", "photon", "6 MV", "dynamic", 178, "412.3"),
                    BeamRow("Arc 2 CCW", "photon", "6 MV", "dynamic", 178, "398.9"),
                ),
            ),
        ),
        clinical=(
            Fact("History", "Low-volume disease on biopsy.\nNo previous pelvic radiotherapy."),
            Fact("T stage", "T2a"),
            Fact("Bladder protocol", "comfortably full"),
        ),
        waivers=(
            WaiverRow(
                "D204", "coarse dose grid", "sum", "4 mm grid: machine limit, agreed with the trial team"
            ),
        ),
        views=pictures,
        views_legend=legend,
    )


def context(*, views: bool = False) -> Context:
    """Return the example with its sending and local parts."""
    return Context(
        summary(views=views),
        Sending(
            "EXAMPLE-PROSTATE_RXX_EP-0123_prospective-review_r1.zip",
            "9f2c" * 16,
            "14 December 2026",
            "received by the portal, 48123904 bytes",
        ),
        Local(
            findings=(
                FindingRow(
                    "M204",
                    "TODO left",
                    "error",
                    "submissions/EP-0123/manifest.yaml:12:5",
                    "A field still says TODO.",
                    hint="Fill it in.",
                    line=(1, 12),
                ),
                FindingRow(
                    "S105",
                    "gap in contours",
                    "warning",
                    "structure_set",
                    "A structure has a gap between its contours.",
                    "rectum: 2 slices at z = −12 mm",
                    "Interpolate the structure in the planning system.",
                ),
                FindingRow(
                    "D204",
                    "coarse dose grid",
                    "warning",
                    "dose:sum",
                    "The grid is coarse.",
                    waived="machine limit",
                ),
            ),
            deidentification=(
                RuleCount("removed", 1204, 99, ("OperatorsName × 99", "InstitutionName × 97")),
                RuleCount("replaced by an empty value", 396, 99),
                RuleCount("date shifted", 594, 99),
                RuleCount("UID replaced", 1893, 99),
                RuleCount("private element removed", 812, 97),
            ),
            texts=(
                FreeText(
                    "Clinical: History", "Low-volume disease on biopsy.\nNo previous pelvic radiotherapy."
                ),
                FreeText("Plan label", "Prostate60"),
                FreeText("plan: RTPlanLabel", "Prostate60", "plan", "RTPlanLabel"),
                FreeText("dose: Manufacturer", "Example", "dose", "Manufacturer"),
                FreeText("plan: Manufacturer", "Example", "plan", "Manufacturer"),
            ),
            left_out=(
                LeftOut("DICOMDIR", "DICOMDIR"),
                LeftOut("notes/readme.txt", "not DICOM"),
                LeftOut("old/RD.dcm", "not selected", "dose of another plan"),
                LeftOut("old/RP.dcm", "not selected"),
            ),
            slices=slices() if views else Slices(),
            sources=(
                SourceText(
                    "submissions/EP-0123/manifest.yaml", (*("manifest: 1",) * 11, "  arm: TODO", "clinical:")
                ),
            ),
        ),
    )

"""Write the benchmark's case, about 135 MB: `python bench/corpus.py OUT`.

A CT of 200 slices of 512 x 512, an RTSTRUCT of 20 ROIs and 1,700 contours, an RTPLAN of two arcs of 180
control points, and an RTDOSE of 200 x 200 x 150 voxels of 32 bit: linked, with identity planted, the same at
every run.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from rttqa_build.synthetic import INVENTED, Extent, SyntheticPatient, save
from rttqa_build.synthetic.case import COURSES, Case
from rttqa_build.synthetic.doses import dose, levels
from rttqa_build.synthetic.geometry import Ellipsoid
from rttqa_build.synthetic.images import ct_slices
from rttqa_build.synthetic.plans import plan
from rttqa_build.synthetic.structures import OUTLINES, Outline, structure_set

LARGE = Extent(
    size=512, slices=200, control_points=180, dose_spacing=2.5, dose_counts=(200, 200, 150), outline=100
)

# Left or right, y, z and half length of six lymph-node levels (mm).
_LEVELS = (
    *((1, 10, 50, 29.0), (-1, 10, 50, 29.0), (1, 30, 20, 29.0)),
    *((-1, 30, 20, 29.0), (1, -30, 45, 30.5), (-1, -30, 45, 30.0)),
)
MORE_OUTLINES = (
    *(
        Outline(f"node {number}", "CTV", (40 * number, 200, 90), Ellipsoid((side * 55, y, z), (12, 10, half)))
        for number, (side, y, z, half) in enumerate(_LEVELS, start=1)
    ),
    Outline("sacrum", "ORGAN", (220, 220, 190), Ellipsoid((0, 84, 60), (60, 15, 44))),
)


def corpus() -> SyntheticPatient:
    """Return the case in memory."""
    case = Case(INVENTED, LARGE)
    phase = COURSES["single-phase"][0]
    ct = list(ct_slices(case))
    structures = structure_set(case, ct, (*OUTLINES, *MORE_OUTLINES))
    planned = plan(case, phase, structures)
    delivered = dose(case, [planned], levels(case.dose_grid, phase), key=phase.label, summation="PLAN")
    images = {f"ct/{number:03}": item for number, item in enumerate(ct, start=1)}
    return SyntheticPatient(
        INVENTED, images | {"structure_set": structures, "plan": planned, "dose": delivered}
    )


def contours(patient: SyntheticPatient) -> int:
    """Return how many contours the structure set holds."""
    rois = patient.objects["structure_set"].ROIContourSequence
    return sum(len(roi.ContourSequence) for roi in rois)


def main() -> int:
    """Write the case below the folder given and say what it holds."""
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    start = time.perf_counter()
    patient = save(corpus(), Path(sys.argv[1]))
    size = sum(path.stat().st_size for path in patient.paths.values())
    print(f"{len(patient.paths)} files, {size / 1e6:.1f} MB, {contours(patient)} contours", end=", ")
    print(f"written in {time.perf_counter() - start:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

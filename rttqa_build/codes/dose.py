"""Codes of family D: dose."""

from __future__ import annotations

from rttqa_build.codes.entry import Code

CODES: dict[str, Code] = {
    "D101": Code(
        "The dose is not in gray",
        "Dose Units is not GY.",
        "Relative dose cannot be judged against constraints.",
        "Export the dose as absolute dose.",
        source="DICOM PS3.3 C.8.8.3",
    ),
    "D102": Code(
        "The dose is not that of a whole plan",
        "Dose Summation Type is not PLAN, MULTI_PLAN or PLAN_OVERVIEW: it is the dose of a beam or a fraction.",
        "Reviewers need the dose of the whole course.",
        "Export the plan dose (in Eclipse: plan, not fields).",
        source="DICOM PS3.3 C.8.8.3",
    ),
    "D103": Code(
        "The dose has no usable scaling",
        "Dose Grid Scaling is absent, zero or negative.",
        "Every value of the dose would be zero.",
        "Export the dose again.",
        source="DICOM PS3.3 C.8.8.3",
    ),
    "D104": Code(
        "The kind of dose is unknown",
        "Dose Type is neither PHYSICAL nor EFFECTIVE.",
        "For protons and ions nobody could tell whether a factor is included.",
        "Export the dose as physical or effective dose.",
        severity="warning",
        source="DICOM PS3.3 C.8.8.3",
    ),
    "D105": Code(
        "The dose object holds no grid",
        "It carries isodose points or histograms only.",
        "The dose distribution cannot be shown or judged.",
        "Export the dose grid (dose cube).",
        source="DICOM PS3.3 C.8.8.3",
    ),
    "D106": Code(
        "A plan has no dose",
        "No dose that is sent refers to this plan, nor is tied to it.",
        "A plan without its dose cannot be judged.",
        "Select its dose under `data:`; tie a sum to its plans with `of: [..]`.",
        source="DICOM PS3.3 C.8.8.3",
    ),
    "D203": Code(
        "The dose planes are unevenly spaced",
        "The distance between neighbouring dose planes changes.",
        "Some reviewers' systems refuse such a grid.",
        "Calculate on an even grid, or waive this with the reason.",
        severity="warning",
        source="DICOM PS3.3 C.8.8.3.2",
    ),
    "D204": Code(
        "The dose grid is too coarse",
        "The largest distance between dose points is above the trial's limit.",
        "Steep gradients and small structures are lost between the points.",
        "Calculate on a finer grid and export again; where the machine cannot, waive this with the reason.",
        source="schemas/trial.schema.json",
    ),
    "D205": Code(
        "The dose grid does not cover a structure",
        "A target, or a structure that a constraint judges, reaches beyond the dose grid.",
        "Histogram, mean and constraints speak of the covered part only; a cold edge outside would not show.",
        "Calculate the dose on a grid that holds the whole structure, or waive this with the reason.",
        severity="warning",
    ),
    "D301": Code(
        "A dose constraint could not be evaluated",
        "The structure or the dose it needs is not there, is empty, or lies outside the dose grid.",
        "The reviewer will ask for it.",
        "Send the structure and a dose grid that covers it, or waive this with the reason.",
        severity="warning",
        source="schemas/trial.schema.json",
    ),
    "D302": Code(
        "A mandatory constraint is not met",
        "Our recalculation lies beyond the mandatory limit by more than its own uncertainty.",
        "Reviewers need to see such plans: it never forbids sending, but it needs a reason.",
        "Add a waiver with the reason, in words that the reviewer can judge.",
        severity="warning",
        source="schemas/trial.schema.json",
    ),
    "D303": Code(
        "A mandatory constraint is borderline",
        "Our recalculation lies within its own uncertainty of the mandatory limit.",
        "Programs differ by one to three per cent here: the planning system's value may be on the other side.",
        "Compare with the planning system; add a waiver with the reason where it is exceeded there too.",
        severity="info",
        source="schemas/trial.schema.json",
    ),
    "D401": Code(
        title="The dose for a histogram is not in gray",
        meaning="Dose Units of the RTDOSE is not GY.",
        why="A relative dose cannot be held against constraints: what 100 % stands for is not in the file.",
        mend="Export the dose again as absolute dose.",
        source="DICOM PS3.3 C.8.8.3, Dose Units (3004,0002)",
    ),
    "D402": Code(
        title="The dose is not a dose to the patient",
        meaning="Dose Type is ERROR, or is missing.",
        why="Type ERROR is a difference between two doses; a histogram of it says nothing about the plan.",
        mend="Export the planned dose: Dose Type PHYSICAL, or EFFECTIVE for particles.",
        source="DICOM PS3.3 C.8.8.3, Dose Type (3004,0004)",
    ),
    "D403": Code(
        title="The dose grid is incomplete",
        meaning="Position, spacing, size, scaling or values of the dose grid are missing, zero or cut short.",
        why="Without them the dose cannot be placed in the patient.",
        mend="Export the dose again as a three-dimensional grid, and check that the copy was complete.",
        source="DICOM PS3.3 C.8.8.3, C.7.6.2",
    ),
    "D404": Code(
        title="The dose planes cannot be placed",
        meaning=(
            "Grid Frame Offset Vector is missing, has another length than there are frames, goes back and forth, "
            "or starts neither at zero nor at the height of the first frame."
        ),
        why="A wrong guess would move the dose along the patient.",
        mend="Export the dose again; if it recurs, tell the planning system's vendor.",
        source="DICOM PS3.3 C.8.8.3.2",
    ),
    "D405": Code(
        title="The dose is stored compressed",
        meaning="The RTDOSE is in a compressed transfer syntax.",
        why="Dose values must arrive exactly as calculated, and many import tools cannot read compressed ones.",
        mend="Export from the planning system, uncompressed: an archive may have compressed it.",
        source="DICOM PS3.5 A.4",
    ),
    "D406": Code(
        title="The doses cannot be added",
        meaning=(
            "The doses to be summed lie in different frames of reference, mix physical and effective dose, mix "
            "summation types, or are sums of several plans already."
        ),
        why="The total would be wrong, or a phase would count twice.",
        mend="Export the plan sum from the planning system, or a PLAN dose for each phase on the same image.",
        source="DICOM PS3.3 C.8.8.3, Dose Type, Dose Summation Type",
    ),
    "D411": Code(
        title="A contour cannot be read",
        meaning="Contour Data of at least one contour are missing, not numbers, or no triplets.",
        why="A histogram of a part of the structure would pass for the whole.",
        mend="Export the structure set again.",
        source="DICOM PS3.3 C.8.8.6",
    ),
    "D412": Code(
        title="The structure has no volume",
        meaning="The structure has no contours, or they enclose no area.",
        why="There is nothing to make a histogram of.",
        mend="Draw the structure, or say in the manifest that it is absent, and why.",
        source="DICOM PS3.3 C.8.8.6",
    ),
    "D413": Code(
        title="The contours are not in parallel planes",
        meaning="Points of the structure's closed contours leave their common plane by more than 0.5 mm.",
        why="Its volume cannot be stacked from slices.",
        mend="Redraw the structure on the slices of one image series, or convert it to that series.",
        source="DICOM PS3.3 C.8.8.6, Contour Geometric Type",
    ),
    "D414": Code(
        title="The thickness of a single slice is unknown",
        meaning="The structure is drawn on one slice and no structure of the set tells how far slices are apart.",
        why="Its volume depends on the slice thickness alone.",
        mend="Export the structure set with a structure of several slices, such as the external contour.",
    ),
    "D415": Code(
        title="The structure lies outside the dose grid",
        meaning="No part of the structure lies within the dose grid.",
        why="Either the dose belongs to another image or plan, or the calculation volume is too small.",
        mend="Check that structure set and dose belong together; else enlarge the calculation volume.",
        source="DICOM PS3.3 C.8.8.3",
    ),
}

"""Codes of family P: plans."""

from __future__ import annotations

from rttqa_build.codes.entry import Code

CODES: dict[str, Code] = {
    "P101": Code(
        "The number of fractions differs",
        "The plan's fraction groups do not add up to what the manifest prescribes.",
        "It is the first thing that reviewers compare; often the wrong plan was selected.",
        "Select the right plan under `data:`, or correct `prescription:`.",
        source="DICOM PS3.3 C.8.8.13",
    ),
    "P102": Code(
        "The plan holds no fractions",
        "No fraction group says how many fractions are planned.",
        "The prescription cannot be confirmed from the plan.",
        "Export the plan with its fraction scheme, or waive this with the reason.",
        severity="warning",
        source="DICOM PS3.3 C.8.8.13",
    ),
    "P103": Code(
        "The prescribed dose differs",
        "No target prescription dose of the plan is the highest dose that the manifest prescribes.",
        "It is the sign of a wrong plan, a wrong arm, or a dose prescribed per fraction.",
        "Select the right plan under `data:`, or correct `prescription:`.",
        source="DICOM PS3.3 C.8.8.10",
    ),
    "P104": Code(
        "The plan holds no prescription",
        "The plan has no Target Prescription Dose to compare with the manifest.",
        "The prescription can then be judged from the dose only.",
        "Where the planning system can, enter the prescription in the plan; else go on.",
        severity="info",
        source="DICOM PS3.3 C.8.8.10",
    ),
    "P105": Code(
        "The plan is not approved",
        "The plan's Approval Status is not APPROVED.",
        "What is reviewed should be what is treated.",
        "Approve the plan in the planning system and export it again, or waive this with the reason.",
        severity="warning",
        source="DICOM PS3.3 C.8.8.16",
    ),
}

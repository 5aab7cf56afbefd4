"""Codes of family S: structures."""

from __future__ import annotations

from rttqa_build.codes.entry import Code

CODES: dict[str, Code] = {
    "S101": Code(
        "A mapped structure is not in the structure set",
        "The manifest names a structure of the planning system that the selected structure set does not hold.",
        "The reviewers would look for it in vain.",
        "Correct the name under `structures:`, or say `{absent: reason}`; the names that exist are shown on the terminal.",
        source="DICOM PS3.3 C.8.8.5",
    ),
    "S102": Code(
        "A mapped name is not unique",
        "Several structures of the structure set have the name that the manifest maps.",
        "Nobody can tell which one is meant.",
        "Rename or delete the one that is not meant in the planning system, and export again.",
        source="DICOM PS3.3 C.8.8.5",
    ),
    "S104": Code(
        "A structure of the trial has no contours",
        "The structure exists in the structure set, but nothing is drawn.",
        "It cannot be judged, and dose constraints on it cannot be evaluated.",
        "Contour it, or say `{absent: reason}` in the manifest.",
        source="DICOM PS3.3 C.8.8.6",
    ),
    "S105": Code(
        "A structure is said to be absent, but is there",
        "The manifest says that there is no such structure; the structure set has contours of that name.",
        "One of the two is wrong.",
        "Map the structure, or delete it in the planning system.",
        severity="warning",
        source="DICOM PS3.3 C.8.8.6",
    ),
    "S106": Code(
        "Two structures would have the same name",
        "A structure receives the trial's name, which another structure has already, ignoring case.",
        "Names must be unique ignoring case (TG-263); importers merge or rename such structures.",
        "Map the other one, or rename it in the planning system and export again.",
        source="AAPM TG-263",
    ),
    "S107": Code(
        "Two further structures share a name",
        "Two structures that the trial does not ask for have the same name, ignoring case.",
        "Importers merge or rename such structures.",
        "Rename one of them in the planning system, or waive this with the reason.",
        severity="warning",
        source="AAPM TG-263",
    ),
    "S108": Code(
        "Left and right may be swapped",
        "A structure whose trial name ends in _L or _R is mapped to one whose name says the other side.",
        "Constraints would be judged on the wrong organ.",
        "Check the side on the images; correct the mapping, or waive this with the reason.",
        severity="warning",
        source="AAPM TG-263",
    ),
}

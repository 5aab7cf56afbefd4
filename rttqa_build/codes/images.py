"""Codes of family C: images."""

from __future__ import annotations

from rttqa_build.codes.entry import Code

CODES: dict[str, Code] = {
    "C101": Code(
        "A slice position appears twice",
        "Two images of the series lie at the same place.",
        "A planning system would use either: contours and dose no longer fit one image each.",
        "Export the series again; leave out the repeated or re-reconstructed slices.",
        source="DICOM PS3.3 C.7.6.2",
    ),
    "C102": Code(
        "Slices are missing",
        "There are gaps in the series that are wider than its slice spacing.",
        "Contours on the missing slices cannot be judged, and importers interpolate or refuse.",
        "Export the whole series again, and count the slices against the planning system.",
        source="DICOM PS3.3 C.7.6.2",
    ),
    "C103": Code(
        "The slice spacing is uneven",
        "The distance between neighbouring slices changes within the series.",
        "Volumes and dose-volume histograms depend on it; some reviewers' systems refuse such a series.",
        "If the scan was made that way, waive this with the reason; else export the series again.",
        severity="warning",
        source="DICOM PS3.3 C.7.6.2",
    ),
    "C104": Code(
        "The series mixes orientations",
        "The images do not all have the same Image Orientation (Patient).",
        "It is no single volume: localisers or reformatted images are mixed in.",
        "Select only the planning series, without localisers and reformats.",
        source="DICOM PS3.3 C.7.6.2",
    ),
    "C105": Code(
        "An image has no position in the patient",
        "Image Position or Image Orientation (Patient) is absent.",
        "Structures and dose cannot be placed on it.",
        "Export the series from the scanner or planning system again.",
        source="DICOM PS3.3 C.7.6.2",
    ),
    "C106": Code(
        "The series mixes matrices or pixel sizes",
        "Rows, columns or pixel spacing change within the series.",
        "It is no single volume.",
        "Select only the planning series.",
        source="DICOM PS3.3 C.7.6.2, C.7.6.3",
    ),
    "C107": Code(
        "The slices are thicker than the trial allows",
        "Slice Thickness is above the trial's limit.",
        "Small targets and organs are blurred along the patient.",
        "If the scan cannot be repeated, agree it with the trial team and waive this with the reason.",
        severity="warning",
        source="DICOM PS3.3 C.7.6.2",
    ),
}

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
    "C108": Code(
        "The slices are not stacked straight",
        "The corners of the slices shift sideways along the series: the gantry was tilted, or the series is a shear.",
        "Planning systems and reviewers' viewers stack slices straight; contours and dose would lean.",
        "Scan without gantry tilt, or have the planning system resample the series and export that one.",
        source="DICOM PS3.3 C.7.6.2.1.1",
    ),
    "C109": Code(
        "The series holds a localiser",
        "Image Type of at least one image of the series is LOCALIZER.",
        "A localiser is no slice of the volume: importers put it among the slices or refuse the series.",
        "Leave the localiser (scout, topogram) out of the export.",
        source="DICOM PS3.3 C.8.2.1.1.1",
    ),
    "C110": Code(
        "The plan is made on a projection",
        "The planning image is a maximum or minimum intensity projection of a 4D CT.",
        "Its CT numbers are not those of tissue: the dose is calculated on densities that no phase has.",
        "Plan on the average or on one phase; send the projection as `ct_4d`. Waive this where the protocol plans on it.",
        severity="warning",
        source="DICOM PS3.3 C.8.2.1.1.1",
    ),
    "C111": Code(
        "The series mixes frames of reference",
        "The images of one series do not all have the same Frame of Reference UID.",
        "Their positions cannot be compared: part of the volume may lie elsewhere.",
        "Export the series from the scanner or planning system again, in one go.",
        source="DICOM PS3.3 C.7.4.1",
    ),
    "C201": Code(
        "No registration to the planning image",
        "A diagnostic series lies in another frame of reference than the planning image, and no registration of the two is sent.",
        "The reviewer sees both images, but not what the planner saw: one over the other.",
        "In the planning system, export the registration (fusion) together with the images and select it as `registration`; where none was made, waive this with that reason.",
        severity="warning",
        source="DICOM PS3.3 C.20.2",
    ),
    "C202": Code(
        "A 4D CT series without a label",
        "Neither its id in the manifest, nor series description or image type say which phase, average or projection a series of the 4D CT is.",
        "All phases look alike: motion could be judged on the wrong one.",
        "List the series with ids under `data: ct_4d:`, for example `{id: phase50, sha256: …}` or `{id: average, …}`.",
        source="DICOM PS3.3 C.7.3.1",
    ),
    "C203": Code(
        "A series of the 4D CT is missing",
        "The trial lists series of the 4D CT that the manifest does not.",
        "The target volume (ITV) cannot be judged without them.",
        "Export the missing phases, average or projection, and list them under `data: ct_4d:` with the trial's ids.",
        source="schemas/trial.schema.json",
    ),
    "C204": Code(
        "The PET gives no uptake values",
        "Weight, injected activity, injection time or acquisition time are missing from the PET images.",
        "Without all four nobody can compute standardised uptake values: the PET shows shapes only.",
        "Export the PET from the scanner or archive, not from a workstation that anonymises. The patient's weight leaves only where the trial retains patient characteristics.",
        source="DICOM PS3.3 C.8.9.1, C.8.9.2",
    ),
}

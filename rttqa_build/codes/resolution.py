"""Codes of family R: resolution and completeness."""

from __future__ import annotations

from rttqa_build.codes.entry import Code

_DATA = "schemas/manifest.schema.json"
_TRIAL = "schemas/trial.schema.json"
_LOCK = "schemas/lock.schema.json"
_PSEUDONYMS = "docs/pseudonyms.md"
_PLACES = "docs/decisions/5-where-things-lie.md"

CODES: dict[str, Code] = {
    "R001": Code(
        "required object missing",
        "The trial asks for an object of this role, and the source holds none that could play it.",
        "Reviewers cannot start without it; an incomplete submission is sent back.",
        "Export the missing object into the source folder; from the planning system, export plan, structure set, "
        "dose and all images together.",
        source=_TRIAL,
    ),
    "R002": Code(
        "too many objects in a role",
        "More objects were selected for this role than the trial takes.",
        "Reviewers would have to guess which one was meant.",
        "Remove the surplus selectors below `data:`.",
        source=_TRIAL,
    ),
    "R003": Code(
        "object that the trial does not ask for",
        "The manifest selects an object for a role that the trial does not take here.",
        "What is not asked for should not leave the hospital.",
        "Remove its selector below `data:`, or ask the trial team.",
        source="UK GDPR article 5(1)(c)",
    ),
    "R004": Code(
        "too few objects in a role",
        "Fewer objects were selected for this role than the trial asks for: of a plan library, say.",
        "An incomplete submission is sent back.",
        "Export the missing objects, and list each with an id below `data:`.",
        source=_TRIAL,
    ),
    "R101": Code(
        "ambiguous object",
        "Several objects of the source could play this role, and DICOM links don't decide between them.",
        "Choosing one silently could send the wrong plan.",
        "Select the right one below `data:`; the terminal and the local report list the candidates and the lines "
        "to add.",
        source=_DATA,
    ),
    "R102": Code(
        "selector matches nothing",
        "No object of the source fits this selector.",
        "The object may have been exported again (its digest is then another), renamed, or not exported.",
        "Correct the selector; labels are compared exactly, digests from their first digit on.",
        source=_DATA,
    ),
    "R103": Code(
        "selector matches several objects",
        "More than one object of the source fits this selector.",
        "A selector must name exactly one object or one image series.",
        "Select by `sha256:` instead; the terminal lists the candidates.",
        source=_DATA,
    ),
    "R104": Code(
        "selector matches another kind of object",
        "The selected file exists, but is not of the kind that this role takes.",
        "A structure set cannot stand where a dose is asked for.",
        "Move the selector to the right role below `data:`, or select another file.",
        source=_DATA,
    ),
    "R105": Code(
        "object selected twice",
        "One object or series is selected for two roles, or twice for one.",
        "It would lie twice in the package, under two meanings.",
        "Remove one of the two selectors below `data:`.",
        source=_DATA,
    ),
    "R106": Code(
        "dose tied to an unknown plan",
        "The `of:` of a dose names a plan that is not among the selected plans.",
        "Without its plan a dose cannot be judged.",
        "Write the id of a plan that is selected below `data: plan:`.",
        source=_DATA,
    ),
    "R201": Code(
        "dose without its plan",
        "A selected dose refers to a plan that is not selected, or to none.",
        "Reviewers' systems drop a dose whose plan does not come with it.",
        "Export and select the plan that the dose was computed for; a dose without a reference to a plan is tied "
        "by `of:`.",
        source="DICOM PS3.3 C.8.8.3",
    ),
    "R202": Code(
        "plan without its structure set",
        "A selected plan refers to a structure set that is not selected, or to none.",
        "Targets and organs at risk of the plan could not be shown.",
        "Export the plan together with the structure set that it was made on.",
        source="DICOM PS3.3 C.8.8.9",
    ),
    "R203": Code(
        "structure set without all its images",
        "Images that the contours of a selected structure set lie on are not in the selected series.",
        "Contours without their images cannot be reviewed, and many systems refuse to import them.",
        "Export the complete image series that the structure set was drawn on.",
        source="DICOM PS3.3 C.8.8.5",
    ),
    "R204": Code(
        "frames of reference differ",
        "Linked objects do not share one frame of reference.",
        "Their coordinates cannot be compared: contours or dose would lie in the wrong place.",
        "Export image, structure set and dose of the same plan; if the frames differ in the planning system too, "
        "ask its supplier.",
        source="DICOM PS3.3 C.7.4.1",
    ),
    "R205": Code(
        "registration does not join selected images",
        "The frames of reference that a selected registration joins are not those of the selected images.",
        "The registration cannot be applied by the reviewer.",
        "Select both image series that were registered, or leave the registration out.",
        source="DICOM PS3.3 C.20.2",
    ),
    "R206": Code(
        "linked objects lie in different studies",
        "Objects that refer to each other carry different Study Instance UIDs.",
        "Some systems import only what lies in one study.",
        "Check that the objects belong together; some planning systems open a study for each plan.",
        severity="warning",
        source="DICOM PS3.3 C.7.2.1",
    ),
    "R301": Code(
        "objects of different patients",
        "A selected object carries another patient's identity than the others: neither a number nor name and "
        "birth date agree.",
        "Another patient's data in a submission is a serious incident.",
        "Check in the planning system or PACS whose object this is. If it is the same person under another number, "
        "say who checked it and how with `same_patient:` in its selector.",
        source="DICOM PS3.3 C.7.1.1",
    ),
    "R401": Code(
        "secondary capture selected",
        "A selected object is a secondary capture: a picture of a screen or of a paper.",
        "It may show names where no program finds them.",
        "Remove it from the selection and export the object itself instead of a picture of it.",
        source=_PSEUDONYMS,
    ),
    "R402": Code(
        "encapsulated document selected",
        "A selected object is a document (PDF, CDA or model) wrapped in DICOM.",
        "Letters and reports name patient and staff, and DICOM says nothing of what is in them.",
        "Remove it from the selection. What the trial asks for as a document goes below `documents:`.",
        source=_PSEUDONYMS,
    ),
    "R403": Code(
        "structured report selected",
        "A selected object is a structured report.",
        "It is made of sentences about the patient.",
        "Remove it from the selection.",
        source=_PSEUDONYMS,
    ),
    "R404": Code(
        "waveform selected",
        "A selected object is a waveform or another recorded signal.",
        "A recording of a voice or a heart identifies, and no trial reviews it.",
        "Remove it from the selection.",
        source=_PSEUDONYMS,
    ),
    "R405": Code(
        "image with burned-in text selected",
        "A selected image says itself that text is burned into its pixels.",
        "Burned-in text is usually the patient's name and number, and pixels are sent as they are.",
        "Remove it from the selection, or export the original image.",
        source=_PSEUDONYMS,
    ),
    "R406": Code(
        "presentation state or photograph selected",
        "A selected object is a presentation state, a photograph or another picture in visible light.",
        "Presentation states hold annotations that people typed; photographs show the patient.",
        "Remove it from the selection.",
        source=_PSEUDONYMS,
    ),
    "R407": Code(
        "class of object outside the trial's list",
        "The selected object is of a class or modality that no role of the trial takes.",
        "What is not asked for should not leave, and its attributes were never looked at for this purpose.",
        "Remove it from the selection, or ask the trial team.",
        source=_TRIAL,
    ),
    "R501": Code(
        "one identifier for different contents",
        "Several files carry the same SOP Instance UID but differ in content.",
        "Nobody can tell which of them was meant; the references of other objects lead to both.",
        "Remove the old export from the source folder, or select one of the files by `sha256:`.",
        source="DICOM PS3.5 section 9",
    ),
    "R005": Code(
        "A document cannot be read",
        "A document that the manifest names is not in the source folder, is too large, or cannot be opened.",
        "The trial asks for it.",
        "Put it into the source folder, and correct its path under `documents:`.",
        source=_PLACES,
    ),
    "R006": Code(
        "The clinical file cannot be read",
        "The file that `clinical: {file: …}` names does not lie beside the source folder, or cannot be opened.",
        "The clinical summary would lack what the trial asks for.",
        "Put it beside the source folder, or write the fields into the manifest.",
        source=_PLACES,
    ),
    "R007": Code(
        "another kind of plan",
        "The selected plan is of a kind (photon, electron, ion, brachytherapy) that the trial does not take here.",
        "Either the wrong plan is selected, or the arm in the manifest is not the patient's.",
        "Check `submission.arm` against the allocation, then the plan below `data:`.",
        source=_TRIAL,
    ),
    "R020": Code(
        "modalities in one series",
        "Objects of different modalities carry the same Series Instance UID.",
        "A series is of one modality: importers drop what does not fit the first object.",
        "Export the objects from the planning system again; if it recurs, tell its vendor.",
        severity="warning",
        source="DICOM PS3.3 C.7.3.1",
    ),
    "R021": Code(
        "RT objects in one series",
        "Several structure sets, plans or doses lie in one series, and the trial wants a series for each.",
        "The reviewers' import keeps one RT object of a series only.",
        "Where the planning system has the choice, export each object into a series of its own; else waive this with the reason.",
        severity="warning",
        source="schemas/trial.schema.json",
    ),
    "R310": Code(
        "One trial ID, two patients",
        "Two submissions of a trial have the same trial ID, or one has a further revision, but the numbers in their "
        "objects differ.",
        "Another patient's data would be reviewed, and filed, under this ID.",
        "Find out which source folder is the wrong one, correct `source:` or `patient:`, and build again.",
        source=_LOCK,
    ),
    "R311": Code(
        "One patient, two trial IDs",
        "Two submissions with different trial IDs were made from objects with the same patient number.",
        "Another patient's data would be reviewed, and filed, under one of the two IDs.",
        "Find out which source folder is the wrong one, correct `source:` or `patient:`, and build again.",
        source=_LOCK,
    ),
    "R312": Code(
        "One trial ID, patients that cannot be compared",
        "Two submissions have the same trial ID, or one has a further revision, but no number in their objects agrees: "
        "they carry no kind of patient number in common, or the diagnostic images that come alone carry another one.",
        "Nobody but a person can tell whether they concern the same patient.",
        "Compare name and date of birth in the two source folders; then add `same_patient: {checked_by, how}` to "
        "a selector under `data:`.",
        severity="warning",
        source=_LOCK,
    ),
}

"""Codes of family A: pseudonymisation."""

from __future__ import annotations

from rttqa_build.codes.entry import Code

_RESIDUE = "docs/pseudonyms.md"
_FALSE_FIND = "docs/how-to/false-find.md"
_READERS = "docs/decisions/1-two-readers.md"
_TRIAL = "schemas/trial.schema.json"
_DOCUMENTS = "docs/decisions/5-where-things-lie.md"

_RELEASE = "A coincidence is released by a person: `rttqa-build approve` shows it and asks."

_RESIDUE_CODES: dict[str, Code] = {
    "A100": Code(
        "Patient's name in what leaves",
        "The patient's name, or a part of it, was found in something that would leave the hospital.",
        "Names that people typed into labels, comments or forms are what de-identification most often misses.",
        f"Rename it in the planning system or mend the document, export again and build. {_RELEASE}",
        source=_RESIDUE,
    ),
    "A101": Code(
        "Patient's number in what leaves",
        "A hospital, NHS, accession or study number of the patient was found in something that would leave.",
        "One number is enough to look the patient up.",
        f"Take it out in the planning system or the document, export again and build. {_RELEASE}",
        source=_RESIDUE,
    ),
    "A102": Code(
        "Birth date in what leaves",
        "The patient's date of birth was found, in one of its usual spellings.",
        "With the treating centre, a date of birth is often enough to tell who the patient is.",
        f"Take it out in the planning system or the document, export again and build. {_RELEASE}",
        source=_RESIDUE,
    ),
    "A103": Code(
        "Patient's address or telephone number in what leaves",
        "An address, postcode, email address or telephone number of the patient was found.",
        "A full postcode stands for about fifteen households.",
        f"Take it out in the planning system or the document, export again and build. {_RELEASE}",
        source=_RESIDUE,
    ),
    "A104": Code(
        "Original UID in what leaves",
        "A UID of the original objects was found.",
        "Whoever has access to the hospital's archive finds the patient by it.",
        "In a document, delete it. In an object this is a fault of the program: please report the code and the "
        "element.",
        source=_RESIDUE,
    ),
    "A105": Code(
        "Staff or institution in what leaves",
        "The name of a member of staff, or an institution, department or station, was found.",
        "It narrows down who the patient is, and staff have not agreed to be named.",
        "Take it out in the planning system; in a document, only where the trial does not ask for staff names. "
        f"{_RELEASE}",
        source=_RESIDUE,
    ),
    "A106": Code(
        "Part of an original file name in what leaves",
        "A word or number from the folder and file names of the export was found.",
        "Export folders are often named after the patient.",
        f"Rename the export folder if the word is harmless; else take it out and export again. {_RELEASE}",
        source=_RESIDUE,
    ),
    "A107": Code(
        "Identifier too short to be searched for",
        "A number or name of the original is so short that finding it would prove nothing.",
        "It was replaced where it is an attribute of its own; in free text nothing but a person can notice it.",
        "Look for it yourself in the list of texts in the report.",
        severity="info",
        source=_RESIDUE,
    ),
    "A108": Code(
        "Trial ID that is the patient's own",
        "The trial ID is a part of the patient's name, the date of birth, or the NHS number of the objects.",
        "The trial ID stands in every object, in the package's name, in the email and in Git, and is never searched "
        "for: what is put there on purpose.",
        "Give the ID under which the trial registered the patient.",
        source=_RESIDUE,
    ),
    "A109": Code(
        "Trial ID that may be the hospital's number",
        "The trial ID is also the Patient ID of the objects, and these name a person: nobody anonymised them before.",
        "A hospital number that is typed as the trial ID leaves with every object, and nothing can tell it from one.",
        "Compare it with the trial's registration; if it is the hospital's number, give the trial's own ID instead.",
        severity="warning",
        source=_RESIDUE,
    ),
    "A110": Code(
        "What was found was released",
        "A person judged that what the search found is a coincidence, and released it for this very content.",
        "The program cannot tell an ordinary word from a name; whoever reads the lock must know that a person did.",
        "Nothing, if you agree: approval.yaml says who released which element of which files, and why.",
        severity="warning",
        source=_FALSE_FIND,
    ),
    "A111": Code(
        "A release counts for nothing",
        "approval.yaml releases something that the search did not find, or that was found in other content.",
        "A release holds for the content that a person looked at, and for nothing that comes later.",
        "Nothing, if the find is gone: the next approval leaves the release out. Else look again with "
        "`rttqa-build approve`.",
        severity="warning",
        source=_FALSE_FIND,
    ),
}

_DOCUMENT_CODES: dict[str, Code] = {
    "A200": Code(
        "Type of document not supported",
        "The document is of a type that cannot be cleaned.",
        "What cannot be taken apart cannot be searched for identities.",
        "Save it as PDF, DOCX, XLSX, CSV, TXT, PNG or JPEG.",
        source=_DOCUMENTS,
    ),
    "A201": Code(
        "Document is encrypted",
        "The document is protected by a password or encrypted.",
        "Its content cannot be searched, and the reviewers could not open it.",
        "Save a copy without a password.",
        source=_DOCUMENTS,
    ),
    "A202": Code(
        "Document holds embedded files",
        "Other files are embedded in or attached to the document.",
        "They would leave unsearched.",
        "Remove the embedded objects and attachments, or list them as documents of their own.",
        source=_DOCUMENTS,
    ),
    "A203": Code(
        "Document holds macros",
        "The document holds macros that the trial does not list.",
        "Macros are programs; reviewers' systems block them, and they may hold names and paths.",
        "Use the trial's own form unchanged, or save the document without macros.",
        source=_DOCUMENTS,
    ),
    "A204": Code(
        "Document cannot be read",
        "The file is damaged, is not what its name says, or its text is in an encoding that cannot be told.",
        "What cannot be read cannot be searched, nor used by the reviewers.",
        "Open it in its program, save a fresh copy (text as UTF-8) and build again.",
        source=_DOCUMENTS,
    ),
    "A205": Code(
        "Document is too large",
        "The document, or what it unpacks to, is larger than any form or report would be.",
        "Such files are made to exhaust a computer, or hold what does not belong in a submission.",
        "Save a copy without large pictures, or split it.",
        source=_DOCUMENTS,
    ),
    "A206": Code(
        "Document holds an unsafe part",
        "The document holds a part that has no place in a form or report: a document type declaration, a data "
        "connection, active content or a shared-workbook log.",
        "Such parts fetch or hide content.",
        "Save a copy with values only, without connections, or export it as PDF.",
        source=_DOCUMENTS,
    ),
    "A207": Code(
        "Document cannot be searched as text",
        "The document is, or holds, a picture or a page without readable text.",
        "A name in a picture is invisible to the search; a person has to look.",
        "Look at every page and picture; when nothing identifies the patient, set `reviewed: true` for this "
        "document in the manifest.",
        source=_DOCUMENTS,
    ),
}

_ENGINE_CODES = {
    "A001": Code(
        "The key cannot be used",
        "The key file is missing, damaged, readable by others, inside a Git repository, or another one than pinned.",
        "Everything that leaves is pseudonymised under this key; another one gives the same patient other pseudonyms.",
        "Restore the key from its backup, and keep it where only those who need it can read it.",
        source="docs/pseudonyms.md",
    ),
    "A002": Code(
        "A file of the source is damaged",
        "A DICOM file does not end where its own lengths say, or holds something that is not DICOM.",
        "Part of it may be missing, and identities in it cannot be searched for reliably.",
        "Export it again, or take it out of the source folder.",
        source=_READERS,
    ),
    "A003": Code(
        "An object was refused",
        "A selected object could not be pseudonymised.",
        "What cannot be pseudonymised cannot be sent.",
        "Export it again; if that does not help, leave it out under `data:`.",
        source=_READERS,
    ),
    "A004": Code(
        "Line endings of a DICOM file were converted",
        "On its way the file was treated as text: every line feed in it got a carriage return.",
        "Pixels and numbers are other ones than before; nothing brings them back reliably.",
        "Export it again and transfer it as binary: FTP in binary mode, no text conversion in gateway, Git or mail.",
        source=_READERS,
    ),
    "A005": Code(
        "A value is cut off or too long",
        "A DICOM file, or a value in it, ends sooner or later than its own lengths, rows and columns say.",
        "Part of the image, plan or structure set is missing; some programs show the rest without a word.",
        "Export it again. If it arrives cut each time, look at free disk space and at how it is transferred: text "
        "mode instead of binary, which converts line endings, cuts files too.",
        source=_READERS,
    ),
    "A006": Code(
        "Bytes behind a DICOM object were left out",
        "Behind the end of the object the file holds bytes that belong to nothing.",
        "Gateways and viewers append such; they may hold names, so they never leave.",
        "Nothing, if the object looks right; else export it again.",
        severity="warning",
        source="DICOM PS3.10 7.2",
    ),
    "A007": Code(
        "A kept label holds a date",
        "A label of a plan, beam or structure that stays as it is holds what reads as a date.",
        "All dates in the objects were moved or removed; a real one beside them tells by how much.",
        "Rename it in the planning system and export again, unless it is no date of the patient's.",
        severity="warning",
        source="docs/pseudonyms.md",
    ),
    "A008": Code(
        "A face can be rebuilt",
        "Selected CT or MR images show the head.",
        "A face can be rendered from them and recognised. Pixels are sent as they are: cutting off the face would "
        "change outline and dose.",
        "Send them only where the trial asks for them, and only to its portal.",
        severity="warning",
        source="docs/pseudonyms.md",
    ),
    "A009": Code(
        "A supplied case could not be proven",
        "The trial supplies this case, and some of the selected images are none of those that it lists.",
        "Only the trial's own files keep their UIDs and dates; under others the reviewers could not lay your "
        "structures over the case.",
        "Put the files that the trial sent into the source folder, unchanged, instead of a new export of them.",
        source=_TRIAL,
    ),
    "A010": Code(
        "A file of the source may not be read",
        "The operating system does not let you read a file, or list a folder, of the source.",
        "Nobody knows what it holds: a slice, a plan or a dose may be missing from what is sent.",
        "Ask for the right to read it, or take it out of the source folder.",
        severity="warning",
        source=_READERS,
    ),
}

CODES: dict[str, Code] = {**_ENGINE_CODES, **_RESIDUE_CODES, **_DOCUMENT_CODES}

"""Codes of family K: package, lock and reproducibility.

K00x: building a package. K01x–K02x: the zip as a container. K03x: the bag. K04x: DICOM objects. K05x: links.
K06x: identifiers in text. K1xx: lock and approval.
"""

from __future__ import annotations

from rttqa_build.codes.entry import Code

_RFC = "RFC 8493 (BagIt)"
_LOCK = "schemas/lock.schema.json"
_PSEUDONYMS = "docs/pseudonyms.md"
_ZIP = "docs/decisions/2-own-zip-writer.md"
_PDF = "docs/decisions/3-summary-by-typst.md"

CODES: dict[str, Code] = {
    "K001": Code(
        "Compression differs",
        "The compression library does not give the bytes that this release was tested with.",
        "The package would differ from one built elsewhere, so nobody could rebuild and compare it.",
        "Install rttqa-build again in a new virtual environment, with the versions that it asks for, then build.",
        source=_ZIP,
    ),
    "K002": Code(
        "Rendering differs",
        "The PDF renderer does not give the bytes that this release was tested with.",
        "The clinical summary, and so the package, would differ from one built elsewhere.",
        "Install rttqa-build again in a new virtual environment, with the versions that it asks for, then build.",
        source=_PDF,
    ),
    "K003": Code(
        "Package too large for the portal",
        "The package is larger than the portal takes (portal.max_bytes in the settings).",
        "The upload would be refused after a long transfer.",
        "Leave out image series that the trial does not ask for, or arrange another way with the trial's "
        "QA contact.",
        source="schemas/settings.schema.json",
    ),
    "K004": Code(
        "Path too long",
        "A path inside the package is longer than 90 characters.",
        "Windows cannot extract long paths below a deep folder.",
        "Shorten the name of the document's role in the trial definition, or the patient's trial ID.",
    ),
    "K010": Code(
        "Not a readable zip",
        "The file is not a zip archive, or its directory cannot be read.",
        "Nothing in it can be checked or used.",
        "Build the package again; if it was transferred, compare its size and SHA-256 with the sender's.",
        source="PKWARE APPNOTE 6.3.10, section 4.3",
    ),
    "K011": Code(
        "Unsafe name",
        "An entry's name is absolute, climbs out of its folder, or holds a backslash, a drive letter or "
        "a character that file systems do not take.",
        "Extracting it could write anywhere on the receiver's computer.",
        "Do not extract this file; build the package again with rttqa-build.",
        source="PKWARE APPNOTE 6.3.10, section 4.4.17",
    ),
    "K012": Code(
        "Two entries with one name",
        "Two entries have the same name, or names that differ only in case.",
        "Which of them is extracted depends on the program, so two people would see two packages.",
        "Do not use this file; build the package again with rttqa-build.",
    ),
    "K013": Code(
        "Entry is not a plain file",
        "An entry is a link, a folder or a special file.",
        "A package holds plain files only; a link could lead outside it.",
        "Do not extract this file; build the package again with rttqa-build.",
    ),
    "K014": Code(
        "Entry that cannot be opened everywhere",
        "An entry is encrypted, or compressed by a method other than deflate.",
        "Its content cannot be checked, and import wizards cannot open it.",
        "Build the package again with rttqa-build.",
    ),
    "K015": Code(
        "Headers disagree",
        "The header in front of an entry and the archive's directory say different things about it.",
        "Programs that read one or the other would extract different files.",
        "Do not use this file; build the package again with rttqa-build.",
        source="PKWARE APPNOTE 6.3.10, section 4.3.7",
    ),
    "K016": Code(
        "Entry expands too far",
        "An entry expands to more than 200 times its size, or to more than 128 MiB from compressed data.",
        "It could fill the receiver's disk or memory.",
        "Do not extract this file; build the package again with rttqa-build.",
    ),
    "K017": Code(
        "Too many entries",
        "The archive lists more than 100,000 entries.",
        "No submission needs so many; extracting it could exhaust the receiver's computer.",
        "Do not extract this file; build the package again with rttqa-build.",
    ),
    "K018": Code(
        "Path too long in the package",
        "An entry's path is longer than 90 characters.",
        "Windows cannot extract long paths below a deep folder.",
        "Build the package again with rttqa-build, with shorter role names or a shorter trial ID.",
    ),
    "K019": Code(
        "More than the one folder",
        "An entry lies outside the one folder that a package holds, or that folder is not named "
        "`<patient>_r<revision>`.",
        "What belongs to the submission would be unclear.",
        "Build the package again with rttqa-build.",
    ),
    "K020": Code(
        "Bytes outside the entries",
        "The file holds bytes, comments or extra fields that belong to no entry.",
        "They could carry anything, unseen by whoever looks at the extracted files.",
        "Do not pass this file on; build the package again with rttqa-build.",
    ),
    "K021": Code(
        "Damaged entry",
        "An entry's content cannot be decompressed, or does not fit its length or CRC.",
        "The file is damaged or was changed after it was built.",
        "Fetch the package again, or build it again, and compare its SHA-256.",
        source="PKWARE APPNOTE 6.3.10, section 4.4.7",
    ),
    "K022": Code(
        "File of a kind that does not belong",
        "The payload holds a file of a kind that packages do not carry (a program, a DICOMDIR, an archive).",
        "Receivers do not expect it, and it cannot be checked.",
        "Build the package again; send documents as PDF, DOCX, XLSX, CSV, TXT, PNG or JPEG.",
    ),
    "K030": Code(
        "Bag file missing or malformed",
        "A file that makes the folder a BagIt bag is missing or cannot be read.",
        "Without it nobody can check that the package is complete.",
        "Build the package again with rttqa-build.",
        source=_RFC + " 2.1, 2.2",
    ),
    "K031": Code(
        "File not in the manifest",
        "The payload holds a file that the bag's manifest does not list.",
        "It was added after the package was built.",
        "Do not use this file; build the package again with rttqa-build.",
        source=_RFC + " 3",
    ),
    "K032": Code(
        "File missing from the payload",
        "The bag's manifest lists a file that is not there.",
        "The package is incomplete.",
        "Fetch the package again, or build it again.",
        source=_RFC + " 3",
    ),
    "K033": Code(
        "Checksum differs",
        "A file's SHA-256 is not the one that the bag's manifest gives.",
        "The file was changed after the package was built.",
        "Fetch the package again, or build it again, and compare its SHA-256.",
        source=_RFC + " 3",
    ),
    "K034": Code(
        "Payload-Oxum differs",
        "The bytes or files of the payload are not as many as bag-info.txt says.",
        "The package is incomplete, or its bag-info.txt was changed.",
        "Build the package again with rttqa-build.",
        source=_RFC + " 2.2.2",
    ),
    "K035": Code(
        "Tag manifest incomplete",
        "The tag manifest does not list exactly the files beside the payload.",
        "A file beside the payload could be changed unnoticed.",
        "Build the package again with rttqa-build.",
        source=_RFC + " 2.2.1",
    ),
    "K036": Code(
        "Provenance does not fit",
        "provenance.json is missing, cannot be read, or is about another payload.",
        "It is unclear from which inputs and by which tool this package was made.",
        "Build the package again with rttqa-build.",
        source="in-toto Statement v1",
    ),
    "K040": Code(
        "DICOM object unreadable",
        "A DICOM object cannot be read to its last byte.",
        "An import would fail or, worse, take part of it.",
        "Export the object again from the planning system and rebuild.",
        source="DICOM PS3.5 section 7, PS3.10 section 7",
    ),
    "K041": Code(
        "Pixel data length",
        "The pixel data are missing, or not as long as rows, columns, frames and bits ask for.",
        "Images or doses would be shown cut or shifted.",
        "Export the object again from the planning system and rebuild.",
        source="DICOM PS3.3 C.7.6.3, PS3.5 section 8",
    ),
    "K042": Code(
        "Not marked as de-identified",
        "A DICOM object does not say YES in Patient Identity Removed.",
        "It may still carry the patient's identity.",
        "Do not pass this file on; build the package again with rttqa-build.",
        source="DICOM PS3.15 E.1.1",
    ),
    "K043": Code(
        "Patient differs",
        "A DICOM object's Patient ID or Patient's Name is not the trial ID that names the package's folder.",
        "It may be another patient's, or still carry the real name.",
        "Do not pass this file on; build the package again with rttqa-build.",
        source=_PSEUDONYMS,
    ),
    "K044": Code(
        "Private element",
        "A DICOM object holds a private element.",
        "Private elements are where planning systems hide names and numbers.",
        "Do not pass this file on; build the package again with rttqa-build.",
        source="DICOM PS3.15 E.3.10",
    ),
    "K045": Code(
        "Preamble or padding not empty",
        "A DICOM object's preamble or trailing padding holds something other than zeros.",
        "It could carry anything, unseen by DICOM software.",
        "Do not pass this file on; build the package again with rttqa-build.",
        source="DICOM PS3.10 section 7.1, PS3.15 E.1.1",
    ),
    "K046": Code(
        "File meta information inconsistent",
        "A DICOM object's file meta information disagrees with the object, or holds more than it needs.",
        "Imports go by either, and would file the object under two identities.",
        "Build the package again with rttqa-build.",
        source="DICOM PS3.10 section 7.1",
    ),
    "K047": Code(
        "No DICOM object",
        "The package holds no DICOM object.",
        "There is nothing to review.",
        "Build the package again with rttqa-build.",
    ),
    "K050": Code(
        "Broken link",
        "An object refers to a plan, structure set, image or frame of reference that is not in the package.",
        "The receiver's system cannot show the dose on the plan, or the structures on the images.",
        "Select the objects that belong together, or export them together again, and rebuild.",
        source="DICOM PS3.3 C.8.8",
    ),
    "K051": Code(
        "One UID for two objects",
        "Two objects of the package have the same SOP Instance UID.",
        "An import would keep only one of them.",
        "Remove the duplicate from the selection and rebuild.",
        source="DICOM PS3.5 section 9",
    ),
    "K060": Code(
        "Patient identifier in text",
        "A text looks like an NHS or CHI number with its words around it, or like a date of birth.",
        "A patient could be identified from it.",
        "Take it out of the object's text in the planning system, or out of the document, and rebuild.",
        source="NHS Data Dictionary, NHS number check digit",
    ),
    "K061": Code(
        "Possible identifier in text",
        "A text looks like a postcode, an e-mail address, a telephone number or an NHS number.",
        "It may identify a patient; it may also be a harmless label.",
        "Look at the text; if it identifies somebody, take it out at its source and rebuild.",
        severity="warning",
    ),
    "K101": Code(
        "Program versions differ from the lock",
        "The tool, the pseudonymisation profile, the compressor or the typesetter has another version now.",
        "Other versions may give other bytes than those that were reviewed.",
        "Install the versions that the lock names, or build anew and have the lock reviewed.",
        source="docs/dependencies.md",
    ),
    "K102": Code(
        "What the lock was built from differs",
        "The manifest, the trial definition, the settings or the key is not the lock's.",
        "The lock stands for other instructions than those there are now.",
        "Run `rttqa-build build`, look at what changed, approve and commit.",
        source=_LOCK,
    ),
    "K103": Code(
        "The source is another patient's",
        "The keyed tokens of the patient numbers in the source differ from the lock's.",
        "Sending one patient's images under another's trial ID is the worst mistake that there is.",
        "Compare the source folder with the patient's record first; build only when they agree.",
        source=_LOCK,
    ),
    "K104": Code(
        "The source's objects or documents differ from the lock",
        "Objects, documents or the clinical file were added, removed or edited since the build.",
        "What would leave is not what was approved.",
        "Run `rttqa-build build`, look at the report, approve and commit; or restore the earlier export.",
        source=_LOCK,
    ),
    "K105": Code(
        "Pseudonymous UIDs differ from the lock",
        "A structure set, plan, dose or registration would leave under another UID.",
        "References from packages sent earlier would no longer find it.",
        "Run `rttqa-build build`, look at what changed, approve and commit.",
        source=_PSEUDONYMS,
    ),
    "K106": Code(
        "The content differs from the lock",
        "The files inside the package are not those that the lock describes.",
        "What would leave is not what was approved.",
        "Run `rttqa-build build`, look at the report, approve and commit.",
        source=_ZIP,
    ),
    "K107": Code(
        "The package differs from the lock",
        "The zip file's name, size or digest is not the lock's.",
        "Whoever checks the package against the lock would find it wrong.",
        "Run `rttqa-build build` and commit the new lock; the approvals stand if the content is the same.",
        source=_ZIP,
    ),
    "K108": Code(
        "Constraint verdicts differ from the lock",
        "A dose constraint comes out otherwise than in the lock.",
        "Reviewers were told another result.",
        "Run `rttqa-build build`, look at the report, approve and commit.",
        source=_LOCK,
    ),
    "K109": Code(
        "Findings differ from the lock",
        "The build finds more, less or other things than the lock lists.",
        "What was accepted at review is not what is there now.",
        "Run `rttqa-build build`, look at the findings, approve and commit.",
        source=_LOCK,
    ),
    "K110": Code(
        "No lock to compare with",
        "`build --locked` was asked for, and this submission has no lock yet.",
        "Without a lock nothing says what the package should be.",
        "Build it once with `rttqa-build build`, and commit the lock.",
    ),
    "K201": Code(
        "trial template cannot be filled in",
        "A template that the trial definition brings has a fault, or asks for a value that does not exist.",
        "Without the summary or the email there is nothing to send.",
        "Correct the template in the trial's folder (the terminal and the report name the fault), or remove it: then the shipped "
        "template is used.",
        source=_PDF,
    ),
    "K202": Code(
        "trial template cannot be typeset",
        "The trial's own summary template was filled in, but the result is not a page that can be set.",
        "Without the clinical summary there is no package.",
        "Correct the template in the trial's folder; PDF/UA needs a title, a text for every picture, and "
        "headings in order.",
        source=_PDF,
    ),
    "K203": Code(
        "trial template reaches outside",
        "The trial's own summary template loads a package or a file, or evaluates text as code.",
        "A template may fetch nothing: the summary must be the same everywhere, offline, from the values shown.",
        'Remove the words import, include, eval and plugin from the template; `#import "lib.typ"` alone is '
        "allowed.",
        source=_PDF,
    ),
    "K204": Code(
        "trial template is not an email",
        "The trial's own email template does not begin with a line `Subject: …`, an empty line and a text.",
        "The email could not be addressed.",
        "Begin the template with `Subject: …`, leave one line empty, then write the text.",
    ),
}

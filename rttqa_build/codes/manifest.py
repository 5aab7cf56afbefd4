"""Codes of family M: the manifest and the files beside it.

M0 reading YAML · M1 the schema · M2 what a schema cannot say · M3 settings, library and trial definitions ·
M4 freshness of lock, approval and receipt.
"""

from __future__ import annotations

from rttqa_build.codes.entry import Code

_MANIFEST = "schemas/manifest.schema.json"
_TRIAL = "schemas/trial.schema.json"
_SETTINGS = "schemas/settings.schema.json"
_LOCK = "schemas/lock.schema.json"
_APPROVAL = "schemas/approval.schema.json"
_RECEIPT = "schemas/receipt.schema.json"

_READING: dict[str, Code] = {
    "M001": Code(
        "file too large",
        "The file is larger than 1 MiB.",
        "A manifest of that size is no manifest: most likely another file was saved under its name.",
        "Check which file this is; long text belongs in a document below the source folder.",
    ),
    "M002": Code(
        "not UTF-8",
        "The bytes at this place are not UTF-8 text.",
        "Other encodings change names and accents from one computer to the next.",
        "Save the file as UTF-8 (in Notepad: Save as, Encoding, UTF-8).",
        source="YAML 1.2.2, section 5.2",
    ),
    "M003": Code(
        "invisible character",
        "A control character, a hidden line break or a reading-direction mark stands in the text.",
        "A reviewer cannot see it, so it could make the file say something else than what is read.",
        "Delete the character here and type the text again.",
        source="YAML 1.2.2, section 5.1",
    ),
    "M004": Code(
        "YAML cannot be read",
        "The file does not follow YAML's grammar at this place.",
        "Nothing after this place could be read, so nothing in the file was checked.",
        "Compare the line with its neighbours: indentation, colons, quotation marks, brackets.",
        source="YAML 1.2.2",
    ),
    "M005": Code(
        "tab as indentation",
        "A line is indented by a tab.",
        "YAML allows spaces only, because a tab is as wide as each editor likes.",
        "Replace the tab by spaces; let the editor insert two spaces for the Tab key.",
        source="YAML 1.2.2, section 6.1",
    ),
    "M006": Code(
        "empty file",
        "The file holds nothing but white space and comments.",
        "There is nothing to check or to build.",
        "Start from a draft: `rttqa-build new`.",
    ),
    "M007": Code(
        "nested too deeply",
        "Values are nested in one another more than 50 levels deep.",
        "No file of this tool needs that; it is a damaged file or one made to exhaust the reader.",
        "Check which file this is.",
    ),
    "M008": Code(
        "more than one document",
        "A line of three dashes begins a second document.",
        "Only one of them could be meant, and guessing which would be unsafe.",
        "Keep one document; one file per submission.",
    ),
    "M009": Code(
        "field given twice",
        "The same field stands twice in one group.",
        "Readers differ in which of the two they take.",
        "Delete one of the two lines.",
        source="YAML 1.2.2, section 3.2.1.3",
    ),
    "M010": Code(
        "anchor or reference",
        "An anchor (&name) or a reference to one (*name) is used.",
        "What a reader sees at one place would depend on another place.",
        "Write the value out; put text that begins with & or * between quotes.",
    ),
    "M011": Code(
        "type tag",
        "A value carries a YAML type tag (!name).",
        "Tags change what a value is, out of the reviewer's sight.",
        "Delete the tag; put text that begins with ! between quotes.",
    ),
    "M012": Code(
        "merge key",
        "The field '<<' would copy another group into this one.",
        "What is in force would not be what is written here.",
        "Write the fields out.",
    ),
    "M013": Code(
        "field name is not text",
        "A list or a group stands where a field's name belongs.",
        "Fields have names; nothing else can be looked up.",
        "Give the field a name; put a name that begins with [ or { between quotes.",
    ),
    "M014": Code(
        "manifest cannot be read",
        "The operating system does not let the manifest be read, or it is no file.",
        "Nothing can be said of a submission whose manifest cannot be read.",
        "Check the file's permissions, and that the drive or share is connected.",
    ),
}

_SCHEMA: dict[str, Code] = {
    "M101": Code(
        "unknown field",
        "A field is given that has no meaning here.",
        "A misspelt field would be passed over in silence, and what it should say would be missing.",
        "Correct the spelling, or delete the field.",
        source=_MANIFEST,
    ),
    "M102": Code(
        "missing field",
        "A field that must be given is not there.",
        "The trial or the tool cannot go on without it.",
        "Add the field.",
        source=_MANIFEST,
    ),
    "M103": Code(
        "wrong kind of value",
        "A value is of another kind than the field takes: text, number, list or group of fields.",
        "The value cannot be understood as it stands.",
        "Write the value in the form that the field's description shows.",
        source=_MANIFEST,
    ),
    "M104": Code(
        "value not allowed",
        "The field takes one of a few values, and this is none of them.",
        "The trial distinguishes only the listed cases.",
        "Choose one of the allowed values.",
        source=_MANIFEST,
    ),
    "M105": Code(
        "wrong form",
        "The text does not have the form that the field takes.",
        "IDs, digests, dates and the like are compared letter by letter.",
        "Write it in the form that the field's description shows.",
        source=_MANIFEST,
    ),
    "M106": Code(
        "number out of range",
        "The number is smaller or larger than the field allows.",
        "Such a value is most likely a slip of the pen or another unit.",
        "Check the number and its unit.",
        source=_MANIFEST,
    ),
    "M107": Code(
        "too few or too many entries",
        "A list or a group has too few or too many entries, or holds an entry twice.",
        "The entries could not all be used, or none would be left.",
        "Add or remove entries.",
        source=_MANIFEST,
    ),
    "M108": Code(
        "condition not met",
        "Something is required or forbidden because of what another field says.",
        "Trials ask for different things by purpose, arm and stratum.",
        "Give what this case needs, or correct the field on which it depends.",
        source=_MANIFEST,
    ),
    "M109": Code(
        "none of the possible forms",
        "The value fits none of the forms that the field takes, or more than one at a time.",
        "It would be unclear which is meant.",
        "Use exactly one of the forms that the field's description shows.",
        source=_MANIFEST,
    ),
}

_CROSS_FIELD: dict[str, Code] = {
    "M201": Code(
        "incomplete",
        "A value still says TODO.",
        "`new` writes TODO where only a person knows the answer; nothing incomplete is built or sent.",
        "Replace it, or delete the field if the trial does not ask for it.",
        source=_MANIFEST,
    ),
    "M202": Code(
        "id used twice",
        "Two objects under `data:` have the same id.",
        "`of:`, `plan:` and waivers could mean either.",
        "Give each object an id of its own.",
        source=_MANIFEST,
    ),
    "M203": Code(
        "unknown id",
        "`of:` or `plan:` names an id that no plan under `data:` has.",
        "A dose or a prescription would be tied to nothing.",
        "Use the id of a plan listed under `data:`.",
        source=_MANIFEST,
    ),
    "M204": Code(
        "structure unknown to the trial",
        "A name under `structures:` is none of the trial's structures.",
        "Constraints and review go by the trial's names; under another name it would not be found.",
        "Use the trial's name on the left and the planning system's name on the right; structures that the "
        "trial does not know need no line.",
        source=_MANIFEST,
    ),
    "M205": Code(
        "one structure under two names",
        "Two of the trial's names are mapped to the same name in the planning system.",
        "One contour cannot leave under two names.",
        "Map each to a structure of its own, or mark one as absent with the reason.",
        source=_MANIFEST,
    ),
    "M206": Code(
        "names differ only in case",
        "Two names under `structures:` differ only in upper and lower case.",
        "TG-263 names are unique ignoring case; many systems cannot tell the two apart.",
        "Keep one of the two lines.",
        source="AAPM TG-263",
    ),
    "M207": Code(
        "prescription target unknown",
        "A prescription names a target that is no structure of the trial, or one marked as absent.",
        "The dose to it could not be judged.",
        "Use the trial's name of a target that `structures:` maps.",
        source=_MANIFEST,
    ),
    "M208": Code(
        "required structure not accounted for",
        "The trial requires a structure here that `structures:` neither maps nor marks as absent.",
        "A missing structure is among the most frequent reasons for a resubmission.",
        "Map it to the name in the planning system, or write {absent: reason}.",
        source=_TRIAL,
    ),
    "M209": Code(
        "required document missing",
        "The trial requires a document for this submission that `documents:` does not list.",
        "The reviewers send a submission back that lacks it.",
        "Put the file below the source folder and list it under `documents:`.",
        source=_TRIAL,
    ),
    "M210": Code(
        "document not taken by the trial",
        "A document is none of those that the trial takes, or of another file type.",
        "What the trial did not ask for should not leave the hospital.",
        "Use one of the trial's document names and file types, or remove the line.",
        source=_TRIAL,
    ),
    "M211": Code(
        "revision without kind or reason",
        "From revision 2 on, `submission.kind` and `submission.reason` are needed.",
        "The reviewers must know whether this replaces or adds to what they have, and why.",
        "Add kind: replacement or supplement, and a reason.",
        source=_MANIFEST,
    ),
    "M212": Code(
        "finding that cannot be waived",
        "A waiver names a finding that nobody may accept.",
        "Identity, links between objects, package, digests and upload are not matters of judgement.",
        "Remove the waiver and mend the cause.",
    ),
    "M213": Code(
        "waiver of an unknown code",
        "A waiver names a code that does not exist.",
        "It would accept nothing.",
        "Copy the code from the finding.",
        source=_MANIFEST,
    ),
    "M214": Code(
        "unsafe path",
        "A path is absolute, leads upwards with '..', or is written with a backslash or a drive letter.",
        "Such a path works on one computer only, or reaches outside the source folder.",
        "Write the path relative to the source folder (the source relative to data_root), with /.",
        source=_MANIFEST,
    ),
    "M215": Code(
        "not an ID of this trial",
        "The trial ID of the patient does not have the form that the trial uses.",
        "It becomes Patient ID and Patient's Name: a slip sends the data to another patient's record.",
        "Check the trial ID against the registration.",
        source=_TRIAL,
    ),
    "M216": Code(
        "protocol version",
        "The protocol version is missing or none that the trial lists.",
        "Constraints and requirements differ between versions of a protocol.",
        "Give the version under which the patient was planned.",
        source=_TRIAL,
    ),
    "M217": Code(
        "prescription differs from the protocol",
        "Dose or number of fractions of a target differs from what the trial prescribes for this submission.",
        "Either the arm or the prescription is not what was planned.",
        "Check arm, target, dose and fractions; the reviewers will ask about a deviation.",
        severity="warning",
        source=_TRIAL,
    ),
    "M218": Code(
        "role not used by the trial",
        "A role under `data:` is none that the trial takes.",
        "What the trial did not ask for should not leave the hospital.",
        "Remove the lines, or use one of the trial's roles.",
        source=_TRIAL,
    ),
    "M219": Code(
        "no such date",
        "A date does not exist in the calendar.",
        "Deadlines are counted from it.",
        "Write the date as year-month-day.",
        source=_MANIFEST,
    ),
    "M220": Code(
        "purpose, arm or stratum not of this trial",
        "The trial's definition does not list this purpose, arm or stratum.",
        "Requirements are set by purpose, arm and stratum.",
        "Use one that `rttqa-build trials` lists for the trial.",
        source=_TRIAL,
    ),
    "M221": Code(
        "range reversed",
        "The lowest dose of a range is larger than the highest.",
        "No dose lies in such a range.",
        "Exchange min and max.",
        source=_MANIFEST,
    ),
    "M260": Code(
        "identifier of a patient",
        "A text of the manifest seems to hold an NHS, CHI or H&C number, or a date of birth.",
        "The manifest goes into Git, where it stays for ever, and parts of it into the package.",
        "Delete it; if it was committed already, tell your information governance team.",
    ),
    "M261": Code(
        "perhaps an identifier",
        "A text of the manifest looks like a postcode, telephone number, e-mail address, or a person's name.",
        "The manifest goes into Git, where it stays for ever, and parts of it into the package.",
        "Write it without; `clinical: {file: …}` keeps clinical text outside Git.",
        severity="warning",
    ),
    "M262": Code(
        "identifier of this site",
        "A text of the manifest matches a pattern that rttqa.yaml lists under `identifiers:`.",
        "The site says that such texts identify a patient; the manifest goes into Git and stays there.",
        "Delete it; if it was committed already, tell your information governance team.",
        source=_SETTINGS,
    ),
    "M250": Code(
        "waiver without a finding",
        "A waiver matches no finding of this build.",
        "The cause may be gone, or the code or `for` is misspelt; an unused waiver hides the next finding.",
        "Delete the waiver, or copy code and `for` from the finding.",
        source=_MANIFEST,
    ),
}

_LIBRARY: dict[str, Code] = {
    "M301": Code(
        "environment reference not allowed",
        "A setting refers to the environment where it may not, to a password or to a foreign variable.",
        "Only places may differ between computers; a password in a setting would end up in a log.",
        "Use ${RTTQA_…} in data_root, key_file, build_dir and portal only, never with _PASSWORD.",
        source=_SETTINGS,
    ),
    "M302": Code(
        "identifier pattern cannot be read",
        "The pattern of a local identifier is not a valid expression.",
        "It would find nothing, and the identifier could leave.",
        "Check brackets and backslashes; write the pattern between single quotes (RE2 syntax).",
        source=_SETTINGS,
    ),
    "M303": Code(
        "settings missing",
        "No readable rttqa.yaml was found.",
        "Without settings the centre, the data folder and the key are unknown.",
        "Run the command inside a submissions repository, or make one with `rttqa-build init`.",
        source=_SETTINGS,
    ),
    "M311": Code(
        "unknown trial",
        "No trial of this name is in the library.",
        "Without its definition nothing can be checked.",
        "`rttqa-build trials` lists the trials.",
        source=_TRIAL,
    ),
    "M312": Code(
        "trial definition incomplete",
        "A file of the trial's definition is missing, or its folder and its id differ.",
        "A definition is trial.yaml in a folder of its id, and a schema of the same id.",
        "Restore the file, or start again from a trial that works.",
        source=_TRIAL,
    ),
    "M313": Code(
        "shipped trial overridden",
        "The repository holds a trial under the id of one that comes with the tool, "
        "and does not say that it replaces exactly that one.",
        "A changed copy would silently be used in place of the reviewed definition.",
        "Remove the copy, give it another id, or state the digest that it replaces.",
        source=_TRIAL,
    ),
    "M314": Code(
        "trial not accepted",
        "The trial's definition is unofficial and nobody has accepted this version of it.",
        "An unofficial definition may check less, or let more out, than the trial wants.",
        "Compare it with the trial's documents, then add an entry to accept_unofficial in rttqa.yaml.",
        source=_TRIAL,
    ),
    "M315": Code(
        "schema cannot be used",
        "The trial's schema is not readable JSON, or refers to a schema that is not in the library.",
        "Manifests of this trial cannot be checked.",
        "Correct the schema; references reach only into the schemas folder.",
        source=_TRIAL,
    ),
    "M321": Code(
        "definition contradicts itself",
        "A name in the trial's definition refers to something that the definition does not have.",
        "A condition or a constraint that can never apply checks nothing.",
        "Correct the name, or define what it refers to.",
        source=_TRIAL,
    ),
    "M322": Code(
        "ambiguous structure name",
        "Two structures of the trial share a name or an alias, ignoring case and separators.",
        "A structure of the planning system would match both.",
        "Keep the alias with one of them.",
        source=_TRIAL,
    ),
    "M323": Code(
        "pattern or metric cannot be read",
        "A pattern is no valid expression, or a metric is not in TG-263 notation.",
        "It could not be applied.",
        "Write metrics like D95%[Gy], V20Gy[%], D0.1cc[Gy], Mean[Gy].",
        source=_TRIAL,
    ),
    "M324": Code(
        "severity cannot be set",
        "The definition sets the severity of a code that does not exist or whose severity is fixed.",
        "Identity, package, upload and link checks hold for every trial.",
        "Remove the line, or correct the code.",
    ),
}

_FRESHNESS: dict[str, Code] = {
    "M401": Code(
        "The manifest changed after the build",
        "The lock was built from another text of the manifest; comments and spacing don't count.",
        "The package and its approvals stand for the earlier manifest.",
        "Run `rttqa-build build`, look at the report, approve and commit.",
        source=_LOCK,
    ),
    "M402": Code(
        "The trial definition changed after the build",
        "The lock was built with another text of the trial's definition, schema or templates.",
        "What the trial asks for, or what is retained, may have changed.",
        "Run `rttqa-build build`, look at the report, approve and commit.",
        source=_LOCK,
    ),
    "M403": Code(
        "The settings changed after the build",
        "The centre or the identifier patterns in rttqa.yaml are not those of the build.",
        "They enter the package and decide what counts as identifying.",
        "Run `rttqa-build build`, look at the report, approve and commit.",
        source=_LOCK,
    ),
    "M404": Code(
        "The lock was built with another key",
        "The key's fingerprint is not the one that the lock records.",
        "Another key gives other pseudonyms: the reviewers could not match revisions of one patient.",
        "Use the centre's key again. Only if the key was replaced on purpose, build again.",
        source=_LOCK,
    ),
    "M405": Code(
        "A rebuild is needed",
        "Only the versions of the programs have changed since the lock was built.",
        "Other versions may give other bytes; submit refuses until the lock is rebuilt.",
        "Run `rttqa-build build`; if the content stays the same, the approvals stand.",
        severity="warning",
        source=_LOCK,
    ),
    "M406": Code(
        "A received revision was edited",
        "The portal received this revision, and its manifest is another one now.",
        "What was sent cannot be changed any more; the record must show what the reviewers have.",
        "Undo the edit, or raise `submission.revision` and add kind and reason.",
        source=_RECEIPT,
    ),
    "M407": Code(
        "Approvals are void",
        "The content changed after it was approved.",
        "A person must see what leaves now.",
        "Look at the new report and run `rttqa-build approve` again.",
        severity="warning",
        source=_APPROVAL,
    ),
    "M408": Code(
        "The lock is damaged",
        "lock.yaml does not have the form in which the tool writes it.",
        "Without it nobody can tell whether a package is the one that was reviewed.",
        "Bring it back with `git restore lock.yaml` in its folder, or run `rttqa-build build` again.",
        source=_LOCK,
    ),
    "M409": Code(
        "The approvals are damaged",
        "approval.yaml does not have the form in which the tool writes it.",
        "An approval that cannot be read cannot count.",
        "Bring it back with `git restore approval.yaml` in its folder, or approve again.",
        source=_APPROVAL,
    ),
    "M410": Code(
        "The receipt is damaged",
        "receipt.yaml does not have the form in which the tool writes it.",
        "It says what was sent; without it a package might be sent twice.",
        "Bring it back with `git restore receipt.yaml` in its folder. Never delete it to get on.",
        source=_RECEIPT,
    ),
    "M420": Code(
        "A file was there already",
        "`init` found a file of this name and left it as it was.",
        "Nothing of yours is overwritten; but the repository may lack what the file would have held.",
        "Run `rttqa-build init` in an empty folder, compare the two files, and add what is missing by hand.",
        severity="warning",
    ),
}

CODES: dict[str, Code] = {**_READING, **_SCHEMA, **_CROSS_FIELD, **_LIBRARY, **_FRESHNESS}

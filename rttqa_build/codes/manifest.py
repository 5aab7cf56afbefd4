"""Codes of family M: M2 what a schema cannot say of a manifest, and what must not enter Git."""

from __future__ import annotations

from rttqa_build.codes.entry import Code

_MANIFEST = "schemas/manifest.schema.json"
_TRIAL = "schemas/trial.schema.json"
_SETTINGS = "schemas/settings.schema.json"

CODES: dict[str, Code] = {
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
        "A path is absolute, leads upwards with '..', is written with a backslash or a drive letter, or has a part "
        "that no folder can be called on Windows (`CON`, a dot or a space at the end).",
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
    "M222": Code(
        "not a review that the trial asks for",
        "The trial asks for submissions of this purpose only under a condition, which this one does not fulfil.",
        "Reviewers' time is short, and data that nobody asked for should not leave the hospital.",
        "Check purpose, arm, stratum and patient number; send it where the trial's team has asked for it.",
        severity="warning",
        source=_TRIAL,
    ),
    "M223": Code(
        "number of objects",
        "More or fewer objects are listed for a role than the trial takes for this submission.",
        "An incomplete plan library, or a plan too many, is sent back.",
        "List each object that the trial asks for, with an id, below `data:`.",
        source=_TRIAL,
    ),
    "M224": Code(
        "one of several objects needed",
        "The trial asks for at least one of several kinds of object, and `data:` selects none of them.",
        "Only you can say which of the patient's images the reviewers are meant to see.",
        "Select one below `data:`, for example diagnostic_mr: {path: …}.",
        source=_TRIAL,
    ),
    "M225": Code(
        "nothing that a supplement could stand beside",
        "The manifest says `kind: supplement`, and `history/` holds no earlier revision that was received, or only "
        "what was withdrawn since.",
        "A supplement refers to what was sent before; here it must be whole by itself.",
        "If an earlier revision was received, bring its `history/` here with `git pull`. Else write "
        "`kind: replacement`, or begin with revision 1.",
        severity="warning",
        source="docs/how-to/resubmit.md",
    ),
    "M226": Code(
        "text cut short by #",
        "A text without quotes is followed by a space and a # that looks like a part of it, as in `PTV #60`.",
        "YAML ends the text before the space, and takes the rest for a comment: another structure, plan or file "
        "of the shorter name could be taken instead.",
        "Put the whole text between quotes, as 'PTV #60'; a comment begins with # and a space.",
        severity="warning",
        source="YAML 1.2.2, section 6.6",
    ),
    "M227": Code(
        "structure called 'absent'",
        "A structure of the trial is mapped to a name such as absent, none or n/a.",
        "It is looked for under this name in the planning system. That there is none, and why, would not be said.",
        "Write {absent: reason} if there is no such structure; put the name between quotes if it is called so.",
        severity="warning",
        source=_MANIFEST,
    ),
    "M260": Code(
        "identifier of a patient",
        "A text that goes into Git seems to hold an NHS, CHI or H&C number, or a date of birth.",
        "What goes into Git stays there for ever, and parts of a manifest go into the package.",
        "Delete it; if it was committed already, tell your information governance team.",
    ),
    "M261": Code(
        "perhaps an identifier",
        "A text that goes into Git looks like a postcode, telephone number, e-mail address, or a person's name.",
        "What goes into Git stays there for ever, and parts of a manifest go into the package.",
        "Write it without; `clinical: {file: …}` keeps clinical text outside Git.",
        severity="warning",
    ),
    "M262": Code(
        "identifier of this site",
        "A text that goes into Git matches a pattern that rttqa.yaml lists under `identifiers:`.",
        "The site says that such texts identify a patient; what goes into Git stays there for ever.",
        "Delete it; if it was committed already, tell your information governance team.",
        source=_SETTINGS,
    ),
    "M263": Code(
        "DICOM object among the manifests",
        "A DICOM object lies where the next commit would take it into Git.",
        "Images and plans identify the patient, and what goes into Git stays there for ever.",
        "Move it below `data_root`, outside the repository; if it was committed already, tell your information "
        "governance team.",
    ),
    "M264": Code(
        "file that cannot be searched",
        "A file beside the manifests is no text, is too large, or cannot be read.",
        "Whether it identifies anybody cannot be told, and what goes into Git stays there for ever.",
        "Move documents to the submission's source folder, outside the repository: `documents:` names them there.",
        severity="warning",
    ),
    "M228": Code(
        "trial ID of another centre",
        "The patient's trial ID does not begin as `id_prefixes:` of rttqa.yaml says that this centre's do.",
        "Under another centre's ID the reviewers file the case there, and this patient's is missing.",
        "Compare `submission: {patient: …}` with the registration; where the trial gave this centre a second prefix, "
        "shorten the one in rttqa.yaml to what they share.",
        source=_SETTINGS,
    ),
    "M230": Code(
        "little time for the review",
        "Fewer working days are left before radiotherapy than the trial asks for.",
        "A prospective review that comes too late cannot change the plan, or delays the patient.",
        "Send it today, and tell the trial's QA team the start date by telephone; bank holidays are not counted here.",
        severity="warning",
        source="schemas/trial.schema.json",
    ),
    "M231": Code(
        "review after the start",
        "The submission is for prospective review, and radiotherapy has started by its own date.",
        "The reviewers sort by purpose: a late case counts as retrospective.",
        "Correct `radiotherapy_start:`, or send it as `timely-retrospective-review`.",
        severity="warning",
        source="schemas/trial.schema.json",
    ),
    "M250": Code(
        "waiver without a finding",
        "A waiver matches no finding of this build.",
        "The cause may be gone, or the code or `for` is misspelt; an unused waiver hides the next finding.",
        "Delete the waiver, or copy code and `for` from the finding.",
        source=_MANIFEST,
    ),
}

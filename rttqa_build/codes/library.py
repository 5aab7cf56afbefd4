"""Codes of family M: M3 settings, library and trial definitions."""

from __future__ import annotations

from rttqa_build.codes.entry import Code

_MANIFEST = "schemas/manifest.schema.json"
_TRIAL = "schemas/trial.schema.json"
_SETTINGS = "schemas/settings.schema.json"

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

_CURATION: dict[str, Code] = {
    "M325": Code(
        "limits in the wrong order",
        "An optimal limit is laxer than the mandatory one, or a minimum larger than a maximum.",
        "One of the two numbers is a slip: nothing could meet both as they are meant.",
        "Compare the two with the protocol.",
        source=_TRIAL,
    ),
    "M326": Code(
        "combination of retained options",
        "The definition retains more than the default profile, and not in the one combination that has a reason.",
        "Sex, size, weight and scale factors leave only so that uptake values of PET can be computed.",
        "Remove `retain:`, or take PET images, shift dates and retain patient_characteristics.",
        source="DICOM PS3.15 annex E.3.6 and E.3.8",
    ),
    "M331": Code(
        "schema and definition disagree",
        "The trial's schema and its definition do not list the same, or one uses a name that the other lacks.",
        "What an editor offers would be refused by `check`, or the other way round.",
        "Bring the two in line; the definition says what the trial has.",
        source=_TRIAL,
    ),
    "M332": Code(
        "unknown template",
        "The folder templates/ holds a file under a name that nothing renders.",
        "A misspelt template is passed over in silence, and the tool's own is used in its place.",
        "Rename it, or delete it.",
        source=_TRIAL,
    ),
    "M333": Code(
        "example missing",
        "A trial has no valid or no invalid example, or an example lacks the file of its findings.",
        "Examples are the tests of a definition: without them a later slip goes unnoticed.",
        "Add the file; docs/writing-a-trial.md shows its form.",
        source="docs/writing-a-trial.md",
    ),
    "M334": Code(
        "example behaves otherwise",
        "`check` says something else about an example than the example expects.",
        "Either the definition does not do what was meant, or the example is out of date.",
        "Mend the definition; or, if it is right, the example or its .expected file.",
        source="docs/writing-a-trial.md",
    ),
    "M335": Code(
        "status without grounds",
        "The definition's status asks for something that it does not give.",
        "Nobody can compare a definition with documents that it does not name.",
        "List under `sources:` where each statement comes from, and under `unknown:` what could not be found.",
        source=_TRIAL,
    ),
    "M336": Code(
        "confirmed outside the tool",
        "The definition says that it is confirmed, and it does not come with the tool.",
        "Only definitions that come with the tool count as confirmed; this one is read as unofficial.",
        "Write status: unofficial, and accept it by digest in rttqa.yaml.",
        severity="warning",
        source=_TRIAL,
    ),
    "M337": Code(
        "field without help",
        "A field of the trial's schema has no title or no description.",
        "Editors show them beside the field; without them the author has to guess.",
        "Add title and description.",
        severity="warning",
        source=_MANIFEST,
    ),
    "M338": Code(
        "stray file",
        "A schema or a folder in the library belongs to no trial definition.",
        "It is never used; most likely its name is misspelt.",
        "Rename it after the trial's id, or delete it.",
        severity="warning",
        source=_TRIAL,
    ),
}

CODES: dict[str, Code] = {**_LIBRARY, **_CURATION}

"""Codes of family M: M0 reading YAML, M1 the schema."""

from __future__ import annotations

from rttqa_build.codes.entry import Code

_MANIFEST = "schemas/manifest.schema.json"

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
        "For a manifest, start from a draft: `rttqa-build new`. Any other file: `git restore` brings it back.",
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
        "The operating system does not let the manifest be read, it is no file, or it has another name (manifest.yml).",
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
    "M110": Code(
        "more than is listed",
        "The file has more findings of one kind than are listed.",
        "Nobody reads hundreds of them; most often one slip, or the wrong file, is behind them all.",
        "Mend those that are listed, or check that this is the file you mean; then check again.",
        severity="warning",
    ),
}

CODES: dict[str, Code] = {**_READING, **_SCHEMA}

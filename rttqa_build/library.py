"""Trial definitions and schemas: the repository's own first, then those that come with the tool.

Reads files when asked; the same definition is read once per :class:`Library`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rttqa_build import disk
from rttqa_build.diagnostic import NOWHERE, Location, RttqaError, exit_code, finding, ordered
from rttqa_build.manifest import Manifest
from rttqa_build.schema import CompiledSchema, did_you_mean
from rttqa_build.source import MAX_BYTES, parse
from rttqa_build.trial import Trial, consistency, definition
from rttqa_build.trial.slips import cut_short

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.schema import Schema
    from rttqa_build.source import Document

UNSAFE_PATH = "M214"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class Found(NamedTuple):
    """A trial by id: None when its definition cannot be used, and then why."""

    trial: Trial | None
    diagnostics: tuple[Diagnostic, ...] = ()


class Reading(NamedTuple):
    """What came of one manifest's bytes, as far as it could be read."""

    document: Document | None
    manifest: Manifest | None
    trial: Trial | None
    diagnostics: tuple[Diagnostic, ...]


class SchemaError(RttqaError):
    """A schema is missing or cannot be used; the message says which, line and column where."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line, self.column = line, column


def shipped(name: str) -> Path:
    """Return the tool's own ``schemas`` or ``trials``: in the wheel, or beside the package in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


@dataclass(frozen=True, slots=True)
class Library:
    """The trials that can be used in the repository at ``root`` (None: outside any repository)."""

    root: Path | None = None
    _found: dict[str, Found] = field(default_factory=dict, repr=False)
    _compiled: dict[str, CompiledSchema] = field(default_factory=dict, repr=False)

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all trials."""
        folders = (folder for where in self._places("trials") if where.is_dir() for folder in where.iterdir())
        return tuple(
            sorted({f.name for f in folders if (f / "trial.yaml").is_file() and _NAME.fullmatch(f.name)})
        )

    def trials(self) -> tuple[Found, ...]:
        """Return every trial, by id."""
        return tuple(map(self.trial, self.ids()))

    def trial(self, name: str, where: Location = NOWHERE) -> Found:
        """Return a trial; ``where`` is the place that names it."""
        if not _NAME.fullmatch(name) or self._folder(name) is None:
            hint = did_you_mean(name, self.ids())
            return Found(None, (finding("M311", "no trial has this id", where, hint=hint),))
        if name not in self._found:
            self._found[name] = self._read(name)
        return self._found[name]

    def schema(self, name: str) -> CompiledSchema:
        """Return the compiled schema ``schemas/<name>.schema.json``; raises SchemaError."""
        if name not in self._compiled:
            self._compiled[name] = CompiledSchema(self._load(f"{name}.schema.json"), self._load)
        return self._compiled[name]

    def bundled_schema(self, name: str) -> Schema:
        """Return a schema with all that it refers to inside, as editors want it; raises SchemaError."""
        return self.schema(name).contents

    def bundled_text(self, name: str) -> str:
        """Return the bundled schema as the text of a file; raises SchemaError."""
        return json.dumps(self.bundled_schema(name), ensure_ascii=False, indent=2, default=float) + "\n"

    def read_manifest(self, data: bytes, file: str) -> Reading:
        """Read and check one manifest, by YAML, schema and cross-field rules; all findings in one run.

        There is no manifest to work with when its YAML or its shape is at fault, a path leads outside, or one
        id stands for two objects of a role.
        """
        document, findings = parse(data, file)
        if document is None:
            return Reading(None, None, None, findings)
        name = document.data.get("trial") if isinstance(document.data, dict) else None
        trial, faults = self.trial(name, document.at(("trial",))) if isinstance(name, str) else Found(None)
        schema = self.schema(trial.id) if trial else self._common()
        document, said = schema.validate(document)
        if exit_code(said) or trial is None:
            every = (*findings, *faults, *said, *consistency.todo(document))
            return Reading(document, None, trial, ordered(every))
        manifest = Manifest.from_document(document)
        every = ordered((*findings, *said, *consistency.check(manifest, trial)))
        unsafe = consistency.ambiguous(manifest) or any(found.code == UNSAFE_PATH for found in every)
        sound = not exit_code(findings) and not unsafe
        return Reading(document, manifest if sound else None, trial, every)

    def read_clinical(
        self, data: bytes, file: str, manifest: Manifest
    ) -> tuple[Mapping[str, object], tuple[Diagnostic, ...]]:
        """Read the file that ``clinical: {file: …}`` names, by the rules for fields in the manifest."""
        document, findings = parse(data, file)
        whole = manifest.document.data
        if document is None or not isinstance(whole, dict):
            return {}, findings
        merged = replace(
            document,
            data={**whole, "clinical": document.data},
            values={(): (1, 1)} | {("clinical", *path): mark for path, mark in document.values.items()},
            keys={("clinical", *path): mark for path, mark in document.keys.items()},
        )
        checked, said = self.schema(manifest.trial).validate(merged)
        clinical: Any = checked.data
        unfinished = consistency.todo(replace(merged, data={"clinical": document.data}))
        said = ordered((*findings, *said, *unfinished, *cut_short(document)))
        return ({} if exit_code(said) else clinical["clinical"]), said

    def _common(self) -> CompiledSchema:
        """Return what every manifest must look like, for one whose trial is not known."""
        if "" not in self._compiled:
            whole = {"$ref": "manifest.schema.json", "unevaluatedProperties": False}
            self._compiled[""] = CompiledSchema(whole, self._load)
        return self._compiled[""]

    def _places(self, kind: str) -> tuple[Path, ...]:
        own = () if self.root is None else (self.root / kind,)
        return (*own, shipped(kind))

    def _folder(self, name: str) -> Path | None:
        folders = (place / name for place in self._places("trials"))
        return next((folder for folder in folders if (folder / "trial.yaml").is_file()), None)

    def _load(self, file: str) -> Schema:
        """Return a schema by file name, numbers exact; raises SchemaError."""
        name = file.rpartition("/")[2]
        path = self._schema_path(name)
        if path is None:
            raise SchemaError(f"the schema {name} is missing")
        try:
            schema = json.loads(disk.read(path, MAX_BYTES, name), parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            place = (error.lineno, error.colno) if isinstance(error, json.JSONDecodeError) else (0, 0)
            raise SchemaError(f"the schema {name} is not readable JSON", *place) from None
        if not isinstance(schema, dict):
            raise SchemaError(f"the schema {name} is not a group of fields")
        return schema

    def _schema_path(self, name: str) -> Path | None:
        """Return where a schema lies.

        The tool's own schemas cannot be shadowed, but for that of a trial which the repository replaces.
        """
        stem = name.removesuffix(".schema.json")
        *own, original = (place / name for place in self._places("schemas"))
        *replacing, replaced = (place / stem / "trial.yaml" for place in self._places("trials"))
        first = [original, *own]
        if replaced.is_file() and any(path.is_file() for path in replacing):
            first = [*own, original]
        return next((path for path in first if path.is_file()), None)

    def _read(self, name: str) -> Found:
        """Read a definition, its schema and its templates."""
        folder = self._folder(name)
        if folder is None:
            return Found(None)
        own = folder.parent != shipped("trials")
        label = f"trials/{name}/trial.yaml"
        document, findings = parse(disk.head(folder / "trial.yaml", MAX_BYTES + 1, label), label)
        if document is None:
            return Found(None, findings)
        document, said = self.schema("trial").validate(document)
        findings = ordered((*findings, *said, *self._schema_faults(name, own=own)))
        if exit_code(findings):
            return Found(None, findings)
        return self._checked(document, self.schema(name).contents, folder, own=own)

    def _schema_faults(self, name: str, *, own: bool) -> tuple[Diagnostic, ...]:
        """Return why a trial's schema cannot be used; shipped ones are known to be good."""
        try:
            compiled = self.schema(name)
        except SchemaError as error:
            where = Location(f"schemas/{name}.schema.json", error.line, error.column)
            return (finding("M315", error.message, where),)
        fault = compiled.fault() if own else ""
        return (finding("M315", fault, Location(f"schemas/{name}.schema.json")),) if fault else ()

    def _checked(self, document: Document, contents: Schema, folder: Path, *, own: bool) -> Found:
        templates = _templates(folder)
        digest = definition.digest(document, contents, templates)
        trial = Trial.from_document(document, digest, templates, definition.clinical_titles(contents))
        if own and trial.status == "confirmed":
            trial = replace(trial, status="unofficial")
        findings = list(definition.check(trial, document))
        if trial.id != folder.name:
            findings.append(finding("M312", "id and folder differ", document.at(("id",))))
        if own:
            findings += self._overriding(folder.name, document)
        return Found(None if exit_code(findings) else trial, ordered(findings))

    def _overriding(self, name: str, document: Document) -> Iterable[Diagnostic]:
        original = Library().trial(name).trial
        if original is None:
            return
        said = document.data.get("replaces") if isinstance(document.data, dict) else None
        if said != original.digest:
            message = (
                "the tool ships a trial of this id" if said is None else "this is not the digest shipped"
            )
            hint = f"to replace it on purpose, write replaces: {original.digest}"
            yield finding("M313", message, document.at(("id" if said is None else "replaces",)), hint=hint)


def _templates(folder: Path) -> dict[str, bytes]:
    """Return the trial's templates by name, line endings as LF."""
    where = folder / "templates"
    paths = sorted(path for path in where.iterdir() if path.is_file()) if where.is_dir() else []
    return {path.name: disk.read(path, MAX_BYTES, path.name).replace(b"\r\n", b"\n") for path in paths}

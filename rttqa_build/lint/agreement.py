"""A trial's schema × its definition → findings where they do not list the same.

The schema is read as it is written, so that every finding has its line; what it refers to is the tool's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rttqa_build.diagnostic import finding
from rttqa_build.schema import did_you_mean, fields
from rttqa_build.trial import conditions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.schema import Schema
    from rttqa_build.source import Document, Path
    from rttqa_build.trial import Trial

_SUBMISSION: Path = ("properties", "submission", "properties")
_PURPOSES = 6
_PARTS = ("if", "then", "else", "not", "allOf", "anyOf", "oneOf")


def agreement(trial: Trial, document: Document, contents: Schema) -> Iterator[Diagnostic]:
    """Yield every disagreement; ``document`` is the schema's file, ``contents`` the schema bundled."""
    listed = {"purpose": trial.purposes, "arm": trial.arms, "stratum": trial.strata}
    yield from _identity(trial, document)
    for name, values in listed.items():
        every = name == "purpose" and len(values) == _PURPOSES
        yield from _lists(name, values, (*_SUBMISSION, name), document, optional=every)
    yield from _lists("protocol", trial.protocol_versions, ("properties", "protocol"), document)
    for path, node in _groups(document.data, ()):
        yield from _compared(listed, node, path, document)
        yield from _named(trial, node, path, document)
    yield from _forbidden(trial, document)
    yield from _without_help(document, contents)


def _identity(trial: Trial, document: Document) -> Iterator[Diagnostic]:
    path: Path = ("properties", "trial", "const")
    if _at(document, path) != trial.id:
        hint = f'write "trial": {{ "const": "{trial.id}" }}'
        yield finding("M331", "the schema does not say whose it is", document.at(path), hint=hint)


def _lists(
    name: str, values: Collection[str], path: Path, document: Document, *, optional: bool = False
) -> Iterator[Diagnostic]:
    """Compare what the schema takes for a field with what the definition lists."""
    if not values or (optional and _at(document, path) is None):
        return
    offered = _values(_at(document, path))
    if not offered:
        message = f"the schema does not list the trial's values of {name}"
        hint = f'write "enum" with {", ".join(values)}'
        yield finding("M331", message, document.at(path), hint=hint)
    for value in values if offered else ():
        if value not in offered.values():
            message = f"the definition has {name} {value}, which the schema does not take"
            yield finding("M331", message, document.at(path))
    if name == "protocol":
        yield from _unknown(name, values, offered, path, document)


def _unknown(
    name: str, known: Collection[str], offered: dict[Path, str], path: Path, document: Document
) -> Iterator[Diagnostic]:
    for step, value in offered.items():
        if value not in known:
            message = f"the definition has no {name} {value}"
            hint = did_you_mean(value, known)
            yield finding("M331", message, document.at((*path, *step)), hint=hint)


def _compared(
    listed: dict[str, tuple[str, ...]], node: Schema, path: Path, document: Document
) -> Iterator[Diagnostic]:
    """Look up in the definition what a part of the schema compares purpose, arm and stratum with."""
    inside = node.get("submission", {})
    compared = inside.get("properties", {}) if isinstance(inside, dict) else {}
    for name in listed.keys() & compared.keys():
        where = (*path, "submission", "properties", name)
        yield from _unknown(name, listed[name], _values(compared[name]), where, document)


def _named(trial: Trial, node: Schema, path: Path, document: Document) -> Iterator[Diagnostic]:
    """Look up in the definition what a part of the schema requires or describes by name."""
    known = {"documents": {rule.name for rule in trial.documents}, "data": {r.role for r in trial.objects}}
    if trial.structures and trial.structures_complete:
        known["structures"] = {rule.name for rule in trial.structures}
    for group in known.keys() & node.keys():
        inside = node[group] if isinstance(node[group], dict) else {}
        named = {("properties", name): name for name in inside.get("properties", {})}
        named |= {("required", n): name for n, name in enumerate(inside.get("required", []))}
        for step, name in named.items():
            if name not in known[group]:
                where = document.key((*path, group, *step))
                hint = did_you_mean(name, known[group])
                yield finding("M331", f"the definition has no {name} under {group}:", where, hint=hint)


def _forbidden(trial: Trial, document: Document) -> Iterator[Diagnostic]:
    """Look up in the schema each field on which a condition of the definition depends."""
    for name in sorted({name for when in conditions(trial) for name in when.fields}):
        path = (*_SUBMISSION, name)
        if _at(document, path) is False:
            message = f"the definition has a condition on {name}, which the schema forbids"
            yield finding("M331", message, document.at(path))


def _without_help(document: Document, contents: Schema) -> Iterator[Diagnostic]:
    """Every clinical field has a title and a description."""
    known = fields(contents, fields(contents, contents).get("clinical", {}))
    for name, inner in known.items():
        if name != "file" and not {"title", "description"} <= _keywords(inner):
            place = next((path for path in document.keys if path[-2:] == ("properties", name)), ())
            yield finding("M337", f"clinical.{name} has no title or no description", document.key(place))


def _keywords(schema: Schema) -> set[str]:
    return {*schema, *(key for part in schema.get("allOf", []) for key in _keywords(part))}


def _groups(node: Any, path: Path) -> Iterator[tuple[Path, Schema]]:
    """Yield every ``properties`` of a schema that speaks of the whole manifest, wherever it stands."""
    steps: list[str | int] = []
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            yield (*path, "properties"), node["properties"]
        steps = [key for key in _PARTS if key in node]
    elif isinstance(node, list):
        steps = list(range(len(node)))
    for step in steps:
        yield from _groups(node[step], (*path, step))


def _values(schema: Any) -> dict[Path, str]:
    """Return the values that a schema lists, by their place in it."""
    if not isinstance(schema, dict):
        return {}
    found: dict[Path, str] = {("enum", n): str(value) for n, value in enumerate(schema.get("enum", []))}
    return found | ({("const",): str(schema["const"])} if "const" in schema else {})


def _at(document: Document, path: Path) -> Any:
    node: Any = document.data
    for step in path:
        if not isinstance(node, dict) or step not in node:
            return None
        node = node[step]
    return node

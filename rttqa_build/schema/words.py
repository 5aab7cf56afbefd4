"""What a validator reports → findings: the field's name, what it takes, never what it holds.

A validator's own messages quote values, so only its keyword, its place and the schema are used.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rttqa_build.diagnostic import MOST, Diagnostic, Location, Related, bounded, finding
from rttqa_build.schema.bundle import Schema, fields
from rttqa_build.schema.conditions import condition_of
from rttqa_build.schema.rewriting import foreign_letter, rewritten
from rttqa_build.source import dotted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jsonschema.exceptions import ValidationError

    from rttqa_build.source import Document, Path

_MOST_CANDIDATES = 2000  # to compare a word with: a trial has a hundred names
_ADD = re.compile(r"add \w+")
_BEGIN = "write one field a line, each as 'field: value'"
_TODO = re.compile(r"\bTODO\b")
_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a group of fields",
    "null": "empty",
}
_BOUNDS = {
    "minimum": ("M106", "at least {}"),
    "maximum": ("M106", "at most {}"),
    "exclusiveMinimum": ("M106", "more than {}"),
    "exclusiveMaximum": ("M106", "less than {}"),
    "multipleOf": ("M106", "a multiple of {}"),
    "minLength": ("M105", "at least {} characters long"),
    "maxLength": ("M105", "at most {} characters long"),
    "minItems": ("M107", "a list of at least {}"),
    "maxItems": ("M107", "a list of at most {}"),
    "minProperties": ("M107", "a group of at least {} fields"),
    "maxProperties": ("M107", "a group of at most {} fields"),
}


def unfinished(text: object) -> bool:
    """Return whether a text still says TODO."""
    return isinstance(text, str) and _TODO.search(text) is not None


def closest(word: str, candidates: Iterable[str]) -> str:
    """Return the candidate that ``word`` was most likely meant to be, or an empty text."""
    candidates = tuple(candidates)
    if len(candidates) > _MOST_CANDIDATES:
        return ""
    by_fold = {candidate.casefold(): candidate for candidate in sorted(candidates, reverse=True)}
    match = difflib.get_close_matches(word.casefold(), sorted(by_fold), n=1)
    return by_fold[match[0]] if match else ""


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Return a hint that names the closest candidate, or an empty text."""
    match = closest(word, candidates)
    return f"did you mean '{match}'?" if match else ""


class Wording:
    """Speaks about one bundled schema."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._speakers: dict[str, Callable[[ValidationError, Document], Iterator[Diagnostic]]] = {
            "type": self._type,
            "required": self._required,
            "dependentRequired": self._dependent,
            "enum": self._choice,
            "const": self._choice,
            "anyOf": self._alternatives,
            "oneOf": self._alternatives,
            "additionalProperties": self._unknown,
            "unevaluatedProperties": self._unknown,
            "pattern": self._pattern,
            **dict.fromkeys(_BOUNDS, self._bound),
        }

    def findings(self, errors: Iterable[ValidationError], document: Document) -> list[Diagnostic]:
        """Return the findings for all errors of one document."""
        errors, cut = _few(errors)
        result = [said for error in errors for said in self._speak(error, document)]
        result += [self._more(error, document) for error in cut]
        # Where base and trial say the same of one place, the trial's hint is the better one.
        result = list({(one.where, one.code, one.message): one for one in result}.values())
        # Fields that another part of the schema would have allowed come to nothing above; where that is
        # all that is wrong, the place is still told.
        return result or [self._other(error, document) for error in errors]

    def _more(self, error: ValidationError, document: Document) -> Diagnostic:
        where = replace(document.at(_path(error)), item="")
        return finding("M110", "from here on there is more of this kind", where)

    def _speak(self, error: ValidationError, document: Document) -> Iterator[Diagnostic]:
        """Yield what is to be said of one error, with the places of the fields that made it apply."""
        for said in self._said(error, document):
            related = () if said.code == "M201" else self._deciding(error, document, said)
            yield replace(said, related=said.related or related)

    def _deciding(self, error: ValidationError, document: Document, said: Diagnostic) -> tuple[Related, ...]:
        found = (
            (path, document.at(path))
            for name in condition_of(error, self._root, document).fields
            for path in sorted(document.keys, key=str)
            if path[-1] == name and len(path) <= 2
        )
        return tuple(
            Related(where, f"{path[-1]} is set here") for path, where in found if where != said.where
        )

    def _said(self, error: ValidationError, document: Document) -> Iterator[Diagnostic]:
        if unfinished(error.instance):
            where = document.at(_path(error))
            yield finding("M201", f"{where.item} still says TODO", where)
            return
        if said := self._own_words(error, document):
            yield finding("M108", said, document.key(_path(error)), hint=_hint(error))
            return
        speaker = self._speakers.get(str(error.validator))
        yield from speaker(error, document) if speaker else [self._other(error, document)]

    def _own_words(self, error: ValidationError, document: Document) -> str:
        """Return the schema's own message, or that for a field that is forbidden here."""
        if error.validator == "not" and not error.validator_value:
            return self._when(error, document, f"{dotted(_path(error))} does not apply")
        return str(error.schema.get("x-message", "")) if isinstance(error.schema, dict) else ""

    def _type(self, error: ValidationError, document: Document) -> Iterator[Diagnostic]:
        kinds = _kinds([error])
        as_group = _as_group(error) if "group" in kinds else ""
        yield self._must_be("M103", error, document, kinds, as_group)

    def _required(self, error: ValidationError, document: Document) -> Iterator[Diagnostic]:
        missing, given = _any(error.validator_value), _any(error.instance)
        for name in (name for name in missing if name not in given):
            yield self._missing(error, document, name, condition_of(error, self._root, document).words)

    def _dependent(self, error: ValidationError, document: Document) -> Iterator[Diagnostic]:
        needs, group = _any(error.validator_value), _any(error.instance)
        for given in sorted(needs.keys() & group.keys()):
            for name in (name for name in needs[given] if name not in group):
                yield self._missing(error, document, name, given)

    def _missing(self, error: ValidationError, document: Document, name: str, condition: str) -> Diagnostic:
        path = _path(error)
        full = dotted((*path, name))
        code, message = ("M108", f"{condition} needs {full}") if condition else ("M102", f"{full} is missing")
        inner = fields(self._root, error.schema).get(name) or self._field((*path, name))
        hint = _hint(error) or inner.get("x-hint", "") or f"add {name}:"
        return finding(code, message, document.key(path), hint=hint)

    def _field(self, path: Path) -> Schema:
        """Return the schema of a field below groups, as the whole schema has it; empty where it has none."""
        node: Schema = self._root
        for step in path:
            node = fields(self._root, node).get(str(step), {})
        return node

    def _choice(self, error: ValidationError, document: Document) -> Iterator[Diagnostic]:
        value: Any = error.validator_value
        allowed = [str(item) for item in (value if error.validator == "enum" else [value])]
        words = f"one of: {', '.join(allowed)}" if len(allowed) > 1 else allowed[0]
        guess = did_you_mean(error.instance, allowed) if isinstance(error.instance, str) else ""
        yield self._must_be("M104", error, document, words, guess)

    def _pattern(self, error: ValidationError, document: Document) -> Iterator[Diagnostic]:
        examples = error.schema.get("examples", []) if isinstance(error.schema, dict) else []
        hint = _hint(error) or (f"for example {examples[0]}" if examples else "")
        if _is_of_names(error):
            where = _of_key(error, str(error.instance), document)
            message = f"a name{_within(where)} does not have the right form"
            yield finding("M105", message, where, hint=hint)
            return
        where = document.at(_path(error))
        yield finding(
            "M105",
            self._when(error, document, f"{where.item} does not have the right form"),
            where,
            hint=hint,
        )

    def _bound(self, error: ValidationError, document: Document) -> Iterator[Diagnostic]:
        code, words = _BOUNDS[str(error.validator)]
        if error.validator in {"minLength", "minItems", "minProperties"} and error.validator_value == 1:
            where = document.at(_path(error))
            yield finding(
                code, self._when(error, document, f"{where.item} is empty"), where, hint=_hint(error)
            )
            return
        yield self._must_be(code, error, document, words.format(error.validator_value))

    def _unknown(self, error: ValidationError, document: Document) -> Iterator[Diagnostic]:
        return bounded(self._unknown_fields(error, document))

    def _unknown_fields(self, error: ValidationError, document: Document) -> Iterator[Diagnostic]:
        free = fields(self._root, error.schema).keys() - _any(error.instance).keys()
        for key in self._strange(error):
            where = _of_key(error, key, document)
            guess = did_you_mean(key, free) or self._elsewhere(key)
            hint = "; ".join(filter(None, (guess, guess and foreign_letter(key))))
            yield finding("M101", f"unknown field{_within(where)}", where, hint=hint)

    def _strange(self, error: ValidationError) -> Iterator[str]:
        """Yield the keys of a group that neither its fields nor its patterns name."""
        known = fields(self._root, error.schema)
        patterns = error.schema.get("patternProperties", {}) if isinstance(error.schema, dict) else {}
        for key in _any(error.instance):
            if key not in known and not any(re.search(pattern, key) for pattern in patterns):
                yield key

    def _elsewhere(self, key: str) -> str:
        """Return a hint when the field belongs to another group."""
        top = fields(self._root, self._root)
        homes = (
            [key]
            if key in top
            else [f"{g}.{key}" for g, sub in top.items() if key in fields(self._root, sub)]
        )
        return f"it belongs elsewhere: {homes[0]}" if homes else ""

    def _alternatives(self, error: ValidationError, document: Document) -> Iterator[Diagnostic]:
        """Speak of the form that the author most likely meant."""
        branches: dict[Any, list[ValidationError]] = {}
        for inner in error.context or ():
            branches.setdefault(inner.relative_schema_path[0], []).append(inner)
        fitting = [branch for branch in branches.values() if not any(_other_kind(e, error) for e in branch)]
        if fitting:
            meant = min(fitting, key=_distance)
            kept, cut = _few(meant)
            for inner in kept:
                yield from self._speak(inner, document)
            yield from (self._more(inner, document) for inner in cut)
        elif branches:
            every = [e for branch in branches.values() for e in branch]
            yield self._must_be("M103", error, document, _kinds(every), self._of_fields(every))
        else:
            yield self._other(error, document)

    def _of_fields(self, errors: Iterable[ValidationError]) -> str:
        """Return how the group is written that a text was given instead of; nothing where there is none."""
        known = (fields(self._root, one.schema) for one in errors if isinstance(one.instance, str))
        names = next(filter(None, known), {})
        return f"write it as {{field: value}}; the fields are {', '.join(names)}" if names else ""

    def _other(self, error: ValidationError, document: Document) -> Diagnostic:
        where = document.key(_path(error))
        name = where.item or "the file"
        hint = _hint(error)
        if error.validator in {"additionalProperties", "unevaluatedProperties"}:
            return finding("M108", f"{name} has a field that does not apply to this case", where, hint=hint)
        if error.validator == "uniqueItems":
            return finding("M107", f"{name} holds an entry twice", where, hint=hint)
        return finding(
            "M109",
            self._when(error, document, f"{name} is not in a form that the field takes"),
            where,
            hint=hint,
        )

    def _must_be(
        self, code: str, error: ValidationError, document: Document, words: str, hint: str = ""
    ) -> Diagnostic:
        where = document.at(_path(error))
        message = self._when(error, document, f"{where.item or 'the file'} must be {words}")
        told = rewritten(error.instance, words) or _of_value(_hint(error)) or hint
        return finding(code, message, where, hint=told or (_description(error) if where.item else _BEGIN))

    def _when(self, error: ValidationError, document: Document, message: str) -> str:
        condition = condition_of(error, self._root, document).words
        return f"for {condition}, {message}" if condition else message


def _few(errors: Iterable[ValidationError]) -> tuple[list[ValidationError], list[ValidationError]]:
    """Return as many errors of one part of the schema as somebody reads, and the first left out of each."""
    counts: Counter[tuple[Any, ...]] = Counter()
    kept: list[ValidationError] = []
    cut: list[ValidationError] = []
    for error in errors:
        part = tuple(error.absolute_schema_path)
        counts[part] += 1
        if counts[part] <= MOST:
            kept.append(error)
        elif counts[part] == MOST + 1:
            cut.append(error)
    return kept, cut


def _any(value: Any) -> Any:
    """Return the value; the validator's types allow for one that is not set yet."""
    return value


def _path(error: ValidationError) -> Path:
    return tuple(error.absolute_path)


def _hint(error: ValidationError) -> str:
    return str(error.schema.get("x-hint", "")) if isinstance(error.schema, dict) else ""


def _of_value(hint: str) -> str:
    """Return a hint for a value that is there; many are worded for a field that is missing."""
    added, colon, rest = hint.partition(": ")
    return rest if colon and _ADD.fullmatch(added) else hint


def _description(error: ValidationError) -> str:
    return str(error.schema.get("description", "")) if isinstance(error.schema, dict) else ""


def _as_group(error: ValidationError) -> str:
    """Return how a group is written whose first field the author gave alone."""
    needed = _any(error.schema).get("required", [])
    return f"write it as a group: {{{needed[0]}: …}}" if isinstance(error.instance, str) and needed else ""


def _of_key(error: ValidationError, key: str, document: Document) -> Location:
    """Return where a key stands without telling it: whoever typed it may have typed a patient's name."""
    return replace(document.key((*_path(error), key)), item=dotted(_path(error)))


def _within(where: Location) -> str:
    return f" in {where.item}" if where.item else ""


def _is_of_names(error: ValidationError) -> bool:
    """Return whether it is the name of a field that does not have the right form."""
    return "propertyNames" in list(error.absolute_schema_path)[-2:]


def _other_kind(inner: ValidationError, outer: ValidationError) -> bool:
    """Whether a branch fails because the value as a whole is of another kind."""
    return inner.validator == "type" and len(inner.absolute_path) == len(outer.absolute_path)


def _distance(branch: list[ValidationError]) -> tuple[int, int]:
    """Return how far a branch is from what was written: a wrong choice weighs most."""
    return sum(error.validator in {"const", "enum"} for error in branch), len(branch)


def _kinds(errors: Iterable[ValidationError]) -> str:
    names: list[str] = []
    for error in errors:
        value: Any = error.validator_value if error.validator == "type" else []
        names += [value] if isinstance(value, str) else value
    return " or ".join(dict.fromkeys(_KINDS[name] for name in names))

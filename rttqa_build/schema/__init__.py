"""Document × JSON Schema (2020-12) → findings in the author's words (M1xx).

Schemas refer to each other only through the ``resolve`` function that the caller passes; nothing is ever
fetched. Two keywords of ours may stand beside any other: ``x-message`` says what is wrong when that part of
the schema fails, ``x-hint`` what to do; ``x-when`` in an ``if`` names the condition.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rttqa_build.diagnostic import ordered
from rttqa_build.schema.bundle import Resolve, Schema, bundle, faulty_part, fields
from rttqa_build.schema.quick import sound
from rttqa_build.schema.words import Wording, did_you_mean, unfinished
from rttqa_build.source import dotted, number_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.source import Document, Json, Path

__all__ = [
    "CompiledSchema",
    "Resolve",
    "Schema",
    "bundle",
    "did_you_mean",
    "fields",
    "matches",
    "unfinished",
]

# Each pass turns the numbers that it finds in the way into text; text can let a further branch apply.
_MAX_PASSES = 5
# Of the members of a list or mapping that are at fault, nobody reads as many.
_MOST_AT_FAULT = 500


class CompiledSchema:
    """A schema with every reference resolved, ready to check any number of documents.

    ``contents`` is the self-contained schema.
    """

    def __init__(self, schema: Schema, resolve: Resolve) -> None:
        self.contents = bundle(schema, resolve)
        self._wording = Wording(self.contents)
        self._validator: Validator | None = None
        self._sound: Callable[[Json], bool] | None = None

    def fault(self) -> str:
        """Return what is wrong with the schema itself, or an empty text."""
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import SchemaError

        schema: Any = self.contents
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            place = dotted(tuple(error.absolute_path))
            return f"the schema is not valid JSON Schema{' at ' + place if place else ''}"
        return faulty_part(schema)

    def validate(self, document: Document) -> tuple[Document, tuple[Diagnostic, ...]]:
        """Return the document, numbers turned to text where text is wanted, and every finding."""
        errors = self._errors(document)
        for _ in range(_MAX_PASSES):
            places = set(_numbers_for_text(errors))
            if not places:
                break
            document = replace(document, data=_as_text(document.data, places))
            errors = self._errors(document)
        found = ordered(self._wording.findings(errors, document))
        return replace(document, unknown=_unknown(document, found)), found

    def _errors(self, document: Document) -> list[ValidationError]:
        if self._sound is None:
            self._sound = sound(self.contents, matches)
        if self._sound(document.data):
            return []
        if self._validator is None:
            self._validator = _validator(self.contents)
        data: Any = document.data
        return list(self._validator.iter_errors(data))


def _unknown(document: Document, found: Iterable[Diagnostic]) -> frozenset[Path]:
    """Return the paths of the keys that the schema does not name, or not so; of all, if not each was told."""
    if any(one.code == "M110" for one in found):
        return frozenset(document.keys)
    places = {(one.where.line, one.where.column) for one in found if one.code in {"M101", "M105"}}
    return frozenset(path for path, place in document.keys.items() if places and place in places)


_REPEATED_GROUP = re.compile(r"\)[*+{]")


def matches(pattern: str, text: str) -> bool:
    """Return whether a schema's pattern finds ``text``; ``$`` means its very end, as in ECMA 262."""
    match = (_searched_in_step if _REPEATED_GROUP.search(pattern) else _searched)(pattern, text)
    return match is not None and (not pattern.endswith("$") or match.end() == len(text))


def _searched(pattern: str, text: str) -> re.Match[str] | None:
    return re.search(pattern, text, re.ASCII)


def _searched_in_step(pattern: str, text: str) -> re.Match[str] | None:
    """Search in a time that grows with the text: Python's own search takes years over ``^(A+)+$``.

    What that search cannot do (a look ahead, half of a character) is left to Python's.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        found: re.Match[str] | None = re2.compile(pattern, options).search(text)
    except (re2.error, UnicodeEncodeError):
        return _searched(pattern, text)
    return found


def _validator(schema: Schema) -> Validator:
    # jsonschema takes 0.1 s to import: only those who validate pay.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import extend
    from referencing import Registry

    def pattern(_: Validator, pattern: str, instance: object, __: Schema) -> Iterator[ValidationError]:
        if isinstance(instance, str) and not matches(pattern, instance):
            yield ValidationError("the pattern does not match")

    standard: Any = Draft202012Validator.VALIDATORS

    def additional(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if not isinstance(instance, dict) or not isinstance(wanted, dict):
            yield from standard["additionalProperties"](validator, wanted, instance, schema)
            return
        yield from _of_few_members(
            error
            for name in instance  # in their order, where jsonschema makes a set of them
            if name not in schema.get("properties", {})
            and not any(matches(one, name) for one in schema.get("patternProperties", {}))
            for error in validator.descend(instance[name], wanted, path=name)
        )

    registry: Registry[Any] = Registry()
    own = {
        "pattern": pattern,
        "additionalProperties": additional,
        "items": lambda *given: _of_few_members(standard["items"](*given)),
    }
    extended: Any = extend(Draft202012Validator, own)  # type: ignore[no-untyped-call]  # stub
    validator: Validator = extended(schema, registry=registry)
    return validator


def _of_few_members(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """Yield the errors of a list or mapping until many of its members are at fault; no further one is read.

    Numbers that become text are no faults: all of them have to be found.
    """
    members: set[object] = set()
    for error in errors:
        if error.relative_path and not any(_numbers_for_text([error])):
            members.add(error.relative_path[0])  # before others put theirs in front of it
        yield error
        if len(members) > _MOST_AT_FAULT:
            return


def _numbers_for_text(errors: list[ValidationError]) -> Iterator[Path]:
    """Yield the places of plain numbers that failed only because text is wanted there."""
    for error in errors:
        if _is_number(error.instance) and _wants_text(error):
            yield tuple(error.absolute_path)
        yield from _numbers_for_text(list(error.context or ()))


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _wants_text(error: ValidationError) -> bool:
    wanted: Any = error.validator_value
    number: Any = error.instance
    if error.validator == "type":
        return "string" in ([wanted] if isinstance(wanted, str) else wanted)
    if error.validator in {"enum", "const"}:
        return number_text(number) in (wanted if error.validator == "enum" else [wanted])
    return False


def _as_text(data: Json, places: set[Path], path: Path = ()) -> Json:
    """Return a copy in which the numbers at some places are the text that was written."""
    if isinstance(data, list):
        return [_as_text(item, places, (*path, n)) for n, item in enumerate(data)]
    if isinstance(data, dict):
        return {key: _as_text(value, places, (*path, key)) for key, value in data.items()}
    return number_text(data) if isinstance(data, int | Decimal) and path in places else data

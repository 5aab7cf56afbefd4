"""The quick look at documents against the validator, whose word it anticipates."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rttqa_build.library import Library, shipped
from rttqa_build.schema import matches, quick
from rttqa_build.schema.quick import sound
from rttqa_build.source import parse

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.source import Json

LIBRARY = Library()
NAMES = sorted(path.name.removesuffix(".schema.json") for path in shipped("schemas").iterdir())
MANIFESTS = sorted(shipped("trials").glob("*/examples/*/*.yaml"))


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(schema)


def test_every_keyword_is_known_or_known_to_be_beyond() -> None:
    known = quick._Compiler({}, matches)._makers.keys() | quick._BEYOND
    annotations = {"format"}  # nothing is asserted by it
    others = {"unevaluatedProperties", *annotations}
    assert set(Draft202012Validator.VALIDATORS) - known <= others


@pytest.mark.parametrize("name", NAMES)
def test_it_knows_every_schema_of_the_tool(name: str) -> None:
    """Else every document would take the long way."""
    contents = LIBRARY.bundled_schema(name)
    quick._Compiler(contents, matches).test({k: v for k, v in contents.items() if k != "$id"})


def data(path: Path) -> Json:
    document, _ = parse(path.read_bytes(), path.name)
    return document.data if document else None


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: f"{path.parts[-4]}-{path.stem}")
def test_examples(path: Path) -> None:
    trial = path.parts[-4]
    contents = LIBRARY.bundled_schema(trial)
    assert sound(contents, matches)(data(path)) == validator(contents).is_valid(data(path))


def steps(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for step, one in inner for found in steps(one, (*path, step)))]


def changed(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """Return the value with ``new`` at a path; with nothing there for ``...``."""
    if not path:
        return new
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    kept = [(key, changed(one, path[1:], new) if key == path[0] else one) for key, one in pairs]
    kept = [(key, one) for key, one in kept if one is not ...]
    return dict(kept) if isinstance(value, dict) else [one for _, one in kept]


VALUES: list[Any] = [
    ...,
    None,
    True,
    0,
    1,
    Decimal("1.0"),
    -1,
    "",
    "a",
    "EP-0123",
    [],
    ["a", "a"],
    {},
    {"a": 1},
]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_it_says_of_spoilt_documents_what_the_validator_says(drawn: st.DataObject) -> None:
    path = drawn.draw(st.sampled_from(MANIFESTS))
    contents, whole = LIBRARY.bundled_schema(path.parts[-4]), data(path)
    for _ in range(drawn.draw(st.integers(1, 3))):
        place = drawn.draw(st.sampled_from(steps(whole)))
        new = drawn.draw(st.sampled_from(VALUES))
        whole = None if place == () and new is ... else changed(whole, place, new)
    said = sound(contents, matches)(whole)
    assert not said or validator(contents).is_valid(whole)


OBJECTS: list[Any] = [
    {},
    {"a": 1},
    {"b": "x"},
    {"a": 1, "b": 2},
    {"a": "x", "c": 1},
    [],
    [1, 2],
    "x",
    1,
    True,
    None,
]


@pytest.mark.parametrize(
    "schema",
    [
        {"unevaluatedProperties": False, "properties": {"a": {}}},
        {"unevaluatedProperties": False, "allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]},
        {"allOf": [{"properties": {"a": {}}}, {"unevaluatedProperties": False}]},
        {"unevaluatedProperties": False, "anyOf": [{"required": ["c"], "properties": {"c": {}}}, {}]},
        {"unevaluatedProperties": False, "if": {"properties": {"a": {"const": 1}}}, "else": False},
        {"unevaluatedProperties": {"type": "integer"}, "not": {"properties": {"a": {"const": "x"}}}},
        {"additionalProperties": False, "patternProperties": {"^[ab]$": {"type": "integer"}}},
        {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"enum": [1, "x", None]},
        {"const": True},
        {"type": "integer"},
        {"type": ["boolean", "null"]},
        {"type": "number", "maximum": 1},
        {"minProperties": 1, "maxItems": 1, "propertyNames": {"maxLength": 1}},
        {"items": {"exclusiveMinimum": 1}},
        {"$ref": "#/$defs/x", "$defs": {"x": {"additionalProperties": {"type": "integer"}}}},
        {"uniqueItems": True},
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", OBJECTS, ids=str)
def test_keywords(schema: dict[str, Any], value: Any) -> None:
    said = sound(schema, matches)(value)
    surely = not (schema.get("uniqueItems") and value == [1, 2])  # left to the validator
    assert said == (validator(schema).is_valid(value) and surely)


@pytest.mark.parametrize(
    "schema",
    [{"contains": {}}, {"properties": {"a": {"multipleOf": 2}}}, {"$ref": "#/$defs/nothing"}, {"const": {}}],
)
def test_what_is_beyond_it_is_left_to_the_validator(schema: dict[str, Any]) -> None:
    assert not sound(schema, matches)({"a": 2})

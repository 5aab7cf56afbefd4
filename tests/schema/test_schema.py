"""Schemas: findings in the author's words, places, conditions, text from numbers, references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rttqa_build.schema import CompiledSchema, bundle, matches
from rttqa_build.source import parse

if TYPE_CHECKING:
    from rttqa_build.schema import Schema


def no_references(name: str) -> Schema:
    raise KeyError(name)


def said(schema: Schema, text: str) -> list[str]:
    document, _ = parse(text.encode(), "m.yaml")
    assert document is not None
    _, found = CompiledSchema(schema, no_references).validate(document)
    return [f"{d.where.line}:{d.where.column} {d.code} {d.message} | {d.hint}" for d in found]


def group(**properties: Any) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        (
            group(fractions={}),
            "fractionz: 1",
            "1:1 M101 unknown field | did you mean 'fractions'?",
        ),
        (
            group(Fractions={}),
            "FRACTIONS: 1",
            "1:1 M101 unknown field | did you mean 'Fractions'?",
        ),
        (group(a=group(b={}), c={}), "b: 1", "1:1 M101 unknown field | it belongs elsewhere: a.b"),
        ({"required": ["a"]}, "b: 1", "1:1 M102 a is missing | add a:"),
        (group(a={"type": "integer"}), "a: 1.5", "1:4 M103 a must be a whole number"),
        (group(a={"type": ["string", "null"]}), "a: []", "1:4 M103 a must be text or empty"),
        (group(a={"type": "object"}), "a: x", "1:4 M103 a must be a group of fields"),
        (
            group(a={"enum": ["left", "right"]}),
            "a: rihgt",
            "1:4 M104 a must be one of: left, right | did you mean 'right'?",
        ),
        (group(a={"const": 1}), "a: 2", "1:4 M104 a must be 1"),
        (
            group(a={"pattern": "^x$", "examples": ["x"]}),
            "a: y",
            "1:4 M105 a does not have the right form | for example x",
        ),
        (group(a={"pattern": "^x$"}), "a: |\n  x\n", "1:4 M105 a does not have the right form"),
        (group(a={"minLength": 1}), "a: ''", "1:4 M105 a is empty"),
        (group(a={"maxLength": 2}), "a: abc", "1:4 M105 a must be at most 2 characters long"),
        (group(a={"maximum": 2}), "a: 2.1", "1:4 M106 a must be at most 2"),
        (group(a={"minItems": 1}), "a: []", "1:4 M107 a is empty"),
        (group(a={"uniqueItems": True}), "a: [1, 1]", "1:1 M107 a holds an entry twice"),
        (
            {"propertyNames": {"pattern": "^[a-z]+$"}},
            "A1: 1",
            "1:1 M105 a name does not have the right form",
        ),
        ({"dependentRequired": {"a": ["b"]}}, "a: 1", "1:1 M108 a needs b | add b:"),
        (group(a=False), "a: 1", "1:1 M108 a does not apply"),
        (
            group(a={"not": {"const": 1}, "x-message": "not one", "x-hint": "two"}),
            "a: 1",
            "1:1 M108 not one | two",
        ),
        (
            group(a={"oneOf": [{"minimum": 0}, {"maximum": 9}]}),
            "a: 1",
            "1:1 M109 a is not in a form that the field takes",
        ),
        (group(a={"type": "string", "description": "A word."}), "a: []", "1:4 M103 a must be text | A word."),
        ({"type": "object"}, "- a", "1:1 M103 the file must be a group of fields"),
        (group(a={"type": "integer"}), "a: TODO", "1:4 M201 a still says TODO"),
        (
            {"unevaluatedProperties": False, "allOf": [group(a={"type": "string"})]},
            "a: []",
            "1:4 M103 a must be text",
        ),
    ],
)
def test_words(schema: Schema, text: str, expected: str) -> None:
    (line,) = said(schema, text)
    assert line.startswith(expected)


FORMS = {
    "anyOf": [
        {"type": "string", "minLength": 2},
        group(kind={"const": "folder"}, path={"type": "string"}),
        group(kind={"const": "link"}, link={"type": "string"}),
    ]
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: x", ["1:4 M105 a must be at least 2 characters long"]),
        ("a: []", ["1:4 M103 a must be text or a group of fields"]),
        ("a: {kind: link, lnik: x}", ["1:17 M101 unknown field in a"]),
        ("a: {kind: folder, path: []}", ["1:25 M103 a.path must be text"]),
    ],
)
def test_of_several_forms_the_one_that_was_meant_counts(text: str, expected: list[str]) -> None:
    lines = said(group(a=FORMS), text)
    assert [line.split(" | ")[0] for line in lines] == expected


def conditional(then: Schema) -> Schema:
    condition = {
        "properties": {"s": {"properties": {"arm": {"enum": ["hypo", "ultra"]}}, "required": ["arm"]}}
    }
    return {
        "$ref": "#/$defs/base",
        "allOf": [{"if": condition, "then": then}],
        "$defs": {"base": {"type": "object"}},
    }


def test_conditions_read_in_the_trials_words() -> None:
    needs = conditional({"properties": {"clinical": {"required": ["psa"]}}})
    assert said(needs, "s: {arm: hypo}\nclinical: {x: 1}") == [
        "2:1 M108 arm hypo needs clinical.psa | add psa:"
    ]
    assert said(needs, "s: {arm: other}\nclinical: {x: 1}") == []
    (line,) = said(conditional({"properties": {"dose": {"maximum": 50}}}), "s: {arm: ultra}\ndose: 60")
    assert line.startswith("2:7 M106 for arm ultra, dose must be at most 50")


def test_every_finding_in_one_run() -> None:
    schema = {**group(a={"type": "integer"}, b={"enum": ["x"]}), "required": ["c"]}
    assert [line.split()[1] for line in said(schema, "a: x\nb: y\nd: z\n")] == [
        "M102",
        "M103",
        "M104",
        "M101",
    ]


def test_no_value_is_ever_told() -> None:
    schema = group(
        a={"type": "integer"},
        b={"enum": ["x"]},
        c={"pattern": "^x$"},
        d={"anyOf": [{"type": "integer"}, {"const": "x"}]},
    )
    for line in said(schema, "a: Poppins\nb: Poppins\nc: Poppins\nd: Poppins\n"):
        assert "Poppins" not in line


def coerced(schema: Schema, text: str) -> Any:
    document, _ = parse(text.encode(), "m.yaml")
    assert document is not None
    document, found = CompiledSchema(schema, no_references).validate(document)
    assert found == ()
    return document.data


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        (group(a=TEXT), "a: 2.0", {"a": "2.0"}),
        (group(a=TEXT), "a: -0", {"a": "-0"}),
        (group(a={"items": TEXT}), "a: [1, x, 2.50]", {"a": ["1", "x", "2.50"]}),
        (group(a={"type": ["number", "string"]}), "a: 1", {"a": 1}),
        (group(a={"enum": ["1.0", "2.0"]}), "a: 1.0", {"a": "1.0"}),
        (group(a={"anyOf": [TEXT, group(b=TEXT)]}), "a: {b: 7}", {"a": {"b": "7"}}),
        ({"allOf": [{"allOf": [group(a=TEXT)]}]}, "a: 7", {"a": "7"}),
        (
            {
                "properties": {"v": TEXT},
                "if": {"properties": {"v": {"const": "2.0"}}},
                "then": {"properties": {"a": TEXT}},
            },
            "v: 2.0\na: 3",
            {"v": "2.0", "a": "3"},
        ),
    ],
)
def test_a_plain_number_keeps_its_text(schema: Schema, text: str, expected: object) -> None:
    assert coerced(schema, text) == expected


def test_true_is_no_text() -> None:
    assert said(group(a=TEXT), "a: true")[0].startswith("1:4 M103")


def test_bundling_follows_references_between_files_and_inside_them() -> None:
    files: dict[str, Schema] = {
        "base.schema.json": {
            "$id": "base",
            "$defs": {"b": {"type": "string"}},
            "properties": {"x": {"$ref": "#/$defs/b"}},
        },
        "other.schema.json": {
            "properties": {"y": {"$ref": "base.schema.json#/$defs/b"}, "z": {"$ref": "other.schema.json"}}
        },
    }
    whole = {"allOf": [{"$ref": "base.schema.json"}, {"$ref": "other.schema.json"}], "$defs": {"own": {}}}
    bundled = bundle(whole, lambda name: files[name])
    assert bundled["allOf"] == [{"$ref": "#/$defs/base"}, {"$ref": "#/$defs/other"}]
    assert bundled["$defs"]["base"]["properties"]["x"] == {"$ref": "#/$defs/base/$defs/b"}
    assert bundled["$defs"]["other"]["properties"]["y"] == {"$ref": "#/$defs/base/$defs/b"}
    assert sorted(bundled["$defs"]) == ["base", "other", "own"]
    compiled = CompiledSchema(whole, lambda name: files[name])
    document, _ = parse(b"z: {y: []}\n", "m")
    assert document is not None
    assert [str(d.where) for d in compiled.validate(document)[1]] == ["m:1:8"]


def test_unknown_references_are_never_fetched() -> None:
    with pytest.raises(KeyError):
        CompiledSchema({"$ref": "https://example.org/x.schema.json"}, no_references)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        (r"^(A+)+$", "A" * 60 + "!", False),
        (r"^(A+)+$", "A" * 60, True),
        (r"^EP(-\d{2}){2}$", "EP-12-34", True),
        (r"^EP(-\d{2}){2}$", "EP-12-\u0663\u0664", False),
        (r"^(?=EP)(-?[A-Z]+)+\d$", "EP-A1", True),
        (r"^([A-Z])+$", "EP\n", False),
        (r"^([A-Z])+$", "EP\udcff", False),
    ],
)
def test_a_pattern_takes_no_more_time_than_the_text_is_long(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits

"""A quick look at a document: whether a schema has nothing at all against it.

Most documents are sound, and ``jsonschema`` takes long to import and to say so. This is no second opinion: it
follows the same rules for the data that YAML gives (no floats), says nothing of what is wrong, and where a
schema or a document goes beyond what it knows, it leaves the word to the validator.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from rttqa_build.schema.bundle import Schema, lookup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rttqa_build.source import Json

# takes a value, and the names of its fields that were looked at so far, to which it adds
Test: TypeAlias = "Callable[[Any, set[str]], bool]"
Matches: TypeAlias = "Callable[[str, str], bool]"

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, Decimal),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_BEYOND = frozenset(
    {
        *("$anchor", "$dynamicAnchor", "$dynamicRef", "contains", "dependentRequired", "dependentSchemas"),
        *("maxContains", "minContains", "multipleOf", "prefixItems", "unevaluatedItems"),
    }
)


class _BeyondError(Exception):
    """A schema or a value goes beyond what is known here."""


def sound(root: Schema, matches: Matches) -> Callable[[Json], bool]:
    """Return a test of documents against a bundled schema: True only where a validator finds no error.

    ``matches`` tells whether a schema's pattern finds a text.
    """
    try:
        test = _Compiler(root, matches).test({key: root[key] for key in root if key != "$id"})
    except (_BeyondError, re.error):
        return lambda _: False

    def sure(data: Json) -> bool:
        try:
            return test(data, set())
        except (_BeyondError, re.error):
            return False

    return sure


class _Compiler:
    """Turns the keywords of one bundled schema into tests."""

    def __init__(self, root: Schema, matches: Matches) -> None:
        self._root, self._matches = root, matches
        self._referred: dict[str, Test] = {}
        self._makers: dict[str, Callable[[Any, Schema], Test]] = {
            "$ref": self._reference,
            "type": _type,
            "enum": _choice,
            "const": lambda value, schema: _choice([value], schema),
            "pattern": self._pattern,
            "required": _required,
            "properties": self._properties,
            "patternProperties": self._pattern_properties,
            "additionalProperties": self._additional,
            "propertyNames": self._names,
            "items": self._items,
            "uniqueItems": _unique,
            "allOf": self._all,
            "anyOf": self._any,
            "oneOf": self._one,
            "not": self._not,
            "if": self._if,
            **{name: _bound(*about) for name, about in _BOUNDS.items()},
        }

    def test(self, schema: Any) -> Test:
        """Return the test for a schema."""
        if isinstance(schema, bool):
            return lambda _, __: schema
        if not isinstance(schema, dict) or "$id" in schema or schema.keys() & _BEYOND:
            raise _BeyondError
        tests = [self._makers[key](schema[key], schema) for key in schema if key in self._makers]
        if "unevaluatedProperties" in schema:
            return self._closed(tests, schema["unevaluatedProperties"])
        return tests[0] if len(tests) == 1 else _together(tests)

    def _closed(self, tests: list[Test], schema: Any) -> Test:
        """Return the test with what is wanted of fields that none of ``tests`` looks at."""
        inner = self.test(schema)

        def closed(value: Any, seen: set[str]) -> bool:
            own: set[str] = set()
            if not all(test(value, own) for test in tests):
                return False
            rest = value.keys() - own if isinstance(value, dict) else ()
            seen.update(own, rest)
            return all(inner(value[name], set()) for name in rest)

        return closed

    def _reference(self, reference: str, _: Schema) -> Test:
        def referred(value: Any, seen: set[str]) -> bool:
            if reference not in self._referred:
                try:
                    schema = lookup(self._root, reference)
                except (KeyError, TypeError):
                    raise _BeyondError from None
                self._referred[reference] = self.test(schema)
            return self._referred[reference](value, seen)

        return referred

    def _pattern(self, pattern: str, _: Schema) -> Test:
        return lambda value, _: not isinstance(value, str) or self._matches(pattern, value)

    def _properties(self, schemas: dict[str, Any], _: Schema) -> Test:
        tests = {name: self.test(schema) for name, schema in schemas.items()}

        def properties(value: Any, seen: set[str]) -> bool:
            for name in value if isinstance(value, dict) else ():
                if name in tests:
                    seen.add(name)
                    if not tests[name](value[name], set()):
                        return False
            return True

        return properties

    def _pattern_properties(self, schemas: dict[str, Any], _: Schema) -> Test:
        tests = [(re.compile(pattern), self.test(schema)) for pattern, schema in schemas.items()]

        def properties(value: Any, seen: set[str]) -> bool:
            names = value if isinstance(value, dict) else ()
            pairs = [(name, test) for name in names for pattern, test in tests if pattern.search(name)]
            seen.update(name for name, _ in pairs)
            return all(test(value[name], set()) for name, test in pairs)

        return properties

    def _additional(self, schema: Any, whole: Schema) -> Test:
        test, known = self.test(schema), whole.get("properties", {}).keys()
        patterns = [re.compile(pattern) for pattern in whole.get("patternProperties", {})]

        def additional(value: Any, seen: set[str]) -> bool:
            names = value.keys() - known if isinstance(value, dict) else ()
            rest = [name for name in names if not any(pattern.search(name) for pattern in patterns)]
            seen.update(rest)
            return all(test(value[name], set()) for name in rest)

        return additional

    def _names(self, schema: Any, _: Schema) -> Test:
        test = self.test(schema)
        return lambda value, _: not isinstance(value, dict) or all(test(name, set()) for name in value)

    def _items(self, schema: Any, _: Schema) -> Test:
        test = self.test(schema)
        return lambda value, _: not isinstance(value, list) or all(test(item, set()) for item in value)

    def _all(self, schemas: list[Any], _: Schema) -> Test:
        return _together([self.test(schema) for schema in schemas])

    def _any(self, schemas: list[Any], _: Schema) -> Test:
        tests = [self.test(schema) for schema in schemas]
        return lambda value, seen: _holding(tests, value, seen) > 0

    def _one(self, schemas: list[Any], _: Schema) -> Test:
        tests = [self.test(schema) for schema in schemas]
        return lambda value, seen: _holding(tests, value, seen) == 1

    def _not(self, schema: Any, _: Schema) -> Test:
        test = self.test(schema)
        return lambda value, _: not test(value, set())

    def _if(self, schema: Any, whole: Schema) -> Test:
        test = self.test(schema)
        then, otherwise = self.test(whole.get("then", True)), self.test(whole.get("else", True))

        def chosen(value: Any, seen: set[str]) -> bool:
            return then(value, seen) if _holding([test], value, seen) else otherwise(value, seen)

        return chosen


def _together(tests: list[Test]) -> Test:
    """Return the test that all of several hold."""

    def together(value: Any, seen: set[str]) -> bool:
        for test in tests:  # all() takes twice as long, and this is where the time goes  # noqa: SIM110
            if not test(value, seen):
                return False
        return True

    return together


def _holding(tests: list[Test], value: Any, seen: set[str]) -> int:
    """Return how many tests hold; only what those looked at counts as seen."""
    count = 0
    for test in tests:
        looked: set[str] = set()
        if test(value, looked):
            seen |= looked
            count += 1
    return count


def _type(names: str | list[str], _: Schema) -> Test:
    chosen = [names] if isinstance(names, str) else names
    kinds = tuple(kind for name in chosen for kind in _KINDS[name])
    # to Python, though not here, true and false are whole numbers
    return lambda value, _: isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _choice(values: Iterable[Any], _: Schema) -> Test:
    allowed = list(values)
    if any(isinstance(item, dict | list) for item in allowed):
        raise _BeyondError
    return lambda value, _: any(
        item == value and isinstance(item, bool) == isinstance(value, bool) for item in allowed
    )


def _required(names: list[str], _: Schema) -> Test:
    return lambda value, _: not isinstance(value, dict) or all(name in value for name in names)


def _unique(wanted: bool, _: Schema) -> Test:
    def unique(value: Any, _: set[str]) -> bool:
        if not wanted or not isinstance(value, list) or len(value) < 2:
            return True
        if not all(isinstance(item, str) for item in value):
            raise _BeyondError
        return len(set(value)) == len(value)

    return unique


def _bound(kind: str, holds: Callable[[Any, Any], bool]) -> Callable[[Any, Schema], Test]:
    """Return the maker of tests of a size: of values of one kind; others are not concerned."""
    kinds = _KINDS[kind]

    def make(limit: Any, _: Schema) -> Test:
        return lambda value, _: not isinstance(value, kinds) or isinstance(value, bool) or holds(value, limit)

    return make


def _at_least(value: Any, limit: Any) -> bool:
    return len(value) >= int(limit)


def _at_most(value: Any, limit: Any) -> bool:
    return len(value) <= int(limit)


_BOUNDS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "minLength": ("string", _at_least),
    "maxLength": ("string", _at_most),
    "minItems": ("array", _at_least),
    "maxItems": ("array", _at_most),
    "minProperties": ("object", _at_least),
    "maxProperties": ("object", _at_most),
    "minimum": ("number", lambda value, limit: value >= limit),
    "maximum": ("number", lambda value, limit: value <= limit),
    "exclusiveMinimum": ("number", lambda value, limit: value > limit),
    "exclusiveMaximum": ("number", lambda value, limit: value < limit),
}

"""Under which conditions a failing part of a schema applies, in words: ``arm hypofractionated``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rttqa_build.schema.bundle import Schema, lookup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema.exceptions import ValidationError

    from rttqa_build.source import Document, Json


class Condition(NamedTuple):
    """Conditions in words, and the fields that decide them: both empty where a part always applies."""

    words: str = ""
    fields: tuple[str, ...] = ()


def condition_of(error: ValidationError, root: Schema, document: Document) -> Condition:
    """Return the conditions under which the part of the schema that failed applies."""
    walks = list(_walks(root, root, list(error.absolute_schema_path), document.data))
    met = next((met for end, met in walks if end is error.schema), walks[0][1] if walks else [])
    words = ", ".join(one.words for one in met if one.words)
    return Condition(words, tuple(dict.fromkeys(name for one in met for name in one.fields)))


def _walks(
    root: Schema, node: Any, steps: list[str | int], data: Json
) -> Iterator[tuple[Any, list[Condition]]]:
    """Yield each way to follow ``steps``, to the schema that holds the last keyword, with its conditions.

    Validators leave ``$ref`` and ``if`` out of the steps, so a reference may have to be followed first.
    """
    step, rest = steps[0], steps[1:]
    if isinstance(node, dict) and "$ref" in node:
        yield from _walks(root, lookup(root, node["$ref"]), steps, data)
    inner = _inside(node, step)
    if inner is None:
        return
    met = [_described(node["if"], step, data)] if step in {"then", "else"} and "if" in node else []
    if rest:
        yield from ((end, met + more) for end, more in _walks(root, inner, rest, data))
    else:
        yield node, met


def _inside(node: Any, step: str | int) -> Any:
    if isinstance(node, list):
        return node[int(step)]
    return node.get(str(step)) if isinstance(node, dict) else None


def _described(condition: Schema, branch: str | int, data: Json) -> Condition:
    """Return an ``if`` in words, from the values it compares with."""
    negation = "not " if branch == "else" else ""
    compared = list(_compared(condition, data))
    own = condition.get("x-when", "")
    words = (
        f"{negation}{own}" if own else " and ".join(f"{name} {negation}{values}" for name, values in compared)
    )
    return Condition(words, tuple(name for name, _ in compared))


def _compared(condition: Any, data: Json) -> Iterator[tuple[str, str]]:
    """Yield each field that a condition compares, with those of its values that the schema lists.

    Where the document has one of them, only that is named: the words are the schema's all the same.
    """
    for name, inner in condition.get("properties", {}).items() if isinstance(condition, dict) else ():
        if isinstance(inner, dict) and ("const" in inner or "enum" in inner):
            values = inner.get("enum", [inner.get("const")])
            yield name, " or ".join(str(v) for v in [v for v in values if _holds(data, name, v)] or values)
        else:
            yield from _compared(inner, data)


def _holds(data: Json, name: str, value: object) -> bool:
    """Return whether a field of this name, at the top or in one of its groups, has this value."""
    groups = [data, *data.values()] if isinstance(data, dict) else []
    return any(isinstance(group, dict) and group.get(name) == value for group in groups)

"""One schema and those it refers to → one self-contained schema, as an editor or a validator wants it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Schema: TypeAlias = dict[str, Any]
Resolve: TypeAlias = "Callable[[str], Schema]"


def bundle(schema: Schema, resolve: Resolve) -> Schema:
    """Return ``schema`` with every schema it refers to under ``$defs``, and all ``$ref`` pointing inside.

    ``resolve`` takes the file part of a ``$ref`` and returns that schema; it raises what it likes when there
    is none. An embedded schema is named after its file: ``manifest.schema.json`` → ``#/$defs/manifest``.
    """
    embedded: dict[str, Schema] = {}
    whole = _localised(schema, "", embedded, resolve)
    return {**whole, "$defs": {**whole.get("$defs", {}), **embedded}} if embedded else whole


def _localised(node: Any, home: str, embedded: dict[str, Schema], resolve: Resolve) -> Any:
    """Rewrite the references of a part of a schema; ``home`` is where its own file will stand."""
    if isinstance(node, list):
        return [_localised(item, home, embedded, resolve) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: _localised(value, home, embedded, resolve) for key, value in node.items()}
    if isinstance(node.get("properties"), dict):
        # Errors of a bare `false` don't tell which field they are about; those of its equivalent do.
        result["properties"] = {k: {"not": {}} if v is False else v for k, v in result["properties"].items()}
    if isinstance(node.get("$ref"), str):
        result["$ref"] = _local_reference(node["$ref"], home, embedded, resolve)
    return result


def _local_reference(reference: str, home: str, embedded: dict[str, Schema], resolve: Resolve) -> str:
    file, _, pointer = reference.partition("#")
    if not file:
        return f"#{home}{pointer}"
    name = file.rpartition("/")[2].removesuffix(".json").removesuffix(".schema")
    if name not in embedded:
        embedded[name] = {}
        inner = {key: value for key, value in resolve(file).items() if key not in {"$id", "$schema"}}
        embedded[name] = _localised(inner, f"/$defs/{name}", embedded, resolve)
    return f"#/$defs/{name}{pointer}"


def lookup(root: Schema, reference: str) -> Any:
    """Return what a local reference of a bundled schema points to."""
    node: Any = root
    for part in reference.removeprefix("#").split("/")[1:]:
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return node


def faulty_part(root: Schema) -> str:
    """Return which reference leads nowhere, or that a pattern is no valid expression; else an empty text."""
    pending: list[Any] = [root]
    while pending:
        node = pending.pop()
        pending += node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
        if not isinstance(node, dict):
            continue
        if isinstance(reference := node.get("$ref"), str) and not _leads_somewhere(root, reference):
            return f"the schema's reference {reference} leads nowhere"
        if isinstance(pattern := node.get("pattern"), str) and not _is_expression(pattern):
            return "a pattern of the schema is no valid expression"
    return ""


def _leads_somewhere(root: Schema, reference: str) -> bool:
    try:
        lookup(root, reference)
    except (KeyError, TypeError):
        return False
    return True


def _is_expression(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def fields(root: Schema, schema: Any) -> dict[str, Schema]:
    """Return every field that a schema knows by name, under whatever condition."""
    result: dict[str, Schema] = {}
    for part in _parts(root, schema, set()):
        for name, inner in part.get("properties", {}).items():
            known = result.get(name)
            result[name] = inner if known is None else {"allOf": [known, inner]}
    return result


def _parts(root: Schema, schema: Any, seen: set[str]) -> Iterator[Schema]:
    """Yield a schema and all that are applied to the same value."""
    if not isinstance(schema, dict):
        return
    yield schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in seen:
        yield from _parts(root, lookup(root, reference), seen | {reference})
    inner = [schema.get(key) for key in ("then", "else")]
    for key in ("allOf", "anyOf", "oneOf"):
        inner += schema.get(key, [])
    for part in inner:
        yield from _parts(root, part, seen)

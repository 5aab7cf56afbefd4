"""Write docs/reference/, verbs and fields, from the command line and the schemas: ``make codes``."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer.main

from rttqa_build.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Schema = Mapping[str, Any]

FOLDER = Path(__file__).with_name("reference")
_SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
# Defaults that depend on the computer.
_VARYING = {"jobs": "processors, at most 8"}

_VERBS = """# Verbs

What `rttqa-build VERB --help` says, on one page. Every verb takes `--help`. Where profiles forbid .exe files,
write `python -m rttqa_build` for `rttqa-build`.

| exit code | means |
|---|---|
| 0 | clean |
| 1 | findings |
| 2 | usage or settings; a refused password |
| 3 | disk, network or portal: safe to run again |
| 70 | a bug of ours |
| 130 | interrupted |

Of several manifests all are run, and the worst exit code wins.

This page is written from `rttqa_build/cli/verbs/` by `make codes`.
"""
_MANIFEST = """# Fields of a manifest

`submissions/NAME/manifest.yaml`. Every trial's schema extends these fields: it offers its own arms and
purposes and says which fields are needed when. `rttqa-build schema TRIAL` prints a trial's; editors explain
it while you type. Where a list is given, its items have the fields; each selector in a list needs an `id`.

The file is UTF-8 YAML of at most 1 MiB, without tags, anchors and duplicate keys. `no`, `0123` and dates are
text. Paths are relative, written with `/`.

This page is written from `schemas/manifest.schema.json` by `make codes`.
"""
_SETTINGS = """# Fields of the settings

`rttqa.yaml`, at the root of a submissions repository. No secret belongs in it: passwords come from the
environment (`RTTQA_PORTAL_PASSWORD`, `RTTQA_SMTP_PASSWORD`), the keyring, or a prompt.

This page is written from `schemas/settings.schema.json` by `make codes`.
"""


def pages() -> dict[str, str]:
    """Return the text of each page by the name of its file."""
    return {
        "verbs.md": "\n".join([_VERBS, *_verbs(), ""]),
        "manifest.md": _fields(_MANIFEST, "manifest.schema.json"),
        "settings.md": _fields(_SETTINGS, "settings.schema.json"),
    }


# --- verbs -------------------------------------------------------------------------------------------------


def _verbs() -> Iterator[str]:
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined] # a group
        below = getattr(command, "commands", None) or {"": command}
        for sub, one in below.items():
            yield from _verb(f"{name} {sub}".strip(), one)


def _verb(name: str, command: Any) -> Iterator[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    words = [_argument(one) for one in arguments]
    yield f"## {name}\n"
    yield f"```text\n{' '.join(['rttqa-build', name, *(['[OPTIONS]'] if options else []), *words])}\n```\n"
    yield f"{inspect.cleandoc(command.help)}\n"
    if command.params:
        yield "| | |"
        yield "|---|---|"
        yield from (f"| `{_bare(one)}` | {_cell(one.help)} |" for one in arguments)
        yield from (f"| `{_option(one)}` | {_cell(one.help)}{_default(one)} |" for one in options)
        yield ""


def _argument(one: Any) -> str:
    several = f"{_bare(one)}{'...' if one.nargs != 1 else ''}"
    return several if one.required else f"[{several}]"


def _bare(one: Any) -> str:
    return str(one.metavar).strip("[].")


def _option(one: Any) -> str:
    names = ", ".join(one.opts)
    if one.is_flag:
        return names
    return f"{names} {one.metavar or one.type.name.upper().partition(' ')[0]}"


def _default(one: Any) -> str:
    value = _VARYING.get(one.name, getattr(one.default, "value", one.default))
    return " *Needed.*" if one.required else f" *Default*: {value}." if value and not one.is_flag else ""


# --- schemas -----------------------------------------------------------------------------------------------


def _fields(head: str, name: str) -> str:
    schema = json.loads((_SCHEMAS / name).read_text("utf-8"))
    rows = _Table(schema["$defs"]).rows(schema, "")
    return "\n".join([head, "| field | what it is | form |", "|---|---|---|", *rows, ""])


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows of a schema; ``told`` remembers where the fields of an object were shown first."""

    defs: Mapping[str, Schema]
    told: dict[str, str] = field(default_factory=dict)

    def rows(self, schema: Schema, before: str) -> Iterator[str]:
        """Yield a row for each field below ``schema``; ``before`` is the way to it."""
        for name, given in _named(schema):
            one, way = self._resolved(given), f"{before}{name}"
            words = _sentence(one.get("description") or one["title"])
            needed = " *Needed.*" if name in schema.get("required", ()) else ""
            inner = list(self._objects(one))
            known = "".join(self.told.get(_signature(each), "") for each in inner[:1])
            form = "; ".join([*self._type(one), *_limits(one), *_example(one)])
            yield f"| `{way}` | {words}{needed} | {form}{f', as in `{known}`' if known else ''} |"
            for each in [] if known else inner:
                self.told[_signature(each)] = way
                yield from self.rows(each, f"{way}.")

    def _resolved(self, given: Schema) -> Schema:
        """Return a field with what it refers to; what stands at the reference wins."""
        if "$ref" not in given:
            return given
        return {**self._resolved(self.defs[given["$ref"].removeprefix("#/$defs/")]), **given}

    def _objects(self, given: Schema) -> Iterator[Schema]:
        """Yield each form of an object that may stand in a field, by itself or in a list."""
        one = self._resolved(given)
        if any(True for _ in _named(one)):
            yield one
        choices = [*one.get("anyOf", ()), *([one["items"]] if "items" in one else [])]
        found: dict[str, Schema] = {}
        for inner in (inner for choice in choices for inner in self._objects(choice)):
            found.setdefault(_signature(inner), inner)
        yield from found.values()

    def _type(self, one: Schema) -> Iterator[str]:
        if "const" in one:
            yield f"`{one['const']}`"
        elif "enum" in one:
            yield ", ".join(f"`{each}`" for each in one["enum"])
        elif "anyOf" in one:
            yield " or ".join(dict.fromkeys(self._name(choice) for choice in one["anyOf"]))
        else:
            yield self._name(one)

    def _name(self, given: Schema) -> str:
        kinds = self._resolved(given)["type"]
        return " or ".join(_NAMES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))


_NAMES = {
    "string": "text", "integer": "whole number", "number": "number", "boolean": "true or false",
    "array": "list", "object": "fields", "null": "null",
}  # fmt: skip
_LIMITS = {"exclusiveMinimum": "more than", "minimum": "at least", "maximum": "at most"}


def _named(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the fields of an object: those with a name, then those that follow a pattern, then any."""
    yield from ((name, one) for name, one in schema.get("properties", {}).items() if one)
    for pattern, one in schema.get("patternProperties", {}).items():
        yield pattern.lstrip("^").partition("[")[0] + "…", one
    if isinstance(one := schema.get("additionalProperties"), dict):
        yield "NAME", one


def _signature(schema: Schema) -> str:
    return json.dumps(list(_named(schema)), sort_keys=True)


def _limits(one: Schema) -> Iterator[str]:
    yield from (f"{words} {one[key]}" for key, words in _LIMITS.items() if key in one)


def _example(one: Schema) -> Iterator[str]:
    hint, shown = one.get("x-hint", ""), [_yaml(each) for each in one.get("examples", ())]
    if hint:
        yield _cell(hint)
    if shown and shown[0] not in hint:
        yield f"for example `{_cell(shown[0])}`"


def _yaml(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _sentence(text: str) -> str:
    return _cell(text.rstrip(".")) + "."


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")

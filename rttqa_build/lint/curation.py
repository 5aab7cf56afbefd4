"""``trials new``: a first definition with its schema and examples, which passes ``trials check`` as it is."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.diagnostic import UsageError
from rttqa_build.library import Library, shipped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VERBS = ("check", "new", "show")
_ID = re.compile(r"[a-z][a-z0-9-]{0,31}")  # one of digits alone would be a number in a manifest
_FILES: Mapping[str, str] = {
    "trial.yaml": "trials/@ID@/trial.yaml",
    "schema.json": "schemas/@ID@.schema.json",
    "valid.yaml": "trials/@ID@/examples/valid/data-collection.yaml",
    "invalid.yaml": "trials/@ID@/examples/invalid/incomplete.yaml",
    "invalid.expected": "trials/@ID@/examples/invalid/incomplete.expected",
}


def begin(root: Path, name: str) -> tuple[str, ...]:
    """Write a first definition into the library at ``root``; return the files, relative to it.

    Raises UsageError when ``name`` is no id or is taken; no file is ever overwritten.
    """
    tools_own = (shipped("schemas") / f"{name}.schema.json").is_file()
    if name in Library(root).ids():
        raise UsageError("there is a trial of this id already", f"show it: `rttqa-build trials {name}`")
    if not _ID.fullmatch(name) or name in VERBS or tools_own or not disk.is_portable(name):
        raise UsageError(
            "this cannot be a trial's id",
            "a lower-case letter, then such letters, digits and hyphens, at most 32",
        )
    places = {template: root / path.replace("@ID@", name) for template, path in _FILES.items()}
    taken = next((path for path in places.values() if path.exists()), None)
    if taken is not None:
        raise UsageError(f"{taken.relative_to(root).as_posix()} is there already", "move it away first")
    for template, path in places.items():
        disk.write(path, _filled(template, name))
    return tuple(path.relative_to(root).as_posix() for path in places.values())


def _filled(template: str, name: str) -> bytes:
    text = (resources.files("rttqa_build") / "data" / "scaffold" / "trial" / template).read_text("utf-8")
    prefix = "".join(part[0] for part in name.split("-") if part).upper()
    words = {"ID": name, "NAME": name.upper(), "PREFIX": prefix}
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text.encode()

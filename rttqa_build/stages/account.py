"""What became of every file of a source: ``deidentification.json``, which is never uploaded.

It holds no value: files by digest and fate, rules by attribute and count.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rttqa_build.deidentify import dictionary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rttqa_build.deidentify.policy import Action
    from rttqa_build.stages.objects import Done
    from rttqa_build.stages.order import Paper
    from rttqa_build.study import Fate

    Rules = frozenset[tuple[tuple[int, Action], int]]


@dataclass(frozen=True, slots=True)
class Files:
    """What became of every file of a source.

    ``done``: the objects that were rewritten; ``papers``: the documents; ``fates``: all files that were not
    asked for; ``wanted``: digest → role of each file that was, whatever came of it. ``package``: the name of
    what was made, empty when a finding forbade it. ``held``: the finds that wait for a person's release.
    """

    done: tuple[Done[Any], ...] = ()
    fates: tuple[Fate, ...] = ()
    papers: tuple[Paper, ...] = ()
    wanted: Mapping[str, str] = field(default_factory=dict)
    package: str = ""
    held: Mapping[str, object] = field(default_factory=dict)


def account(files: Files, profile: str) -> bytes:
    """Return ``deidentification.json``: per file what rule did what how often; each source file's fate.

    Fates: ``used``; ``refused`` for what could not be cleaned; ``selected`` for what was to be sent when
    another finding stopped the build; else why it was left out. A line for each file: there are tens of
    thousands of rules in a large case.
    """
    objects = [_object(one) for one in sorted(files.done, key=lambda one: one.task.path)]
    documents: list[dict[str, object]] = [
        {"source": one.original, "fate": "used", "role": f"document:{one.name}", "path": one.path}
        for one in files.papers
    ]
    told = {row["source"] for row in [*objects, *documents]}
    stopped = "refused" if files.done else "selected"
    unused = [
        {"source": digest, "fate": stopped, "role": role}
        for digest, role in sorted(files.wanted.items(), key=lambda pair: (pair[1], pair[0]))
        if digest not in told
    ]
    others = sorted(
        ({"source": f.file.sha256, "fate": str(f.reason), "detail": f.detail} for f in files.fates),
        key=lambda row: (row["fate"], row["source"]),
    )
    facts = {"deidentification": 1, "profile": profile, "package": files.package or None}
    head = json.dumps(facts | ({"held": files.held} if files.held else {}))
    rows = [*objects, *documents, *unused, *others]
    lines = [part for row in rows for part in (b",\n", json.dumps(row).encode())][1:]
    return b"".join([head[:-1].encode(), b', "files": [\n', *lines, b"\n]}\n"])  # tens of megabytes: once


def _object(one: Done[Any]) -> dict[str, object]:
    row: dict[str, object] = {"source": one.task.instance.file.sha256, "fate": "used", "role": one.task.role}
    if not one.rules:
        return row | {"fate": "refused"}
    return row | {"path": one.task.path, "rules": _rules(frozenset(one.rules.items()))}


def paths(data: bytes) -> dict[str, str]:
    """Return path in the package → digest of the original, from a ``deidentification.json``."""
    rows = json.loads(data)["files"]
    return {row["path"]: row["source"] for row in rows if "path" in row}


@functools.lru_cache(maxsize=64)
def _rules(rules: Rules) -> tuple[dict[str, object], ...]:
    """Return the rows of what was done to an object: the same for most slices of a series."""
    return tuple(
        {"tag": f"{tag:08X}", "keyword": keyword(tag), "rule": action.value, "count": count}
        for (tag, action), count in sorted(rules, key=lambda rule: (rule[0][0], rule[0][1].value))
    )


def keyword(tag: int) -> str:
    """Return the DICOM keyword of a tag; private and unknown ones have none."""
    return dictionary.keyword(tag) or ("private" if tag >> 16 & 1 else "unknown")

"""The facts of PS3.15 Table E.1-1 and the reviewed keep list, as the data files give them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Row:
    """One row of Table E.1-1: the basic profile's action codes and those of the options we use."""

    tag: str
    keyword: str
    vr: str
    basic: str
    modified_dates: str
    descriptors: str
    patient: str

    @property
    def number(self) -> int | None:
        """Return the tag as a number, or None for repeating groups and the private wildcard."""
        try:
            return int(self.tag, 16)
        except ValueError:
            return None

    def covers(self, tag: int) -> bool:
        """Return whether the row's tag, with its wildcards, names ``tag``."""
        if self.tag == "ggggeeee":
            return bool(tag >> 16 & 1)
        return all(mine in ("x", theirs) for mine, theirs in zip(self.tag, f"{tag:08X}", strict=True))


@dataclass(frozen=True, slots=True)
class Kept:
    """One line of the keep list."""

    tag: int
    keyword: str
    action: str
    dummy: str
    reason: str


@dataclass(frozen=True, slots=True)
class SafePrivate:
    """The private elements of one creator that a trial may retain, by their low bytes."""

    group: int
    creator: bytes
    elements: frozenset[int]


def read_table() -> tuple[Row, ...]:
    """Return every row of the table, in the order of the standard."""
    return tuple(
        Row(r["tag"], r["keyword"], r["vr"], r["basic"], r["modified_dates"], r["descriptors"], r["patient"])
        for r in _read("ps3_15_e1_1.csv")
    )


def read_keep_list() -> tuple[Kept, ...]:
    """Return every line of the keep list."""
    return tuple(
        Kept(int(r["tag"], 16), r["keyword"], r["action"], r["dummy"], r["reason"]) for r in _read("keep.csv")
    )


def read_safe_private() -> tuple[SafePrivate, ...]:
    """Return the private elements that a trial may retain."""
    found: dict[tuple[int, bytes], set[int]] = {}
    for row in _read("safe_private.csv"):
        found.setdefault((int(row["group"], 16), row["creator"].encode()), set()).add(int(row["element"], 16))
    return tuple(SafePrivate(group, creator, frozenset(low)) for (group, creator), low in found.items())


def read_defined_terms() -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Return attributes by tag, each with the terms that the standard defines for it."""
    return tuple(
        (int(r["tag"], 16), tuple(term.replace("|", " ") for term in r["terms"].split()))
        for r in _read("defined_terms.csv")
    )


def _read(name: str) -> Iterator[Mapping[str, str]]:
    text = files("rttqa_build").joinpath("data", name).read_text(encoding="utf-8")
    return iter(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))

"""A parsed document: its data, and where each part of it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from rttqa_build.diagnostic import Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

Json: TypeAlias = "bool | int | Decimal | str | list[Json] | dict[str, Json] | None"
Path: TypeAlias = "tuple[str | int, ...]"


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document: its data, and where each key and value stands (1-based line and column).

    ``unknown`` are paths of keys that no schema names: whoever typed them may have typed a patient's name, so
    no location tells them.
    """

    file: str
    data: Json = field(repr=False)
    values: Mapping[Path, tuple[int, int]] = field(default_factory=dict, repr=False)
    keys: Mapping[Path, tuple[int, int]] = field(default_factory=dict, repr=False)
    text: str = field(default="", repr=False)
    unknown: frozenset[Path] = field(default=frozenset(), repr=False)

    def at(self, path: Path) -> Location:
        """Return the location of the value at ``path``, or of its nearest ancestor that has one."""
        return self._nearest(self.values, path)

    def key(self, path: Path) -> Location:
        """Return the location of the key at ``path``; for an entry of a list, of the entry itself."""
        return self._nearest(self.keys if path in self.keys else self.values, path)

    def texts(self) -> Iterator[tuple[Path, str]]:
        """Yield every text value with its path."""
        yield from _texts(self.data, ())

    def names(self) -> Iterator[tuple[Path, str]]:
        """Yield every key, with the path of what it names."""
        yield from ((path, name) for path in self.keys if isinstance(name := path[-1], str))

    def _nearest(self, marks: Mapping[Path, tuple[int, int]], path: Path) -> Location:
        known = next((path[:n] for n in range(len(path), -1, -1) if path[:n] in marks), None)
        line, column = (1, 1) if known is None else marks[known]
        ours = next((path[: n - 1] for n in range(1, len(path) + 1) if path[:n] in self.unknown), path)
        return Location(self.file, line, column, dotted(ours))


def _texts(data: Json, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict | list):
        for step, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from _texts(value, (*path, step))


def dotted(path: Path) -> str:
    """Return a path as people write it: ``data.plan[0].label``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")

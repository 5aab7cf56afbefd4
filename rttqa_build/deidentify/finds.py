"""Residue findings → the places where they lie and what stands there, for a person who judges coincidences.

A :class:`Find` ties a finding to one file of the package and one element in it. What stands there is for a
person on a terminal: no ``repr`` shows it, nothing here is serialised. What cannot be shown is not released.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from rttqa_build.deidentify.charset import decoded
from rttqa_build.deidentify.elements import walk
from rttqa_build.deidentify.identity import identifying_tags
from rttqa_build.deidentify.residue import keyword_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rttqa_build.deidentify.elements import Leaf, Stream
    from rttqa_build.deidentify.residue import Scanner
    from rttqa_build.diagnostic import Diagnostic

    Scan: TypeAlias = Callable[[str], Iterable[Diagnostic]]

Place: TypeAlias = tuple[str, str, str]  # code, file, element

# words, digit runs and dates may coincide; UIDs of 64 digits and eight equal bytes do not
RELEASABLE = frozenset({"A100", "A101", "A102", "A103", "A105", "A106"})
_READABLE = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "SH", "ST", "TM", "UC", "UR", "UT"}
)
_SPECIFIC_CHARACTER_SET = 0x00080005
_WIDEST = 3  # lines that one find may be spread over
_FEW = 8  # lines that are searched one by one; more are halved
_TAKEN = "\N{MIDDLE DOT}"


@dataclass(frozen=True, slots=True)
class Find:
    """One place where identities were found: the finding, the file of the package, the element in it.

    ``element`` is a path of keywords, or lines of a document's text. ``shown`` is what stands there; nothing,
    where a person could not judge it.
    """

    told: Diagnostic
    file: str
    element: str
    shown: tuple[str, ...] = field(default=(), repr=False)

    @property
    def place(self) -> Place:
        """Return code, file and element: what a release names."""
        return self.told.code, self.file, self.element

    @property
    def releasable(self) -> bool:
        """Whether it may be a coincidence, and a person can see it."""
        return self.told.code in RELEASABLE and bool(self.shown)


def in_object(stream: Stream, file: str, told: Iterable[Diagnostic], scanner: Scanner) -> tuple[Find, ...]:
    """Return a find for each residue finding of one finished object; ``file`` is its path in the package.

    Nothing is shown of binary values, nor of attributes that hold identities by their definition: what is
    found there is a fault, never a coincidence.
    """
    found = tuple(told)
    leaves: dict[str, list[tuple[Leaf, frozenset[str]]]] = {one.where.item: [] for one in found}
    charsets: tuple[str, ...] = ()
    for leaf in walk(stream) if found else ():
        if leaf.tag == _SPECIFIC_CHARACTER_SET:
            charsets = (*charsets, leaf.value.decode("ascii", "replace"))
        if (place := keyword_path(leaf)) in leaves:
            leaves[place].append((leaf, decoded(leaf.value, charsets)))
    return tuple(Find(one, file, one.where.item, _shown(leaves[one.where.item], scanner)) for one in found)


def _shown(leaves: Sequence[tuple[Leaf, frozenset[str]]], scanner: Scanner) -> tuple[str, ...]:
    if any(leaf.vr not in _READABLE or leaf.tag in identifying_tags() for leaf, _ in leaves):
        return ()
    texts = {text for _, read in leaves for text in read}
    return tuple(sorted({text for text in texts if scanner.identifies(text)} or texts))


def in_text(text: str, file: str, told: Iterable[Diagnostic], scan: Scan) -> tuple[Find, ...]:
    """Return a find for each line that holds what was found in a text, or few lines that do together.

    ``scan`` searches a part of the text as the whole was searched. Where lines do not account for all of it,
    there is one find, which shows nothing.
    """
    found = tuple(told)
    places = {code: _places(text.split("\n"), code, scan) for code in {one.code for one in found}}
    return tuple(
        Find(one, file, element, shown)
        for one in found
        for element, shown in (places[one.code] or {"text": ()}).items()
    )


def _places(lines: Sequence[str], code: str, scan: Scan) -> dict[str, tuple[str, ...]]:
    """Return name of the place → what stands there; nothing where something is left unexplained."""

    def holds(text: str) -> bool:
        return any(one.code == code for one in scan(text))

    rest = list(lines)
    found = dict(_windows(rest, holds))
    return {} if holds("\n".join(rest)) else found


def _windows(rest: list[str], holds: Callable[[str], bool]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the smallest runs of lines that hold something, and strike each out in ``rest``."""
    for size in range(1, _WIDEST + 1):
        for first in _starts(rest, size, holds):
            window = rest[first : first + size]
            if _TAKEN not in window and holds("\n".join(window)):
                name = f"lines {first + 1}-{first + size}" if size > 1 else f"line {first + 1}"
                yield f"text {name}", tuple(window)
                rest[first : first + size] = [_TAKEN] * size


def _starts(rest: Sequence[str], size: int, holds: Callable[[str], bool]) -> Iterator[int]:
    """Yield where runs of ``size`` lines may begin that hold something: by halves, as most lines hold none.

    A run that holds something by itself only, and not among the lines about it, does not hold in the text.
    """
    waiting = [(0, len(rest) - size + 1)]
    while waiting:
        first, stop = waiting.pop()
        if stop - first <= _FEW:
            yield from range(first, stop)
        elif holds("\n".join(rest[first : stop + size - 1])):
            middle = (first + stop) // 2
            waiting += [(middle, stop), (first, middle)]

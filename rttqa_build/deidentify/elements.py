"""What a DICOM file consists of, by offset: its elements and items; and a walk over all of them.

Nothing here reads bytes: that is :mod:`~rttqa_build.deidentify.stream`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED_LITTLE = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
NATIVE = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG})

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})


class Encoding(NamedTuple):
    """How a data set is written."""

    explicit: bool
    little: bool


class Element(NamedTuple):
    """One element as offsets into the file's bytes: header, value, end (delimiters included).

    ``vr`` is the one in the file, or the dictionary's for implicit VR and for ``UN``; ``items`` is None but
    for sequences.
    """

    tag: int
    vr: str
    start: int
    value: int
    end: int
    items: tuple[Item, ...] | None


class Item(NamedTuple):
    """One item of a sequence: its elements, their encoding, and whether its length is undefined."""

    elements: list[Element]
    encoding: Encoding
    undefined: bool


class Leaf(NamedTuple):
    """One element that is no sequence; ``path`` holds the tags of the sequences around it."""

    tag: int
    vr: str
    value: bytes
    path: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stream:
    """A parsed file. Offsets refer to ``data``, which is the inflated data set where it was deflated.

    ``padding`` counts the bytes behind the data set in the file; ``garbage`` is the same number where these
    are not all NUL.
    """

    data: bytes
    meta: list[Element]
    elements: list[Element]
    encoding: Encoding
    transfer_syntax: str
    padding: int = 0
    garbage: int = 0

    def value(self, element: Element) -> bytes:
        """Return an element's value as it stands in the file."""
        return self.data[element.value : element.end]

    def find(self, tag: int) -> bytes | None:
        """Return the value of a top-level element, or None."""
        return next((self.value(e) for e in self.elements if e.tag == tag), None)


META = Encoding(explicit=True, little=True)


def walk(
    stream: Stream, *, pixels: bool = True, wanted: Callable[[int, str], bool] | None = None
) -> Iterator[Leaf]:
    """Yield every element that is no sequence, at every depth, file meta information first.

    ``pixels=False`` leaves out group 7FE0, for readers that have no use for it; ``wanted`` says of which tag
    and VR there is a use at all.
    """
    data = stream.data
    stack: list[tuple[list[Element], tuple[int, ...]]] = [(stream.elements, ()), (stream.meta, ())]
    while stack:
        elements, path = stack.pop()
        for tag, vr, _, value, end, items in elements:
            if items is not None:
                inside = (*path, tag)
                stack.extend([(item.elements, inside) for item in items])
            elif (wanted is None or wanted(tag, vr)) and (pixels or tag >> 16 != PIXEL_DATA >> 16):
                yield Leaf(tag, vr, data[value:end], path)

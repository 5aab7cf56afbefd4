"""The ROIs of one object: which items go with a dropped one, and a free name for one that identifies.

A structure set holds an ROI in three modules, joined by its number; a plan refers to it by the same number
(PS3.3 C.8.8.5, C.8.8.6, C.8.8.8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rttqa_build.deidentify.elements import Element, Item, Stream

ROI_NAME, ROIS, RELATED_OBSERVATIONS = 0x30060026, 0x30060020, 0x300600A0
OBSERVATIONS, OBSERVATION_NUMBER = 0x30060080, 0x30060082
# where an item's ROI number stands: structure set, contours, observations, related ROIs
ROI_NUMBERS = {
    ROIS: 0x30060022,
    0x30060039: 0x30060084,
    OBSERVATIONS: 0x30060084,
    0x30060030: 0x30060084,
}


def kept_items(stream: Stream, element: Element, rois: Mapping[int, str | None]) -> tuple[Item, ...]:
    """Return the items of a sequence, without those of ROIs that are dropped: whose new name is None."""
    items = element.items or ()
    dropped = {number for number, name in rois.items() if name is None}
    if not dropped:
        return items
    number_tag = ROI_NUMBERS.get(element.tag, 0)
    if element.tag == RELATED_OBSERVATIONS:
        dropped, number_tag = _observations(stream, dropped), OBSERVATION_NUMBER
    return tuple(item for item in items if number(stream, item.elements, number_tag) not in dropped)


def _observations(stream: Stream, dropped: set[int]) -> set[int]:
    """Return the numbers of the observations of ROIs that are dropped."""
    return {
        number(stream, item.elements, OBSERVATION_NUMBER)
        for item in _items_of(stream, OBSERVATIONS)
        if number(stream, item.elements, ROI_NUMBERS[OBSERVATIONS]) in dropped
    }


def free_name(stream: Stream, roi: int, new: Iterable[str | None], text: Callable[[Element], str]) -> str:
    """Return a name for an ROI whose own identifies, as no other ROI has it; ``new`` are their new names."""
    own = (e for item in _items_of(stream, ROIS) for e in item.elements if e.tag == ROI_NAME)
    taken = {text(element).casefold() for element in own} | {name.casefold() for name in new if name}
    name = f"ROI_{max(roi, 0)}"
    while name.casefold() in taken:
        name += "_"
    return name


def _items_of(stream: Stream, tag: int) -> tuple[Item, ...]:
    """Return the items of a sequence of the data set."""
    return next((e.items or () for e in stream.elements if e.tag == tag), ())


def number(stream: Stream, elements: Iterable[Element], tag: int) -> int:
    """Return the whole number in one of these elements, -1 where there is none."""
    raw = next((stream.value(e) for e in elements if e.tag == tag), b"")
    try:
        return int(float(raw.strip(b"\0 ")))
    except (ValueError, OverflowError):
        return -1

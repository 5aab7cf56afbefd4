"""Headers → the objects that they refer to, by what the reference means."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from rttqa_build.study.facts import Kind
from rttqa_build.study.structures import referenced_series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rttqa_build.study.facts import Roi
    from rttqa_build.study.header import Header

_MAY_DANGLE = (
    "ReferencedImageSequence",
    "SourceImageSequence",
    "ReferencedInstanceSequence",
    "ReferencedRTPlanSequence",
    "ReferencedStructureSetSequence",
    "ReferencedDoseSequence",
    "ReferencedTreatmentRecordSequence",
)


def references_of(header: Header, kind: Kind, rois: Iterable[Roi] = ()) -> Mapping[str, tuple[str, ...]]:
    """Return role word → sorted UIDs; a role word without any is left out.

    ``rois`` are those of a structure set, whose contours name images too. The links that a submission
    rests on have role words of their own, everything else is ``other`` and may dangle.
    """
    found = {word: set(uids(header)) for word, uids in _LINKS.get(kind, {}).items()}
    others = {*_others(header)}
    if kind is Kind.STRUCTURE_SET:
        drawn_on, not_drawn_on = _contoured_images(header, frozenset().union(*(r.image_refs for r in rois)))
        found["images"] = drawn_on
        others |= not_drawn_on
    found["other"] = others - set().union(*found.values())
    return {word: tuple(sorted(uids - {""})) for word, uids in sorted(found.items()) if uids - {""}}


def _uids(items: Iterable[Header]) -> Iterator[str]:
    return (item.text("ReferencedSOPInstanceUID") for item in items)


def _plans(header: Header) -> Iterator[str]:
    return _uids(header.items("ReferencedRTPlanSequence"))


def _structure_sets(header: Header) -> Iterator[str]:
    return _uids(header.items("ReferencedStructureSetSequence"))


def _contoured_images(header: Header, in_contours: frozenset[str]) -> tuple[set[str], set[str]]:
    """Return the images of the series that were drawn on, and those of series that were only fused.

    A structure set may list series that it has no contour on; where no contour names its image, all count.
    """
    drawn_on, not_drawn_on = set(in_contours), set[str]()
    for series in referenced_series(header):
        images = {*_uids(series.items("ContourImageSequence"))}
        (not_drawn_on if in_contours and not images & in_contours else drawn_on).update(images)
    return drawn_on, not_drawn_on


def _joined_frames(header: Header) -> Iterator[str]:
    """Yield the frames that a spatial or deformable registration joins (PS3.3 C.20.2, C.20.3)."""
    yield header.text("FrameOfReferenceUID")
    for item in header.items("RegistrationSequence"):
        yield item.text("FrameOfReferenceUID")
    for item in header.items("DeformableRegistrationSequence"):
        yield item.text("SourceFrameOfReferenceUID")


def _registered_images(header: Header) -> Iterator[str]:
    for sequence in ("RegistrationSequence", "DeformableRegistrationSequence"):
        for item in header.items(sequence):
            yield from _uids(item.items("ReferencedImageSequence"))
    studies = (header, *header.items("StudiesContainingOtherReferencedInstancesSequence"))
    for study in studies:
        for series in study.items("ReferencedSeriesSequence"):
            yield from _uids(series.items("ReferencedInstanceSequence"))


def _others(header: Header) -> Iterator[str]:
    for sequence in _MAY_DANGLE:
        yield from _uids(header.items(sequence))
    for beam in header.items("BeamSequence"):
        yield from _uids(beam.items("ReferencedReferenceImageSequence"))


_LINKS: Mapping[Kind, Mapping[str, Callable[[Header], Iterator[str]]]] = MappingProxyType(
    {
        Kind.DOSE: {"plan": _plans},
        Kind.PLAN: {"structure_set": _structure_sets},
        Kind.REGISTRATION: {"frames": _joined_frames, "images": _registered_images},
    }
)

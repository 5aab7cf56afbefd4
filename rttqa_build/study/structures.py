"""Headers of RTSTRUCT → their ROIs, joined over three modules (PS3.3 C.8.8.5, C.8.8.6, C.8.8.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.study.facts import Roi, StructureFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.study.header import Header


class _Contours(NamedTuple):
    """What the contours of one ROI say, without their points."""

    number: int = 0
    geometric_types: tuple[str, ...] = ()
    image_refs: frozenset[str] = frozenset()


def structure_facts(header: Header) -> StructureFacts:
    """Return label, ROIs in the order of their definition, image series and frames of reference."""
    series = [s.text("SeriesInstanceUID") for s in referenced_series(header)]
    frames = [f.text("FrameOfReferenceUID") for f in header.items("ReferencedFrameOfReferenceSequence")]
    of_rois = [r.text("ReferencedFrameOfReferenceUID") for r in header.items("StructureSetROISequence")]
    return StructureFacts(
        label=header.text("StructureSetLabel"),
        rois=_rois(header),
        image_series=tuple(sorted({uid for uid in series if uid})),
        approval=header.text("ApprovalStatus"),
        frames=tuple(sorted({uid for uid in (*frames, *of_rois) if uid})),
    )


def referenced_series(header: Header) -> Iterator[Header]:
    """Yield the items of every RT Referenced Series Sequence: the image series that were drawn on."""
    for frame in header.items("ReferencedFrameOfReferenceSequence"):
        for study in frame.items("RTReferencedStudySequence"):
            yield from study.items("RTReferencedSeriesSequence")


def _rois(header: Header) -> tuple[Roi, ...]:
    contours: dict[int | None, _Contours] = {}
    known: dict[str, str] = {}
    for roi in header.items("ROIContourSequence"):
        number = roi.integer("ReferencedROINumber")
        contours[number] = _drawn(contours.get(number, _Contours()), roi.items("ContourSequence"), known)
    seen: dict[int | None, list[Header]] = {}
    for observation in header.items("RTROIObservationsSequence"):
        seen.setdefault(observation.integer("ReferencedROINumber"), []).append(observation)
    return tuple(
        _roi(item, seen.get(number, []), contours.get(number, _Contours()))
        for item in header.items("StructureSetROISequence")
        if (number := item.integer("ROINumber")) is not None
    )


def _roi(item: Header, observations: list[Header], contours: _Contours) -> Roi:
    """Return one ROI; of several observations the first that gives a type counts."""
    return Roi(
        number=item.integer("ROINumber") or 0,
        name=item.text("ROIName"),
        interpreted_type=next((t for o in observations if (t := o.text("RTROIInterpretedType"))), ""),
        contours=contours.number,
        geometric_types=contours.geometric_types,
        has_physical_properties=any(o.has("ROIPhysicalPropertiesSequence") for o in observations),
        image_refs=contours.image_refs,
        generation=item.text("ROIGenerationAlgorithm"),
        frame_uid=item.text("ReferencedFrameOfReferenceUID"),
    )


def _drawn(before: _Contours, contours: Iterator[Header], known: dict[str, str]) -> _Contours:
    """Return what more contours of a ROI add; one at a time: all together are larger than the file.

    ``known`` holds the UIDs of images, which each ROI names again.
    """
    number, types, images = before.number, {*before.geometric_types}, {*before.image_refs}
    for contour in contours:
        number += 1
        types.add(contour.text("ContourGeometricType"))
        for image in contour.items("ContourImageSequence"):
            uid = image.text("ReferencedSOPInstanceUID")
            images.add(known.setdefault(uid, uid))
    return _Contours(number, tuple(sorted(types - {""})), frozenset(images) - {""})

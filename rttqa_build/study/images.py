"""Headers of images and dose grids → their geometry (PS3.3 C.7.6.2, C.7.6.3, C.8.8.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.study.classes import BURNED_IN
from rttqa_build.study.facts import DoseFacts, ImageFacts

if TYPE_CHECKING:
    from rttqa_build.study.header import Header

_DATES = ("AcquisitionDate", "ContentDate", "SeriesDate", "StudyDate")
# how scanners mark saved screens and protocol pages that they store as images (PS3.3 C.7.6.1.1.2, value 3 on)
_SCREENS = frozenset({"SCREEN SAVE", "SCREENSAVE", "SCREEN_SAVE", "SCREENSHOT", "CT_SOM5 PROT"})
_STARTS = ("RadiopharmaceuticalStartTime", "RadiopharmaceuticalStartDateTime")

Triple = tuple[float, float, float]
Cosines = tuple[float, float, float, float, float, float]


def image_facts(header: Header) -> ImageFacts:
    """Return the geometry of one image; what the header does not say is None or 0."""
    return ImageFacts(
        position=_position(header),
        orientation=_orientation(header),
        spacing=_spacing(header),
        thickness=header.number("SliceThickness"),
        rows=header.unsigned("Rows"),
        columns=header.unsigned("Columns"),
        instance_number=header.integer("InstanceNumber") or 0,
        burned_in=is_burned_in(header),
        image_type=header.texts("ImageType"),
        body_part=header.text("BodyPartExamined"),
        frames=header.integer("NumberOfFrames") or 1,
        patient_position=header.text("PatientPosition"),
        date=next(filter(None, map(header.text, _DATES)), ""),
        temporal=header.integer("TemporalPositionIdentifier") or 0,
        suv_lacks=_suv_lacks(header) if header.text("Modality") == "PT" else (),
    )


def dose_facts(header: Header) -> DoseFacts:
    """Return the grid of a dose and what its values are."""
    return DoseFacts(
        units=header.text("DoseUnits"),
        type=header.text("DoseType"),
        summation=header.text("DoseSummationType"),
        position=_position(header),
        orientation=_orientation(header),
        spacing=_spacing(header),
        offsets=header.numbers("GridFrameOffsetVector"),
        rows=header.unsigned("Rows"),
        columns=header.unsigned("Columns"),
        scaling=header.number("DoseGridScaling") or 0.0,
        has_dvh=header.has("DVHSequence"),
        heterogeneity=header.texts("TissueHeterogeneityCorrection"),
    )


def _suv_lacks(header: Header) -> tuple[str, ...]:
    """Return what an uptake value by weight needs and the image does not say (PS3.3 C.8.9.1, C.8.9.2)."""
    tracer = next(header.items("RadiopharmaceuticalInformationSequence"), None)
    needed = [
        ("PatientWeight", header.has("PatientWeight")),
        ("RadionuclideTotalDose", tracer is not None and tracer.has("RadionuclideTotalDose")),
        ("RadiopharmaceuticalStartTime", tracer is not None and any(map(tracer.has, _STARTS))),
        ("AcquisitionTime", header.has("AcquisitionTime")),
    ]
    return tuple(keyword for keyword, given in needed if not given)


def is_burned_in(header: Header) -> bool:
    """Return whether the object itself says that text is burned into its pixels, or that it is a screen's."""
    said = {value.upper() for value in header.texts("ImageType")}
    return header.text("BurnedInAnnotation").upper() == "YES" or not _SCREENS.isdisjoint(said)


def burned_in_refusal(header: Header) -> str:
    """Return the reason for refusing an image with burned-in text, or nothing."""
    return BURNED_IN if is_burned_in(header) else ""


def _position(header: Header) -> Triple | None:
    match header.numbers("ImagePositionPatient"):
        case (x, y, z):
            return x, y, z
    return None


def _orientation(header: Header) -> Cosines | None:
    match header.numbers("ImageOrientationPatient"):
        case (a, b, c, d, e, f):
            return a, b, c, d, e, f
    return None


def _spacing(header: Header) -> tuple[float, float] | None:
    match header.numbers("PixelSpacing"):
        case (row, column):
            return row, column
    return None

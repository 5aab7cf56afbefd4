"""The bytes of one file → an :class:`Instance`, or the :class:`Fate` of a file that is none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rttqa_build.study.classes import DICOMDIR, kind_of, refusal_of
from rttqa_build.study.facts import Fate, Instance, Kind, Reason, StructureFacts
from rttqa_build.study.header import MalformedError, parse, starts_like_dicom
from rttqa_build.study.identity import patient_of
from rttqa_build.study.images import burned_in_refusal, dose_facts, image_facts
from rttqa_build.study.plans import plan_facts
from rttqa_build.study.references import references_of
from rttqa_build.study.structures import structure_facts

if TYPE_CHECKING:
    from rttqa_build.study.facts import DoseFacts, ImageFacts, PlanFacts, SourceFile
    from rttqa_build.study.header import File, Header

    Facts = ImageFacts | StructureFacts | PlanFacts | DoseFacts | None

_WITH_PIXELS = frozenset({Kind.IMAGE, Kind.DOSE})
_CLASS_UID = re.compile(r"[0-9]+(\.[0-9]+){2,}")
_LABELS = {
    Kind.PLAN: "RTPlanLabel",
    Kind.STRUCTURE_SET: "StructureSetLabel",
    Kind.REGISTRATION: "ContentLabel",
}


def read(file: SourceFile, data: bytes) -> Instance | Fate:
    """Return what one file is, from its bytes. Pure, and silent whatever the bytes are.

    The pixel data is not read, only its presence to the last byte is demanded.
    """
    if not starts_like_dicom(data):
        return Fate(file, Reason.NOT_DICOM)
    try:
        parsed = parse(data)
        return _is_no_object(file, data, parsed) or _instance(file, parsed)
    except MalformedError as error:
        return Fate(file, Reason.UNREADABLE, str(error))


def _is_no_object(file: SourceFile, data: bytes, parsed: File) -> Fate | None:
    """Return the fate of a directory, or of bytes without the two UIDs that make an object.

    The SOP Instance UID may be none (``UNKNOWN``, or over 64 characters): it is replaced anyway.
    """
    if parsed.meta.text("MediaStorageSOPClassUID") == DICOMDIR:
        return Fate(file, Reason.DICOMDIR)
    sop_class, sop_uid = (parsed.dataset.text(uid) for uid in ("SOPClassUID", "SOPInstanceUID"))
    if _CLASS_UID.fullmatch(sop_class) and sop_uid:
        return None
    if data[128:132] == b"DICM":
        return Fate(file, Reason.UNREADABLE, "it has no SOP Class UID or no SOP Instance UID")
    return Fate(file, Reason.NOT_DICOM)


def _instance(file: SourceFile, parsed: File) -> Instance:
    header = parsed.dataset
    sop_class, modality = header.text("SOPClassUID"), header.text("Modality")
    kind = kind_of(sop_class, modality)
    if kind in _WITH_PIXELS and not (header.pixels or header.has("DVHSequence")):
        raise MalformedError("its pixel data is missing")
    facts = _facts(kind, header)
    return Instance(
        file=file,
        kind=kind,
        sop_class=sop_class,
        sop_uid=header.text("SOPInstanceUID"),
        series_uid=header.text("SeriesInstanceUID"),
        study_uid=header.text("StudyInstanceUID"),
        frame_uid=_frame(header, facts),
        modality=modality,
        transfer_syntax=parsed.transfer_syntax,
        label=header.text(_LABELS[kind]) if kind in _LABELS else "",
        series_description=header.text("SeriesDescription"),
        study_date=header.text("StudyDate"),
        manufacturer=header.text("Manufacturer"),
        model=header.text("ManufacturerModelName"),
        software="; ".join(header.texts("SoftwareVersions")),
        patient=patient_of(header),
        references=references_of(header, kind, facts.rois if isinstance(facts, StructureFacts) else ()),
        facts=facts,
        refusal=refusal_of(sop_class) or burned_in_refusal(header),
    )


def _facts(kind: Kind, header: Header) -> Facts:
    match kind:
        case Kind.IMAGE:
            return image_facts(header)
        case Kind.STRUCTURE_SET:
            return structure_facts(header)
        case Kind.PLAN:
            return plan_facts(header)
        case Kind.DOSE:
            return dose_facts(header)
    return None


def _frame(header: Header, facts: Facts) -> str:
    """Return the frame of reference: an RTSTRUCT names it in its first reference where not at the top."""
    frames = facts.frames if isinstance(facts, StructureFacts) else ()
    return header.text("FrameOfReferenceUID") or next(iter(frames), "")

"""DICOM headers → a frozen :class:`Study`: every object of a source folder, its facts and its references.

Read with pydicom. Goes in: the bytes of each file, once. Comes out: one :class:`Instance` per readable
object and one :class:`Fate` per file that is none.
"""

from __future__ import annotations

from rttqa_build.study.classes import REFUSAL_CODES
from rttqa_build.study.facts import (
    Beam,
    DoseFacts,
    DoseTarget,
    Fate,
    ImageFacts,
    Instance,
    Kind,
    PatientIdentity,
    PlanFacts,
    Reason,
    Roi,
    SourceFile,
    StructureFacts,
    Study,
)
from rttqa_build.study.folder import Listing, assemble, conflicts, files
from rttqa_build.study.read import read

__all__ = [
    "REFUSAL_CODES",
    "Beam",
    "DoseFacts",
    "DoseTarget",
    "Fate",
    "ImageFacts",
    "Instance",
    "Kind",
    "Listing",
    "PatientIdentity",
    "PlanFacts",
    "Reason",
    "Roi",
    "SourceFile",
    "StructureFacts",
    "Study",
    "assemble",
    "conflicts",
    "files",
    "read",
]

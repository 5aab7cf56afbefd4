"""The nouns of a study: what is known of each object, and what became of each file that is none.

Values that identify the patient are held in :class:`PatientIdentity`, whose ``repr`` never shows them.
Lengths are millimetres in the DICOM patient coordinate system (PS3.3 C.7.6.2.1.1); doses are gray.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(enum.StrEnum):
    """What an object is, by SOP class (and by Modality for private SOP classes of planning systems)."""

    IMAGE = "image"
    STRUCTURE_SET = "structure_set"
    PLAN = "plan"
    DOSE = "dose"
    REGISTRATION = "registration"
    OTHER = "other"


class Reason(enum.StrEnum):
    """Why a file of the source is not in the package."""

    NOT_DICOM = "not DICOM"
    DICOMDIR = "DICOMDIR"
    UNREADABLE = "unreadable"
    NOT_SELECTED = "not selected"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the source: POSIX path relative to it (shown locally only), bytes, SHA-256, CRC-32.

    ``garbage`` counts the last bytes, which stand behind the data set and belong to nothing.
    """

    path: str
    size: int
    sha256: str
    crc32: int = 0
    garbage: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class PatientIdentity:
    """Who an object says its patient is. Compared, never shown: the ``repr`` holds no value.

    Normalised: upper case, without padding; a name is its first component group without trailing empty
    components; a number is written without spaces and hyphens.
    """

    patient_id: str = ""
    name: str = ""
    birth_date: str = ""
    other_ids: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return a text without any value."""
        return "PatientIdentity(…)"


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Geometry of one image: IPP, IOP (six cosines), PixelSpacing [row, column] mm, thickness mm, size.

    ``date`` is that of the acquisition (DA). ``temporal`` numbers the phases of a series that holds several,
    0 where it does not say. ``suv_lacks`` are the keywords without which a PET image gives no uptake value.
    """

    position: tuple[float, float, float] | None = None
    orientation: tuple[float, float, float, float, float, float] | None = None
    spacing: tuple[float, float] | None = None
    thickness: float | None = None
    rows: int = 0
    columns: int = 0
    instance_number: int = 0
    burned_in: bool = False
    image_type: tuple[str, ...] = ()
    body_part: str = ""
    frames: int = 1
    patient_position: str = ""
    date: str = ""
    temporal: int = 0
    suv_lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Roi:
    """One region of interest, as its three modules give it."""

    number: int
    name: str
    interpreted_type: str = ""
    contours: int = 0
    geometric_types: tuple[str, ...] = ()
    has_physical_properties: bool = False
    image_refs: frozenset[str] = frozenset()
    generation: str = ""
    frame_uid: str = ""


@dataclass(frozen=True, slots=True)
class StructureFacts:
    """What an RTSTRUCT holds: its label, its ROIs, the image series and the frames it was drawn on."""

    label: str
    rois: tuple[Roi, ...]
    image_series: tuple[str, ...] = ()
    approval: str = ""
    frames: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Beam:
    """One beam, ion beam or application setup."""

    number: int
    name: str
    machine: str = ""
    radiation: str = ""
    delivery: str = ""
    energy: str = ""
    control_points: int = 0
    meterset: float | None = None
    patient_position: str = ""
    technique: str = ""


@dataclass(frozen=True, slots=True)
class DoseTarget:
    """One item of the Dose Reference Sequence: description, type, target prescription dose in Gy, ROI."""

    description: str = ""
    type: str = ""
    prescription_gy: float | None = None
    roi_number: int | None = None


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What an RTPLAN, RT Ion Plan or brachytherapy plan prescribes.

    ``setup_dose_gy`` is the dose of all application setups over all fractions, None where none is given.
    """

    label: str
    name: str = ""
    kind: Literal["photon", "electron", "ion", "brachytherapy"] = "photon"
    intent: str = ""
    geometry: str = ""
    approval: str = ""
    date: str = ""
    fractions: tuple[int, ...] = ()
    beams: tuple[Beam, ...] = ()
    targets: tuple[DoseTarget, ...] = ()
    setup_dose_gy: float | None = None


@dataclass(frozen=True, slots=True)
class DoseFacts:
    """The grid of an RTDOSE and what its values are."""

    units: str = ""
    type: str = ""
    summation: str = ""
    position: tuple[float, float, float] | None = None
    orientation: tuple[float, float, float, float, float, float] | None = None
    spacing: tuple[float, float] | None = None
    offsets: tuple[float, ...] = ()
    rows: int = 0
    columns: int = 0
    scaling: float = 0.0
    has_dvh: bool = False
    heterogeneity: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Instance:
    """One DICOM object of the source.

    ``references`` maps a role word to the sorted SOP Instance UIDs that this object refers to: ``images``
    (RTSTRUCT, REG), ``structure_set`` (RTPLAN), ``plan`` (RTDOSE), ``frames`` (REG: Frame of Reference UIDs)
    and ``other`` (may dangle). All UIDs are the originals: never serialise them. ``refusal`` says, safely,
    why the object may never be sent; ``label`` is the plan's, structure set's or registration's own.
    ``roi_numbers`` are the ROIs that a plan or dose refers to, wherever in it.
    """

    file: SourceFile
    kind: Kind
    sop_class: str
    sop_uid: str
    series_uid: str
    study_uid: str
    frame_uid: str
    modality: str
    transfer_syntax: str
    label: str = ""
    series_description: str = ""
    study_date: str = ""
    manufacturer: str = ""
    model: str = ""
    software: str = ""
    patient: PatientIdentity = field(default_factory=PatientIdentity)
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: ImageFacts | StructureFacts | PlanFacts | DoseFacts | None = None
    refusal: str = ""
    roi_numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a file that is not in the package; ``detail`` is safe to show."""

    file: SourceFile
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Study:
    """Every object and every other file of one source folder."""

    instances: tuple[Instance, ...]
    others: tuple[Fate, ...] = ()

"""A valid manifest document → a frozen :class:`Manifest` (``schemas/manifest.schema.json``).

The schema owns the file's shape; nothing is validated twice here. What a schema cannot say is in
:mod:`rttqa_build.trial.consistency`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rttqa_build.source import Document


SUPPLEMENT = "supplement"  # a revision that stands beside what was received, not instead of it


@dataclass(frozen=True, slots=True)
class SamePatient:
    """A person's word that an object under another ID is the same patient's."""

    checked_by: str
    how: str


@dataclass(frozen=True, slots=True)
class Selector:
    """Which object of the export plays a role: by label, by path, by digest prefix, or the one there is."""

    id: str = ""
    label: str = ""
    path: str = ""
    sha256: str = ""
    of: tuple[str, ...] = ()
    same_patient: SamePatient | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """The ``submission:`` block. Exactly one of ``patient`` and ``case`` is set."""

    purpose: str
    revision: int
    patient: str = ""
    case: str = ""
    observer: str = ""
    arm: str = ""
    stratum: str = ""
    centre_patient_number: int | None = None
    clinician_approved: bool | None = None
    kind: str = ""
    reason: str = ""
    radiotherapy_start: str = ""

    @property
    def supplement(self) -> bool:
        """Whether this stands beside what was received before, and need not hold it again."""
        return self.kind == SUPPLEMENT

    @property
    def subject(self) -> str:
        """Return the pseudonym under which everything leaves: the trial ID, or case and observer."""
        return self.patient or "-".join(part for part in (self.case, self.observer) if part)


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """One document: POSIX path below the source; ``reviewed`` where its content cannot be read as text."""

    path: str
    reviewed: bool = False


@dataclass(frozen=True, slots=True)
class StructureChoice:
    """The planning system's name of a trial structure, or the reason why there is none."""

    name: str = ""
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Prescription:
    """One prescribed target. ``dose_min`` equals ``dose_max`` unless the arm is isotoxic; gray."""

    target: str
    dose_min: Decimal
    dose_max: Decimal
    fractions: int
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """An accepted finding: code, what it is about, why."""

    code: str
    reason: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One submission, as its author wrote it."""

    document: Document
    trial: str
    submission: Submission
    source: str
    protocol: str = ""
    data: Mapping[str, tuple[Selector, ...]] = field(default_factory=dict)
    documents: Mapping[str, DocumentEntry] = field(default_factory=dict)
    structures: Mapping[str, StructureChoice] = field(default_factory=dict)
    prescription: tuple[Prescription, ...] = ()
    clinical: Mapping[str, object] = field(default_factory=dict)
    clinical_file: str = ""
    waivers: tuple[Waiver, ...] = ()

    @classmethod
    def from_document(cls, document: Document) -> Manifest:
        """Return what a valid document says."""
        data: Any = document.data
        clinical = data.get("clinical") or {}
        return cls(
            document,
            data["trial"],
            Submission(**data["submission"]),
            data["source"],
            protocol=data.get("protocol", ""),
            data={role: _selectors(chosen) for role, chosen in data.get("data", {}).items()},
            documents={name: DocumentEntry(**entry) for name, entry in data.get("documents", {}).items()},
            structures={name: _choice(value) for name, value in data.get("structures", {}).items()},
            prescription=tuple(map(_prescription, data.get("prescription", []))),
            clinical={} if "file" in clinical else clinical,
            clinical_file=clinical.get("file", ""),
            waivers=tuple(
                Waiver(entry["code"], entry["reason"], entry.get("for", ""))
                for entry in data.get("waivers", [])
            ),
        )


def _selectors(chosen: Any) -> tuple[Selector, ...]:
    return tuple(map(_selector, chosen if isinstance(chosen, list) else [chosen]))


def _selector(entry: Any) -> Selector:
    same = entry.get("same_patient")
    return Selector(
        id=entry.get("id", ""),
        label=entry.get("label", ""),
        path=entry.get("path", ""),
        sha256=entry.get("sha256", "").lower(),
        of=tuple(entry.get("of", [])),
        same_patient=SamePatient(**same) if same else None,
    )


def _choice(value: Any) -> StructureChoice:
    return StructureChoice(name=value) if isinstance(value, str) else StructureChoice(absent=value["absent"])


def _prescription(entry: Any) -> Prescription:
    dose = entry["dose_gy"]
    low, high = (dose["min"], dose["max"]) if isinstance(dose, dict) else (dose, dose)
    return Prescription(
        entry["target"], Decimal(low), Decimal(high), entry["fractions"], entry.get("plan", "")
    )

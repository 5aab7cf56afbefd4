"""A valid lock document ↔ a frozen :class:`Lock` (``schemas/lock.schema.json``).

Nothing here identifies a patient: digests of inputs are keyed, UIDs are pseudonymous, findings name roles
and structures.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from rttqa_build import source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.source import Document

Verdict = Literal["pass", "borderline", "fail"]


@dataclass(frozen=True, slots=True)
class Versions:
    """The programs whose version may change the bytes of a package."""

    tool: str
    profile: str
    deflate: str
    typst: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What a lock was made from: SHA-256 of manifest, trial and settings subset; key fingerprint."""

    manifest: str
    trial: str
    settings: str
    key: str
    versions: Versions


@dataclass(frozen=True, slots=True)
class Input:
    """The objects of one role: how many, how large, and one HMAC over their sorted SHA-256 digests."""

    count: int
    bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class PseudonymousUid:
    """The SOP Instance UID that one RT object left with, and its base UID, by which a reference finds it."""

    base: str
    uid: str


@dataclass(frozen=True, slots=True)
class PackageFacts:
    """The finished zip file: name, size in bytes, SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ConstraintVerdict:
    """How one dose constraint came out, without its value; ``limit`` is ``optimal`` or ``mandatory``."""

    structure: str
    metric: str
    verdict: Verdict
    limit: str = ""
    dose: str = ""


@dataclass(frozen=True, slots=True)
class LockedFinding:
    """One finding of the build: its code, the role or structure it is about, severity, waiver's reason."""

    code: str
    severity: str
    subject: str = ""
    waived: str = ""

    @property
    def fatal(self) -> bool:
        """Whether this finding stops the submission."""
        return self.severity == "error" and not self.waived


@dataclass(frozen=True, slots=True)
class Lock:
    """What one build made, and from what.

    ``patient_tokens`` maps ``nhs`` and ``local`` to an HMAC each, where the source had such a number;
    ``documents`` maps document names to HMACs; ``uids`` maps roles (structure_set, plan, dose, registration)
    to their objects; ``content`` is the digest of the bag's manifest, which compression does not change.
    """

    basis: Basis
    content: str
    package: PackageFacts
    patient_tokens: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Input] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)
    clinical_file: str = ""
    uids: Mapping[str, tuple[PseudonymousUid, ...]] = field(default_factory=dict)
    constraints: tuple[ConstraintVerdict, ...] = ()
    findings: tuple[LockedFinding, ...] = ()

    @property
    def fatal_findings(self) -> tuple[LockedFinding, ...]:
        """Return the errors that nobody has waived."""
        return tuple(item for item in self.findings if item.fatal)


def together(earlier: Lock, later: Lock, *, beside: bool) -> Lock:
    """Return what stands when ``later`` was received after ``earlier``: ``beside`` it, or instead of it.

    UIDs of objects that were sent stand in either case: whatever refers to them finds the last one recorded.
    """
    kinds = sorted({*earlier.uids, *later.uids})
    uids = {kind: _last_recorded(earlier.uids.get(kind, ()), later.uids.get(kind, ())) for kind in kinds}
    if not beside:
        return replace(later, uids=uids)
    judged = {(row.structure, row.metric, row.limit, row.dose) for row in later.constraints}
    return replace(
        later,
        patient_tokens={**earlier.patient_tokens, **later.patient_tokens},
        inputs={**earlier.inputs, **later.inputs},
        documents={**earlier.documents, **later.documents},
        clinical_file=later.clinical_file or earlier.clinical_file,
        uids=uids,
        constraints=(
            *(
                row
                for row in earlier.constraints
                if (row.structure, row.metric, row.limit, row.dose) not in judged
            ),
            *later.constraints,
        ),
    )


def _last_recorded(
    earlier: tuple[PseudonymousUid, ...], later: tuple[PseudonymousUid, ...]
) -> tuple[PseudonymousUid, ...]:
    return tuple({row.base: row for row in (*earlier, *later)}.values())


def locked(diagnostics: Iterable[Diagnostic]) -> tuple[LockedFinding, ...]:
    """Return what the lock lists of a build's findings: distinct, sorted, without messages."""
    rows = {LockedFinding(d.code, str(d.severity), d.subject, d.waived) for d in diagnostics}
    return tuple(sorted(rows, key=lambda row: (row.code, row.subject, row.severity, row.waived)))


def from_document(document: Document) -> Lock:
    """Return the lock of a document that is valid against ``lock.schema.json``."""
    data = cast("dict[str, Any]", document.data)
    versions = Versions(*(str(data[name]) for name in ("tool", "profile", "deflate", "typst")))
    manifest, trial, settings, key = (
        str(data[name]) for name in ("manifest", "trial", "settings", "key_fingerprint")
    )
    return Lock(
        basis=Basis(manifest, trial, settings, key, versions),
        content=str(data["content"]),
        package=PackageFacts(**data["package"]),
        patient_tokens=data.get("patient_tokens", {}),
        inputs={role: Input(**row) for role, row in data.get("inputs", {}).items()},
        documents=data.get("documents", {}),
        clinical_file=str(data.get("clinical_file", "")),
        uids={
            role: tuple(PseudonymousUid(**row) for row in rows) for role, rows in data.get("uids", {}).items()
        },
        constraints=tuple(ConstraintVerdict(**row) for row in data.get("constraints", [])),
        findings=tuple(LockedFinding(**row) for row in data.get("findings", [])),
    )


def to_data(lock: Lock) -> dict[str, Any]:
    """Return the lock as plain data, in the order of the file; empty parts are left out."""
    basis = lock.basis
    data: dict[str, Any] = {
        "lock": 1,
        **_row(basis.versions),
        "manifest": basis.manifest,
        "trial": basis.trial,
        "settings": basis.settings,
        "key_fingerprint": basis.key,
        "patient_tokens": dict(sorted(lock.patient_tokens.items())),
        "inputs": {role: _row(row) for role, row in sorted(lock.inputs.items())},
        "documents": dict(sorted(lock.documents.items())),
        "clinical_file": lock.clinical_file,
        "uids": {role: [_row(row) for row in rows] for role, rows in sorted(lock.uids.items())},
        "content": lock.content,
        "package": _row(lock.package),
        "constraints": [_row(row) for row in lock.constraints],
        "findings": [_row(row) for row in lock.findings],
    }
    return {key: value for key, value in data.items() if value not in ("", {}, [])}


_Row: TypeAlias = "Versions | Input | PseudonymousUid | PackageFacts | ConstraintVerdict | LockedFinding"


def _row(item: _Row) -> dict[str, Any]:
    """Return the fields of a small dataclass that are set."""
    pairs = ((name, getattr(item, name)) for name in item.__slots__)
    return {name: value for name, value in pairs if value != ""}


def dump(lock: Lock) -> str:
    """Return ``lock.yaml``: the same lock always gives the same text."""
    return source.dump(to_data(lock))

"""What a lock says against the present, and against another lock: findings and changes in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from rttqa_build.diagnostic import NOWHERE, Diagnostic, Location, finding
from rttqa_build.lock.record import Versions, together

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rttqa_build.lock.record import Basis, ConstraintVerdict, Input, Lock, LockedFinding

_STALE = (
    ("manifest", "M401", "the manifest has changed since the lock was built"),
    ("trial", "M402", "the trial definition has changed since the lock was built"),
    (
        "settings",
        "M403",
        "the centre or the identifiers in the settings have changed since the lock was built",
    ),
    ("key", "M404", "the lock was built with another key"),
)


def freshness(lock: Lock, now: Basis, *, received: bool, where: Location = NOWHERE) -> tuple[Diagnostic, ...]:
    """Say whether the lock still stands for what is there ``now``.

    An empty field of ``now`` is not known and is not compared (``check`` does not need the key).
    ``received`` says that this revision was received: it is never stale, but its manifest must not change.
    """
    then = lock.basis
    if received:
        edited = _known_difference(then.manifest, now.manifest)
        return (finding("M406", "the manifest of a received revision was edited", where),) if edited else ()
    stale = tuple(
        finding(code, words, where)
        for name, code, words in _STALE
        if _known_difference(getattr(then, name), getattr(now, name))
    )
    return stale or _outdated(then.versions, now.versions, where)


def _known_difference(then: str, now: str) -> bool:
    return bool(now) and then != now


def _outdated(then: Versions, now: Versions, where: Location) -> tuple[Diagnostic, ...]:
    names = [
        name for name in Versions.__slots__ if _known_difference(getattr(then, name), getattr(now, name))
    ]
    if not names:
        return ()
    listed = ", ".join(f"{name} {getattr(then, name)} → {getattr(now, name)}" for name in names)
    return (finding("M405", f"the lock was built with other program versions ({listed})", where),)


Topic = Literal[
    "versions", "basis", "patient", "inputs", "uids", "content", "package", "constraints", "findings"
]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two locks: what it is about, and in words what became of it."""

    topic: Topic
    subject: str
    words: str

    def __str__(self) -> str:
        """Return ``subject: words``."""
        return f"{self.subject}: {self.words}"


_CODES: Mapping[Topic, str] = {
    "versions": "K101",
    "basis": "K102",
    "patient": "K103",
    "inputs": "K104",
    "uids": "K105",
    "content": "K106",
    "package": "K107",
    "constraints": "K108",
    "findings": "K109",
}


def changes(old: Lock, new: Lock) -> tuple[Change, ...]:
    """Return every difference of ``new`` against ``old``, in the order of the file."""
    return tuple(_changes(old, new))


def since(old: Lock, new: Lock, *, beside: bool = False) -> tuple[Change, ...]:
    """Return what reviewers of a resubmission look for: other inputs, and constraints that came out anew.

    ``subject`` is a role, ``document:NAME``, ``clinical file``, or a constraint; no digest is told.
    ``beside``: ``new`` is a supplement, so that nothing goes that it does not hold.
    """
    if beside:
        told = since(old, together(old, new, beside=True))
        return tuple(
            replace(one, words="sent anew") if one.topic == "inputs" and one.words != "new" else one
            for one in told
        )
    named = {f"document:{name}": token for name, token in old.documents.items()}
    renamed = {f"document:{name}": token for name, token in new.documents.items()}
    clinical = {"clinical file": old.clinical_file} if old.clinical_file else {}
    anew = {"clinical file": new.clinical_file} if new.clinical_file else {}
    verdicts = {_title(row): row.verdict for row in old.constraints}
    now = {_title(row): row.verdict for row in new.constraints}
    judged = _mapping("constraints", verdicts, {key: now[key] for key in now if key in verdicts}, "")
    return (
        *_roles(old.inputs, new.inputs),
        *_mapping("inputs", named, renamed, "replaced"),
        *_mapping("inputs", clinical, anew, "replaced"),
        *(
            replace(one, words=f"was {verdicts[one.subject]}, now {now[one.subject]}")
            for one in judged
            if one.subject in now
        ),
    )


def _roles(old: Mapping[str, Input], new: Mapping[str, Input]) -> Iterator[Change]:
    for change in _mapping("inputs", old, new, "replaced"):
        then, now = old.get(change.subject), new.get(change.subject)
        if then is not None and now is not None and then.count != now.count:
            yield replace(change, words=f"{then.count} before, {now.count} now")
        else:
            yield change


def compare(lock: Lock, built: Lock, where: Location = NOWHERE) -> tuple[Diagnostic, ...]:
    """Return a finding per difference of what was ``built`` (``--locked``, ``submit``) against the lock."""
    return tuple(
        replace(finding(_CODES[one.topic], f"differs from the lock: {one}", where), subject=one.subject)
        for one in changes(lock, built)
    )


def _changes(old: Lock, new: Lock) -> Iterator[Change]:
    yield from _fields("versions", old.basis.versions, new.basis.versions, Versions.__slots__)
    for name, title in (
        ("manifest", "manifest"),
        ("trial", "trial definition"),
        ("settings", "settings"),
        ("key", "key"),
    ):
        if getattr(old.basis, name) != getattr(new.basis, name):
            yield Change("basis", title, "another than in the lock")
    yield from _mapping(
        "patient", _titled(old.patient_tokens), _titled(new.patient_tokens), "another patient"
    )
    yield from _inputs(old.inputs, new.inputs)
    yield from _mapping("inputs", old.documents, new.documents, "another document")
    if old.clinical_file != new.clinical_file:
        yield Change("inputs", "clinical file", "another text")
    yield from _mapping("uids", old.uids, new.uids, "another UID")
    if old.content != new.content:
        yield Change("content", "content of the package", "other files or bytes")
    yield from _package(old, new)
    yield from _verdicts(old.constraints, new.constraints)
    yield from _findings(old.findings, new.findings)


def _fields(topic: Topic, old: object, new: object, names: tuple[str, ...]) -> Iterator[Change]:
    for name in names:
        then, now = getattr(old, name), getattr(new, name)
        if then != now:
            yield Change(topic, name, f"{then} in the lock, {now} now")


def _titled(tokens: Mapping[str, str]) -> dict[str, str]:
    return {f"patient token {kind}": token for kind, token in tokens.items()}


def _mapping(
    topic: Topic, old: Mapping[str, object], new: Mapping[str, object], differs: str
) -> Iterator[Change]:
    """Compare two mappings key by key; values are digests, so only *that* they differ can be said."""
    for key in sorted(old.keys() | new.keys()):
        if key not in new:
            yield Change(topic, key, "no longer there")
        elif key not in old:
            yield Change(topic, key, "new")
        elif old[key] != new[key]:
            yield Change(topic, key, differs)


def _inputs(old: Mapping[str, Input], new: Mapping[str, Input]) -> Iterator[Change]:
    for change in _mapping("inputs", old, new, ""):
        if change.words:
            yield change
            continue
        then, now = old[change.subject], new[change.subject]
        if then.count != now.count:
            yield replace(change, words=f"{then.count} objects in the lock, {now.count} now")
        else:
            yield replace(change, words="another object" if now.count == 1 else "other objects")


def _package(old: Lock, new: Lock) -> Iterator[Change]:
    if old.package.name != new.package.name:
        yield Change("package", "package name", f"{old.package.name} in the lock, {new.package.name} now")
    if old.package.sha256 == new.package.sha256 and old.package.size == new.package.size:
        return
    same = old.content == new.content
    yield Change("package", "package", "the same content, packed differently" if same else "other bytes")


def _verdicts(old: tuple[ConstraintVerdict, ...], new: tuple[ConstraintVerdict, ...]) -> Iterator[Change]:
    then = {_title(row): row.verdict for row in old}
    now = {_title(row): row.verdict for row in new}
    for change in _mapping("constraints", then, now, ""):
        yield change if change.words else replace(change, words=f"now {now[change.subject]}")


def _title(row: ConstraintVerdict) -> str:
    return " ".join(part for part in (row.structure, row.metric, row.limit, row.dose) if part)


def _findings(old: tuple[LockedFinding, ...], new: tuple[LockedFinding, ...]) -> Iterator[Change]:
    for title, rows, others in (("no longer found", old, new), ("found now", new, old)):
        for row in sorted(set(rows) - set(others), key=lambda item: (item.code, item.subject)):
            about = f"{row.code} {row.subject}".rstrip()
            yield Change("findings", about, f"{title} ({row.severity}{', waived' if row.waived else ''})")

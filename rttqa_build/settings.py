"""``rttqa.yaml`` → frozen :class:`Settings` and findings.

References to the environment stay as they are written until :func:`expand` is asked for one of them: a
person without the portal's link can check and build.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from rttqa_build import disk
from rttqa_build.diagnostic import Location, RttqaError, UsageError, exit_code, finding, ordered
from rttqa_build.library import Library
from rttqa_build.source import MAX_BYTES, canonical, parse
from rttqa_build.trial import Acceptance, Contact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.source import Document

FILE = "rttqa.yaml"

_REFERENCE = re.compile(r"\$\{([^}]*)\}?")
_OURS = re.compile(r"RTTQA_[A-Z0-9_]+")
_EXPANDABLE = ("data_root", "key_file", "build_dir", "portal")


@dataclass(frozen=True, slots=True)
class Centre:
    """Who sends."""

    code: str
    name: str
    contact: Contact


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """Where packages go: a Nextcloud file drop (``link``) or a folder (``path``)."""

    kind: Literal["nextcloud", "folder"]
    link: str = ""
    path: str = ""
    ca_file: str = ""
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """An SMTP server to hand the email to. ``user`` empty: nobody logs in, unless a password is given."""

    host: str
    port: int
    starttls: bool
    sender: str
    user: str = ""
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class IdentifierPattern:
    """A local identifier that must never leave, as an RE2 pattern."""

    name: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Gate:
    """What ``submit`` demands: how many approvals, and the branch from which HEAD must be reachable.

    ``approvals`` None: not set; then an example trial needs none, every other trial one.
    """

    approvals: int | None = None
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """Centre settings. Fields with ``${RTTQA_…}`` stay unexpanded until :func:`expand` is asked for one.

    ``subset_digest`` covers what the lock depends on (centre, identifiers). ``id_prefixes``: trial → what the
    IDs of this centre's patients begin with.
    """

    root: Path
    centre: Centre
    data_root: str
    key_file: str
    subset_digest: str
    key_fingerprint: str = ""
    key_access: Literal["owner", "group"] = "owner"
    build_dir: str = "build"
    portal: PortalSettings | None = None
    smtp: SmtpSettings | None = None
    identifiers: tuple[IdentifierPattern, ...] = ()
    gate: Gate = field(default_factory=Gate)
    allowed_remotes: tuple[str, ...] = ()
    accept_unofficial: tuple[Acceptance, ...] = ()
    allow_synced_folders: bool = False
    id_prefixes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_document(cls, document: Document, root: Path) -> Settings:
        """Return what a valid document says."""
        data: Any = document.data
        centre = data["centre"]
        smtp = (data.get("email") or {}).get("smtp")
        gate = data.get("gate", {})
        subset = {"centre": centre, "identifiers": data.get("identifiers", [])}
        return cls(
            root=root,
            centre=Centre(centre["code"], centre["name"], Contact(**centre["contact"])),
            data_root=data["data_root"],
            key_file=data["key_file"],
            subset_digest=hashlib.sha256(canonical(subset)).hexdigest(),
            key_fingerprint=data.get("key_fingerprint") or "",
            key_access=data.get("key_access", "owner"),
            build_dir=data.get("build_dir", "build"),
            portal=_portal(data.get("portal")),
            smtp=_smtp(smtp) if smtp else None,
            identifiers=tuple(IdentifierPattern(**entry) for entry in data.get("identifiers", [])),
            gate=Gate(gate.get("approvals"), gate.get("branch") or ""),
            allowed_remotes=tuple(data.get("allowed_remotes", [])),
            accept_unofficial=tuple(Acceptance(**entry) for entry in data.get("accept_unofficial", [])),
            allow_synced_folders=data.get("allow_synced_folders", False),
            id_prefixes=data.get("id_prefixes") or {},
        )

    @property
    def own_words(self) -> tuple[str, ...]:
        """Return what stands in the settings with reason, though it looks like an identifier elsewhere."""
        smtp = (self.smtp.sender, self.smtp.user) if self.smtp else ()
        accepted = (text for one in self.accept_unofficial for text in (one.by, one.checked_with))
        patterns = (one.pattern for one in self.identifiers)
        return (*smtp, *accepted, *patterns, *self.allowed_remotes)


def find_root(start: Path) -> Path | None:
    """Return the nearest folder, from ``start`` upwards, that holds the settings, be they readable or not."""
    places = ((folder, folder / FILE) for folder in (start, *start.parents))
    return next((folder for folder, path in places if os.path.lexists(path) and not path.is_dir()), None)


def load(root: Path) -> tuple[Settings | None, tuple[Diagnostic, ...]]:
    """Read and check the settings of the repository at ``root``.

    Settings are returned only when no finding is fatal.
    """
    path = root / FILE
    if not os.path.lexists(path):
        return None, (finding("M303", "there is no rttqa.yaml here", Location(FILE)),)
    try:
        data = disk.head(path, MAX_BYTES + 1, FILE)
    except RttqaError as error:
        return None, (finding("M303", error.message, Location(FILE), hint=error.hint),)
    document, findings = parse(data, FILE)
    if document is None:
        return None, findings
    document, faults = Library().schema("settings").validate(document)
    findings = ordered((*findings, *faults, *_references(document), *_patterns(document)))
    return (None if exit_code(findings) else Settings.from_document(document, root)), findings


def own_identifiers(data: bytes) -> tuple[IdentifierPattern, ...] | None:
    """Return the centre's own patterns, from settings that cannot be used too; None where nobody can tell."""
    document, _ = parse(data, FILE)
    if document is None or not isinstance(document.data, dict) or any(_patterns(document)):
        return None
    entries: Any = document.data.get("identifiers") or []
    try:
        patterns = [one["pattern"] for one in entries]
    except (TypeError, KeyError):
        return None
    sound = all(isinstance(pattern, str) for pattern in patterns)
    return tuple(IdentifierPattern("", pattern) for pattern in patterns) if sound else None


def expand(value: str, environ: Mapping[str, str]) -> str:
    """Return a setting with its ``${RTTQA_…}`` replaced.

    Raises UsageError for a variable that is not set, and for one that may not be used.
    """

    def replacement(match: re.Match[str]) -> str:
        name = match[1]
        if not _allowed(match[0], name):
            raise UsageError(
                "a setting refers to a variable that it may not use", "use ${RTTQA_…}", code="M301"
            )
        if not environ.get(name):
            shells = f"`export {name}=PATH`, or in PowerShell `$env:{name} = 'PATH'`"
            hint = f"set it in this window: {shells}; or write the path into {FILE}"
            raise UsageError(f"the environment variable {name} is not set", hint)
        return environ[name]

    return _REFERENCE.sub(replacement, value)


def _allowed(written: str, name: str) -> bool:
    return written.endswith("}") and _OURS.fullmatch(name) is not None and not name.endswith("_PASSWORD")


def _references(document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each reference to the environment that could not be expanded, or may not."""
    for path, text in document.texts():
        for match in _REFERENCE.finditer(text):
            where = document.at(path)
            if path[0] == "identifiers":
                continue
            if path[0] not in _EXPANDABLE:
                yield finding("M301", f"{where.item} cannot refer to the environment", where)
            elif match[1].endswith("_PASSWORD"):
                yield finding("M301", f"{where.item} refers to a password", where)
            elif not _allowed(match[0], match[1]):
                yield finding("M301", f"{where.item} refers to a variable that is not ${{RTTQA_…}}", where)


def _patterns(document: Document) -> Iterator[Diagnostic]:
    identifiers = document.data.get("identifiers") if isinstance(document.data, dict) else None
    if not isinstance(identifiers, list) or not identifiers:
        return
    import re2

    for n, entry in enumerate(identifiers):
        pattern = entry.get("pattern") if isinstance(entry, dict) else None
        if isinstance(pattern, str) and not _compiles(re2, pattern):
            where = document.at(("identifiers", n, "pattern"))
            yield finding("M302", f"{where.item} is not a valid expression", where)


def _compiles(re2: Any, pattern: str) -> bool:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error:
        return False
    return True


def _portal(entry: Any) -> PortalSettings | None:
    if not entry:
        return None
    return PortalSettings(
        entry["kind"],
        entry.get("link", ""),
        entry.get("path", ""),
        entry.get("ca_file") or "",
        entry.get("max_bytes"),
    )


def _smtp(entry: Any) -> SmtpSettings:
    return SmtpSettings(
        entry["host"],
        entry.get("port", 587),
        entry.get("starttls", True),
        entry["sender"],
        entry.get("user", ""),
        entry.get("ca_file") or "",
    )

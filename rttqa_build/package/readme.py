"""``data/README.txt``: what is where, whom to ask, and how to check it, for whoever opens the package."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rttqa_build.package.layout import Identity

_KINDS = {"RS": "structure set", "RP": "plan", "RD": "dose", "RE": "registration"}


@dataclass(frozen=True, slots=True)
class Readme:
    """What the text needs to know beside the paths."""

    identity: Identity
    trial_title: str
    centre_name: str
    contact_name: str
    contact_email: str
    supplements: str = ""  # the package before, beside which this one stands


def readme(facts: Readme, paths: Iterable[str]) -> bytes:
    """Return the text for a package with these payload paths (``data/…``, the README's own not needed)."""
    identity = facts.identity
    lines = [
        f"{facts.trial_title}: {identity.purpose.replace('-', ' ')}",
        "",
        f"Trial       {identity.trial}",
        f"Patient     {identity.patient}",
        f"Revision    {identity.revision}",
        f"Centre      {identity.centre}, {facts.centre_name}",
        f"Contact     {facts.contact_name}, {facts.contact_email}",
        "",
        *_beside(facts.supplements),
        "All objects are pseudonymised: names, numbers and identifiers are replaced, dates are moved or",
        "removed. Please do not try to find out who the patient is.",
        "",
        "What is where",
        *(f"  {line}" for line in _contents(paths)),
        "",
        "How to check it",
        "  Whole package: compare with the SHA-256 in the covering email.",
        f"    Windows:      certutil -hashfile {identity.package} SHA256",
        f"    Linux, macOS: sha256sum {identity.package}",
        "  Each file: in the extracted folder, where manifest-sha256.txt lies (BagIt, RFC 8493).",
        "    Windows:      certutil -hashfile FILE SHA256, and compare with the file's line there",
        "    Linux, macOS: sha256sum -c manifest-sha256.txt",
        "  All at once, without extracting: rttqa-build verify PACKAGE",
        "",
    ]
    return "\n".join(lines).encode()


def _beside(earlier: str) -> tuple[str, ...]:
    if not earlier:
        return ()
    return (
        "This is a supplement: it holds what is added to the packages before it, the last being",
        earlier,
        "",
    )


def _contents(paths: Iterable[str]) -> list[str]:
    """Return one line for each folder and kind of object, and for each other file."""
    groups = Counter(_group(PurePosixPath(path)) for path in paths)
    width = max((len(place) for place, _ in groups), default=0)
    return [
        f"{place:<{width}}  {_described(what, count)}".rstrip()
        for (place, what), count in sorted(groups.items())
    ]


def _group(path: PurePosixPath) -> tuple[str, str]:
    if path.suffix != ".dcm":
        return str(path), ""
    prefix = path.name.split("_")[0]
    return f"{path.parent}/{prefix}_*.dcm", _KINDS.get(prefix, f"{prefix} image")


def _described(what: str, count: int) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}" if what else ""

"""A trial's examples → findings where ``check`` says otherwise than they do.

``examples/valid/*.yaml`` are manifests in which nothing is found. ``examples/invalid/*.yaml`` have, in a file
of the same name that ends in ``.expected``, a line ``line:column code`` for each finding.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rttqa_build import disk, source
from rttqa_build.centre.identifiers import identifiers
from rttqa_build.diagnostic import Location, finding, ordered
from rttqa_build.source import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.library import Library
    from rttqa_build.trial import Trial

KINDS = ("valid", "invalid")


def examples(library: Library, trial: Trial, folder: Path) -> Iterator[Diagnostic]:
    """Yield a finding for each example that is missing or behaves otherwise than it says."""
    for kind in KINDS:
        place, label = folder / "examples" / kind, f"trials/{trial.id}/examples/{kind}"
        paths = sorted(place.glob("*.yaml"))
        if not paths:
            yield finding("M333", f"the trial has no {kind} example", Location(label))
        for path in paths:
            yield from _example(library, trial, path, f"{label}/{path.name}")
        for path in sorted(place.glob("*.expected")):
            if kind == "valid" or not path.with_suffix(".yaml").is_file():
                yield finding("M338", "no invalid example has this name", Location(f"{label}/{path.name}"))


def behaviour(library: Library, data: bytes, label: str) -> tuple[Diagnostic, ...]:
    """Return what ``check`` says of a manifest, but for what depends on a centre's settings."""
    reading = library.read_manifest(data, label)
    if reading.document is None:
        return reading.diagnostics
    contact = reading.trial.contact if reading.trial else None
    known = (contact.email, contact.name) if contact else ()
    return ordered((*reading.diagnostics, *identifiers(reading.document, (), known)))


def said(found: Diagnostic) -> str:
    """Return a finding as a line of an ``.expected`` file."""
    return f"{found.where.line}:{found.where.column} {found.code}"


def _example(library: Library, trial: Trial, path: Path, label: str) -> Iterator[Diagnostic]:
    data = disk.head(path, MAX_BYTES + 1, label)
    found = behaviour(library, data, label)
    expected, beside = path.with_suffix(".expected"), label.removesuffix(".yaml") + ".expected"
    lines: list[str] = []
    if path.parent.name == "invalid":
        if not expected.is_file():
            yield finding("M333", "the file of the expected findings is missing", Location(beside))
            return
        lines = disk.read(expected, MAX_BYTES, beside).decode("utf-8", "replace").splitlines()
        if not lines:
            yield finding("M334", "an invalid example expects at least one finding", Location(beside, 1, 1))
    yield from _compared(found, lines, beside)
    document, _ = source.parse(data, label)
    if document and isinstance(document.data, dict) and document.data.get("trial") != trial.id:
        yield finding("M334", f"the example is not one of {trial.id}", document.at(("trial",)))


def _compared(found: tuple[Diagnostic, ...], lines: list[str], beside: str) -> Iterator[Diagnostic]:
    """Yield a finding for each one too many and each one too few."""
    surplus, lacking = Counter(lines), Counter(map(said, found))
    for one in found:
        if surplus[said(one)]:
            surplus[said(one)] -= 1
        else:
            yield finding("M334", f"check finds {one.code} here: {one.message}", one.where, hint=one.hint)
    for number, line in enumerate(lines, 1):
        if lacking[line]:
            lacking[line] -= 1
        else:
            yield finding("M334", f"check does not find {line}", Location(beside, number, 1))

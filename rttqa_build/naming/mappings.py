"""``mappings.yaml``: which names of the planning system stood for which structure in packages that arrived.

A memory for ``new`` and nothing else: no build reads it, and losing it loses proposals only. It goes into Git
with the receipts, so it holds no name in which anything identifies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from rttqa_build import disk, source
from rttqa_build.diagnostic import Diagnostic, Location, RttqaError, finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from rttqa_build.manifest import Manifest
    from rttqa_build.schema import CompiledSchema
    from rttqa_build.source import Document, Json

FILE, DAMAGED = "mappings.yaml", "M412"
_HEAD = "# Written by `rttqa-build submit`: names of structures in packages that were received.\n"

Mappings: TypeAlias = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Trial → the trial's name of a structure → its names in the planning system, sorted."""


def read(path: Path, schema: CompiledSchema) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """Return the valid document; None when there is no file or, with findings, when it cannot be used."""
    if not path.exists():
        return None, ()
    try:
        data = disk.read(path, source.MAX_BYTES, FILE)
    except RttqaError as error:
        return None, (finding(DAMAGED, error.message, Location(FILE), hint=error.hint),)
    document, told = source.parse(data, FILE)
    if document is not None and not told:
        document, told = schema.validate(document)
    if document is None or told:
        place = told[0].where if told else Location(FILE)
        return None, (finding(DAMAGED, f"{FILE} was damaged or edited by hand", place),)
    return document, ()


def from_document(document: Document) -> Mappings:
    """Return what a document says that is valid against ``mappings.schema.json``."""
    data: Any = document.data
    return {
        trial: {name: tuple(labels) for name, labels in names.items()}
        for trial, names in data["mappings"].items()
    }


def remember(known: Mappings, received: Iterable[Manifest], identifying: Callable[[str], bool]) -> Mappings:
    """Return the mappings with those of manifests whose packages were received, all sorted.

    A structure that has the trial's own name needs no memory; a name that identifies gets none.
    """
    every = {(t, n, label) for t, names in known.items() for n, labels in names.items() for label in labels}
    for one in received:
        chosen = ((name, choice.name.strip()) for name, choice in one.structures.items() if choice.name)
        every |= {(one.trial, n, label) for n, label in chosen if label != n and not identifying(label)}
    told: dict[str, dict[str, tuple[str, ...]]] = {}
    for trial, name, label in sorted(every):
        names = told.setdefault(trial, {})
        names[name] = (*names.get(name, ()), label)
    return told


def dump(mappings: Mappings) -> str:
    """Return ``mappings.yaml``."""
    data: dict[str, Json] = {
        trial: {name: list(labels) for name, labels in names.items()} for trial, names in mappings.items()
    }
    return _HEAD + source.dump({"mappings": data})

"""Roles and order in, paths inside the package out; never a name from the export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import Diagnostic, Location, finding

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_PATH = 90
SUMMARY = "data/clinical_summary.pdf"
README = "data/README.txt"

# Import wizards want a plan's objects together; other series keep to a folder of their own.
_PLANNING = {"planning_image": "", "structure_set": "RS", "plan": "RP", "dose": "RD"}


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """What names a submission: trial, centre and patient (or case) codes, purpose, revision."""

    trial: str
    centre: str
    patient: str
    purpose: str
    revision: int

    @property
    def folder(self) -> str:
        """The one folder inside the archive."""
        return f"{self.patient}_r{self.revision}"

    @property
    def package(self) -> str:
        """The archive's file name."""
        return f"{self.trial}_{self.centre}_{self.patient}_{self.purpose}_r{self.revision}.zip"


@dataclass(frozen=True, slots=True)
class Placed:
    """One object in package order: its role, its Modality, and which of the role's series it is in (from 1).

    Series other than the planning images' lie in folders of their own when their role has several.
    """

    role: str
    modality: str
    series: int = 1


def object_paths(objects: Iterable[Placed]) -> tuple[str, ...]:
    """Return the path of each object, in the same order: images numbered with four digits, others plainly."""
    objects = tuple(objects)
    several = {item.role for item in objects if item.series > 1}
    taken: dict[str, int] = {}
    return tuple(_numbered(_stem(item, item.role in several), taken) for item in objects)


def _stem(item: Placed, several: bool) -> tuple[str, int]:
    if item.role in _PLANNING:
        prefix = _PLANNING[item.role]
        return f"data/planning/{prefix or item.modality}_", 1 if prefix else 4
    if item.role == "registration":
        return "data/registration/RE_", 1
    folder = f"data/{item.role}/series_{item.series}" if several else f"data/{item.role}"
    return f"{folder}/{item.modality}_", 4


def _numbered(stem: tuple[str, int], taken: dict[str, int]) -> str:
    text, digits = stem
    taken[text] = number = taken.get(text, 0) + 1
    return f"{text}{number:0{digits}d}.dcm"


def document_path(role: str, extension: str) -> str:
    """Return the path of a document: its role in the trial and its type (``pdf``)."""
    return f"data/documents/{role}.{extension.lower()}"


def long_paths(folder: str, paths: Iterable[str]) -> tuple[Diagnostic, ...]:
    """Return a finding for each path that is longer, folder included, than Windows extracts safely."""
    return tuple(
        finding(
            "K004",
            f"A path inside the package has {len(folder) + 1 + len(path)} characters; "
            f"{LONGEST_PATH} are the most.",
            Location("package", item=path),
            subject=path,
        )
        for path in sorted(paths)
        if len(folder) + 1 + len(path) > LONGEST_PATH
    )


def too_large(size: int, max_bytes: int | None) -> tuple[Diagnostic, ...]:
    """Return a finding when a package of ``size`` bytes is more than the portal takes."""
    if max_bytes is None or size <= max_bytes:
        return ()
    message = f"The package has {size} bytes; the portal takes {max_bytes}."
    return (finding("K003", message, Location("package"), subject="package"),)

"""Family S: every structure the trial needs is there, drawn, and called by one name (rows 7 and 8)."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from rttqa_build.checks.case import Case, place
from rttqa_build.diagnostic import Location, finding
from rttqa_build.study import StructureFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.diagnostic import Diagnostic

_LEFT = re.compile(r"(?i)(^|[ _.-])(l|lt|left|links)($|[ _.-])")
_RIGHT = re.compile(r"(?i)(^|[ _.-])(r|rt|right|rechts)($|[ _.-])")


def _line(case: Case, name: str) -> Location:
    return case.manifest.document.at(("structures", name))


def mapping(case: Case) -> Iterator[Diagnostic]:
    """Every structure that the manifest maps exists, and exists once."""
    for _, facts in case.facts("structure_set", StructureFacts):
        naming = case.naming(facts)
        names = ", ".join(sorted(roi.name for roi in facts.rois))
        for name in naming.missing:
            yield finding(
                "S101",
                f"{name} is mapped to a structure that the structure set does not have",
                _line(case, name),
                subject=name,
                local=f"the structure set has: {names}",
            )
        for name in naming.ambiguous:
            message = f"{name} is mapped to a name that several structures have"
            yield finding("S102", message, _line(case, name), subject=name)


def contours(case: Case) -> Iterator[Diagnostic]:
    """Every structure of the trial that is there has contours; none is both there and absent."""
    for selected, facts in case.facts("structure_set", StructureFacts):
        naming = case.naming(facts)
        for name, roi in naming.mapped.items():
            if not roi.contours:
                yield finding("S104", f"{name} has no contours", place(selected, name), subject=name)
        for name, choice in case.manifest.structures.items():
            if choice.absent and any(
                r.name.strip().casefold() == name.casefold() and r.contours for r in facts.rois
            ):
                message = f"{name} is said to be absent, but the structure set has contours of that name"
                yield finding("S105", message, _line(case, name), subject=name)


def names(case: Case) -> Iterator[Diagnostic]:
    """Names in the package are unique, whatever their case (TG-263)."""
    for selected, facts in case.facts("structure_set", StructureFacts):
        renamed = case.naming(facts).renamed
        final = [renamed.get(roi.number, roi.name.strip()) for roi in facts.rois]
        doubled = [name for name, n in Counter(f.casefold() for f in final if f).items() if n > 1]
        mapped = {name.casefold(): name for name in renamed.values() if name}
        for name in doubled:
            if name in mapped:
                message = f"{mapped[name]} would be the name of two structures: another one has it already"
                yield finding("S106", message, _line(case, mapped[name]), subject=mapped[name])
            else:
                message = "two structures that the trial does not ask for share a name"
                yield finding("S107", message, place(selected), subject=selected.name, local=name)


def laterality(case: Case) -> Iterator[Diagnostic]:
    """A left structure is not mapped to a right one, nor the reverse."""
    for name, choice in case.manifest.structures.items():
        left, right = name.endswith("_L"), name.endswith("_R")
        wrong = (left and _RIGHT.search(choice.name) and not _LEFT.search(choice.name)) or (
            right and _LEFT.search(choice.name) and not _RIGHT.search(choice.name)
        )
        if wrong:
            message = f"{name} is mapped to a structure whose name says the other side"
            yield finding("S108", message, _line(case, name), subject=name)

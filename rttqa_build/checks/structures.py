"""Family S: every structure the trial needs is there, drawn, and called by one name (rows 7 and 8)."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from rttqa_build.checks.case import Case, place
from rttqa_build.diagnostic import Location, finding
from rttqa_build.study import StructureFacts
from rttqa_build.trial import folded, structure_called

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.resolve import Selected

CLOSED = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"})
# z and _ in front mark structures that nobody is to review (TG-263): they are named as they should be.
SCRATCH = re.compile(
    r"(?i)^(?![z_]).*(\b|_)(temp|tmp|test|dummy|scratch|copy|old|delete|unused|junk|xxx+)(\b|_|\d)"
    r"|^(structure|roi|contour|volume|new roi|untitled)[ _]?\d*$"
)
# A side is a word of its own, or set apart by capitals: KidneyR, RtKidney.
_SIDE = (
    r"(?i:(?:^|[ _.()-])(?:{0}|{0}t|{1}|{2})(?:$|[ _.()-]))"
    r"|(?<=[a-z])(?:{3}t?|{3}T|{4})(?:$|[ _.()-])|(?:^|[ _.(-])(?:{3}t?|{4})(?=[A-Z][a-z])"
)
_RENUMBER = "Copy one of them into a new structure in the planning system, delete it, and export again."
_LEFT = re.compile(_SIDE.format("l", "left", "li|links", "L", "Left"))
_RIGHT = re.compile(_SIDE.format("r", "right", "re|rechts", "R", "Right"))


def _line(case: Case, name: str) -> Location:
    return case.manifest.document.at(("structures", name))


def _origin(case: Case, name: str) -> str:
    """Return the planning system's name of a structure of the trial: its own, where it is not mapped."""
    choice = case.manifest.structures.get(name)
    return choice.name.strip() if choice else name


def usual_names(case: Case) -> Iterator[Diagnostic]:
    """No structure is mapped to one that is called as another of the trial's structures is."""
    for name, choice in case.manifest.structures.items():
        rule = structure_called(case.trial, choice.name) if choice.name else None
        own = {folded(name), *(folded(a) for r in case.trial.structures if r.name == name for a in r.aliases)}
        told = _says_other_side(name, choice.name)
        if rule is not None and rule.name != name and folded(choice.name) not in own and not told:
            message = f"{name} is mapped to a structure that by its name is {rule.name}"
            yield finding("S114", message, _line(case, name), subject=name, local=choice.name)


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
        for name, there in _drawn_though_absent(case, facts):
            message = f"{name} is said to be absent, but the structure set has contours of that name"
            yield finding("S105", message, _line(case, name), subject=name, local=", ".join(there))


def _drawn_though_absent(case: Case, facts: StructureFacts) -> Iterator[tuple[str, list[str]]]:
    """Yield structures said to be absent, and the ROIs that have their name or a usual one for it."""
    choices = case.manifest.structures
    absent = {folded(name): name for name, choice in choices.items() if choice.absent}
    taken = {choice.name.strip() for choice in choices.values()}
    found: dict[str, list[str]] = {}
    for roi in facts.rois if absent else ():
        if roi.contours and roi.name.strip() not in taken:
            rule = structure_called(case.trial, roi.name)
            name = absent.get(folded(roi.name)) or absent.get(folded(rule.name) if rule else "")
            found.setdefault(name or "", []).append(roi.name)
    return ((name, found[name]) for name in choices if name in found)


def frames(case: Case) -> Iterator[Diagnostic]:
    """The trial's structures are drawn in the planning image's frame: each ROI names its own (C.8.8.5)."""
    planned = {i.frame_uid for selected in case.roles("planning_image") for i in selected.instances} - {""}
    for selected, facts in case.facts("structure_set", StructureFacts):
        drawn = {name: roi for name, roi in case.naming(facts).mapped.items() if roi.contours}
        astray = sorted(n for n, roi in drawn.items() if roi.frame_uid and roi.frame_uid not in planned)
        if planned and astray:
            message = (
                f"{len(astray)} of {len(drawn)} structures of the trial are drawn "
                "in another frame of reference than the planning image"
            )
            where = place(selected, "ReferencedFrameOfReferenceUID")
            yield finding("R204", message, where, subject=selected.name, local=", ".join(astray))


def closed(case: Case) -> Iterator[Diagnostic]:
    """Structures of the trial that have a volume are drawn with closed contours."""
    without_volume = {rule.name for rule in case.trial.structures if rule.type in ("MARKER", "CONTROL")}
    for selected, facts in case.facts("structure_set", StructureFacts):
        for name, roi in case.naming(facts).mapped.items():
            types = set(roi.geometric_types)
            if name not in without_volume and types and not types & CLOSED:
                message = f"{name} is drawn with points or open lines only: it has no volume"
                yield finding("S109", message, place(selected, name), subject=name)


def further(case: Case) -> Iterator[Diagnostic]:
    """What else is in the structure set is no leftover, and nothing that could be meant instead."""
    if case.trial.unmapped_structures != "keep":
        return
    for selected, facts in case.facts("structure_set", StructureFacts):
        mapped = case.naming(facts).mapped
        ours = {roi.number for roi in mapped.values()}
        others = [roi for roi in facts.rois if roi.number not in ours]
        where, about = place(selected), selected.name
        scratch = sorted(roi.name for roi in others if roi.contours and SCRATCH.search(roi.name))
        if scratch:
            message = f"{len(scratch)} structures look like leftovers of planning"
            yield finding("S110", message, where, subject=about, local=", ".join(scratch))
        empty = sorted(roi.name for roi in others if not roi.contours)
        if empty:
            message = f"{len(empty)} structures that the trial does not ask for have no contours"
            yield finding("S111", message, where, subject=about, local=", ".join(empty))
        yield from _rivals(case, {roi.name for roi in others if roi.contours}, set(mapped))


def _rivals(case: Case, others: set[str], mapped: set[str]) -> Iterator[Diagnostic]:
    """Yield where another structure bears an alias of one that is mapped already."""
    rivals: dict[str, list[str]] = {}
    for name in sorted(others):
        rule = structure_called(case.trial, name)
        if rule is not None and rule.name in mapped and name.strip().casefold() != rule.name.casefold():
            rivals.setdefault(rule.name, []).append(name)
    for name, found in sorted(rivals.items()):
        message = f"another structure could be {name} too, by its name"
        yield finding("S112", message, _line(case, name), subject=name, local=", ".join(found))


def approval(case: Case) -> Iterator[Diagnostic]:
    """The structure set carries an approval (RT Approval Status)."""
    for selected, facts in case.facts("structure_set", StructureFacts):
        if facts.approval != "APPROVED":
            message = "the structure set is not marked as approved"
            yield finding("S113", message, place(selected), subject=selected.name)


def names(case: Case) -> Iterator[Diagnostic]:
    """Names in the package are unique, whatever their case (TG-263), and no number stands for two ROIs."""
    for selected, facts in case.facts("structure_set", StructureFacts):
        naming = case.naming(facts)
        renamed = naming.renamed
        shared = [number for number, n in Counter(roi.number for roi in facts.rois).items() if n > 1]
        yield from _one_number(case, selected, facts, shared)
        told = {_origin(case, name).casefold() for name in naming.ambiguous}
        final = [renamed.get(r.number, r.name.strip()) for r in facts.rois if r.number not in shared]
        final += [renamed.get(number) for number in shared]
        doubled = [name for name, n in Counter(f.casefold() for f in final if f).items() if n > 1]
        mapped = {name.casefold(): name for name in renamed.values() if name}
        for name in (each for each in doubled if each not in told):
            if name in mapped:
                message = f"{mapped[name]} would be the name of two structures: another one has it already"
                yield finding("S106", message, _line(case, mapped[name]), subject=mapped[name])
            else:
                message = "two structures that the trial does not ask for share a name"
                yield finding("S107", message, place(selected), subject=selected.name, local=name)


def _one_number(
    case: Case, selected: Selected, facts: StructureFacts, shared: Iterable[int]
) -> Iterator[Diagnostic]:
    """Yield where two ROIs have one number: what is renamed, drawn or dropped by it is that of both."""
    mapped = {roi.number: name for name, roi in case.naming(facts).mapped.items()}
    for number in shared:
        names = ", ".join(roi.name for roi in facts.rois if roi.number == number)
        if number in mapped:
            name = mapped[number]
            message = f"{name} would be the name of two structures: the structure set gives both one number"
            yield finding("S106", message, _line(case, name), subject=name, hint=_RENUMBER, local=names)
        else:
            message = (
                "two structures that the trial does not ask for have one number, and cannot be told apart"
            )
            where = place(selected)
            yield finding("S107", message, where, subject=selected.name, hint=_RENUMBER, local=names)


def laterality(case: Case) -> Iterator[Diagnostic]:
    """A left structure is not mapped to a right one, nor the reverse."""
    for name, choice in case.manifest.structures.items():
        if _says_other_side(name, choice.name):
            message = f"{name} is mapped to a structure whose name says the other side"
            yield finding("S108", message, _line(case, name), subject=name)


def _says_other_side(name: str, label: str) -> bool:
    """Return whether a structure of one side is mapped to a name that says the other side alone."""
    left, right = bool(_LEFT.search(label)), bool(_RIGHT.search(label))
    return (name.endswith("_L") and right and not left) or (name.endswith("_R") and left and not right)

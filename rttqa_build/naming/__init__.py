"""The manifest's structure mapping × the ROIs of a structure set → which ROI is which, and its new name.

One place decides it, so that checks, dose-volume histograms, summary and the pseudonymised object agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rttqa_build.manifest import StructureChoice
    from rttqa_build.study import Roi
    from rttqa_build.trial import Trial

# RT ROI Interpreted Types that a plan is calculated with (PS3.3 C.8.8.8.1): dropping one changes the case.
NEVER_DROPPED = frozenset({"EXTERNAL", "SUPPORT", "BOLUS", "FIXATION"})


@dataclass(frozen=True, slots=True)
class Naming:
    """The ROIs of one structure set by the trial's names.

    ``mapped``: trial name → ROI. ``missing``: trial names whose ROI is not there. ``ambiguous``: those for
    which there are several. ``renamed``: ROI number → name in the package, None for a dropped one; ROIs that
    keep their name do not appear.
    """

    mapped: Mapping[str, Roi] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    renamed: Mapping[int, str | None] = field(default_factory=dict)


def name_structures(
    rois: tuple[Roi, ...],
    choices: Mapping[str, StructureChoice],
    trial: Trial,
    referenced: Iterable[int] = (),
) -> Naming:
    """Return which ROI plays which structure of the trial.

    A structure that the manifest does not map is found when an ROI has exactly the trial's name.
    ``referenced`` are ROI numbers that a plan or dose refers to: these are never dropped.
    """
    wanted = _wanted(rois, choices, trial)
    candidates = {name: tuple(r for r in rois if r.name.strip() == label) for name, label in wanted.items()}
    mapped = {name: found[0] for name, found in candidates.items() if len(found) == 1}
    renamed: dict[int, str | None] = {roi.number: name for name, roi in mapped.items()}
    for roi in rois:
        if roi.number not in renamed:
            _name_unmapped(roi, trial, frozenset(referenced), renamed)
    return Naming(
        mapped,
        tuple(name for name, found in candidates.items() if not found),
        tuple(name for name, found in candidates.items() if len(found) > 1),
        renamed,
    )


def _wanted(rois: tuple[Roi, ...], choices: Mapping[str, StructureChoice], trial: Trial) -> dict[str, str]:
    """Return trial name → name in the planning system, for all structures that should be there."""
    present = {roi.name.strip() for roi in rois}
    own = {
        rule.name: rule.name for rule in trial.structures if rule.name in present and rule.name not in choices
    }
    return own | {name: choice.name.strip() for name, choice in choices.items() if choice.name}


def _name_unmapped(
    roi: Roi, trial: Trial, referenced: frozenset[int], renamed: dict[int, str | None]
) -> None:
    if trial.unmapped_structures == "rename":
        renamed[roi.number] = f"ROI_{roi.number}"
    elif trial.unmapped_structures == "drop" and not _needed(roi, referenced):
        renamed[roi.number] = None


def _needed(roi: Roi, referenced: frozenset[int]) -> bool:
    return (
        roi.interpreted_type.upper() in NEVER_DROPPED
        or roi.has_physical_properties
        or roi.number in referenced
    )

"""What a check sees: manifest, trial, and the selected objects by role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from rttqa_build.diagnostic import Location
from rttqa_build.naming import Naming, name_structures
from rttqa_build.study import DoseFacts, ImageFacts, PlanFacts, StructureFacts
from rttqa_build.trial import plan_library

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.manifest import Manifest
    from rttqa_build.resolve import Selected
    from rttqa_build.trial import Trial

Facts = TypeVar("Facts", ImageFacts, StructureFacts, PlanFacts, DoseFacts)


@dataclass(frozen=True, slots=True)
class Case:
    """One submission's selected objects."""

    manifest: Manifest
    trial: Trial
    selected: tuple[Selected, ...]

    def roles(self, *names: str) -> Iterator[Selected]:
        """Yield the selections of the given roles."""
        return (selected for selected in self.selected if selected.role in names)

    def facts(self, role: str, kind: type[Facts]) -> Iterator[tuple[Selected, Facts]]:
        """Yield each object of a role with its facts."""
        for selected in self.roles(role):
            for instance in selected.instances:
                if isinstance(instance.facts, kind):
                    yield selected, instance.facts

    def series(self) -> Iterator[tuple[Selected, tuple[ImageFacts, ...]]]:
        """Yield every image series that is sent, with the geometry of its images."""
        for selected in self.selected:
            images = tuple(i.facts for i in selected.instances if isinstance(i.facts, ImageFacts))
            if images:
                yield selected, images

    def naming(self, structure_set: StructureFacts) -> Naming:
        """Return which ROI of a structure set is which structure of the trial."""
        referenced = [
            target.roi_number
            for _, plan in self.facts("plan", PlanFacts)
            for target in plan.targets
            if target.roi_number is not None
        ]
        for selected in self.roles("plan", "dose"):
            referenced.extend(number for instance in selected.instances for number in instance.roi_numbers)
        return name_structures(structure_set.rois, self.manifest.structures, self.trial, referenced)

    @property
    def alternatives(self) -> bool:
        """Whether the plans are a library, of which one is chosen for each fraction: they do not add up."""
        return plan_library(self.trial, self.manifest.submission)

    def tolerance(self, name: str) -> float | None:
        """Return a tolerance of the trial, or None where it gives none."""
        value = self.trial.tolerances.get(name)
        return None if value is None else float(value)


def place(selected: Selected, item: str = "") -> Location:
    """Return the location of a finding about a selected object: ``role:id``."""
    return Location(selected.place, item=item)

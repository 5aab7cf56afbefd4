"""Family C, several series: each says what it is, fits the others, and keeps what it is measured with."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from rttqa_build.checks.case import Case, place
from rttqa_build.diagnostic import Location, finding
from rttqa_build.study import ImageFacts, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.resolve import Selected
    from rttqa_build.study import Instance

# A phase in per cent, an average, or a projection, as scanners and planning systems name series of a 4D CT.
_PHASE = re.compile(r"(?i)\d{1,3}\s*%|\b(phase|average|ave|avg|aip|mean|mip|minip)\b")


def registration(case: Case) -> Iterator[Diagnostic]:
    """A diagnostic image in another frame than the planning image comes with a registration of the two."""
    planned = {i.frame_uid for selected in case.roles("planning_image") for i in selected.instances}
    joined = [set(s.candidate.references("frames")) for s in case.roles("registration")]
    for selected, _ in case.series():
        frames = {i.frame_uid for i in selected.instances}
        if not selected.role.startswith("diagnostic_") or not planned or frames & planned:
            continue
        if not any(frames & pair and planned & pair for pair in joined):
            message = f"no registration joins the {selected.place} to the planning image"
            yield finding("C201", message, place(selected), subject=selected.name)


def phases(case: Case) -> Iterator[Diagnostic]:
    """Each series of a 4D CT says which phase, average or projection it is; none that is asked for lacks."""
    series = list(case.roles("ct_4d"))
    for selected in series:
        label = f"{selected.instances[0].series_description} {' '.join(_image_type(selected))}"
        numbered = not selected.id or selected.id.isdigit()
        if numbered and not _PHASE.search(label):
            message = "a series of the 4D CT does not say which phase, average or projection it is"
            yield finding("C202", message, place(selected), subject=selected.name)
    missing = [wanted for wanted in case.trial.phases_4d if wanted not in {s.id for s in series}]
    if series and missing:
        message = f"the trial also asks for these series of the 4D CT: {', '.join(missing)}"
        yield finding("C203", message, Location("ct_4d"), subject="ct_4d")


def _image_type(selected: Selected) -> tuple[str, ...]:
    facts = selected.instances[0].facts
    return facts.image_type if isinstance(facts, ImageFacts) else ()


def uptake(case: Case) -> Iterator[Diagnostic]:
    """A PET says all that a standardised uptake value needs: weight, activity, and two times."""
    for selected, images in case.series():
        lacking = sorted({keyword for image in images for keyword in image.suv_lacks})
        if lacking:
            message = f"the PET does not say {', '.join(lacking)}"
            yield finding("C204", message, place(selected), subject=selected.name)


def sharing(case: Case) -> Iterator[Diagnostic]:
    """A series is of one modality (PS3.3 C.7.3.1), and of one RT object where the trial says so."""
    members: dict[str, list[tuple[Selected, Instance]]] = defaultdict(list)
    for selected in case.selected:
        for instance in selected.instances:
            members[instance.series_uid].append((selected, instance))
    for uid in sorted(members):
        roles = sorted({selected.place for selected, _ in members[uid]})
        if len({instance.modality for _, instance in members[uid]}) > 1:
            message = f"objects of different modalities share one series: {', '.join(roles)}"
            yield finding("R020", message, Location(roles[0]), subject=roles[0])
        elif case.trial.separate_series and len(roles) > 1 and _is_rt(members[uid][0][1]):
            message = f"{' and '.join(roles)} lie in one series; the trial wants a series for each"
            yield finding("R021", message, Location(roles[0]), subject=roles[0])


def _is_rt(instance: Instance) -> bool:
    return instance.kind in (Kind.STRUCTURE_SET, Kind.PLAN, Kind.DOSE)

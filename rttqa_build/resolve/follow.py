"""From what is selected, along the DICOM links RTDOSE → RTPLAN → RTSTRUCT → images, to what belongs to it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import finding
from rttqa_build.resolve.roles import (
    CHAIN,
    NOTHING,
    Candidate,
    Earlier,
    Selected,
    asked_for,
    candidates,
    is_series,
    modalities_of,
    rules_for,
    short_digest,
)
from rttqa_build.resolve.select import Choice, listing
from rttqa_build.study import DoseFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.manifest import Manifest
    from rttqa_build.study import Study
    from rttqa_build.trial import Trial

    Found = tuple[Candidate, ...]

_WHOLE_PLAN = frozenset({"PLAN", "MULTI_PLAN"})
_LINK = {"plan": "plan", "structure_set": "structure_set", "planning_image": "images"}
"""Role → the word under which the role above it in the chain refers to it."""


class AmbiguousError(Exception):
    """The links leave several candidates, any of which may be meant."""

    def __init__(self, found: Found) -> None:
        super().__init__()
        self.found = found


class BrokenError(Exception):
    """Links lead to nothing in the source: there is no following them."""

    def __init__(self, uids: frozenset[str]) -> None:
        super().__init__()
        self.uids = uids


@dataclass(frozen=True, slots=True)
class Chain:
    """What could play each role of the chain, and what plays it so far."""

    possible: Mapping[str, Found]
    chosen: Mapping[str, Found]

    def playable(self, roles: Iterable[str]) -> frozenset[str]:
        """Return those of some roles for which there is any candidate."""
        return frozenset(role for role in roles if self.possible[role])

    def narrowed(self, role: str) -> Found:
        """Return the candidates whose links lead to what is chosen further down the chain."""
        below = CHAIN[CHAIN.index(role) + 1 :]
        if not any(self.chosen.get(lower) for lower in below):
            return self.possible[role]
        reached = self.chosen.get(below[0]) or self.narrowed(below[0])
        return tuple(c for c in self.possible[role] if c.references(_LINK[below[0]]) & _uids(reached))

    def doses(self) -> Found:
        """Return the dose there is, or for each chosen plan (or sum of chosen plans) the one dose of it."""
        found, plans = self.narrowed("dose"), self.chosen.get("plan", ())
        if plans:
            found = tuple(c for c in found if c.references("plan") <= _uids(plans))
        by_plans: dict[frozenset[str], list[Candidate]] = defaultdict(list)
        for dose in found:
            by_plans[dose.references("plan")].append(dose)
        whole = [_without_parts(group) for group in by_plans.values()]
        if any(len(group) > 1 for group in whole) or (len(whole) > 1 and not plans):
            raise AmbiguousError(tuple(c for group in whole for c in group))
        return tuple(c for group in whole for c in group)

    def below(self, role: str) -> Found:
        """Return what the chosen objects one role further up refer to, else the only candidate there is."""
        referring = self.chosen.get(CHAIN[CHAIN.index(role) - 1], ())
        if not any(upper.references(_LINK[role]) for upper in referring):
            return _only(self.narrowed(role))
        found = {c.first.file.sha256: c for upper in referring for c in self._referred(upper, role)}
        if not found:
            raise BrokenError(frozenset().union(*(upper.references(_LINK[role]) for upper in referring)))
        return tuple(found.values())

    def _referred(self, upper: Candidate, role: str) -> Iterator[Candidate]:
        """Yield for each reference its object, or the one series in which the references lie."""
        uids = upper.references(_LINK[role])
        if is_series(role):
            yield from _only(tuple(c for c in self.possible[role] if c.uids & uids))
            return
        for uid in sorted(uids):
            yield from _only(tuple(c for c in self.possible[role] if uid in c.uids))


def follow(
    study: Study, manifest: Manifest, trial: Trial, choice: Choice, earlier: Earlier = NOTHING
) -> Choice:
    """Return a choice completed along the links, then by roles the trial requires and one candidate fits.

    Where a supplement says below ``data:`` what it holds, roles that were filled ``earlier`` are left alone.
    """
    left = earlier.roles if manifest.data else frozenset[str]()
    choice = _follow_chain(study, manifest, trial, choice, replace(earlier, roles=left))
    return _add_required(study, manifest, trial, choice, left)


def _follow_chain(study: Study, manifest: Manifest, trial: Trial, choice: Choice, earlier: Earlier) -> Choice:
    """Fill the roles of the chain from the dose down, until a link is broken or ambiguous."""
    chain = _chain(study, manifest, trial, choice)
    open_roles = [role for role in CHAIN if role not in chain.chosen and role not in earlier.roles]
    if choice.unsettled & set(CHAIN):
        return choice._replace(unsettled=choice.unsettled | chain.playable(open_roles))
    for n, role in enumerate(open_roles):
        if not asked_for(role, trial, manifest.submission):
            continue
        try:
            found = chain.doses() if role == CHAIN[0] else chain.below(role)
        except AmbiguousError as several:
            return choice._replace(
                unsettled=choice.unsettled | chain.playable(open_roles[n:]),
                diagnostics=(*choice.diagnostics, _ambiguous(role, several.found, study, manifest)),
            )
        except BrokenError as broken:
            if not earlier.missing(_LINK[role], broken.uids):
                continue
            unsettled = choice.unsettled | chain.playable(open_roles[n + 1 :])
            told = (*choice.diagnostics, *_taken(role, broken.uids, manifest, choice))
            return choice._replace(unsettled=unsettled, broken=frozenset({role}), diagnostics=told)
        chain = replace(chain, chosen={**chain.chosen, role: found})
        choice = choice._replace(selected=(*choice.selected, *_as_selected(role, found)))
    return choice


def _chain(study: Study, manifest: Manifest, trial: Trial, choice: Choice) -> Chain:
    """Return the chain before anything is followed; what plays another role is no candidate."""
    chosen: dict[str, tuple[Candidate, ...]] = {}
    for item in choice.selected:
        chosen[item.role] = (*chosen.get(item.role, ()), item.candidate)
    return Chain(
        {role: _possible(role, study, manifest, trial, choice) for role in CHAIN},
        {role: found for role, found in chosen.items() if role in CHAIN},
    )


def _possible(role: str, study: Study, manifest: Manifest, trial: Trial, choice: Choice) -> Found:
    modalities = modalities_of(role, rules_for(role, trial, manifest.submission))
    taken = {i.file.sha256 for item in choice.selected if item.role != role for i in item.instances}
    found = candidates(study.instances, role, modalities)
    return tuple(c for c in found if not any(i.file.sha256 in taken for i in c.instances))


def _taken(role: str, uids: frozenset[str], manifest: Manifest, choice: Choice) -> Iterator[Diagnostic]:
    """Yield a finding where the objects that a link leads to were selected for another role."""
    for item in choice.selected:
        if item.candidate.uids & uids:
            message = f"what is selected for {item.place} is the {role}: what is sent refers to it"
            hint = f"Remove this selector, or select other objects for {item.place}."
            where = manifest.document.at(item.selector_path)
            yield finding("R105", message, where, hint=hint, subject=item.name)


def _add_required(
    study: Study, manifest: Manifest, trial: Trial, choice: Choice, left: frozenset[str]
) -> Choice:
    """Add what plays a required role outside the chain, where there is exactly one candidate."""
    required = {rule.role for rule in trial.objects if rule.required and rule.when.holds(manifest.submission)}
    filled = {item.role for item in choice.selected} | choice.unsettled | set(CHAIN) | left
    for role in sorted(required - filled):
        found = _possible(role, study, manifest, trial, choice)
        if len(found) > 1:
            choice = choice._replace(
                unsettled=choice.unsettled | {role},
                diagnostics=(*choice.diagnostics, _ambiguous(role, found, study, manifest)),
            )
        else:
            choice = choice._replace(selected=(*choice.selected, *_as_selected(role, found)))
    return choice


def _as_selected(role: str, found: Found) -> tuple[Selected, ...]:
    """Return candidates in their role, numbered where there are several."""
    numbered = len(found) > 1
    return tuple(
        Selected(role, str(n) if numbered else "", c.instances) for n, c in enumerate(found, start=1)
    )


def _without_parts(doses: list[Candidate]) -> list[Candidate]:
    """Return the doses of whole plans where there are such, without those of single beams or fractions."""
    whole = [
        c for c in doses if isinstance(c.first.facts, DoseFacts) and c.first.facts.summation in _WHOLE_PLAN
    ]
    return whole or doses


def _only(found: Found) -> Found:
    if len(found) > 1:
        raise AmbiguousError(found)
    return found


def _uids(found: Iterable[Candidate]) -> frozenset[str]:
    return frozenset[str]().union(*(c.uids for c in found))


def _ambiguous(role: str, found: Found, study: Study, manifest: Manifest) -> Diagnostic:
    """Return the finding, with the candidates and the lines to add in its local part."""
    what = "image series" if is_series(role) else "objects"
    digests = [short_digest(c, study) for c in found]
    same = len({c.first.sop_uid for c in found}) == 1 and not is_series(role)
    one = "\n".join(f"    {role}: {{sha256: {digest}}}" for digest in digests)
    several = "\n".join(f"      - {{id: {role}{n}, sha256: {d}}}" for n, d in enumerate(digests, start=1))
    message = f"{len(found)} {what} could be the {role}"
    return finding(
        "R501" if same else "R101",
        message + ": they differ in content, but carry the same SOP Instance UID" * same,
        manifest.document.at(("data",) if manifest.data else ("source",)),
        subject=role,
        local=f"{listing(found, study)}\nadd one of these lines below `data:`\n  data:\n{one}\n"
        f"or, where several are meant, those of them with ids\n  data:\n    {role}:\n{several}",
    )

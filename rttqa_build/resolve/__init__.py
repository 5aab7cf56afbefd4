"""Study × manifest × trial → which object plays which role, what is left out, and what is wrong.

Objects are found by SOP class and DICOM links, never by file name; selectors below ``data:`` decide where
the links do not. Nothing that is not selected is judged or sent; every file of the source is accounted for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import finding, ordered
from rttqa_build.resolve.faces import check_faces
from rttqa_build.resolve.follow import follow
from rttqa_build.resolve.links import check_links
from rttqa_build.resolve.patients import check_patients
from rttqa_build.resolve.roles import (
    NOTHING,
    Earlier,
    Resolution,
    Selected,
    asked_for,
    role_order,
    rules_for,
)
from rttqa_build.resolve.select import Choice, choose
from rttqa_build.study import REFUSAL_CODES, Fate, PlanFacts, Reason, Study, conflicts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.manifest import Manifest
    from rttqa_build.trial import Trial

__all__ = ["NOTHING", "Earlier", "Resolution", "Selected", "resolve"]


def resolve(study: Study, manifest: Manifest, trial: Trial, earlier: Earlier = NOTHING) -> Resolution:
    """Return the role of every object that is to be sent, the fate of every other file, and all findings.

    ``earlier``: what was received before a supplement, which need not hold it again.
    """
    choice = follow(study, manifest, trial, choose(study, manifest, trial), earlier)
    selected = tuple(sorted(_tied(choice.selected), key=lambda item: role_order(item.role)))
    diagnostics = (
        *choice.diagnostics,
        *_ties(selected, manifest),
        *_required(selected, choice._replace(broken=choice.broken | earlier.roles), manifest, trial),
        *_kinds(selected, manifest, trial),
        *check_links(selected, choice.unsettled, earlier),
        *check_patients(selected, manifest),
        *_refused(selected, manifest),
        *check_faces(selected, trial),
        *conflicts(Study(Resolution(selected).instances)),
    )
    return Resolution(selected, _left_out(study, selected), ordered(diagnostics))


def _tied(selected: tuple[Selected, ...]) -> tuple[Selected, ...]:
    """Return the selection with every dose tied to its plans: by ``of:``, else by its references."""
    plans = {item.name: item.candidate.uids for item in selected if item.role == "plan"}
    return tuple(
        replace(
            item, of=tuple(name for name, uids in plans.items() if uids & item.candidate.references("plan"))
        )
        if item.role == "dose" and not item.of
        else item
        for item in selected
    )


def _ties(selected: tuple[Selected, ...], manifest: Manifest) -> Iterator[Diagnostic]:
    """Yield a finding for each ``of:`` that names no selected plan."""
    plans = {item.name for item in selected if item.role == "plan"}
    for item in selected:
        if item.role == "dose" and not set(item.of) <= plans:
            where = manifest.document.at((*item.selector_path, "of"))
            yield finding("R106", "`of:` names a plan that is not selected", where, subject=item.name)


def _required(
    selected: tuple[Selected, ...], choice: Choice, manifest: Manifest, trial: Trial
) -> Iterator[Diagnostic]:
    """Yield findings where the trial's object rules are not met: missing, too many, not asked for."""
    submission = manifest.submission
    told_elsewhere = choice.unsettled | choice.broken
    where = manifest.document.at(("data",) if manifest.data else ("source",))
    for role in sorted({rule.role for rule in trial.objects} | {item.role for item in selected}):
        count = sum(item.role == role for item in selected)
        rules = rules_for(role, trial, submission)
        if not count and role not in told_elsewhere and any(rule.required for rule in rules):
            yield finding(
                "R001", f"the trial asks for a {role}, and the source holds none", where, subject=role
            )
        minimum = max((rule.minimum for rule in rules), default=0)
        if 0 < count < minimum and role not in told_elsewhere:
            message = f"{count} objects are selected as {role}, the trial asks for {minimum}"
            yield finding("R004", message, manifest.document.at(("data", role)), subject=role)
        maximum = min((rule.maximum for rule in rules if rule.maximum), default=count)
        if count > maximum:
            message = f"{count} objects are selected as {role}, the trial takes {maximum}"
            yield finding("R002", message, manifest.document.at(("data", role)), subject=role)
        if count and not asked_for(role, trial, submission):
            message = f"the trial does not ask for a {role} here"
            yield finding("R003", message, manifest.document.at(("data", role)), subject=role)


def _kinds(selected: tuple[Selected, ...], manifest: Manifest, trial: Trial) -> Iterator[Diagnostic]:
    """Yield a finding for each plan that is of another kind than the trial takes here."""
    rules = rules_for("plan", trial, manifest.submission)
    taken = dict.fromkeys(kind for rule in rules for kind in rule.kinds)
    for item in selected:
        plans = (instance.facts for instance in item.instances if isinstance(instance.facts, PlanFacts))
        for plan in plans if taken else ():
            if plan.kind not in taken:
                message = f"this is a plan of the kind {plan.kind}; the trial takes {' or '.join(taken)} here"
                where = manifest.document.at(item.selector_path or ("source",))
                yield finding("R007", message, where, subject=item.name)


def _refused(selected: tuple[Selected, ...], manifest: Manifest) -> Iterator[Diagnostic]:
    """Yield a finding for each selected object or series that holds something that may not be sent."""
    for item in selected:
        if any(instance.refusal for instance in item.instances):
            where = manifest.document.at(item.selector_path or ("source",))
            for reason in sorted({instance.refusal for instance in item.instances if instance.refusal}):
                message = f"{item.place} holds {reason}"
                yield finding(REFUSAL_CODES[reason], message, where, subject=item.name)


def _left_out(study: Study, selected: tuple[Selected, ...]) -> tuple[Fate, ...]:
    """Return the fate of every file that plays no role, by path."""
    used = {instance.file.sha256 for item in selected for instance in item.instances}
    unused = (
        Fate(i.file, Reason.REFUSED if i.refusal else Reason.NOT_SELECTED, i.refusal)
        for i in study.instances
        if i.file.sha256 not in used
    )
    return tuple(sorted((*study.others, *unused), key=lambda fate: fate.file.path))

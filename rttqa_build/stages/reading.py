"""A source folder × an order → what is in it, who plays which role, what the doses show, what is wrong.

:func:`read` looks, :func:`findings` says what it saw, :func:`summarise` words it for the summary.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from rttqa_build import checks
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.deidentify.subject import check_subject
from rttqa_build.evidence import Histograms, assessment, dosimetry, histograms
from rttqa_build.evidence.pictures import Pictures, pictures
from rttqa_build.package.probe import probe
from rttqa_build.pseudonym import Pseudonyms
from rttqa_build.records.release import identities
from rttqa_build.records.tokens import patient_tokens
from rttqa_build.resolve import Resolution, resolve
from rttqa_build.stages import paperwork, supplement
from rttqa_build.stages.intake import Intake, take_in, weighed
from rttqa_build.stages.order import ours
from rttqa_build.stages.supplied import Supplied, prove
from rttqa_build.summary.assemble import Evidence, assemble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.stages.order import Order
    from rttqa_build.summary.context import Summary


@dataclass(frozen=True, slots=True)
class Reading:
    """What the source says: the study, who plays which role, what the doses mean and show, whom it names."""

    intake: Intake
    resolution: Resolution
    case: checks.Case
    dose: Histograms
    pictures: Pictures
    scanner: Scanner
    told: tuple[Diagnostic, ...] = ()
    supplied: Supplied = field(default_factory=Supplied)


def read(order: Order, progress: Callable[[str], None]) -> Reading:
    """Take in the source, resolve the roles, evaluate doses, and cut the views."""
    scanners = lru_cache(1)(partial(Scanner, allowed=ours(order)))
    intake = take_in(order.source, order.jobs, progress, order.survey, scanners)
    tools = order.beside.submit(probe)
    names = Pseudonyms.derive(order.key, order.trial.pseudonym_scope)
    before = supplement.earlier(order.manifest, order.previous, names)
    resolution = resolve(intake.study, order.manifest, order.trial, before)
    case = checks.Case(order.manifest, order.trial, resolution.roles)
    source = dosimetry.read(case, order.source)
    dose = assessment.compared(case, histograms(case, source, order.jobs), order.source)
    views = pictures(case, source, order.source, slices=order.keep)
    told = checks.run_measured(case, measured(source, dose))
    supplied = prove(resolution.roles, order.manifest, order.trial)
    # the same search as ahead, unless some UIDs are to stay
    scanner = scanners(intake.harvest, kept_uids=supplied.uids) if supplied.uids else scanners(intake.harvest)
    return Reading(intake, resolution, case, dose, views, scanner, (*tools.result(), *told), supplied)


def measured(source: dosimetry.Dosimetry, dose: Histograms) -> checks.Measured:
    """Return contours, doses and medians as the checks take them."""
    grids = {name: found for name, found in source.doses.items() if isinstance(found, tuple)}
    return checks.Measured(source.drawn, source.body, source.main or "", grids, dose.medians)


def findings(order: Order, reading: Reading) -> tuple[Diagnostic, ...]:
    """Return what was found so far, unweighed; no name or number of the patient is left in what is local."""
    found = (
        *order.told,
        *order.clinical.diagnostics,
        *weighed(reading.intake, reading.resolution.instances),
        *reading.supplied.diagnostics,
        *reading.resolution.diagnostics,
        *supplement.same_patient(reading.resolution.roles, order.previous, order.manifest, _names(order)),
        *check_subject(
            order.manifest.submission.patient,
            (instance.patient for instance in reading.resolution.instances),
            order.trial,
            order.manifest.document.at(("submission", "patient")),
        ),
        *checks.run(reading.case),
        *reading.dose.diagnostics,
        *reading.told,
    )
    return tuple(replace(one, local=reading.scanner.masked(one.local)) for one in found)


def tokens(order: Order, reading: Reading) -> Mapping[str, str]:
    """Return the patient tokens of what is sent: one a kind of number."""
    return patient_tokens(reading.resolution.roles, order.manifest.submission, _names(order))


def _names(order: Order) -> Pseudonyms:
    return Pseudonyms.derive(order.key, order.trial.pseudonym_scope)


def patients(reading: Reading) -> tuple[str, ...]:
    """Return who the selected objects say their patient is."""
    found = {i.patient for one in reading.resolution.roles for i in one.instances}
    return tuple(sorted(f"{p.name}, born {p.birth_date or 'unknown'}, ID {p.patient_id}" for p in found))


def whose_names(order: Order, reading: Reading) -> str:
    """Return the keyed digest of whom the source names: releases hold for these."""
    return identities(reading.intake.harvest, _names(order))


def summarise(order: Order, reading: Reading) -> Summary:
    """Return the context of the clinical summary, with labels that do not identify."""
    roles = {
        one.place: tuple(paperwork.cleaned(instance, reading.scanner) for instance in one.instances)
        for one in reading.resolution.roles
    }
    dose, shown = reading.dose, reading.pictures
    evidence = Evidence(
        roles,
        dose.volumes,
        dose.outcomes,
        dose.curves,
        order.clinical.fields,
        shown.views,
        shown.legend,
        dose.totals,
        dose.dose,
    )
    return assemble(order.manifest, order.trial, order.settings, evidence)

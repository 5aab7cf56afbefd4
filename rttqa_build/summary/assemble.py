"""Manifest, trial, settings and what the build found out → the parts of the context."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rttqa_build.codes import CATALOGUE
from rttqa_build.lock import since
from rttqa_build.study import DoseFacts, PlanFacts, Roi, StructureFacts
from rttqa_build.summary.context import (
    NOT_EVALUATED,
    BeamRow,
    CentreText,
    ConstraintRow,
    Contact,
    ContentRow,
    Curve,
    Fact,
    FindingRow,
    FreeText,
    LeftOut,
    LegendEntry,
    PlanText,
    PrescriptionRow,
    SourceText,
    StructureRow,
    SubmissionText,
    Summary,
    TrialText,
    Verdict,
    View,
    WaiverRow,
)
from rttqa_build.summary.wording import (
    PURPOSES,
    STATUS,
    dose_range,
    in_cubic_centimetres,
    in_words,
    limit,
    role_words,
    title,
    with_unit,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from rttqa_build.diagnostic import Diagnostic, Location
    from rttqa_build.lock import Lock
    from rttqa_build.manifest import Manifest, Prescription
    from rttqa_build.settings import Settings
    from rttqa_build.study import Beam, Fate, Instance
    from rttqa_build.trial import Constraint, Trial


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the dose engine made of one constraint of the trial.

    ``achieved`` and ``reported`` are numbers in words, without unit (``62.4``); ``reason`` is the manifest's.
    """

    constraint: Constraint
    verdict: Verdict
    achieved: str = ""
    reported: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the build found out, as far as it is shown.

    ``roles`` maps a role (``plan`` or ``plan:phase1``) to its objects; ``volumes`` a trial structure to its
    volume in cm³; ``clinical`` holds the clinical fields, from the manifest or from its clinical file;
    ``totals`` maps a target to what is prescribed to it, in gray, in the dose that ``curves`` show; ``dose``
    says which dose that is, where several are sent.
    """

    roles: Mapping[str, tuple[Instance, ...]] = field(default_factory=dict)
    volumes: Mapping[str, float] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()
    curves: tuple[Curve, ...] = ()
    clinical: Mapping[str, object] = field(default_factory=dict)
    views: tuple[View, ...] = ()
    views_legend: tuple[LegendEntry, ...] = ()
    totals: Mapping[str, Decimal | None] = field(default_factory=dict)
    dose: str = ""


def assemble(manifest: Manifest, trial: Trial, settings: Settings, evidence: Evidence) -> Summary:
    """Return the summary of a submission: everything in words, in the trial's order."""
    submission = manifest.submission
    centre = settings.centre
    return Summary(
        trial=TrialText(
            trial.id,
            trial.title,
            STATUS[trial.status],
            manifest.protocol,
            Contact(trial.contact.name, trial.contact.email),
        ),
        centre=CentreText(centre.code, centre.name, Contact(centre.contact.name, centre.contact.email)),
        submission=SubmissionText(
            submission.subject,
            PURPOSES[submission.purpose],
            submission.revision,
            submission.arm,
            submission.stratum,
            submission.kind,
            submission.reason,
        ),
        contents=_contents(manifest, evidence),
        prescription=tuple(_prescription(row, evidence) for row in manifest.prescription),
        structures=tuple(_structures(manifest, trial, evidence)),
        constraints=tuple(
            row
            for row in _constraints(manifest, trial, evidence)
            if not submission.supplement or row.verdict != NOT_EVALUATED
        ),
        curves=evidence.curves,
        plans=tuple(_plans(evidence)),
        clinical=tuple(
            Fact(trial.clinical_titles.get(name) or title(name), in_words(value))
            for name, value in evidence.clinical.items()
        ),
        waivers=tuple(
            WaiverRow(w.code, CATALOGUE[w.code].title if w.code in CATALOGUE else "", w.subject, w.reason)
            for w in manifest.waivers
        ),
        views=evidence.views,
        views_legend=evidence.views_legend,
        dose=evidence.dose,
    )


def changed(old: Lock, new: Lock, *, dose: bool = True, beside: bool = False) -> tuple[Fact, ...]:
    """Return in words what ``new`` has other than the lock of what was received.

    Without ``dose`` only what was sent is told, not how constraints came out: for an e-mail. ``beside``:
    it is a supplement, and what it does not hold again is still there.
    """
    told = (one for one in since(old, new, beside=beside) if dose or one.topic == "inputs")
    return tuple(Fact(_about(one.subject), one.words) for one in told)


def contents_of(before: Lock) -> tuple[ContentRow, ...]:
    """Return in words what a lock says was sent."""
    counts: Counter[str] = Counter()
    for role, row in before.inputs.items():
        counts[role.partition(":")[0]] += row.count
    return content_rows(counts, {}, len(before.documents))


def _about(subject: str) -> str:
    role, _, name = subject.partition(":")
    if role == "document":
        return title(name)
    if " " in subject:
        return subject if subject[:1].isupper() else subject.capitalize()
    several = role in {"planning_image", "ct_4d"} or role.startswith("diagnostic_")
    words = role_words(role, 2 if several else 1, set())
    return f"{words[:1].upper()}{words[1:]} {name}".rstrip()


def finding_rows(
    diagnostics: Iterable[Diagnostic], sources: Sequence[SourceText] = ()
) -> tuple[FindingRow, ...]:
    """Return the findings for the report, in the order given; ``sources`` are the texts it shows."""
    return tuple(
        FindingRow(
            d.code,
            CATALOGUE[d.code].title if d.code in CATALOGUE else "",
            str(d.severity),
            str(d.where) or d.subject,
            d.message,
            d.local,
            d.hint,
            d.waived,
            _line(d.where, sources),
        )
        for d in diagnostics
    )


def _line(where: Location, sources: Sequence[SourceText]) -> tuple[int, int] | None:
    """Return the text and its line, both counted from 1, in which a finding lies."""
    for number, source in enumerate(sources, 1):
        if source.path == where.file and 1 <= where.line <= len(source.lines):
            return number, where.line
    return None


def left_out(fates: Iterable[Fate]) -> tuple[LeftOut, ...]:
    """Return the files that stay behind, by reason and then by path."""
    rows = (LeftOut(fate.file.path, str(fate.reason), fate.detail) for fate in fates)
    return tuple(sorted(rows, key=lambda row: (row.reason, row.path)))


def free_texts(summary: Summary) -> tuple[FreeText, ...]:
    """Return every string of the summary that a person wrote, here or in the planning system."""
    return tuple(row for row in _written(summary) if row.text)


def _written(summary: Summary) -> Iterator[FreeText]:
    yield FreeText("Reason for this revision", summary.submission.reason)
    for fact in summary.clinical:
        yield FreeText(f"Clinical: {fact.label}", fact.value)
    for row in summary.structures:
        yield FreeText("Names of structures in the planning system", row.local_name)
        yield FreeText(f"Why there is no {row.name}", row.absent)
    for constraint in summary.constraints:
        yield FreeText(f"Reason: {constraint.structure} {constraint.metric}", constraint.reason)
    for plan in summary.plans:
        yield FreeText("Plan label", plan.label)
        for beam in plan.beams:
            yield FreeText("Beam name", beam.name)
    for waiver in summary.waivers:
        yield FreeText(f"Waiver of {waiver.code}", waiver.reason)


def _contents(manifest: Manifest, evidence: Evidence) -> tuple[ContentRow, ...]:
    counts: Counter[str] = Counter()
    modalities: dict[str, set[str]] = {}
    for role, item in _objects(evidence):
        counts[role] += 1
        modalities.setdefault(role, set()).add(item.modality)
    return content_rows(counts, modalities, len(manifest.documents))


def content_rows(
    counts: Mapping[str, int], modalities: Mapping[str, set[str]], documents: int
) -> tuple[ContentRow, ...]:
    """Return what is in a package, in words: objects by role, and documents."""
    rows = [ContentRow(role_words(role, n, modalities.get(role, set())), n) for role, n in counts.items()]
    if documents:
        rows.append(ContentRow("document" if documents == 1 else "documents", documents))
    return tuple(rows)


def _objects(evidence: Evidence) -> Iterator[tuple[str, Instance]]:
    """Yield every object with its role, without the role's id."""
    for role, items in evidence.roles.items():
        yield from ((role.partition(":")[0], item) for item in items)


def _only_plan(evidence: Evidence) -> str:
    """Return the label of the plan, or nothing where there are several or none."""
    labels = [i.facts.label for _, i in _objects(evidence) if isinstance(i.facts, PlanFacts)]
    return labels[0] if len(labels) == 1 else ""


def _prescription(row: Prescription, evidence: Evidence) -> PrescriptionRow:
    low, high = row.dose_min, row.dose_max
    return PrescriptionRow(
        row.target,
        dose_range(low, high),
        row.fractions,
        dose_range(low / row.fractions, high / row.fractions),
        row.plan or _only_plan(evidence),
        float(evidence.totals.get(row.target) or 0),
    )


def _structures(manifest: Manifest, trial: Trial, evidence: Evidence) -> Iterator[StructureRow]:
    rois = {roi.name: roi for roi in _rois(evidence)}
    if manifest.submission.supplement and not rois:
        return  # they were shown with what this stands beside
    types = {rule.name: rule.type for rule in trial.structures}
    named = {name: choice.name for name, choice in manifest.structures.items()}
    named |= {name: name for name in evidence.volumes if name not in named}  # found under the trial's name
    order = [rule.name for rule in trial.structures if rule.name in named]
    for name in dict.fromkeys([*order, *named]):
        choice = manifest.structures.get(name)
        if choice and choice.absent:
            yield StructureRow(name, absent=choice.absent)
            continue
        roi = rois.get(named[name])
        kind = (roi.interpreted_type if roi else "") or types.get(name, "")
        volume = evidence.volumes.get(name)
        yield StructureRow(name, named[name], kind, "" if volume is None else in_cubic_centimetres(volume))


def _rois(evidence: Evidence) -> Iterator[Roi]:
    for role, item in _objects(evidence):
        if role == "structure_set" and isinstance(item.facts, StructureFacts):
            yield from item.facts.rois


def _constraints(manifest: Manifest, trial: Trial, evidence: Evidence) -> Iterator[ConstraintRow]:
    for rule in trial.constraints:
        if not rule.when.holds(manifest.submission):
            continue
        missing = Outcome(rule, NOT_EVALUATED)
        outcome = next((o for o in evidence.outcomes if o.constraint == rule), missing)
        unit = rule.metric.partition("[")[2].rstrip("]").replace("cc", "cm³")
        yield ConstraintRow(
            rule.structure,
            rule.metric,
            limit(rule.op, rule.optimal, unit),
            limit(rule.op, rule.mandatory, unit),
            with_unit(outcome.achieved, unit),
            outcome.verdict,
            with_unit(outcome.reported, unit),
            outcome.reason,
            rule.dose,
        )


def _plans(evidence: Evidence) -> Iterator[PlanText]:
    """Yield the plans; a dose that refers to none of them (a sum) counts for each."""
    doses = [item for role, item in _objects(evidence) if role == "dose"]
    plans = [(place, item) for place, items in evidence.roles.items() for item in items]
    for place, item in plans:
        role, _, name = place.partition(":")
        if role == "plan" and isinstance(item.facts, PlanFacts):
            own = [dose for dose in doses if item.sop_uid in dose.references.get("plan", ())]
            yield _plan(name, item, item.facts, {_grid(dose) for dose in own or doses} - {""})


def _plan(name: str, item: Instance, plan: PlanFacts, grids: set[str]) -> PlanText:
    """Return a plan in words; ``name`` is what the prescription calls it, where there are several."""
    system = " ".join(filter(None, (item.manufacturer, item.model, item.software)))
    facts = (
        ("Plan", name),
        ("Type", plan.kind),
        ("Intent", plan.intent.lower()),
        ("Fractions", ", ".join(map(str, plan.fractions))),
        ("Approval", plan.approval.lower()),
        ("Planning system", system),
        ("Dose grid", ", ".join(sorted(grids))),
    )
    return PlanText(
        plan.label,
        tuple(Fact(label, value) for label, value in facts if value),
        tuple(map(_beam, plan.beams)),
    )


def _grid(dose: Instance) -> str:
    """Return the spacing of a dose grid: rows × columns × planes."""
    if not isinstance(dose.facts, DoseFacts) or dose.facts.spacing is None:
        return ""
    first, second = (*dose.facts.offsets, 0.0, 0.0)[:2]
    planes = [abs(second - first)] if len(dose.facts.offsets) > 1 else []
    return " × ".join(f"{mm:.4g}" for mm in [*dose.facts.spacing, *planes]) + " mm"


def _beam(beam: Beam) -> BeamRow:
    meterset = "" if beam.meterset is None else f"{beam.meterset:.1f}"
    return BeamRow(
        beam.name or f"Beam {beam.number}",
        beam.radiation.lower(),
        beam.energy,
        beam.technique or beam.delivery.lower(),
        beam.control_points,
        meterset,
    )

"""A study × a trial → the text of a first manifest, with comments that teach and TODO where a person decides.

The draft goes into Git: it holds roles, digests' first digits and structure names, and no structure name in
which an identity of the export was found.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rttqa_build import source
from rttqa_build.manifest import Manifest, Submission
from rttqa_build.resolve import resolve
from rttqa_build.source import Document
from rttqa_build.study import StructureFacts, Study
from rttqa_build.trial import structure_called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.resolve import Resolution
    from rttqa_build.study import Instance, PatientIdentity
    from rttqa_build.trial import Trial

AMBIGUOUS = ("R1",)


@dataclass(frozen=True, slots=True)
class Draft:
    """The manifest's text, what was found while resolving, and trial structures with several candidates."""

    text: str
    diagnostics: tuple[Diagnostic, ...] = ()
    unmatched: tuple[str, ...] = ()


def patients(study: Study) -> tuple[PatientIdentity, ...]:
    """Return the patients of an export, the one with most objects first."""
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    first: dict[tuple[str, str, str], PatientIdentity] = {}
    for instance in study.instances:
        who = instance.patient
        key = (who.patient_id, who.name, who.birth_date)
        counts[key] += 1
        first.setdefault(key, who)
    return tuple(first[key] for key in sorted(counts, key=lambda key: (-counts[key], key)))


def of_patient(study: Study, who: PatientIdentity) -> Study:
    """Return the study's objects of one patient."""
    kept = tuple(
        i
        for i in study.instances
        if (i.patient.patient_id, i.patient.name, i.patient.birth_date)
        == (who.patient_id, who.name, who.birth_date)
    )
    return Study(kept, study.others)


def draft(
    study: Study,
    trial: Trial,
    submission: Submission,
    folder: str,
    clinical: Mapping[str, bool],
    identifying: Callable[[str], bool],
) -> Draft:
    """Return a manifest for the patient of ``study``.

    ``clinical``: the clinical fields of the trial's schema, True where it always asks for them.
    """
    manifest = Manifest(Document("manifest.yaml", {}), trial.id, submission, folder)
    resolution = resolve(study, manifest, trial)
    rois, unmatched = _structures(resolution, trial, identifying)
    lines = [
        f"# yaml-language-server: $schema=../../.rttqa/schemas/{trial.id}.schema.json",
        "# Drafted from the export: every TODO needs your decision. Then: rttqa-build check",
        "manifest: 1",
        f"trial: {trial.id}",
        *_protocol(trial),
        "submission:",
        *_submission(trial, submission),
        f"source: {source.dump(folder).strip()}        # folder below data_root, outside the repository",
        *_documents(trial, submission),
        *_structure_lines(trial, submission, rois),
        *_prescription(trial, submission),
        *_clinical(trial, clinical),
    ]
    ambiguous = tuple(d for d in resolution.diagnostics if d.code.startswith(AMBIGUOUS))
    return Draft("\n".join(lines) + "\n", ambiguous, unmatched)


def _protocol(trial: Trial) -> Iterator[str]:
    if trial.protocol_versions:
        listed = ", ".join(trial.protocol_versions)
        newest = source.dump(trial.protocol_versions[-1]).strip()
        yield f"protocol: {newest}             # the version it was planned under: {listed}"


def _submission(trial: Trial, submission: Submission) -> Iterator[str]:
    yield f"  patient: {submission.patient}          # trial ID: replaces name and number everywhere"
    if submission.purpose in trial.purposes or not trial.purposes:
        yield f"  purpose: {submission.purpose}"
    else:
        yield f"  purpose: TODO              # {', '.join(trial.purposes)}"
    if trial.arms:
        yield f"  arm: {submission.arm or 'TODO'}                  # {', '.join(trial.arms)}"
    if trial.strata:
        yield f"  stratum: {submission.stratum or 'TODO'}              # {', '.join(trial.strata)}"
    yield "  revision: 1"
    if trial.deadline_working_days is not None:
        yield "  radiotherapy_start: TODO   # YYYY-MM-DD; for the deadline, never in the package"


def _documents(trial: Trial, submission: Submission) -> Iterator[str]:
    rules = [
        r for r in trial.documents if r.required and (not submission.purpose or r.when.holds(submission))
    ]
    if rules:
        yield "documents:                   # below the source folder"
        for rule in rules:
            yield f"  {rule.name}: {{path: TODO}}   # {rule.title} ({', '.join(rule.types)})"


def _structures(
    resolution: Resolution, trial: Trial, identifying: Callable[[str], bool]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return trial name → name in the planning system, where exactly one structure with contours fits."""
    found: dict[str, list[str]] = defaultdict(list)
    for instance in _structure_sets(resolution):
        if isinstance(instance.facts, StructureFacts):
            for roi in instance.facts.rois:
                rule = structure_called(trial, roi.name)
                if rule is not None and roi.contours and not identifying(roi.name):
                    found[rule.name].append(roi.name.strip())
    sure = {name: labels[0] for name, labels in found.items() if len(labels) == 1}
    return sure, tuple(sorted(name for name, labels in found.items() if len(labels) > 1))


def _structure_sets(resolution: Resolution) -> Iterator[Instance]:
    for one in resolution.roles:
        if one.role == "structure_set":
            yield from one.instances


def _structure_lines(trial: Trial, submission: Submission, rois: Mapping[str, str]) -> Iterator[str]:
    if not trial.structures:
        return
    needed = {r.name for r in trial.structures if r.required and r.when.holds(submission)}
    shown = [rule for rule in trial.structures if rule.name in rois or rule.name in needed]
    if shown:
        yield "structures:                  # trial's name: name in the planning system, or {absent: why}"
    for rule in shown:
        label = source.dump(rois[rule.name]).strip() if rule.name in rois else "TODO"
        yield f"  {rule.name}: {label}"


def _prescription(trial: Trial, submission: Submission) -> Iterator[str]:
    rows = [row for row in trial.prescriptions if submission.arm and row.when.holds(submission)]
    if not trial.prescriptions:
        return
    yield "prescription:"
    for row in rows:
        dose: Any = (
            row.dose_max if row.dose_min == row.dose_max else f"{{min: {row.dose_min}, max: {row.dose_max}}}"
        )
        yield f"  - {{target: {row.target}, dose_gy: {dose}, fractions: {row.fractions}}}"
    if not rows:
        hint = f"as the arm prescribes: rttqa-build trials {trial.id}"
        yield f"  - {{target: TODO, dose_gy: TODO, fractions: TODO}}   # {hint}"


def _clinical(trial: Trial, fields: Mapping[str, bool]) -> Iterator[str]:
    if not fields:
        return
    yield "clinical:                    # no names, places or exact dates"
    for name, required in fields.items():
        title = trial.clinical_titles.get(name, name)
        yield f"  {name}: TODO   # {title}" if required else f"  # {name}:   # {title}"

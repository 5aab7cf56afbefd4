"""A study × a trial → the text of a first manifest, with comments that teach and TODO where a person decides.

The draft goes into Git: it holds roles, digests' first digits and structure names, and no structure name in
which an identity of the export was found.
"""

from __future__ import annotations

import textwrap
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build import source
from rttqa_build.manifest import Manifest, Submission
from rttqa_build.naming.likeness import Matches, matches
from rttqa_build.naming.phases import phase_id
from rttqa_build.resolve import resolve
from rttqa_build.resolve.roles import candidates, describe, modalities_of, rules_for, short_digest
from rttqa_build.source import Document
from rttqa_build.study import StructureFacts, Study
from rttqa_build.trial import conditions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rttqa_build.resolve import Resolution
    from rttqa_build.resolve.roles import Candidate
    from rttqa_build.study import Instance, PatientIdentity
    from rttqa_build.trial import Trial, TrialPrescription, When

AMBIGUOUS = "R101"
BENCHMARKS = frozenset({"outlining-benchmark", "planning-benchmark"})
_WIDTH = 110


@dataclass(frozen=True, slots=True)
class Draft:
    """The manifest's text, and which roles and trial structures have several candidates."""

    text: str
    ambiguous: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()


class Line(NamedTuple):
    """One line of the draft and what is said about it."""

    text: str
    comment: str = ""


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
    remembered: Mapping[str, tuple[str, ...]] | None = None,
) -> Draft:
    """Return a manifest for the patient of ``study``.

    ``clinical``: the clinical fields of the trial's schema, True where it always asks for them;
    ``remembered``: trial's name of a structure → names in the planning system that were accepted before.
    """
    manifest = Manifest(Document("manifest.yaml", {}), trial.id, _assumed(submission, trial), folder)
    resolution = resolve(study, manifest, trial)
    labels = _labels(_structure_sets(study, resolution), identifying)
    matched = matches(labels, trial, remembered)
    header = [
        Line(f"# yaml-language-server: $schema=../../.rttqa/schemas/{trial.id}.schema.json"),
        Line("# Drafted from the export: every TODO needs your decision. Then: rttqa-build check"),
        Line("manifest: 1"),
        Line(f"trial: {trial.id}"),
        *_protocol(trial),
        Line("submission:"),
        *_submission(trial, submission),
        Line(f"source: {source.dump(folder).strip()}", "folder below data_root, outside the repository"),
    ]
    blocks = (
        header,
        _data(study, manifest, trial, resolution, identifying),
        _documents(trial, submission),
        _structure_lines(trial, submission, matched),
        _prescription(trial, submission),
        _clinical(trial, clinical),
    )
    text = "".join(f"{row}\n" for block in blocks for row in _written(tuple(block)))
    return Draft(text, _ambiguous(resolution), tuple(sorted(matched.open)))


def _written(block: tuple[Line, ...]) -> Iterator[str]:
    """Yield a block with its comments beside the lines, or above them where they are too long."""
    for text, comment in block:
        beside = f"{text}  # {comment}" if comment else text
        if comment and len(beside) > _WIDTH:
            indent = " " * (len(text) - len(text.lstrip())) + "# "
            yield from textwrap.wrap(
                comment, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
            )
            yield text
        else:
            yield beside


def _ambiguous(resolution: Resolution) -> tuple[str, ...]:
    return tuple(d.subject for d in resolution.diagnostics if d.code == AMBIGUOUS)


def _assumed(submission: Submission, trial: Trial) -> Submission:
    """Return the submission under its purpose; while there is none, under the one that asks for most."""
    if submission.purpose in trial.purposes or not trial.purposes:
        return submission
    possible = [replace(submission, purpose=purpose) for purpose in trial.purposes]
    return max(possible, key=lambda one: sum(rule.when.holds(one) for rule in trial.objects))


def _protocol(trial: Trial) -> Iterator[Line]:
    if trial.protocol_versions:
        newest = source.dump(trial.protocol_versions[-1]).strip()
        listed = ", ".join(trial.protocol_versions)
        yield Line(f"protocol: {newest}", f"the version it was planned under: {listed}")


def _subject(submission: Submission) -> Iterator[Line]:
    """Yield whose the submission is: a patient's, or a benchmark case as an observer did it."""
    if submission.purpose in BENCHMARKS:
        yield Line("  case: TODO", "the benchmark's case, instead of a patient")
        yield Line("  observer: TODO", "who did it: a code, never a name")
    else:
        yield Line(f"  patient: {submission.patient}", "trial ID: replaces name and number everywhere")


def _submission(trial: Trial, submission: Submission) -> Iterator[Line]:
    yield from _subject(submission)
    if submission.purpose in trial.purposes or not trial.purposes:
        yield Line(f"  purpose: {submission.purpose}")
    else:
        yield Line("  purpose: TODO", f"one of {', '.join(trial.purposes)}")
    if trial.arms:
        yield Line(f"  arm: {submission.arm or 'TODO'}", f"one of {', '.join(trial.arms)}")
    if trial.strata:
        yield Line(f"  stratum: {submission.stratum or 'TODO'}", f"one of {', '.join(trial.strata)}")
    decided = submission.purpose in trial.purposes
    others = [rule.when for rule in trial.reviews if decided and rule.purpose != submission.purpose]
    asked = {name for when in conditions(trial) if when not in others for name in when.fields}
    if "centre_patient_number" in asked:
        yield Line("  centre_patient_number: TODO", "1 for the centre's first patient")
    if "clinician_approved" in asked:
        yield Line("  clinician_approved: TODO", "true or false: by the trial")
    yield Line("  revision: 1")
    if trial.deadline_working_days is not None and submission.purpose not in BENCHMARKS:
        yield Line("  radiotherapy_start: TODO", "YYYY-MM-DD: for the deadline, never in the package")


def _data(
    study: Study,
    manifest: Manifest,
    trial: Trial,
    resolution: Resolution,
    identifying: Callable[[str], bool],
) -> Iterator[Line]:
    """Yield the candidates for every role that the links leave open, and for what the trial takes besides."""
    ambiguous, found = _ambiguous(resolution), {one.role for one in resolution.roles}
    roles = (*ambiguous, *(rule.role for rule in trial.objects if not rule.required))
    used = {instance.file.sha256 for instance in resolution.instances}
    rest = Study(tuple(i for i in study.instances if i.file.sha256 not in used), study.others)
    rows: list[Line] = []
    for role in dict.fromkeys(role for role in roles if role not in found):
        rows += [Line(f"  {role}: TODO", "one of these")] if role in ambiguous else []
        modalities = modalities_of(role, rules_for(role, trial, manifest.submission))
        rows += _candidates(study, candidates(rest.instances, role, modalities), role, identifying)
    if ambiguous:
        yield Line("data:", "where the export holds several")
    elif rows:
        yield Line("# data:", "also in the export: take the # away where the trial wants it")
    yield from rows


def _candidates(
    study: Study, found: Iterable[Candidate], role: str, identifying: Callable[[str], bool]
) -> Iterator[Line]:
    every = tuple(found)
    if role == "ct_4d" and len(every) > 1:
        yield from _phases(study, every, identifying)
        return
    for candidate in every:
        words = describe(candidate, study)
        comment = "" if identifying(words) else words
        yield Line(f"  # {role}: {{sha256: {short_digest(candidate, study)}}}", comment)


def _phases(study: Study, found: Iterable[Candidate], identifying: Callable[[str], bool]) -> Iterator[Line]:
    """Yield the series of a 4D CT as a list, each with the id that its label suggests."""
    yield Line("  # ct_4d:", "each with an id of its own that says which phase or projection it is")
    rows = [(phase_id(one.first.series_description), short_digest(one, study), one) for one in found]
    ids = Counter(name for name, _, _ in rows)
    rows.sort(key=lambda row: (row[0].removeprefix("phase").zfill(9), row[1]))
    for name, digest, candidate in rows:
        words = describe(candidate, study)
        given = name if name and ids[name] == 1 else "TODO"
        yield Line(f"  #   - {{id: {given}, sha256: {digest}}}", "" if identifying(words) else words)


def _documents(trial: Trial, submission: Submission) -> Iterator[Line]:
    """Yield the documents that are needed; while the purpose is open, those that may be."""
    known = submission.purpose in trial.purposes or not trial.purposes
    needed = [r for r in trial.documents if r.required and known and r.when.holds(submission)]
    others = [r for r in trial.documents if r not in needed and (not known or r.when.holds(submission))]
    if needed:
        yield Line("documents:", "paths below the source folder")
    elif others:
        yield Line("# documents:", "paths below the source folder")
    for rule in needed:
        yield Line(f"  {rule.name}: {{path: TODO}}", f"{rule.title} ({', '.join(rule.types)})")
    for rule in others:
        need = f"; required{_when(rule.when)}" if rule.required else "; optional"
        yield Line(f"  # {rule.name}: {{path: TODO}}", f"{rule.title} ({', '.join(rule.types)}){need}")


def _when(when: When) -> str:
    return f" when {when}" if when.fields else ""


def _labels(sets: Iterable[Instance], identifying: Callable[[str], bool]) -> list[str]:
    """Return the names of the structures with contours, but for those that identify."""
    facts = (one.facts for one in sets if isinstance(one.facts, StructureFacts))
    names = dict.fromkeys(roi.name.strip() for one in facts for roi in one.rois if roi.contours)
    return [name for name in names if name and not identifying(name)]


def _structure_sets(study: Study, resolution: Resolution) -> tuple[Instance, ...]:
    """Return the structure set that was found; while that is open, all of them."""
    chosen = tuple(instance for one in resolution.of("structure_set") for instance in one.instances)
    return chosen or tuple(i for i in study.instances if isinstance(i.facts, StructureFacts))


def _structure_lines(trial: Trial, submission: Submission, found: Matches) -> Iterator[Line]:
    """Yield what is sure; what is not stands commented out, below a TODO where the trial needs it."""
    needed = {r.name for r in trial.structures if r.required and r.when.holds(submission)}
    if needed or found.sure:
        yield Line("structures:", "trial's name: name in the planning system, or {absent: why}")
    elif found.open:
        yield Line("# structures:", "perhaps these: take the # away where it is so")
    for rule in trial.structures:
        if rule.name in found.sure:
            label, why = found.sure[rule.name]
            yield Line(f"  {rule.name}: {source.dump(label).strip()}", why)
            continue
        perhaps = found.open.get(rule.name, ())
        if rule.name in needed:
            yield Line(f"  {rule.name}: TODO", "perhaps one of these" if perhaps else "")
        for label, why in perhaps:
            yield Line(f"  # {rule.name}: {source.dump(label).strip()}", why)


def _prescription(trial: Trial, submission: Submission) -> Iterator[Line]:
    if not trial.prescriptions:
        return
    rows = [row for row in trial.prescriptions if submission.arm and row.when.holds(submission)]
    if rows:
        yield Line("prescription:")
        yield from (Line(f"  - {_prescribed(row)}", row.to) for row in rows)
        return
    yield Line("prescription:")
    yield Line("  - TODO", "as the arm prescribes")
    for row in trial.prescriptions:
        yield Line(f"  # - {_prescribed(row)}", f"{row.to}{_when(row.when)}".strip())


def _prescribed(row: TrialPrescription) -> str:
    span = f"{{min: {row.dose_min}, max: {row.dose_max}}}"
    dose = span if row.dose_min != row.dose_max else "TODO" if row.dose_max is None else row.dose_max
    return f"{{target: {row.target or 'TODO'}, dose_gy: {dose}, fractions: {row.fractions}}}"


def _clinical(trial: Trial, fields: Mapping[str, bool]) -> Iterator[Line]:
    if not fields:
        return
    yield Line("clinical:" if any(fields.values()) else "# clinical:", "no names, places or exact dates")
    for name, required in fields.items():
        title = trial.clinical_titles.get(name, name)
        told = "" if title.casefold() == name.casefold() else title
        yield Line(f"  {name}: TODO" if required else f"  # {name}:", told)

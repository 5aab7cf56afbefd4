"""Invented contexts to try a trial's templates on: one in which all is said, one that says the least."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.summary.context import (
    BeamRow,
    CentreText,
    ConstraintRow,
    Contact,
    ContentRow,
    Context,
    Curve,
    Fact,
    PlanText,
    PrescriptionRow,
    Sending,
    StructureRow,
    SubmissionText,
    Summary,
    TrialText,
    WaiverRow,
)

if TYPE_CHECKING:
    from rttqa_build.trial import Trial

_CENTRE = CentreText(
    "RXX", "Example Cancer Centre", Contact("Radiotherapy Physics", "rt.physics@example.org")
)


def specimens(trial: Trial) -> tuple[Context, ...]:
    """Return a rich context and a bare one of a trial; no value in them is a patient's."""
    contact = Contact(trial.contact.name, trial.contact.email)
    told = TrialText(trial.id, trial.title, "Unofficial trial definition", "1.0", contact)
    bare = TrialText(trial.id, trial.title, "", "", contact)
    purpose = trial.purposes[0] if trial.purposes else "dummy-run"
    return (
        Context(
            _rich(trial, told, purpose), Sending("package.zip", "0" * 64, "14 December 2026", "received")
        ),
        Context(Summary(bare, _CENTRE, SubmissionText("SUBJECT-1", purpose, 1))),
    )


def _rich(trial: Trial, told: TrialText, purpose: str) -> Summary:
    names = [rule.name for rule in trial.structures] or ["PTV", "Organ"]
    arm, stratum = (values[0] if values else "" for values in (trial.arms, trial.strata))
    return Summary(
        told,
        _CENTRE,
        SubmissionText("SUBJECT-1", purpose, 2, arm, stratum, "replacement", "the dose was missing"),
        contents=(ContentRow("planning CT images", 96), ContentRow("plan", 1)),
        prescription=(PrescriptionRow(names[0], "60 Gy", 20, "3 Gy", "phase1", 60.0),),
        structures=(
            *(StructureRow(name, name.lower(), "ORGAN", "12.3 cm³") for name in names),
            StructureRow("Absent", absent="not in this patient"),
        ),
        constraints=(
            ConstraintRow(names[0], "D95%[Gy]", "≥ 57 Gy", "≥ 55 Gy", "57.4 Gy", "pass", "57.5 Gy"),
            ConstraintRow(names[-1], "V50Gy[%]", "≤ 3 %", "≤ 5 %", "7.2 %", "fail", "", "agreed", "sum"),
            ConstraintRow(names[-1], "Mean[Gy]", "", "≤ 9 Gy", "", "not evaluated"),
        ),
        curves=(Curve(names[0], (0.0, 30.0, 60.0), (100.0, 98.0, 0.0)),),
        plans=(
            PlanText(
                "Plan 1",
                (Fact("Type", "photon"), Fact("Fractions", "20")),
                (BeamRow("Arc 1", "photon", "6 MV", "dynamic", 178, "412.3"),),
            ),
        ),
        clinical=tuple(Fact(title, "as it was") for title in trial.clinical_titles.values()),
        waivers=(WaiverRow("D204", "coarse dose grid", "sum", "agreed with the trial"),),
    )

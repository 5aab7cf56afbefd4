"""The way of a submission, from the draft to what the reviewers said."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rttqa_build.cli.formats import Format, Plain
from rttqa_build.cli.verbs.options import (
    JOBS,
    FormatOption,
    JobsOption,
    Manifests,
    NameArgument,
    PatientOption,
    PlainOption,
    TrialOption,
    one_of,
)
from rttqa_build.records.outcome import Grade


def new(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The export folder.")],
    trial: TrialOption,
    patient: PatientOption,
    purpose: Annotated[
        str | None, typer.Option("--purpose", metavar="PURPOSE", help="Purpose of the submission.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Name of the submission's folder.")
    ] = None,
) -> int:
    """Draft a manifest from an export folder.

    Objects are found by their DICOM links; structures are matched to the trial's names.
    """
    from rttqa_build.cli.workers import surveying, workers

    with workers(ctx.obj, JOBS) as crew:
        busy = surveying(folder, crew)
        from rttqa_build.cli import drafting

        return drafting.new(folder, trial, patient, purpose, name, busy)


def fmt(
    manifests: Manifests = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail when a manifest is not in the house style.")
    ] = False,
) -> int:
    """Put manifests into the house style.

    Order of the fields, indentation and spacing; comments stay.
    """
    from rttqa_build.cli import authoring

    return authoring.fmt(manifests or [], only_check=check)


def check(
    manifests: Manifests = None,
    staged: Annotated[
        bool, typer.Option("--staged", help="What the next commit would hold, not the files on disk.")
    ] = False,
    output: FormatOption = Format.TEXT,
) -> int:
    """Check manifests; no patient data needed.

    Also whether lock, approvals and receipt still stand for what the manifest says now, and whether any
    text that goes into Git identifies somebody.
    """
    from rttqa_build.cli import checking

    return checking.check(manifests or [], output, staged=staged)


def build(
    ctx: typer.Context,
    manifests: Manifests = None,
    locked: Annotated[
        bool, typer.Option("--locked", help="Change nothing; fail when anything differs from the lock.")
    ] = False,
    jobs: JobsOption = JOBS,
    output: FormatOption = Format.TEXT,
) -> int:
    """Build packages and their locks.

    Resolve, check, pseudonymise, render, package and verify.
    """
    from rttqa_build.cli.workers import workers

    with workers(ctx.obj, jobs) as crew:
        from rttqa_build.cli import building

        return building.build(manifests or [], crew, locked=locked, output=output)


def approve(
    ctx: typer.Context,
    name: NameArgument,
    role: Annotated[
        str, typer.Option("--role", metavar="ROLE", help="In which role you approve.")
    ] = "physicist",
) -> int:
    """Look at what leaves, and say yes.

    On a terminal, by a person: patient and trial ID, every text that leaves, the report; and each place
    where the search found what may identify, to release it where it is a coincidence.
    """
    from rttqa_build.cli.workers import workers

    with workers(ctx.obj, JOBS) as crew:
        from rttqa_build.cli import approving

        return approving.approve(name, role, crew)


def submit(
    ctx: typer.Context,
    manifests: Manifests = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Go as far as the portal's preflight; send nothing.")
    ] = False,
    resend: Annotated[
        bool, typer.Option("--resend", help="Send again what may have arrived; needs --reason.")
    ] = False,
    treat_as_received: Annotated[
        bool, typer.Option("--treat-as-received", help="Take an unknown attempt as arrived; needs --reason.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why; goes into the receipt.")
    ] = None,
    jobs: JobsOption = JOBS,
    output: FormatOption = Format.TEXT,
) -> int:
    """Hand packages over to the portal.

    Check the gate, rebuild, compare with the lock, hand over, keep the receipt, draft the email.
    """
    from rttqa_build.cli.workers import workers

    with workers(ctx.obj, jobs) as crew:
        from rttqa_build.cli import submitting

        asked = submitting.Asked(dry_run, resend, treat_as_received, reason or "")
        return submitting.submit(manifests or [], asked, crew, output)


def status(manifests: Manifests = None, output: PlainOption = Plain.TEXT) -> int:
    """Show where each submission stands, and the next step."""
    from rttqa_build.cli import standing

    return standing.status(manifests or [], as_json=output is Plain.JSON)


def outcome(
    name: NameArgument,
    grade: Annotated[Grade | None, typer.Option("--grade", metavar="GRADE", help=one_of(Grade))] = None,
    resubmission: Annotated[
        bool, typer.Option("--resubmission", help="They ask for another revision.")
    ] = False,
    date: Annotated[
        str, typer.Option("--date", metavar="YYYY-MM-DD", help="Day of the review. Default: today.")
    ] = "",
    revision: Annotated[
        int,
        typer.Option(
            "--revision",
            metavar="N",
            min=0,
            show_default=False,
            help="Which revision. Default: the last received.",
        ),
    ] = 0,
) -> int:
    """Record what the reviewers said, or show it.

    It goes into outcome.yaml beside the manifest; without an option it is shown.
    """
    from rttqa_build.cli import grading

    return grading.outcome(name, grading.Said(grade, resubmission, date, revision))


def withdraw(
    name: NameArgument,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why, naming nobody: goes into the receipt.")
    ],
    lift: Annotated[bool, typer.Option("--lift", help="Take the withdrawal back.")] = False,
) -> int:
    """Recall a submission: block it, draft the email.

    From then on submit refuses it. The draft asks the trial to delete what was sent.
    """
    from rttqa_build.cli import withdrawing

    return withdrawing.withdraw(name, reason, lift=lift)


def clean(
    manifests: Manifests = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")] = False,
) -> int:
    """Remove packages and reports of what was received.

    Never the manifest, the lock or the receipt, nor an email that may be a draft still to be sent.
    """
    from rttqa_build.cli import cleaning

    return cleaning.clean(manifests or [], yes=yes)

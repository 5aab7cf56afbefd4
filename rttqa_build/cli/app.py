"""The verbs and their options (typer), and what becomes of errors."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from rttqa_build import __version__
from rttqa_build.cli.failures import guarded
from rttqa_build.cli.formats import Format, Layout, Plain
from rttqa_build.outcome import Grade  # noqa: TC001 - typer reads the annotation

HELP = """Build, pseudonymise, verify and submit radiotherapy-trial QA packages.

One manifest per submission, in Git, reviewed like code.

\b
  rttqa-build demo FOLDER    a complete example, with an invented patient
  rttqa-build init FOLDER    a repository for your own submissions
"""

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
keys = typer.Typer(help="Make, show, copy or restore the centre's secret key.", no_args_is_help=True)
app.add_typer(keys, name="key")
portals = typer.Typer(help="Say which upload host may be sent to.", no_args_is_help=True)
app.add_typer(portals, name="portal")


class OrShow(typer.core.TyperGroup):
    """A group in which a word that is none of its verbs is what ``show`` shows: ``trials ID``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the verb and its arguments."""
        return super().resolve_command(ctx, args if args[0] in self.commands else ["show", *args])


definitions = typer.Typer(cls=OrShow, invoke_without_command=True, subcommand_metavar="[ID | COMMAND]")
app.add_typer(definitions, name="trials")


Manifests = Annotated[
    list[str] | None,
    typer.Argument(metavar="MANIFEST", help="Paths of manifests, or names of submissions. Default: all."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to write the findings.")]
PlainOption = Annotated[Plain, typer.Option("--format", help="How to write it.")]
JobsOption = Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="Threads to work with.")]
TrialOption = Annotated[str, typer.Option("--trial", help="Id of the trial (see 'trials').")]
PatientOption = Annotated[str, typer.Option("--patient", help="The patient's trial ID.")]
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the submission, or path of its manifest.")
]
JOBS = min(os.cpu_count() or 1, 8)


def main() -> None:
    """Run the program and exit with the contract's code."""
    for stream in (sys.stdout, sys.stderr):
        # Consoles that cannot show a character show a stand-in; the program must not fail on it.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # No linear algebra is done here: numpy need not start threads for it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Parsing makes tuples by the hundred thousand, none of them in a cycle: look for cycles less often.
    gc.set_threshold(50_000, 20, 20)
    code = guarded(lambda: app(standalone_mode=False), dict(os.environ))
    gc.freeze()  # the last search for cycles, at exit, would take a tenth of a second
    sys.exit(code)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"rttqa-build {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Hold options that stand before the verb."""


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The new repository's folder.")] = Path(),
    ci: Annotated[
        bool, typer.Option("--ci", help="Also files that make GitHub and GitLab check and review.")
    ] = False,
) -> int:
    """Make a submissions repository.

    It holds settings, a Makefile, a Git hook and schemas for editors. What is there already stays.
    """
    from rttqa_build.cli import repository

    return repository.init(folder, ci=ci)


@keys.command("new")
def key_new() -> int:
    """Make the centre's secret key, once.

    It lies outside Git, where rttqa.yaml says; its fingerprint is pinned in rttqa.yaml.
    """
    from rttqa_build.cli import keys as verbs

    return verbs.new()


@keys.command("show")
def key_show() -> int:
    """Show where the key lies and its fingerprint, never the key."""
    from rttqa_build.cli import keys as verbs

    return verbs.show()


@keys.command("backup")
def key_backup(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A new file, outside Git, to print and delete.")
    ] = None,
    shown: Annotated[
        bool, typer.Option("--show", help="Show the page on this terminal instead of writing a file.")
    ] = False,
) -> int:
    """Make a copy of the key to print.

    Four lines of digits with checks, which `key restore` takes from paper. Keep it in a safe.
    """
    from rttqa_build.cli import keys as verbs

    return verbs.backup(file, shown=shown)


@keys.command("restore")
def key_restore(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A copy of the key. Default: type it in.")
    ] = None,
    fingerprint: Annotated[
        str, typer.Option("--fingerprint", help="The key's fingerprint, where rttqa.yaml does not pin it.")
    ] = "",
) -> int:
    """Put the key back from its copy.

    Only the key with the right fingerprint is taken; a key that is there is never overwritten.
    """
    from rttqa_build.cli import keys as verbs

    return verbs.restore(file, fingerprint)


@definitions.callback()
def trials(context: typer.Context, output: PlainOption = Plain.TEXT) -> int:
    """List the trial definitions; show, check or begin one."""
    from rttqa_build.cli import trials as verbs

    return 0 if context.invoked_subcommand else verbs.trials(None, as_json=output is Plain.JSON)


@definitions.command("show")
def trials_show(
    trial: Annotated[str, typer.Argument(metavar="ID", help="The trial to show.")],
    output: PlainOption = Plain.TEXT,
) -> int:
    """Show one trial whole; `trials ID` for short."""
    from rttqa_build.cli import trials as verbs

    return verbs.trials(trial, as_json=output is Plain.JSON)


@definitions.command("check")
def trials_check(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Holds trials/ and schemas/; or one trial's folder.")
    ] = Path(),
    output: FormatOption = Format.TEXT,
) -> int:
    """Check definitions, for those who write them.

    Schema and definition agree, templates render, examples behave as they say.
    """
    from rttqa_build.cli import curating

    return curating.check(folder, output)


@definitions.command("new")
def trials_new(
    trial: Annotated[str, typer.Argument(metavar="ID", help="The id: lower-case letters, digits, hyphens.")],
) -> int:
    """Begin a definition, with its schema and two examples."""
    from rttqa_build.cli import curating

    return curating.new(trial)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The export folder.")],
    trial: TrialOption,
    patient: PatientOption,
    purpose: Annotated[str | None, typer.Option("--purpose", help="Purpose of the submission.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the submission's folder.")] = None,
) -> int:
    """Draft a manifest from an export folder.

    Objects are found by their DICOM links; structures are matched to the trial's names.
    """
    from rttqa_build.cli import drafting

    return drafting.new(folder, trial, patient, purpose, name)


@app.command()
def check(manifests: Manifests = None, output: FormatOption = Format.TEXT) -> int:
    """Check manifests; no patient data needed.

    Also whether lock, approvals and receipt still stand for what the manifest says now.
    """
    from rttqa_build.cli import checking

    return checking.check(manifests or [], output)


@app.command()
def build(
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
    from rttqa_build.cli import building

    return building.build(manifests or [], locked=locked, jobs=jobs, output=output)


@app.command()
def approve(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the submission, or path of its manifest.")
    ],
    role: Annotated[str, typer.Option("--role", help="In which role you approve.")] = "physicist",
) -> int:
    """Look at what leaves, and say yes.

    On a terminal, by a person: patient and trial ID, every text that leaves, the report.
    """
    from rttqa_build.cli import approving

    return approving.approve(name, role)


@app.command()
def verify(
    packages: Annotated[list[Path], typer.Argument(metavar="PACKAGE", help="Finished packages (zip).")],
    receipt: Annotated[
        Path | None, typer.Option("--receipt", help="A receipt.yaml that must say that they arrived.")
    ] = None,
    output: FormatOption = Format.TEXT,
    jobs: JobsOption = JOBS,
) -> int:
    """Check packages as a receiver would.

    None of the code that built them is used.
    """
    from rttqa_build.cli import checking

    return checking.verify(packages, receipt, jobs=jobs, output=output)


@app.command()
def submit(
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
    reason: Annotated[str | None, typer.Option("--reason", help="Why; goes into the receipt.")] = None,
    jobs: JobsOption = JOBS,
    output: FormatOption = Format.TEXT,
) -> int:
    """Hand packages over to the portal.

    Check the gate, rebuild, compare with the lock, hand over, keep the receipt, draft the email.
    """
    from rttqa_build.cli import submitting

    asked = submitting.Asked(dry_run, resend, treat_as_received, reason or "", jobs)
    return submitting.submit(manifests or [], asked, output)


@portals.command("trust")
def portal_trust(
    host: Annotated[str, typer.Argument(metavar="HOST", help="The portal's host, as in its link.")],
) -> int:
    """Approve an upload host.

    Kept beside the key, outside Git; before it, no password is read and nothing is sent.
    """
    from rttqa_build.cli import portals as verbs

    return verbs.trust(host)


@app.command()
def status(manifests: Manifests = None, output: PlainOption = Plain.TEXT) -> int:
    """Show where each submission stands, and the next step."""
    from rttqa_build.cli import standing

    return standing.status(manifests or [], as_json=output is Plain.JSON)


@app.command()
def outcome(
    name: NameArgument,
    grade: Annotated[Grade | None, typer.Option("--grade", help="The reviewers' grade.")] = None,
    resubmission: Annotated[
        bool, typer.Option("--resubmission", help="They ask for another revision.")
    ] = False,
    date: Annotated[
        str, typer.Option("--date", metavar="YYYY-MM-DD", help="Day of the review. Default: today.")
    ] = "",
    revision: Annotated[
        int, typer.Option("--revision", min=0, help="Which revision. Default: the last received.")
    ] = 0,
) -> int:
    """Record what the reviewers said, or show it.

    It goes into outcome.yaml beside the manifest; without an option it is shown.
    """
    from rttqa_build.cli import grading

    return grading.outcome(name, grading.Said(grade, resubmission, date, revision))


@app.command()
def withdraw(
    name: NameArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why, naming nobody: goes into the receipt.")],
    lift: Annotated[bool, typer.Option("--lift", help="Take the withdrawal back.")] = False,
) -> int:
    """Recall a submission: block it, draft the email.

    From then on submit refuses it. The draft asks the trial to delete what was sent.
    """
    from rttqa_build.cli import withdrawing

    return withdrawing.withdraw(name, reason, lift=lift)


@app.command()
def clean(
    manifests: Manifests = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")] = False,
) -> int:
    """Remove packages and reports of what was received.

    Never the manifest, the lock or the receipt, nor an email that may be a draft still to be sent.
    """
    from rttqa_build.cli import cleaning

    return cleaning.clean(manifests or [], yes=yes)


@app.command()
def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A finding's code, such as D204.")],
) -> int:
    """Explain a finding: what it means and how to mend it."""
    from rttqa_build.cli import trials as verbs

    return verbs.explain(code)


@app.command()
def review(
    base: Annotated[
        str | None, typer.Argument(metavar="BASE", help="Branch or commit. Default: the main branch.")
    ] = None,
) -> int:
    """Write for a merge request's reviewer what changed.

    Markdown, from manifests and locks alone: what changed since BASE, in words. What retains more or
    checks less comes first.
    """
    from rttqa_build.cli import reviewing

    return reviewing.review(base)


@app.command()
def schema(trial: Annotated[str, typer.Argument(metavar="TRIAL", help="Id of the trial.")]) -> int:
    """Print the JSON Schema of a trial's manifests, for editors."""
    from rttqa_build.cli import authoring

    return authoring.schema(trial)


@app.command()
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


@app.command()
def dvh(
    structure_set: Annotated[Path, typer.Argument(metavar="RTSTRUCT", help="A structure set.")],
    dose: Annotated[Path, typer.Argument(metavar="RTDOSE", help="A dose.")],
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", "-m", help="In TG-263 notation, such as 'D95%[Gy]'; may be repeated."),
    ] = None,
    prescription: Annotated[
        float | None,
        typer.Option("--prescription", min=0.001, help="Gray, for metrics relative to it: 'V95%[%]'."),
    ] = None,
    layout: Annotated[Layout, typer.Option("--format", help="How to write the result.")] = Layout.TABLE,
    jobs: JobsOption = JOBS,
) -> int:
    """Show dose-volume histograms of any pair of files.

    No manifest is needed. Findings, as on a pair that is not linked, go to standard error.
    """
    from rttqa_build.cli import histograms

    return histograms.dvh(structure_set, dose, metric or [], prescription, layout, jobs)


@app.command()
def pseudonymise(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of DICOM objects.")],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="A folder that does not exist yet, or is empty.")
    ],
    trial: TrialOption,
    patient: PatientOption,
    jobs: JobsOption = JOBS,
    output: FormatOption = Format.TEXT,
) -> int:
    """Pseudonymise every object in a folder.

    Under the centre's key, with the residue proof, without a manifest.
    """
    from rttqa_build.cli import engines

    return engines.pseudonymise(folder, out, trial, patient, jobs=jobs, output=output)


@app.command()
def locate(
    what: Annotated[
        str, typer.Argument(metavar="DIGEST", help="A digest, a pseudonymous UID, or a path in a package.")
    ],
    manifests: Manifests = None,
) -> int:
    """Show which file of the source an input is.

    On a terminal only, under the centre's key: for the reviewer's question about one image.
    """
    from rttqa_build.cli import locating

    return locating.locate(what, manifests or [])


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that does not exist yet.")],
) -> int:
    """Make a complete example with a synthetic patient.

    A repository, its key and an export; built, and submitted to a folder that stands for the portal.
    """
    from rttqa_build.cli import demonstration

    return demonstration.demo(folder)

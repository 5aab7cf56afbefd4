"""The verbs and their options (typer), and what becomes of errors."""

from __future__ import annotations

import gc
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rttqa_build import __version__
from rttqa_build.cli.failures import guarded

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
keys = typer.Typer(help="Make the centre's secret key, or show its fingerprint.", no_args_is_help=True)
app.add_typer(keys, name="key")


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"


Manifests = Annotated[
    list[str] | None,
    typer.Argument(metavar="MANIFEST", help="Paths of manifests, or names of submissions. Default: all."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to write the findings.")]
JobsOption = Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="Threads to work with.")]
TrialOption = Annotated[str, typer.Option("--trial", help="Id of the trial (see 'trials').")]
PatientOption = Annotated[str, typer.Option("--patient", help="The patient's trial ID.")]
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
) -> int:
    """Make a submissions repository.

    It holds settings, a Makefile, a Git hook and schemas for editors. What is there already stays.
    """
    from rttqa_build.cli import repository

    return repository.init(folder)


@keys.command("new")
def key_new() -> int:
    """Make the centre's secret key, once.

    It lies outside Git, where rttqa.yaml says; its fingerprint is pinned in rttqa.yaml.
    """
    from rttqa_build.cli import repository

    return repository.key_new()


@keys.command("show")
def key_show() -> int:
    """Show where the key lies and its fingerprint, never the key."""
    from rttqa_build.cli import repository

    return repository.key_show()


@app.command()
def trials(
    trial: Annotated[str | None, typer.Argument(metavar="ID", help="The trial to show whole.")] = None,
    output: FormatOption = Format.TEXT,
) -> int:
    """List the trial definitions, or show one whole."""
    from rttqa_build.cli import trials as verbs

    return verbs.trials(trial, as_json=output is Format.JSON)


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

    return checking.check(manifests or [], as_json=output is Format.JSON)


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

    return building.build(manifests or [], locked=locked, jobs=jobs, as_json=output is Format.JSON)


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
    output: FormatOption = Format.TEXT,
    jobs: JobsOption = JOBS,
) -> int:
    """Check packages as a receiver would.

    None of the code that built them is used.
    """
    from rttqa_build.cli import checking

    return checking.verify(packages, jobs=jobs, as_json=output is Format.JSON)


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
    return submitting.submit(manifests or [], asked, as_json=output is Format.JSON)


@app.command()
def status(manifests: Manifests = None, output: FormatOption = Format.TEXT) -> int:
    """Show where each submission stands, and the next step."""
    from rttqa_build.cli import checking

    return checking.status(manifests or [], as_json=output is Format.JSON)


@app.command()
def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A finding's code, such as D204.")],
) -> int:
    """Explain a finding: what it means and how to mend it."""
    from rttqa_build.cli import trials as verbs

    return verbs.explain(code)


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

    return engines.pseudonymise(folder, out, trial, patient, jobs=jobs, as_json=output is Format.JSON)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that does not exist yet.")],
) -> int:
    """Make a complete example with a synthetic patient.

    A repository, its key and an export; built, and submitted to a folder that stands for the portal.
    """
    from rttqa_build.cli import demonstration

    return demonstration.demo(folder)

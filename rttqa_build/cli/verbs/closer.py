"""Looking closer: at packages, changes, findings, and where something comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rttqa_build.cli.formats import Format, Layout
from rttqa_build.cli.verbs.options import (
    JOBS,
    CodeArgument,
    FormatOption,
    JobsOption,
    Manifests,
    PatientOption,
    TrialArgument,
    TrialOption,
    one_of,
)


def verify(
    packages: Annotated[list[Path], typer.Argument(metavar="PACKAGE...", help="Finished packages (zip).")],
    receipt: Annotated[
        Path | None,
        typer.Option("--receipt", metavar="FILE", help="A receipt.yaml that must say that they arrived."),
    ] = None,
    output: FormatOption = Format.TEXT,
    jobs: JobsOption = JOBS,
) -> int:
    """Check packages as a receiver would.

    None of the code that built them is used.
    """
    from rttqa_build.cli import checking

    return checking.verify(packages, receipt, jobs=jobs, output=output)


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


def explain(
    code: CodeArgument,
) -> int:
    """Explain a finding: what it means and how to mend it."""
    from rttqa_build.cli import trials as verbs

    return verbs.explain(code)


def schema(trial: TrialArgument) -> int:
    """Print the JSON Schema of a trial's manifests, for editors."""
    from rttqa_build.cli import authoring

    return authoring.schema(trial)


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


def dvh(
    structure_set: Annotated[Path, typer.Argument(metavar="RTSTRUCT", help="A structure set.")],
    dose: Annotated[Path, typer.Argument(metavar="RTDOSE", help="A dose.")],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            "-m",
            metavar="METRIC",
            help="In TG-263 notation, such as 'D95%[Gy]'; may be repeated.",
        ),
    ] = None,
    prescription: Annotated[
        float | None,
        typer.Option(
            "--prescription", metavar="GY", min=0.001, help="For metrics relative to it: 'V95%[%]'."
        ),
    ] = None,
    layout: Annotated[Layout, typer.Option("--format", metavar="FORMAT", help=one_of(Layout))] = Layout.TABLE,
    jobs: JobsOption = JOBS,
) -> int:
    """Show dose-volume histograms of any pair of files.

    No manifest is needed. Findings, as on a pair that is not linked, go to standard error.
    """
    from rttqa_build.cli import histograms

    return histograms.dvh(structure_set, dose, metric or [], prescription, layout, jobs)


def pseudonymise(
    ctx: typer.Context,
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
    from rttqa_build.cli.workers import surveying, workers

    with workers(ctx.obj, jobs) as crew:
        busy = surveying(folder, crew)
        from rttqa_build.cli import engines

        return engines.pseudonymise(folder, out, trial, patient, busy, output=output)

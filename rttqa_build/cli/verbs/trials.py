"""Trial definitions: ``trials`` and the verbs below it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rttqa_build.cli.formats import Format, Plain
from rttqa_build.cli.verbs.options import (
    FormatOption,
    PlainOption,
    TrialArgument,
)


def trials(context: typer.Context, output: PlainOption = Plain.TEXT) -> int:
    """List the trial definitions; show, check or begin one."""
    from rttqa_build.cli import trials as verbs

    return 0 if context.invoked_subcommand else verbs.trials(None, as_json=output is Plain.JSON)


def trials_show(
    trial: TrialArgument,
    output: PlainOption = Plain.TEXT,
) -> int:
    """Show one trial whole; `trials ID` for short."""
    from rttqa_build.cli import trials as verbs

    return verbs.trials(trial, as_json=output is Plain.JSON)


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


def trials_new(
    trial: Annotated[str, typer.Argument(metavar="ID", help="The id: lower-case letters, digits, hyphens.")],
) -> int:
    """Begin a definition, with its schema and two examples."""
    from rttqa_build.cli import curating

    return curating.new(trial)

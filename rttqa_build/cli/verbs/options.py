"""Arguments and options that verbs share, and what a shell completes them with."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rttqa_build.cli.formats import Format, Plain

if TYPE_CHECKING:
    from enum import StrEnum

JOBS = min(os.cpu_count() or 1, 8)

# --- completion: whatever goes wrong, a shell is told nothing ---------------------------------------------


def submissions(incomplete: str) -> Iterator[str]:
    """Yield the names of the repository's submissions."""
    from rttqa_build.settings import find_root

    with contextlib.suppress(OSError):
        root = find_root(Path.cwd())
        found = root.glob("submissions/*/manifest.yaml") if root else ()
        yield from sorted(name for path in found if (name := path.parent.name).startswith(incomplete))


def trials(incomplete: str) -> Iterator[str]:
    """Yield the ids of the trials, the repository's own ones too."""
    from rttqa_build.library import Library
    from rttqa_build.settings import find_root

    with contextlib.suppress(OSError):
        here = Path.cwd()
        yield from (name for name in Library(find_root(here) or here).ids() if name.startswith(incomplete))


def codes(incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield the codes of findings, each with its title."""
    from rttqa_build.codes import CATALOGUE

    yield from (
        (code, entry.title) for code, entry in sorted(CATALOGUE.items()) if code.startswith(incomplete)
    )


def one_of(choices: type[StrEnum]) -> str:
    """Return help that names the choices."""
    return f"One of: {', '.join(choices)}."


# --- what several verbs take ------------------------------------------------------------------------------

Manifests = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MANIFEST]...",
        help="Paths of manifests, or names of submissions. Default: all.",
        autocompletion=submissions,
    ),
]
NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="Name of the submission, or path of its manifest.",
        autocompletion=submissions,
    ),
]
TrialArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the trial.", autocompletion=trials)]
CodeArgument = Annotated[
    str, typer.Argument(metavar="CODE", help="A finding's code, such as D204.", autocompletion=codes)
]
FormatOption = Annotated[Format, typer.Option("--format", metavar="FORMAT", help=one_of(Format))]
PlainOption = Annotated[Plain, typer.Option("--format", metavar="FORMAT", help=one_of(Plain))]
JobsOption = Annotated[
    int,
    typer.Option(
        "--jobs", "-j", metavar="N", min=1, max=64, help="Threads to work with; with 1, no second process."
    ),
]
TrialOption = Annotated[
    str,
    typer.Option("--trial", metavar="ID", help="Id of the trial (see 'trials').", autocompletion=trials),
]
PatientOption = Annotated[str, typer.Option("--patient", metavar="ID", help="The patient's trial ID.")]

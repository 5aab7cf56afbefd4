"""The program: its verbs, by what they are for; how it begins, and how it ends."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rttqa_build import __version__
from rttqa_build.cli.failures import guarded
from rttqa_build.cli.verbs import centre, closer, submission, trials
from rttqa_build.diagnostic import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rttqa_build.sibling import Sibling

HELP = """Build, pseudonymise, verify and submit radiotherapy-trial QA packages.

One manifest per submission, in Git, reviewed like code. To see it all with an invented patient:
rttqa-build demo FOLDER.
"""
BEGIN, EACH, CLOSER = "Once for a centre", "For each submission", "To look closer"
VERBS: Mapping[str, tuple[Callable[..., int], ...]] = {
    BEGIN: (centre.demo, centre.init),
    EACH: (
        submission.new,
        submission.fmt,
        submission.check,
        submission.build,
        submission.approve,
        submission.submit,
        submission.status,
        submission.outcome,
        submission.withdraw,
        submission.clean,
    ),
    CLOSER: (
        closer.explain,
        closer.review,
        closer.verify,
        closer.locate,
        closer.dvh,
        closer.pseudonymise,
        closer.schema,
    ),
}


class Sections(typer.core.TyperGroup):
    """A group whose help lists its verbs by what they are for."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer calls it so
        """Write a section for each purpose."""
        widest = max(map(len, self.commands))
        for title in VERBS:
            rows = [
                (f"{name:<{widest}}", verb.get_short_help_str(formatter.width - widest - 6))
                for name, verb in self.commands.items()
                if getattr(verb, "rich_help_panel", "") == title
            ]
            with formatter.section(title):
                formatter.write_dl(rows)


class OrShow(typer.core.TyperGroup):
    """A group in which a word that is none of its verbs is what ``show`` shows: ``trials ID``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the verb and its arguments."""
        return super().resolve_command(ctx, args if args[0] in self.commands else ["show", *args])

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Return what a shell may complete a word with: a verb, an option, or what ``show`` takes."""
        show: Any = self.commands["show"]
        return [*super().shell_complete(ctx, incomplete), *show.params[0].shell_complete(ctx, incomplete)]


app = typer.Typer(
    cls=Sections,
    help=HELP,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for title, verbs in VERBS.items():
    for verb in verbs:
        app.command(rich_help_panel=title)(verb)

keys = typer.Typer(help="Make, show, copy or restore the centre's secret key.", no_args_is_help=True)
keys.command("new")(centre.key_new)
keys.command("show")(centre.key_show)
keys.command("backup")(centre.key_backup)
keys.command("restore")(centre.key_restore)
app.add_typer(keys, name="key", rich_help_panel=BEGIN)

portals = typer.Typer(help="Say which upload host may be sent to.", no_args_is_help=True)
portals.command("trust")(centre.portal_trust)
app.add_typer(portals, name="portal", rich_help_panel=BEGIN)

definitions = typer.Typer(cls=OrShow, invoke_without_command=True, subcommand_metavar="[ID | COMMAND]")
definitions.callback()(trials.trials)
definitions.command("show")(trials.trials_show)
definitions.command("check")(trials.trials_check)
definitions.command("new")(trials.trials_new)
app.add_typer(definitions, name="trials", rich_help_panel=CLOSER)


def run(sibling: Sibling | None = None) -> None:
    """Run the verb of the command line and exit with the contract's code; ``sibling`` works beside it."""
    # Closed streams (`>&-`, pythonw): there is nobody to read, and what is said goes nowhere.
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - open to the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # Consoles that cannot show a character show a stand-in; the program must not fail on it.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # No linear algebra is done here: numpy need not start threads for it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code = guarded(lambda: _verb(sibling), dict(os.environ))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # there is nothing left that Ctrl-C could stop
    gc.freeze()  # the last search for cycles, at exit, would take a tenth of a second
    sys.exit(code)


def _verb(sibling: Sibling | None) -> object:
    """Run the verb of the command line; raise UsageError for completion that no shell could use."""
    asked = {"--install-completion", "--show-completion"} & set(sys.argv[1:2])
    if asked and Path(sys.argv[0]).name == "__main__.py":
        raise UsageError(
            "a shell completes the command rttqa-build only",
            f"`rttqa-build {asked.pop()}`, without `python -m`",
        )
    return app(standalone_mode=False, obj=sibling)


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

"""``trials check`` and ``trials new``: for those who write trial definitions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rttqa_build.centre.identifiers import kinds
from rttqa_build.cli.formats import Format, Row
from rttqa_build.cli.output import show_text, tally
from rttqa_build.cli.session import near, term, write
from rttqa_build.cli.snippet import Sources
from rttqa_build.diagnostic import exit_code
from rttqa_build.lint import curation, lint
from rttqa_build.settings import find_root

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rttqa_build.cli.output import Terminal


def check(folder: Path, output: Format) -> int:
    """Check a library of definitions, or one of them."""
    out, found = term(), lint(folder)
    if output is Format.TEXT:
        show_text(found.diagnostics, out, _sources(found.texts))
        out.say(f"{_counted(found.trials)}: {tally(found.diagnostics)}")
    else:
        write([Row(folder.resolve().name, found.diagnostics, {"trials": list(found.trials)})], output, out)
    return exit_code(found.diagnostics)


def _sources(texts: Mapping[str, str]) -> Sources:
    return Sources(lambda name: texts.get(name, ""), lambda line: bool(kinds(line, ())))


def _counted(trials: tuple[str, ...]) -> str:
    return trials[0] if len(trials) == 1 else f"{len(trials)} trials"


def new(name: str) -> int:
    """Begin a definition in the repository around the current folder, or else in that folder."""
    out, here = term(), Path.cwd()
    root = find_root(here) or here
    written = curation.begin(root, name)
    _told(out, root, written)
    return 0


def _told(out: Terminal, root: Path, written: tuple[str, ...]) -> None:
    out.say("began a definition; it passes `rttqa-build trials check` as it is")
    for name in written:
        out.say(f"  {near(root / name)}")
    out.say("")
    out.wrapped(
        "Next: write in trial.yaml what the trial's documents say, and in the schema what a manifest must "
        "hold; keep the examples in step. docs/writing-a-trial.md leads through it."
    )

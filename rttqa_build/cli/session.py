"""What verbs share: the repository around the current folder, the terminal, the clock."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import io
import os
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rttqa_build import __version__, disk
from rttqa_build.centre import repository
from rttqa_build.centre.identifiers import kinds
from rttqa_build.cli.formats import Format, Row, written
from rttqa_build.cli.output import Terminal, show_text, tally, terminal
from rttqa_build.cli.snippet import Sources
from rttqa_build.diagnostic import UsageError, exit_code
from rttqa_build.schema import did_you_mean
from rttqa_build.source import MAX_BYTES, sixteen
from rttqa_build.workspace import Submission, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.library import Library

NO_SUBMISSION = "there is no submission yet: `rttqa-build new --trial ID --patient ID FOLDER` drafts one"
# the worst exit code of several manifests wins
_WORST = (130, 70, 3, 2, 1, 0)


@contextlib.contextmanager
def unpacked(archive: bytes) -> Iterator[Path]:
    """Yield a folder with what an archive of Git's holds; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="rttqa-") as folder:
        if archive:
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                tar.extractall(folder, filter="data")
        yield Path(folder)


def environ() -> Mapping[str, str]:
    """Return the environment."""
    return dict(os.environ)


def term() -> Terminal:
    """Return the terminal as it is."""
    return terminal(os.environ)


def workspace() -> Workspace:
    """Return the submissions repository around the current folder."""
    return Workspace.find(Path.cwd(), environ())


def now() -> str:
    """Return the time, UTC, as receipts write it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def today() -> str:
    """Return the local date in ISO form."""
    return dt.datetime.now(dt.UTC).astimezone().date().isoformat()


def author(here: Workspace) -> str:
    """Return who is at work, as Git knows them; raise UsageError when it does not."""
    email = repository.find(here.root, environ()).email()
    if not email:
        hint = "tell it: `git config user.email you@example.org`"
        raise UsageError("Git does not know your e-mail address", hint)
    return email


def demand_anonymous(here: Workspace, option: str, text: str) -> None:
    """Raise UsageError when a text that goes into Git with a record identifies anyone."""
    if held := kinds(text, here.settings.identifiers):
        raise UsageError(f"{option} seems to hold {held[0]}, and would go into Git", "say it without")


def demand_unnamed(here: Workspace, submission: Submission, option: str, text: str) -> None:
    """Raise UsageError when a text that goes into Git names anyone of the export, where that is at hand.

    Raises RttqaError where the export changes at this moment: nobody knows yet whom it names.
    """
    from rttqa_build.deidentify.residue import Scanner
    from rttqa_build.stages.intake import take_in

    manifest = submission.manifest
    try:
        folder = here.source(manifest) if manifest else None
        intake = take_in(folder, 2, lambda _: None) if folder and text else None
    except UsageError:
        return
    if manifest is None or intake is None:
        return
    allowed = (manifest.submission.subject, manifest.trial, here.settings.centre.name)
    if Scanner(intake.harvest, allowed).identifies(text):
        raise UsageError(f"{option} names somebody of the export, and would go into Git", "say it without")


def near(path: Path) -> str:
    """Return a path as one would type it here: relative where it lies below the current folder."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def demand_known(library: Library, name: str) -> None:
    """Raise UsageError when there is no trial of this id."""
    ids = library.ids()
    if name not in ids:
        raise UsageError("no trial has this id", did_you_mean(name, ids) or f"there are: {', '.join(ids)}")


def worst(codes: Iterable[int]) -> int:
    """Return the exit code that stands for several."""
    given = set(codes)
    return next((code for code in _WORST if code in given), 0)


def sources(here: Workspace) -> Sources:
    """Return the YAML files of the repository, to show the lines that findings speak of."""
    patterns = here.settings.identifiers

    @functools.cache
    def read(name: str) -> str:
        path = here.root / name
        if path.suffix != ".yaml" or not path.is_file():
            return ""
        data = disk.head(path, MAX_BYTES, name)
        try:
            # as text, other encodings would be gibberish in which no identifier is noticed
            return "" if sixteen(data) else data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return ""

    return Sources(read, lambda line: bool(kinds(line, patterns)))


def report(here: Workspace, submission: Submission, found: tuple[Diagnostic, ...], out: Terminal) -> int:
    """Write a submission's findings and their tally; return its exit code."""
    show_text(found, out, sources(here))
    out.say(f"{submission.name}: {tally(found)}")
    return exit_code(found)


def write(rows: Iterable[Row], output: Format, out: Terminal) -> None:
    """Write the findings in a format that programs read."""
    out.say(written(tuple(rows), output, __version__))

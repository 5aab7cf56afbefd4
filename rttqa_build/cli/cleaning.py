"""``clean``: what ``build`` made and nobody needs after the receipt; only what it made, by name."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from rttqa_build import disk
from rttqa_build.cli import session
from rttqa_build.diagnostic import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rttqa_build.workspace import Submission, Workspace

_MADE = re.compile(
    r"[A-Za-z0-9_-]+_r[0-9]+\.zip|report\.html|deidentification\.json|\.staging|\..+\.part", re.ASCII
)
_KINDS = ((".zip", "package"), ("report.html", "report"), ("deidentification.json", "account"))


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What is left of a submission in the build folder; ``done``: it was received, or withdrawn."""

    folder: Path
    files: tuple[Path, ...]
    size: int
    done: bool

    @property
    def words(self) -> str:
        """Return what it is and how large."""
        names = [path.name for path in self.files]
        kinds = [kind for end, kind in _KINDS if any(name.endswith(end) for name in names)]
        others = sum(not any(name.endswith(end) for end, _ in _KINDS) for name in names)
        return f"{', '.join([*kinds, *(['unfinished work'] if others else [])])} ({size_in_words(self.size)})"


def leftovers(here: Workspace, one: Submission) -> Leftovers:
    """Return what ``build`` left of a submission; nothing where the build folder is a link elsewhere."""
    folder = here.output(one.name)
    files = [] if folder.is_symlink() or not folder.is_dir() else sorted(folder.iterdir())
    made = tuple(path for path in files if _MADE.fullmatch(path.name) and not path.is_symlink())
    return Leftovers(folder, made, sum(map(_size, made)), _done(one))


def _done(one: Submission) -> bool:
    kept = one.records.receipt
    if kept.withdrawn:
        return True
    return (
        one.manifest is not None and not kept.undecided and kept.received >= one.manifest.submission.revision
    )


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files if file.is_file())


def size_in_words(size: int) -> str:
    """Return a number of bytes with a unit (kB = 1000 bytes)."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"


def clean(named: Sequence[str], *, yes: bool) -> int:
    """Remove what is no longer needed of the submissions named, or of all; ask first."""
    here, out = session.workspace(), session.term()
    rows = [(one, leftovers(here, one)) for one in map(here.load, here.manifests(named))]
    if named:
        _demand_done(rows)
    chosen = [(one, left) for one, left in rows if left.done and left.files]
    if not chosen:
        out.say("nothing to remove")
        return 0
    for one, left in chosen:
        out.say(f"{one.name}: {session.near(left.folder)}: {left.words}")
        for path in left.files:
            out.say(f"  {path.name}")
    if not yes and not _agreed():
        out.say("nothing was removed")
        return 1
    for one, left in chosen:
        with here.alone(one.name):
            _remove(left)
    out.tell(
        f"removed {size_in_words(sum(left.size for _, left in chosen))}; manifests, locks and receipts stay"
    )
    return 0


def _demand_done(rows: Sequence[tuple[Submission, Leftovers]]) -> None:
    for one, left in rows:
        if not left.done:
            raise UsageError(
                f"{one.name} was not received yet: its package may still be needed",
                "clean removes only what was received or withdrawn; see `rttqa-build status`",
            )


def _agreed() -> bool:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("nobody is there to ask", "add --yes to remove these files")
    return typer.confirm("Remove these files?", default=False)


def _remove(left: Leftovers) -> None:
    try:
        for path in left.files:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        if not any(left.folder.iterdir()):
            left.folder.rmdir()
    except OSError as error:
        raise disk.failure(error, f"the build folder of {left.folder.name}") from None

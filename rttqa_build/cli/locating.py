"""``locate``: which file of the source something in a package is. Shown on a terminal, nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.cli import session
from rttqa_build.diagnostic import RttqaError, UsageError
from rttqa_build.locate import Origins, Place, as_quoted, is_locatable
from rttqa_build.locate import locate as find
from rttqa_build.pseudonym import Pseudonyms
from rttqa_build.records import LOCK, history
from rttqa_build.records.release import ACCOUNT
from rttqa_build.stages import account
from rttqa_build.stages.account import keyword

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rttqa_build.cli.output import Terminal
    from rttqa_build.lock import Lock
    from rttqa_build.pseudonym import CentreKey
    from rttqa_build.workspace import Submission, Workspace

_LARGEST_ACCOUNT = 1 << 30
_MOST = 20


def locate(what: str, named: Sequence[str]) -> int:
    """Show where something in a package comes from; 1 when no source holds it."""
    here, out = session.workspace(), session.term()
    if not out.local:
        raise UsageError(
            "a file of a patient is named on a terminal only, by and for a person",
            "run this in a terminal window, without a pipe",
        )
    what = as_quoted(what)
    if not is_locatable(what):
        raise UsageError(
            "this is neither a digest, nor a UID, nor a path in a package",
            "give at least six digits of a SHA-256, a whole UID, or a path with its folder",
        )
    key = here.key()
    found = 0
    for path in here.manifests(named):
        found += _one(here, here.load(path), key, what, out)
    out.progress("")
    if not found:
        out.tell("no source holds it; a path is known once its submission was built here")
    return 0 if found else 1


def _one(here: Workspace, submission: Submission, key: CentreKey, what: str, out: Terminal) -> int:
    """Show what one submission's source holds of it; return how many files."""
    if submission.manifest is None or submission.trial is None:
        out.tell(f"{submission.name}: not looked through: its manifest or trial cannot be read")
        return 0
    if submission.records.lock is None and (submission.folder / LOCK).is_file():
        out.tell(f"{submission.name}: lock.yaml cannot be read: the UIDs of its RT objects are not known")
    out.progress(f"looking through {submission.name}")
    try:
        source = here.source(submission.manifest)
        names = Pseudonyms.derive(key, submission.trial.pseudonym_scope)
        origins = Origins(source, names, _bases(here, submission), _paths(here, submission))
        places = find(what, origins)
    except RttqaError as error:
        out.progress("")
        out.tell(f"{submission.name}: {error.message}")
        return 0
    out.progress("")
    if places:
        out.say(f"{submission.name}: {_files(len(places))} in {source}")
    for place in places[:_MOST]:
        out.say(f"  {_shown(place)}")
    if len(places) > _MOST:
        out.say(f"  and {len(places) - _MOST} more")
    return len(places)


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _shown(place: Place) -> str:
    by = f", as its {keyword(place.tag)}" if place.tag else ""
    return f"{place.path}  sha256 {place.sha256[:12]}{by}"


def _bases(here: Workspace, submission: Submission) -> dict[str, str]:
    """Return UID as it left → base UID, of every RT object in this lock and those of earlier revisions."""
    return {
        row.uid: row.base for lock in _locks(here, submission) for rows in lock.uids.values() for row in rows
    }


def _locks(here: Workspace, submission: Submission) -> Iterator[Lock]:
    for revision in history.revisions(submission.folder):
        if then := history.lock_of(submission.folder, revision, here.library.schema("lock")):
            yield then
    if submission.records.lock is not None:
        yield submission.records.lock


def _paths(here: Workspace, submission: Submission) -> dict[str, str]:
    path = here.output(submission.name) / ACCOUNT
    if not path.is_file():
        return {}
    try:
        return account.paths(disk.read(path, _LARGEST_ACCOUNT, ACCOUNT))
    except (ValueError, KeyError, TypeError):
        raise RttqaError(f"{ACCOUNT} is damaged", "build again") from None

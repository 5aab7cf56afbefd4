"""The gate: everything that must hold before a submission may leave, told all at once.

Goes in: a submission as it lies on disk and what ``check`` said about it. Comes out: a finding per reason
why it may not be sent, each with its own code and hint; nothing is changed, built or sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rttqa_build.centre.repository import FileState
from rttqa_build.diagnostic import Diagnostic, Location, exit_code, finding, ordered
from rttqa_build.lock import freshness
from rttqa_build.records import APPROVAL, LOCK, RECEIPT, approval, ledger, release
from rttqa_build.records.history import HISTORY, revisions
from rttqa_build.settings import FILE
from rttqa_build.workspace import MANIFEST, SUBMISSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from rttqa_build.centre.repository import Repository, Upstream
    from rttqa_build.lock import Basis, Lock
    from rttqa_build.manifest import Submission
    from rttqa_build.portal import Portal
    from rttqa_build.records.approval import Approval, Release
    from rttqa_build.records.receipt import Attempt, Receipt
    from rttqa_build.settings import Settings
    from rttqa_build.trial import Trial

_TO_COMMIT: Mapping[FileState, str] = {
    FileState.MISSING: "Bring it back with `git restore {name}`; or commit that it is gone, and build again.",
    FileState.OUTSIDE: "Keep it inside the repository.",
    FileState.IGNORED: "A .gitignore hides it: `git add --force {name}`, then `git commit`.",
    FileState.UNTRACKED: "`git add {name}`, then `git commit`.",
    FileState.STAGED: "`git commit`.",
    FileState.MODIFIED: "Look at it with `git diff {name}`, then `git add {name}` and `git commit`.",
    FileState.HIDDEN: "`git update-index --no-skip-worktree --no-assume-unchanged {name}`, "
    "then look at it with `git diff`.",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One submission before it is sent.

    ``folder`` holds its manifest, lock, approvals and receipt; ``output`` its package, report and draft
    e-mail. ``basis`` is what a build of today would be made from. ``checked`` is what ``check`` found,
    acceptance of the trial included. ``files`` are all files that decide what leaves: they must be committed.
    ``ledger`` is the copy of the receipt that clones with the same key share; None where there is none.
    """

    folder: Path
    output: Path
    submission: Submission
    trial: Trial
    basis: Basis
    lock: Lock | None
    receipt: Receipt
    approvals: tuple[Approval, ...] = ()
    checked: tuple[Diagnostic, ...] = ()
    files: tuple[Path, ...] = ()
    ledger: Path | None = None
    released: tuple[Release, ...] = ()

    @property
    def name(self) -> str:
        """Return the submission's name, that of its folder."""
        return self.folder.name

    @property
    def received_attempt(self) -> Attempt | None:
        """Return the attempt by which the portal has what the lock describes, for this very manifest."""
        lock = self.lock
        if lock is None or lock.basis.manifest != self.basis.manifest:
            return None
        return self.receipt.received_attempt(self.submission.revision, lock.package.sha256, lock.content)

    @property
    def already_received(self) -> bool:
        """Whether the portal has what the lock describes, and the manifest is still the lock's."""
        return self.received_attempt is not None


@dataclass(frozen=True, slots=True)
class Site:
    """What all submissions of one run share.

    ``portal`` is None when the settings name none that works, ``upstream`` when the branch follows none.
    """

    settings: Settings
    repository: Repository
    portal: Portal | None
    upstream: Upstream | None = None


def files_that_count(
    root: Path, folder: Path, trial: str, schemas: Iterable[str], repository: Repository
) -> tuple[Path, ...]:
    """Return every file that decides what leaves, whether it is on disk or only in HEAD.

    ``schemas`` are the names of the trial's schema and of those it refers to, as far as the repository holds
    them. Frozen revisions count: references to what was sent keep their UIDs through them.
    """
    always = (folder / MANIFEST, folder / LOCK, root / FILE)
    places = (
        folder / APPROVAL,
        folder / HISTORY,
        root / "trials" / trial,
        *(root / "schemas" / f"{name}.schema.json" for name in schemas),
    )
    found = {path for place in places for path in (*_files(place), *repository.committed_below(place))}
    return (*always, *sorted(found))


def _files(place: Path) -> Iterator[Path]:
    """Yield the files at or below a path on disk; a folder that was being frozen is none yet."""
    if place.is_file():
        yield place
    elif place.is_dir():
        yield from (
            path for path in place.rglob("*") if path.is_file() and ".part" not in path.parent.suffixes
        )


def gate(candidate: Candidate, site: Site, *, decided: bool = False) -> tuple[Diagnostic, ...]:
    """Return every reason why the submission may not be sent, and the warnings of its check.

    ``decided``: a person has given a word about attempts without a certain outcome.
    """
    return ordered(
        [
            *_check(candidate),
            *_lock(candidate),
            *_approvals(candidate, site.settings),
            *_commits(candidate, site.repository),
            *_repository(site),
            *_portal(candidate, site),
            *_receipt(candidate, decided=decided),
            *_journal(candidate, site.repository),
            *_elsewhere(candidate, site),
        ]
    )


def doubt(candidate: Candidate) -> tuple[Diagnostic, ...]:
    """Return the finding that the receipt may not be all there is, as the clones' common journal tells."""
    told = ledger.doubt(candidate.ledger, candidate.receipt, at(candidate, RECEIPT))
    return (told,) if told else ()


def at(candidate: Candidate, name: str) -> Location:
    """Return the place of a file beside the manifest, as findings name it."""
    return Location(f"{SUBMISSIONS}/{candidate.name}/{name}")


def _check(candidate: Candidate) -> Iterator[Diagnostic]:
    yield from candidate.checked
    if exit_code(candidate.checked):
        yield finding("U001", "the check of this submission finds errors", at(candidate, MANIFEST))


def _lock(candidate: Candidate) -> Iterator[Diagnostic]:
    where, lock = at(candidate, LOCK), candidate.lock
    if lock is None:
        yield finding("U002", "this submission was never built: it has no lock", where)
        return
    stale = freshness(lock, candidate.basis, received=False, where=where)
    yield from stale
    if any(d.code == "M405" for d in stale):
        yield finding("U003", "the lock must be rebuilt with the present program versions", where)
    if count := len(lock.fatal_findings):
        codes = ", ".join(sorted({item.code for item in lock.fatal_findings}))
        yield finding("U004", f"the build left {_plural(count, 'error')} ({codes})", where)


def _approvals(candidate: Candidate, settings: Settings) -> Iterator[Diagnostic]:
    if candidate.lock is None:
        return
    wanted = approval.required(settings.gate.approvals, example=candidate.trial.status == "example")
    given = len(approval.standing(candidate.approvals, candidate.lock.content))
    if given < wanted:
        verb = "is" if wanted == 1 else "are"
        words = f"{_plural(wanted, 'approval')} of this content {verb} needed, and {given or 'none'} given"
        yield finding("U005", words, at(candidate, APPROVAL))
    yield from _releases(candidate, candidate.lock, max(wanted, 1))


def void_releases(candidate: Candidate, settings: Settings, whose: str) -> tuple[Diagnostic, ...]:
    """Return where too few people released a find, of those who did for whom the export names now.

    ``whose``: the rebuild's digest of them; before it, nobody can tell which releases are void.
    """
    if candidate.lock is None:
        return ()
    wanted = approval.required(settings.gate.approvals, example=candidate.trial.status == "example")
    valid = tuple(one for one in candidate.released if one.whose == whose)
    return tuple(_releases(replace(candidate, released=valid), candidate.lock, max(wanted, 1)))


def _releases(candidate: Candidate, lock: Lock, wanted: int) -> Iterator[Diagnostic]:
    """Yield where a find was released by too few people; which finds there are, the rebuild tells."""
    where = at(candidate, APPROVAL)
    if not any(one.code == release.RELEASED for one in lock.findings):
        return
    if not release.places(candidate.released, lock.content):
        yield finding("U009", "the lock tells of released finds, and nobody released any", where)
    elif count := release.unseen(candidate.released, lock.content, wanted):
        yield finding("U009", f"{_plural(count, 'released find')} not seen by {wanted} people", where)


def _commits(candidate: Candidate, repository: Repository) -> Iterator[Diagnostic]:
    for path in candidate.files:
        state = repository.state(path)
        if path == candidate.folder / LOCK and candidate.lock is None and not repository.head_blob(path):
            continue  # it never was, and U002 says what to do
        if state is not FileState.COMMITTED:
            name = repository.relative(path) or path.name
            hint = _TO_COMMIT[state].format(name=f'"{name}"' if " " in name else name)
            yield finding("U006", f"{path.name} is {state}", Location(name), hint=hint, subject=path.name)


def _repository(site: Site) -> Iterator[Diagnostic]:
    branch = site.settings.gate.branch
    if branch and not site.repository.reachable_from(branch):
        yield finding("U007", f"the present commit is not on the branch {branch}", Location(FILE))
    yield from other_remotes(site.repository, site.settings.allowed_remotes)


def other_remotes(repository: Repository, allowed: tuple[str, ...]) -> Iterator[Diagnostic]:
    """Yield a finding where the repository may be pushed to a place that the settings do not list."""
    if allowed and not all(_allowed(url, allowed) for url in repository.remotes()):
        yield finding("U008", "this repository has a remote that the settings don't allow", Location(FILE))


def _allowed(url: str, allowed: tuple[str, ...]) -> bool:
    """Return whether the URL is listed, or lies below one that is. URLs may hold secrets: never show them."""
    return any(
        url == one or url.startswith(one if one.endswith(("/", ":")) else f"{one}/") for one in allowed
    )


def _portal(candidate: Candidate, site: Site) -> Iterator[Diagnostic]:
    where, settings = Location(FILE, item="portal"), site.settings.portal
    if site.portal is not None and candidate.trial.status == "example" and not site.portal.local:
        yield finding("U015", "an example trial is never sent to a portal beyond this computer", where)
    limit = settings.max_bytes if settings else None
    if limit is not None and candidate.lock is not None and candidate.lock.package.size > limit:
        yield finding(
            "U016", f"the package has {candidate.lock.package.size} bytes; the portal takes {limit}", where
        )


def _receipt(candidate: Candidate, *, decided: bool) -> Iterator[Diagnostic]:
    where, lock = at(candidate, RECEIPT), candidate.lock
    if candidate.receipt.withdrawn:
        yield finding("U054", "this submission was withdrawn", where)
    waiting = len(candidate.receipt.undecided)
    if waiting and not decided:
        yield finding("U020", f"{_plural(waiting, 'earlier attempt')} without a certain outcome", where)
    if decided and not waiting:
        yield finding("U024", "no attempt waits for a decision", where)
    revision = candidate.submission.revision
    if lock is not None and candidate.receipt.received >= revision and not candidate.already_received:
        yield finding("U021", f"revision {revision} was already received with other content", where)


def _journal(candidate: Candidate, repository: Repository) -> Iterator[Diagnostic]:
    """Yield where the receipt has lost what history/ or the last commit hold: nothing is sent without it."""
    where, path = at(candidate, RECEIPT), candidate.folder / RECEIPT
    frozen = max(revisions(candidate.folder), default=0)
    if frozen > candidate.receipt.received:
        yield finding("U025", f"revision {frozen} was received, but receipt.yaml does not say so", where)
    elif not path.exists() and repository.head_blob(path):
        yield finding("U025", "receipt.yaml was committed, and is not there any more", where)
    elif lost := _lost(candidate.receipt, repository, path):
        hint = "Find it with `git log -- receipt.yaml` in its folder, and bring it back with `git restore`."
        entries = f"{lost} {'entry' if lost == 1 else 'entries'}"
        yield finding("U025", f"{entries} of receipt.yaml stood in an earlier commit only", where, hint=hint)
    yield from _frozen(candidate, where)


def _lost(own: Receipt, repository: Repository, path: Path) -> int:
    """Return how much the history of Git knows that a receipt does not hold: a revert takes it away."""
    told = (ledger.parsed(data, path.name) for data in repository.versions(path))
    return max((ledger.lacking(own, one) for one in told if one), default=0)


def _frozen(candidate: Candidate, where: Location) -> Iterator[Diagnostic]:
    """Yield which received revisions before this one were never frozen: nobody can say what has changed."""
    kept = set(revisions(candidate.folder))
    received = {one.revision for one in candidate.receipt.attempts if one.received}
    for one in sorted(received - kept):
        if one < candidate.submission.revision:
            yield finding("U026", f"revision {one} was received, and history/r{one} is not there", where)


def _elsewhere(candidate: Candidate, site: Site) -> Iterator[Diagnostic]:
    """Yield what says that another clone on this computer, or elsewhere, may have handed it over."""
    yield from doubt(candidate)
    if site.upstream is not None:
        yield from _upstream(candidate, site.upstream, site.repository)


def _upstream(candidate: Candidate, upstream: Upstream, repository: Repository) -> Iterator[Diagnostic]:
    where, path = at(candidate, RECEIPT), candidate.folder / RECEIPT
    if not upstream.answered:
        yield finding("U052", f"{upstream.name} did not answer: what colleagues sent is not known", where)
    if not upstream.known:
        theirs = repository.blob_at(upstream.commit, path)
        if theirs is None:
            yield finding("U051", f"{upstream.name} holds commits that are not here", where)
        elif theirs != repository.head_blob(path):
            yield finding("U051", f"{upstream.name} holds another receipt of this submission", where)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun if count == 1 else noun + 's'}"

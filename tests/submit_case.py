"""One approved and committed submission in a real repository, and a portal that does what it is told."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO

from git_builder import commit, git_environ
from lock_builder import BASIS, make_lock, parsed

from rttqa_build import disk, lock
from rttqa_build.centre import repository
from rttqa_build.lock import Lock, PackageFacts
from rttqa_build.mail import Letter
from rttqa_build.manifest import Submission
from rttqa_build.portal import FolderPortal
from rttqa_build.records import approval, receipt
from rttqa_build.records.approval import Approval
from rttqa_build.records.receipt import Decision, Outcome, OutcomeKind, Receipt, Word
from rttqa_build.settings import Centre, PortalSettings, Settings
from rttqa_build.submit import Candidate, Order, Result, Site, Steps, submit
from rttqa_build.trial import Contact, Status, Trial

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.portal import Portal
    from rttqa_build.records.receipt import Attempt

PACKAGE = b"PK the package" * 1000
SHA = hashlib.sha256(PACKAGE).hexdigest()
LOCK = replace(make_lock(), package=PackageFacts("plato_RXX_PL-1_r1.zip", len(PACKAGE), SHA), findings=())
YES = Approval("physicist", "a@example.org", "2026-11-22", LOCK.content)
NOW = "2026-11-22T10:00:00Z"
RESEND = Decision(Word.RESEND, "the trial team has nothing", "a@example.org", NOW)
TREAT = Decision(Word.TREAT_AS_RECEIVED, "confirmed by phone", "a@example.org", NOW)
FILES = ("manifest.yaml", "lock.yaml", "approval.yaml")


@dataclass(frozen=True)
class Rebuilt:
    lock: Lock | None
    package: Path | None
    diagnostics: tuple[Diagnostic, ...] = ()
    whose: str = ""


@dataclass(frozen=True)
class Verified:
    sha256: str
    size: int
    content_digest: str
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass
class Remote:
    """A portal beyond this computer that does what it is told and remembers what it was sent."""

    outcome: OutcomeKind | BaseException = OutcomeKind.VERIFIED
    sent: list[str] = field(default_factory=list)
    before: Callable[[], None] = lambda: None
    host: str = "portal.example.org"
    local: bool = False

    asked: list[int] = field(default_factory=list)

    def preflight(self, need: int) -> None:
        self.asked.append(need)

    def put(self, handle: BinaryIO, name: str, size: int, sha256: str) -> Outcome:
        self.before()
        self.sent.append(name)
        handle.seek(0)
        data = handle.read()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (size, sha256)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return Outcome(self.outcome, sha256 if self.outcome is OutcomeKind.VERIFIED else "")


@dataclass
class Case:
    """One approved and committed submission in a real repository, and the steps around it."""

    root: Path
    environ: dict[str, str]
    candidate: Candidate
    site: Site
    rebuilt: Rebuilt
    mails: list[str] = field(default_factory=list)
    rebuilds: int = 0
    verify_diagnostics: tuple[Diagnostic, ...] = ()

    def rebuild(self) -> Rebuilt:
        self.rebuilds += 1
        return self.rebuilt

    def verify(self, handle: BinaryIO, name: str) -> Verified:
        assert name == LOCK.package.name
        data = handle.read()
        digest = hashlib.sha256(data).hexdigest()
        return Verified(digest, len(data), LOCK.content, self.verify_diagnostics)

    def email(self, attempt: Attempt) -> Letter:
        self.mails.append(attempt.name)
        return Letter("subject", "body\n", ("qa@example.org",), "a@example.org", message_id="<1@example.org>")

    def submit(self, portal: Portal | None = None, order: Order | None = None) -> Result:
        site = replace(self.site, portal=portal) if portal else self.site
        candidate = replace(self.candidate, receipt=self.receipt)
        steps = Steps(self.rebuild, self.verify, self.email)
        return submit(candidate, site, steps, order or Order(NOW))

    @property
    def receipt(self) -> Receipt:
        path = self.candidate.folder / "receipt.yaml"
        return receipt.from_document(parsed(path.read_text("utf-8"))) if path.exists() else Receipt()

    @property
    def outbox(self) -> list[str]:
        return sorted(path.name for path in (self.root / "outbox").iterdir())


def make_trial(status: Status) -> Trial:
    return Trial("plato", "PLATO", status, "b" * 64, Contact("RTTQA", "qa@example.org"), "plato")


def make_case(tmp_path: Path) -> Case:
    """Make an approved and committed submission below a folder."""
    environ = git_environ(tmp_path / "home")
    root = tmp_path / "our trials"
    folder = root / "submissions" / "PL-1"
    folder.mkdir(parents=True)
    (root / "outbox").mkdir()
    (root / ".gitignore").write_bytes(b"outbox/\nbuild/\n")
    (folder / "manifest.yaml").write_bytes(b"manifest: 1\n")
    (folder / "lock.yaml").write_text(lock.dump(LOCK), "utf-8")
    (folder / "approval.yaml").write_text(approval.dump([YES]), "utf-8")
    git_repository = repository.create(root, environ)
    commit(root, environ)
    package = root / "build" / "PL-1" / "rebuild.zip"
    disk.write(package, PACKAGE)
    centre = Centre("RXX", "Example", Contact("Physics", "a@example.org"))
    settings = Settings(root, centre, "data", "key", "c" * 64, portal=PortalSettings("folder", path="outbox"))
    candidate = Candidate(
        folder=folder,
        output=root / "build" / "PL-1",
        submission=Submission("prospective-review", 1, patient="PL-1"),
        trial=make_trial("confirmed"),
        basis=BASIS,
        lock=LOCK,
        receipt=Receipt(),
        approvals=(YES,),
        files=tuple(folder / name for name in FILES),
    )
    site = Site(settings, git_repository, FolderPortal(root / "outbox"))
    return Case(root, environ, candidate, site, Rebuilt(LOCK, package))


def codes(diagnostics: tuple[Diagnostic, ...]) -> list[str]:
    return [d.code for d in diagnostics]


def sent(kind: OutcomeKind) -> Receipt:
    begun = receipt.Attempt(1, LOCK.content, f"plato_{SHA[:12]}.zip", len(PACKAGE), SHA, "folder", NOW)
    return Receipt().begun(begun).ended(Outcome(kind))

"""What one build is asked for, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rttqa_build.sibling import Here

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor
    from pathlib import Path

    from rttqa_build.deidentify.finds import Find
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.lock import Basis, Lock
    from rttqa_build.manifest import Manifest
    from rttqa_build.pseudonym import CentreKey
    from rttqa_build.records.approval import Release
    from rttqa_build.settings import Settings
    from rttqa_build.study.survey import Survey
    from rttqa_build.summary.context import FreeText, Summary
    from rttqa_build.trial import Trial

REPORT = "report.html"


@dataclass(frozen=True, slots=True)
class Clinical:
    """The clinical fields, from the manifest or from a file beside the source; SHA-256 of that file."""

    fields: Mapping[str, object] = field(default_factory=dict)
    sha256: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """One file of the package that is no DICOM object; ``original`` is the SHA-256 of its original."""

    name: str
    path: str
    data: bytes
    original: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One build: everything it depends on, and where its results go.

    ``source`` is the export folder, ``output`` the folder for package and report. ``previous`` is the lock of
    the last received revision: references to what was sent then keep the UIDs they had. ``committed`` are the
    texts that are about to enter Git, by name: they are searched for identities too. ``told`` is what
    reading the manifest found. ``keep`` False builds and compares without leaving anything behind.
    ``released`` are coincidences of the search that people released, each for one content. ``beside`` does
    what another process can do meanwhile; ``survey`` is that of the source, if it has begun.
    """

    manifest: Manifest
    trial: Trial
    settings: Settings
    key: CentreKey
    basis: Basis
    source: Path
    output: Path
    clinical: Clinical = field(default_factory=Clinical)
    previous: Lock | None = None
    committed: Mapping[str, bytes] = field(default_factory=dict)
    told: tuple[Diagnostic, ...] = ()
    jobs: int = 2
    keep: bool = True
    released: tuple[Release, ...] = ()
    beside: Executor = field(default_factory=Here, repr=False, compare=False)
    survey: Survey | None = field(default=None, repr=False, compare=False)


def ours(order: Order) -> tuple[str, ...]:
    """Return what manifest, settings and trial put into the package on purpose: never residue."""
    submission, centre, trial = order.manifest.submission, order.settings.centre, order.trial
    names = (submission.subject, submission.patient, submission.case, centre.code, centre.name, trial.id)
    contacts = (centre.contact.name, centre.contact.email, trial.contact.name, trial.contact.email)
    return (*names, *contacts, trial.title, trial.sponsor, *(rule.name for rule in trial.structures))


@dataclass(frozen=True, slots=True)
class Built:
    """What a build gave: findings; lock and package unless the findings forbid them.

    ``summary`` is the context of the clinical summary, ``texts`` are all strings that leave; ``patients``
    says who the source's objects say they are: for a person on a terminal, nowhere else. ``content`` is the
    content digest. ``finds`` are what the residue search found, where nothing else forbids the package:
    released where there is one, else for a person to judge. ``identifies`` tells whether a text names anyone;
    ``whose`` is the keyed digest of whom the source names.
    """

    diagnostics: tuple[Diagnostic, ...]
    lock: Lock | None = None
    package: Path | None = None
    summary: Summary | None = None
    texts: tuple[FreeText, ...] = ()
    patients: tuple[str, ...] = field(default=(), repr=False)
    content: str = ""
    finds: tuple[Find, ...] = ()
    identifies: Callable[[str], bool] = field(default=bool, repr=False)
    whose: str = ""

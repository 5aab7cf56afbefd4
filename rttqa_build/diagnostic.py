"""Findings as values: what is wrong, where, how bad, and what to do about it.

A :class:`Diagnostic` is the only way in which the layers below ``cli`` speak of expected problems.
Operations that fail (disk, network, key) raise :class:`RttqaError` instead.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.codes import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


MOST = 50  # findings of one kind

# families of which an error leaves no package at all
FORBIDDING = ("A", "K", "R")


class Severity(enum.StrEnum):
    """How much a finding weighs: an error stops the submission, the others inform."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """Where a finding lies.

    ``file`` is a path as the user typed it, or a role (``plan:phase1``) for findings about objects;
    ``line`` and ``column`` count from 1, 0 meaning the whole file; ``item`` is a path inside it
    (``submission.arm``, ``BeamSequence[1]``).
    """

    file: str = ""
    line: int = 0
    column: int = 0
    item: str = ""

    def __str__(self) -> str:
        """Return ``file:line:column``, without the parts that are not known."""
        return ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])


NOWHERE = Location()


class Related(NamedTuple):
    """Another place that has to do with a finding, and what is there: *arm is set here*."""

    where: Location
    note: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    ``message`` and ``hint`` are safe everywhere: they never hold a value from patient data. ``local`` may
    (ROI and plan labels, slice positions, relative paths); it is shown on a terminal and in the local
    report and never serialised. ``subject`` is the role, object or structure that the finding is about:
    what a waiver's ``for`` matches and what the lock lists. ``related`` are places that explain it.
    """

    code: str
    message: str
    where: Location = NOWHERE
    hint: str = ""
    severity: Severity = Severity.ERROR
    local: str = ""
    subject: str = ""
    waived: str = ""
    related: tuple[Related, ...] = ()

    @property
    def fatal(self) -> bool:
        """Whether this finding stops the submission."""
        return self.severity is Severity.ERROR and not self.waived


class RttqaError(Exception):
    """An operation failed, or cannot be started; the message and the hint are for people.

    ``exit_code`` follows the contract: 2 for usage and settings, 3 for operations that may be repeated.
    """

    def __init__(self, message: str, hint: str = "", *, code: str = "", exit_code: int = 3) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.exit_code = exit_code


class UsageError(RttqaError):
    """The command line, the settings or the key do not allow what was asked (exit code 2)."""

    def __init__(self, message: str, hint: str = "", *, code: str = "") -> None:
        super().__init__(message, hint, code=code, exit_code=2)


def finding(
    code: str,
    message: str,
    where: Location = NOWHERE,
    *,
    hint: str = "",
    local: str = "",
    subject: str = "",
    related: tuple[Related, ...] = (),
) -> Diagnostic:
    """Return a diagnostic with the severity and, when ``hint`` is empty, the hint of the catalogue."""
    entry = CATALOGUE[code]
    return Diagnostic(
        code,
        message,
        where,
        hint or entry.mend,
        Severity(entry.severity),
        local=local,
        subject=subject,
        related=related,
    )


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the distinct findings in file order, then by code: the order in which all output lists them."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=lambda d: (d.where, d.code, d.subject, d.message)))


def bounded(diagnostics: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield as many findings of one kind as somebody reads; then only that there are more, and where.

    No further finding is asked for, so that a file of nothing but faults costs no more than its reading.
    """
    rest = iter(diagnostics)
    yield from islice(rest, MOST)
    for more in islice(rest, 1):
        where = Location(more.where.file, more.where.line, more.where.column)
        yield finding("M110", "from here on there is more of this kind", where)


def with_severity(diagnostic: Diagnostic, severity: Severity) -> Diagnostic:
    """Return the same finding at another severity (trial × purpose)."""
    return replace(diagnostic, severity=severity)


def forbidden(diagnostics: Iterable[Diagnostic]) -> bool:
    """Return whether no package may be made: errors of families A, K and R, broken links among them."""
    return any(d.fatal and d.code.startswith(FORBIDDING) for d in diagnostics)


def exit_code(diagnostics: Iterable[Diagnostic]) -> int:
    """Return 1 when any finding is fatal, else 0."""
    return int(any(d.fatal for d in diagnostics))

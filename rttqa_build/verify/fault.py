"""What verify finds, before equal findings about many members become one diagnostic."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.diagnostic import Diagnostic, Location, finding, ordered

if TYPE_CHECKING:
    from collections.abc import Iterable


class Fault(NamedTuple):
    """One thing that is wrong: code, one sentence without any value, member, DICOM element or field."""

    code: str
    message: str
    member: str = ""
    element: str = ""


def diagnostics(faults: Iterable[Fault], name: str) -> tuple[Diagnostic, ...]:
    """Return one diagnostic for each kind of fault, naming the first member and counting the others."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for fault in faults:
        members = groups.setdefault((fault.code, fault.message, fault.element), [])
        if fault.member not in members[-1:]:
            members.append(fault.member)
    return ordered(
        finding(
            code,
            message + _others(len(members) - 1),
            Location(name, item=" ".join(part for part in (members[0], element) if part)),
            subject=members[0],
        )
        for (code, message, element), members in groups.items()
    )


def _others(count: int) -> str:
    if count < 1:
        return ""
    return f" The same holds for {count} other {'files' if count > 1 else 'file'}."

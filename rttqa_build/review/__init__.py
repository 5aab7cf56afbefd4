"""Submissions before and after a merge request → the Markdown that its reviewer reads.

From manifests, locks and definitions alone: no patient data, no key. What retains more or checks less comes
first, then each submission: what changed in words, waivers with their reasons, what still lacks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rttqa_build.lock import since
from rttqa_build.source import dotted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.lock import Lock
    from rttqa_build.manifest import Waiver
    from rttqa_build.records.approval import Release
    from rttqa_build.source import Json, Path

MOST_LISTED = 20
_SPOKEN = frozenset({"submission", "prescription", "trial", "protocol"})
# what Markdown or the host would make something of; an underscore inside a word is none of it
_MARKUP = re.compile(r"([\\`*{}\[\]<>#|~@&]|(?<!\w)_|_(?!\w))")


@dataclass(frozen=True, slots=True)
class Side:
    """A submission at one moment: what its manifest says, its waivers, its lock, what was released.

    ``received``: the last revision that was received, 0 for none.
    """

    data: Json = None
    waivers: tuple[Waiver, ...] = ()
    lock: Lock | None = None
    released: tuple[Release, ...] = ()
    received: int = 0


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One submission before and after (None: not there), how it stands now, and what ``check`` finds."""

    name: str
    then: Side | None
    now: Side | None
    state: str = ""
    next_step: str = ""
    findings: tuple[Diagnostic, ...] = ()

    @property
    def kind(self) -> Literal["new", "changed", "removed"]:
        """Return what the merge request does to it."""
        if self.then is None:
            return "new"
        return "changed" if self.now is not None else "removed"

    @property
    def blocked(self) -> bool:
        """Return whether something stands against handing it over."""
        lock = self.now.lock if self.now else None
        return any(one.fatal for one in self.findings) or lock is None or bool(lock.fatal_findings)


def markdown(
    base: str,
    reviewed: tuple[Reviewed, ...],
    loosened: Mapping[str, tuple[str, ...]],
    identifies: Callable[[str], bool],
) -> str:
    """Return the review. ``loosened``: what retains more or checks less, by what it is about.

    ``identifies`` tells whether a text of a manifest seems to identify somebody: it is then left out.
    """
    say = _Speaker(identifies)
    lines = ["## Submissions", "", _headline(base, reviewed)]
    first = [
        f"- **{say.text(about)}**: {say.text(what)}" for about, whats in loosened.items() for what in whats
    ]
    first = [line for one in reviewed for line in _released(one, say)] + first
    first = [line for one in reviewed for line in _lost(one, say)] + first
    first += [line for one in reviewed for line in _waived(one, say)]
    if first:
        lines += ["", "### Look at this first", "", *first]
    for one in reviewed:
        lines += ["", *_section(one, say)]
    return "\n".join(lines) + "\n"


class _Speaker:
    """Text of people, as Markdown that shows it and does nothing else."""

    def __init__(self, identifies: Callable[[str], bool]) -> None:
        self._identifies = identifies

    def text(self, text: str) -> str:
        if self._identifies(text):
            return "\\[left out: it seems to identify somebody\\]"
        return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _headline(base: str, reviewed: tuple[Reviewed, ...]) -> str:
    if not reviewed:
        return f"No submission changes against `{base}`."
    kinds = [f"{n} {kind}" for kind in ("new", "changed", "removed") if (n := _count(reviewed, kind))]
    there = [one for one in reviewed if one.now is not None]
    blocked = sum(one.blocked for one in there)
    return f"Against `{base}`: {', '.join(kinds)}; {len(there) - blocked} ready, {blocked} blocked."


def _count(reviewed: Iterable[Reviewed], kind: str) -> int:
    return sum(one.kind == kind for one in reviewed)


def _lost(one: Reviewed, say: _Speaker) -> Iterator[str]:
    """Yield that a receipt goes: without it, nobody knows here what was sent."""
    then, now = (side.received if side else 0 for side in (one.then, one.now))
    if now < then:
        went = "is removed with its receipt" if one.now is None else "loses its receipt"
        yield f"- **{say.text(one.name)}** {went}: revision {then} was received"


def _released(one: Reviewed, say: _Speaker) -> Iterator[str]:
    """Yield the releases that are new, with their reasons; a second person's word is no other release."""
    before = {(row.places, row.content) for row in (one.then.released if one.then else ())}
    for row in one.now.released if one.now else ():
        if (row.places, row.content) not in before:
            before.add((row.places, row.content))
            files = row.files[0] if len(row.files) == 1 else f"{len(row.files)} files"
            where = say.text(f"{row.code} in {row.element} of {files}")
            yield f"- **{say.text(one.name)}** releases a find, {where}: {say.text(row.reason)}"


def _waived(one: Reviewed, say: _Speaker) -> Iterator[str]:
    """Yield the waivers that are new, with their reasons."""
    before = one.then.waivers if one.then else ()
    for waiver in one.now.waivers if one.now else ():
        if waiver not in before:
            about = f" for {say.text(waiver.subject)}" if waiver.subject else ""
            yield f"- **{say.text(one.name)}** waives {waiver.code}{about}: {say.text(waiver.reason)}"


def _section(one: Reviewed, say: _Speaker) -> Iterator[str]:
    if one.now is None:
        yield f"### {say.text(one.name)}: removed"
        return
    yield f"### {say.text(one.name)}: {one.kind}, {'blocked' if one.blocked else 'ready'}"
    yield ""
    if one.state:
        yield f"State: {one.state}. Next: {say.text(one.next_step)}."
    for title, lines in (
        ("What changed", [*_said(one, say), *_built(one, say)]),
        ("What still lacks", list(_lacking(one, say))),
    ):
        if lines:
            yield from ("", f"**{title}**", "", *lines)


def _said(one: Reviewed, say: _Speaker) -> Iterator[str]:
    """Yield the fields of the manifest that say something else; values only of fields that are choices."""
    if one.then is None or one.now is None:
        return
    for data, when in ((one.then.data, "could not be read before"), (one.now.data, "cannot be read")):
        if not isinstance(data, dict):
            yield f"- the manifest {when}: what changed in it is not told"
            return
    then, now = dict(_leaves(one.then.data, ())), dict(_leaves(one.now.data, ()))
    changed = [path for path in {**then, **now} if then.get(path, _NOTHING) != now.get(path, _NOTHING)]
    changed = [path for path in changed if path[0] != "waivers"]
    for path in changed[:MOST_LISTED]:
        yield f"- manifest, {say.text(dotted(path))}: {_change(path, then, now, say)}"
    if len(changed) > MOST_LISTED:
        yield f"- and {len(changed) - MOST_LISTED} fields more"


_NOTHING = object()


def _change(path: Path, then: Mapping[Path, Json], now: Mapping[Path, Json], say: _Speaker) -> str:
    if path not in now:
        return "no longer there"
    new = say.text(str(now[path])) if path[0] in _SPOKEN else ""
    if path not in then:
        return f"new, {new}" if new else "new"
    return f"{say.text(str(then[path]))} → {new}" if new else "changed"


def _leaves(data: Json, path: Path) -> Iterator[tuple[Path, Json]]:
    if isinstance(data, dict | list) and data:
        for step, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from _leaves(value, (*path, step))
    else:
        yield path, data


def _built(one: Reviewed, say: _Speaker) -> Iterator[str]:
    """Yield what the locks say: roles and documents, constraints; for a first lock, what it holds."""
    then, now = (one.then.lock if one.then else None), (one.now.lock if one.now else None)
    if now is None:
        return
    if then is None:
        for role, row in now.inputs.items():
            yield f"- {say.text(role)}: {row.count} {'object' if row.count == 1 else 'objects'}"
        for verdict in now.constraints:
            yield f"- constraint {say.text(f'{verdict.structure} {verdict.metric}')}: {verdict.verdict}"
        return
    told = since(then, now)
    for change in told:
        yield f"- {say.text(change.subject)}: {say.text(change.words)}"
    same = sorted(now.inputs.keys() - {change.subject for change in told})
    if same:
        yield f"- unchanged: {', '.join(map(say.text, same))}"


def _lacking(one: Reviewed, say: _Speaker) -> Iterator[str]:
    for found in one.findings:
        if found.fatal:
            yield f"- `{found.where}` {found.code}: {say.text(found.message)}"
    lock = one.now.lock if one.now else None
    if lock is None:
        yield "- it is not built yet"
        return
    for row in lock.fatal_findings:
        about = f" ({say.text(row.subject)})" if row.subject else ""
        yield f"- {row.code}{about}, as the lock says: mend or waive it"

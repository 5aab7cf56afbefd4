"""The part of ``approve`` that shows what the search found, for a person to tell coincidences apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from rttqa_build.centre.identifiers import kinds
from rttqa_build.cli import session
from rttqa_build.diagnostic import UsageError
from rttqa_build.records import approval, release
from rttqa_build.records.approval import Release

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rttqa_build.cli.output import Terminal
    from rttqa_build.deidentify.finds import Find
    from rttqa_build.stages.order import Built
    from rttqa_build.workspace import Submission, Workspace

_NOT_RELEASED = "not released: mend it in the planning system or the document, export again, and build"
_MOST_FILES = 5
_LONGEST_REASON = 200
_TRIES = 3


def judged(
    here: Workspace, submission: Submission, built: Built, email: str, out: Terminal
) -> tuple[Release, ...] | None:
    """Return the releases of this content, with those that this person gives now; None where one is refused.

    Each find is shown and asked for by itself; then the person is asked for all once more.
    """
    kept = tuple(one for one in submission.records.released if one.whose == built.whose)
    mine = release.places(kept, built.content, email)
    groups = release.grouped(one for one in built.finds if one.place not in mine)

    def refused(reason: str) -> bool:
        return bool(kinds(reason, here.settings.identifiers)) or built.identifies(reason)

    new = []
    for number, finds in enumerate(groups, 1):
        _show(f"Find {number} of {len(groups)}", finds, _said(kept, built.content, finds), out)
        if not typer.confirm(
            "Is this a coincidence that identifies nobody, and may it leave?", default=False
        ):
            out.tell(_NOT_RELEASED)
            return None
        reason = _reason(refused, out)
        first, files = finds[0], tuple(sorted(one.file for one in finds))
        told, day = first.told.code, session.today()
        new.append(Release(told, first.element, files, reason, email, day, built.content, built.whose))
        out.say("")
    if new and not typer.confirm(_once_more(len(new)), default=False):
        out.tell(_NOT_RELEASED)
        return None
    return approval.released(kept, new, built.content)


def _once_more(count: int) -> str:
    these = "this find" if count == 1 else f"these {count} finds"
    return f"Release {these} under your name, for this content only?"


def _said(kept: Sequence[Release], content: str, finds: Sequence[Find]) -> tuple[str, ...]:
    """Return what others gave as their reasons for these places."""
    places = {one.place for one in finds}
    return tuple(f"{one.by}: {one.reason}" for one in kept if one.content == content and places & one.places)


def _show(title: str, finds: Sequence[Find], said: Sequence[str], out: Terminal) -> None:
    first = finds[0]
    out.say(out.strong(title))
    out.tell(f"  {first.told.code}: {first.told.message}")
    files = sorted(one.file for one in finds)
    for file in files[:_MOST_FILES]:
        out.say(f"  {file}: {first.element}")
    if len(files) > _MOST_FILES:
        out.say(f"  and {len(files) - _MOST_FILES} files more")
    for text in first.shown:
        for line in text.split("\n"):
            out.say(f"  | {_visible(line)}")
    for words in said:
        out.tell(f"  released by {words}")


def _visible(text: str) -> str:
    """Return a text that a terminal shows, and does nothing else with."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _reason(refused: Callable[[str], bool], out: Terminal) -> str:
    """Ask why, until the answer may go into Git; raise UsageError after a few tries."""
    for _ in range(_TRIES):
        text = " ".join(str(typer.prompt("Why? It goes into Git: without the word itself")).split())
        if text and len(text) <= _LONGEST_REASON and not refused(text):
            return text
        out.tell(f"that identifies somebody, or is longer than {_LONGEST_REASON} characters")
    raise UsageError("no reason was given that may go into Git", "say it without names and numbers")

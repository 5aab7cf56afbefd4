"""Finds of the residue search × what people released → what still stops a build, and warnings for the rest.

A release names code, file and element, and holds for one content digest and the identities that were searched
for: never for a value, and void with any change of what leaves, and of whom the export names. It lowers an
error to a warning that stands in lock and report; it hides nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from rttqa_build.deidentify.identity import Kind
from rttqa_build.diagnostic import Location, finding, ordered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rttqa_build.deidentify.finds import Find, Place
    from rttqa_build.deidentify.identity import Harvest
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.pseudonym import Pseudonyms
    from rttqa_build.records.approval import Release

    Held: TypeAlias = Mapping[str, Any]

ACCOUNT = "deidentification.json"
RELEASED = "A110"
_APPROVAL = Location("approval.yaml")
_LONGEST = 1 << 20  # the first line of an account


def settle(
    found: Iterable[Diagnostic], finds: Iterable[Find], releases: Iterable[Release], content: str, whose: str
) -> tuple[Diagnostic, ...]:
    """Return the findings, those of which every place was released for this content as warnings.

    ``whose``: see :func:`identities`.
    """
    finds = tuple(finds)
    given = places((one for one in releases if one.whose == whose), content)
    held = {one.told for one in finds if one.place not in given or not one.releasable}
    lifted = {one.told for one in finds} - held
    return ordered(_released(one) if one in lifted else one for one in found)


def _released(one: Diagnostic) -> Diagnostic:
    message = f"Released by a person as a coincidence ({one.code}): {one.message}"
    return replace(finding(RELEASED, message, one.where), subject=one.subject)


def places(releases: Iterable[Release], content: str, by: str = "") -> frozenset[Place]:
    """Return the places that were released for a content, by anyone or by one person."""
    person = by.casefold()
    return frozenset(
        place
        for one in releases
        if one.content == content and person in ("", one.by.casefold())
        for place in one.places
    )


def identities(harvest: Harvest, names: Pseudonyms) -> str:
    """Return a keyed digest of whom an export names: a person who is new in it may be in what was released.

    UIDs are left out: what is found of them cannot be released.
    """
    facts = (f"{f.who} {f.kind} ".encode() + f.value for f in harvest.facts if f.kind is not Kind.UID)
    return names.input_token({hashlib.sha256(fact).hexdigest() for fact in facts})


def idle(
    releases: Iterable[Release], finds: Iterable[Find], content: str, whose: str
) -> tuple[Diagnostic, ...]:
    """Return a warning for each release that counts for nothing: of other content, or where nothing is."""
    there = {one.place for one in finds}
    return ordered(
        finding("A111", f"the release of {one.code} in {one.element} {what}", _APPROVAL)
        for one in releases
        if (what := _idle_words(one, there, content, whose))
    )


def _idle_words(one: Release, there: set[Place], content: str, whose: str) -> str:
    if one.content != content:
        return "is of other content"
    if one.whose != whose:
        return "was given before the export named whom it names now"
    return "" if one.places <= there else "matches nothing that was found"


def unseen(releases: Iterable[Release], content: str, wanted: int) -> int:
    """Return how many places were released for a content by fewer people than wanted."""
    people: dict[Place, set[str]] = {}
    for one in releases:
        if one.content == content:
            for place in one.places:
                people.setdefault(place, set()).add(one.by.casefold())
    return sum(len(names) < wanted for names in people.values())


def grouped(finds: Iterable[Find]) -> tuple[tuple[Find, ...], ...]:
    """Return the finds in groups that one look is enough for: same code, element and text in many files."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[Find]] = {}
    for one in finds:
        groups.setdefault((one.told.code, one.element, one.shown), []).append(one)
    return tuple(map(tuple, groups.values()))


# --- what a build leaves for `status` ---


def held_back(manifest: str, content: str, whose: str, finds: Iterable[Find]) -> Held:
    """Return what the account says of a build that waits for releases: digests, codes, places, no value."""
    files: dict[tuple[str, str], set[str]] = {}
    for one in finds:
        files.setdefault((one.told.code, one.element), set()).add(one.file)
    rows = [
        {"code": code, "element": at, "files": sorted(names)} for (code, at), names in sorted(files.items())
    ]
    return {"manifest": manifest, "content": content, "whose": whose, "finds": rows}


def waiting(account: Path, manifest: str, releases: Sequence[Release]) -> int | None:
    """Return how many finds of the last build wait for a person; None where no build was held back by any.

    ``manifest`` is the digest of the present one: what an earlier one gave does not count.
    """
    held = _held(account)
    if held is None or held["manifest"] != manifest:
        return None
    given = places((one for one in releases if one.whose == held["whose"]), held["content"])
    return sum(
        any((row["code"], file, row["element"]) not in given for file in row["files"])
        for row in held["finds"]
    )


def _held(account: Path) -> Held | None:
    """Read the first line of an account: what it says of the whole."""
    try:
        with account.open("rb") as file:
            head = file.readline(_LONGEST).decode()
        held: Held | None = json.loads(head.rstrip().removesuffix("[") + "[]}").get("held")
    except (OSError, ValueError):
        return None
    return held

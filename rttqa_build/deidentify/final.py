"""SOP Instance UIDs by content, for RTSTRUCT, RTPLAN, RTDOSE and REG.

An RT object is edited and exported again under its old UID in some planning systems, and changed by us where
a structure is renamed. Its final UID covers its own content and that of every RT object it refers to, so that
one UID never stands for two contents, and unchanged objects keep theirs over revisions.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.deidentify.engine import rewritten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rttqa_build.deidentify.elements import Stream
    from rttqa_build.deidentify.job import Job, ObjectPlan
    from rttqa_build.pseudonym import Pseudonyms


class Content(NamedTuple):
    """What a final UID needs of an object: the digest of its content under base UIDs, every UID in that."""

    digest: bytes
    uids: frozenset[str]


def content(stream: Stream, job: Job, plan: ObjectPlan) -> Content:
    """Return an RT object's content; ``job`` maps UIDs to base UIDs."""
    result = rewritten(stream, job, plan)
    digest = hashlib.sha256()
    for part in result.parts:
        digest.update(part)
    uids = (uid.strip(b"\0 ").decode("latin-1") for value in result.uids for uid in value.split(b"\\"))
    return Content(digest.digest(), frozenset(uids))


def final_uids(contents: Mapping[str, Content], names: Pseudonyms) -> dict[str, str]:
    """Return original SOP Instance UID → final UID for the RT objects of one package."""
    references = {uid: set(one.uids & (contents.keys() - {uid})) for uid, one in contents.items()}
    return {
        uid: names.final_uid(uid, [contents[reached].digest for reached in reachable(uid, references)])
        for uid in contents
    }


def reachable(start: str, references: Mapping[str, set[str]]) -> frozenset[str]:
    """Return ``start`` and all that can be reached from it; cycles do no harm."""
    found = {start}
    waiting = [start]
    while waiting:
        new = references.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return frozenset(found)

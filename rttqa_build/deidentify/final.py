"""SOP Instance UIDs by content, for RTSTRUCT, RTPLAN, RTDOSE and REG (spec: Keys, UIDs, dates).

An RT object is edited and exported again under its old UID in some planning systems, and changed by us where
a structure is renamed. Its final UID covers its own content and that of every RT object it refers to, so that
one UID never stands for two contents, and unchanged objects keep theirs over revisions.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from rttqa_build.deidentify.engine import ObjectPlan, pseudonymise
from rttqa_build.deidentify.stream import walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rttqa_build.deidentify.engine import Job
    from rttqa_build.deidentify.stream import Stream
    from rttqa_build.pseudonym import Pseudonyms


def final_uids(
    streams: Mapping[str, Stream], plans: Mapping[str, ObjectPlan], job: Job, names: Pseudonyms
) -> dict[str, str]:
    """Return original SOP Instance UID → final UID for the RT objects of one package.

    ``streams`` and ``plans`` are keyed by original SOP Instance UID; ``job`` maps UIDs to base UIDs.
    """
    contents = {
        uid: hashlib.sha256(pseudonymise(stream, job, plans[uid]).data).digest()
        for uid, stream in streams.items()
    }
    references = {uid: _references(stream) & (streams.keys() - {uid}) for uid, stream in streams.items()}
    return {
        uid: names.final_uid(uid, [contents[reached] for reached in reachable(uid, references)])
        for uid in streams
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


def _references(stream: Stream) -> set[str]:
    """Return every UID that the object holds."""
    return {
        uid.strip(b"\0 ").decode("latin-1")
        for leaf in walk(stream, pixels=False)
        if leaf.vr == "UI"
        for uid in leaf.value.split(b"\\")
    }

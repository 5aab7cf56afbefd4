"""``lock.yaml``: what one build made, from what; and what it says against the present or another lock."""

from rttqa_build.lock.changes import Change, changes, compare, freshness, since
from rttqa_build.lock.record import (
    Basis,
    ConstraintVerdict,
    Input,
    Lock,
    LockedFinding,
    PackageFacts,
    PseudonymousUid,
    Versions,
    dump,
    from_document,
    locked,
    to_data,
    together,
)

__all__ = [
    "Basis",
    "Change",
    "ConstraintVerdict",
    "Input",
    "Lock",
    "LockedFinding",
    "PackageFacts",
    "PseudonymousUid",
    "Versions",
    "changes",
    "compare",
    "dump",
    "freshness",
    "from_document",
    "locked",
    "since",
    "to_data",
    "together",
]

"""What the engine is told: what all objects of a submission share, and what is particular to one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rttqa_build.deidentify.elements import Encoding
    from rttqa_build.deidentify.marks import Marks
    from rttqa_build.deidentify.policy import Policy


@dataclass(frozen=True, slots=True)
class Job:
    """What all objects of one submission share.

    ``uid`` maps an original UID to its pseudonym; ``registered`` are UIDs that stay; ``weeks`` is the date
    offset into the past; ``identifying`` tells whether a text holds a harvested identity; ``supplied`` is the
    job for objects of a case that the trial supplied, whose dates stay. ``charsets`` are those that originals
    named where they held an identity. ``memo`` remembers what became of short elements: most are the same in
    every slice.
    """

    policy: Policy
    marks: Marks
    weeks: int
    uid: Callable[[bytes], str]
    registered: frozenset[bytes]
    identifying: Callable[[str], bool]
    supplied: Job | None = None
    charsets: tuple[str, ...] = ()
    memo: dict[tuple[bytes, Encoding], bytes | None] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """What is particular to one object.

    ``series``: its new Series Instance UID where it gets one of its own. ``rois``: ROI number → new name;
    None drops the ROI from every module. ``supplied``: the object is one that the trial supplied.
    """

    series: str = ""
    rois: Mapping[int, str | None] = field(default_factory=dict)
    supplied: bool = False

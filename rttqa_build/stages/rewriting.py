"""What all objects of a build are rewritten by: the policy, the marks of their new owner, dates, UIDs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rttqa_build.deidentify.dictionary import registered_uids
from rttqa_build.deidentify.job import Job
from rttqa_build.deidentify.marks import Marks
from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.stages.objects import RT_KINDS, Task, settle_uids
from rttqa_build.stages.supplied import keeping

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from rttqa_build.deidentify.residue import Scanner
    from rttqa_build.pseudonym import Pseudonyms
    from rttqa_build.stages.order import Order


def job(
    order: Order,
    chosen: tuple[Task, ...],
    names: Pseudonyms,
    scanner: Scanner,
    beside: Executor,
    kept_uids: frozenset[str] = frozenset(),
) -> Job:
    """Return the job that all objects share; ``kept_uids`` stay as they are.

    The UIDs of RT objects are settled beside it: who asks for one waits until they all are.
    """
    trial, submission, centre = order.trial, order.manifest.submission, order.settings.centre
    retained = frozenset(trial.retain)
    marks = Marks(
        submission.subject,
        trial.id,
        trial.title,
        trial.sponsor,
        centre.code,
        centre.name,
        trial.dates == "shift",
        "patient_characteristics" in retained,
        "safe_private" in retained,
    )
    first = Job(
        compile_policy(trial.dates, retained),
        marks,
        names.weeks_back(submission.subject),
        names.base_uid,
        registered_uids() | {uid.encode("latin-1") for uid in kept_uids},
        scanner.identifies,
        charsets=scanner.charsets,
    )
    rt_objects = {
        task.instance.sop_uid.encode("latin-1") for task in chosen if task.instance.kind in RT_KINDS
    }
    final = beside.submit(settle_uids, order.source, chosen, first, names)
    rows = order.previous.uids.values() if order.previous else ()
    sent = {row.base: row.uid for objects in rows for row in objects}

    def uid(original: bytes) -> str:
        base = names.base_uid(original)
        settled = final.result().get(original.decode("latin-1")) if original in rt_objects else None
        return settled or sent.get(base, base)

    return keeping(replace(first, uid=uid)) if kept_uids else replace(first, uid=uid)

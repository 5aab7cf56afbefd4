"""A benchmark case that the trial supplies: which of the selected images are its own, by their digests.

Every centre contours or plans the same patient, and the reviewers lay one centre's structures over another's:
so the images, their series, study and frames keep their UIDs and dates, and the centre's own objects go on
referring to them. A digest proves it: a file that the trial listed, byte for byte, is no patient's of ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.diagnostic import finding
from rttqa_build.study import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.deidentify.job import Job
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.manifest import Manifest
    from rttqa_build.resolve import Selected
    from rttqa_build.study import Instance
    from rttqa_build.trial import Trial


@dataclass(frozen=True, slots=True)
class Supplied:
    """What was proven: SHA-256 of the files of the case, the UIDs that stay, and what is not proven."""

    files: frozenset[str] = frozenset()
    uids: frozenset[str] = frozenset()
    diagnostics: tuple[Diagnostic, ...] = ()


def prove(selected: tuple[Selected, ...], manifest: Manifest, trial: Trial) -> Supplied:
    """Return which selected images are those of the case that the manifest names and the trial supplies."""
    case: Any = trial.supplied_cases.get(manifest.submission.case)
    if not case:
        return Supplied()
    listed = frozenset(case["images"])
    images = [i for item in selected for i in item.instances if i.kind is Kind.IMAGE]
    proven = [image for image in images if image.file.sha256 in listed]
    return Supplied(
        frozenset(image.file.sha256 for image in proven),
        frozenset(uid for image in proven for uid in _identity(image) if uid),
        tuple(_unproven(selected, listed, manifest)),
    )


def _identity(image: Instance) -> tuple[str, ...]:
    return image.sop_uid, image.series_uid, image.study_uid, image.frame_uid


def _unproven(
    selected: tuple[Selected, ...], listed: frozenset[str], manifest: Manifest
) -> Iterator[Diagnostic]:
    for item in selected:
        images = [i for i in item.instances if i.kind is Kind.IMAGE]
        strange = sum(image.file.sha256 not in listed for image in images)
        if strange:
            where = manifest.document.at(item.selector_path or ("submission", "case"))
            message = f"{strange} of the {len(images)} images are none of the supplied case's"
            yield finding("A009", message, where, subject=item.name)


def keeping(job: Job) -> Job:
    """Return a job with one of its own for the objects of a supplied case: their dates stay as they are."""
    options = {
        "patient_characteristics": job.marks.patient_characteristics,
        "safe_private": job.marks.safe_private,
    }
    policy = compile_policy("shift", frozenset(name for name, chosen in options.items() if chosen))
    marks = replace(job.marks, supplied=True)
    return replace(job, supplied=replace(job, policy=policy, weeks=0, marks=marks))

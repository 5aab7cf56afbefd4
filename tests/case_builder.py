"""Cases for the checks: roles with made-up facts, no DICOM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rttqa_build.checks import Case
from rttqa_build.manifest import Manifest, StructureChoice, Submission
from rttqa_build.resolve import Selected
from rttqa_build.source import parse
from rttqa_build.study import (
    DoseFacts,
    ImageFacts,
    Instance,
    Kind,
    PlanFacts,
    Roi,
    SourceFile,
    StructureFacts,
)
from rttqa_build.trial import Contact, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rttqa_build.diagnostic import Diagnostic

Facts = ImageFacts | StructureFacts | PlanFacts | DoseFacts
KINDS = {
    ImageFacts: Kind.IMAGE,
    StructureFacts: Kind.STRUCTURE_SET,
    PlanFacts: Kind.PLAN,
    DoseFacts: Kind.DOSE,
}
TEXT = """\
structures:
  PTV: ptv
  Rectum: rectum
  Kidney_L: left
prescription:
  - {target: PTV, dose_gy: 60, fractions: 20}
  - {target: PTV, dose_gy: 60, fractions: 20}
waivers:
  - {code: D204, reason: agreed}
  - {code: D204, reason: agreed}
"""


def instance(facts: Facts, uid: str, **fields: Any) -> Instance:
    """Return an object with these facts."""
    given: dict[str, Any] = {"modality": "CT", "sop_class": "1.2", "study_uid": "s", "frame_uid": "f"}
    return Instance(
        SourceFile(f"{uid}.dcm", 1, uid),
        KINDS[type(facts)],
        sop_uid=uid,
        series_uid="series",
        transfer_syntax="1.2.840.10008.1.2",
        facts=facts,
        **(given | fields),
    )


def selected(role: str, *facts: Facts, name: str = "", of: tuple[str, ...] = (), **fields: Any) -> Selected:
    """Return a role played by objects with these facts; UIDs are role, id and number."""
    objects = (instance(one, f"{role}{name}{n}", **fields) for n, one in enumerate(facts))
    return Selected(role, name, tuple(objects), of=of)


def manifest(**fields: Any) -> Manifest:
    """Return a manifest whose document has lines for structures, prescription and waivers."""
    document, found = parse(TEXT.encode(), "manifest.yaml")
    assert document is not None
    assert not found
    submission = Submission("prospective-review", 1, "EP-0123")
    given: dict[str, Any] = {"submission": submission, "source": "EP-0123"}
    return Manifest(document, "trial", **(given | fields))


def trial(**fields: Any) -> Trial:
    """Return a trial definition."""
    return Trial("trial", "TRIAL", "example", "d" * 64, Contact("QA", "qa@example.org"), "trial", **fields)


def case(*roles: Selected, manifest_fields: Any = None, **trial_fields: Any) -> Case:
    """Return a case of these roles."""
    return Case(manifest(**(manifest_fields or {})), trial(**trial_fields), roles)


def mapped(**names: str) -> dict[str, Any]:
    """Return manifest fields with a mapping: trial name → name, or ``-reason`` where it is absent."""
    choices = {
        ours: StructureChoice(absent=theirs[1:]) if theirs.startswith("-") else StructureChoice(name=theirs)
        for ours, theirs in names.items()
    }
    return {"structures": choices}


def structure_set(*names: str, contours: int = 3, **roi: Any) -> Selected:
    """Return a structure set with ROIs of these names, numbered from 1."""
    rois = tuple(Roi(n, name, contours=contours, **roi) for n, name in enumerate(names, 1))
    return selected("structure_set", StructureFacts("RS", rois))


def codes(check: Callable[[Case], Iterator[Diagnostic]], one: Case) -> list[str]:
    """Return the codes that a check finds; message and hint must be safe and whole."""
    found = list(check(one))
    for diagnostic in found:
        assert diagnostic.message
        assert diagnostic.hint
        assert diagnostic.where.file
        assert diagnostic.subject
    return [diagnostic.code for diagnostic in found]

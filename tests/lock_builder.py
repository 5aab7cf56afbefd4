"""A complete lock for tests, and a parser of what was dumped."""

from __future__ import annotations

from rttqa_build import source
from rttqa_build.lock import (
    Basis,
    ConstraintVerdict,
    Input,
    Lock,
    LockedFinding,
    PackageFacts,
    PseudonymousUid,
    Versions,
)

VERSIONS = Versions("0.1.0", "RTTQA_PROFILE_1", "0.9.0", "0.15.2")
BASIS = Basis("a" * 64, "b" * 64, "c" * 64, "0123456789012345", VERSIONS)


def make_lock() -> Lock:
    return Lock(
        basis=BASIS,
        content="d" * 64,
        package=PackageFacts("example-prostate_RXX_EP-0123_prospective-review_r1.zip", 14, "e" * 64),
        patient_tokens={"nhs": "f" * 64, "local": "0" * 64},
        inputs={"planning_image": Input(60, 30_000_000, "1" * 64), "plan": Input(1, 4711, "2" * 64)},
        documents={"plan_assessment_form": "3" * 64},
        clinical_file="4" * 64,
        uids={"plan": (PseudonymousUid("2.25.1", "2.25.2"),), "dose": (PseudonymousUid("2.25.3", "2.25.4"),)},
        constraints=(
            ConstraintVerdict("Rectum", "V60Gy[%]", "pass", "mandatory", "sum"),
            ConstraintVerdict("Bladder", "V65Gy[%]", "borderline"),
        ),
        findings=(
            LockedFinding("D204", "error", "sum", "4 mm grid: machine limit"),
            LockedFinding("S110", "warning", "Rectum"),
        ),
    )


def parsed(text: str) -> source.Document:
    document, diagnostics = source.parse(text.encode(), "file.yaml")
    assert document is not None
    assert diagnostics == ()
    return document

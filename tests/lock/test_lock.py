from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lock_builder import BASIS, VERSIONS, make_lock, parsed

from rttqa_build import lock
from rttqa_build.diagnostic import Diagnostic, Location, Severity
from rttqa_build.lock import Basis, ConstraintVerdict, Input, Lock, LockedFinding, PackageFacts, since

LEAST = Lock(BASIS, "d" * 64, PackageFacts("x.zip", 1, "e" * 64))
SCHEMA = Path(__file__).resolve().parents[2] / "schemas" / "lock.schema.json"


def plain(data: object) -> Any:
    return json.loads(json.dumps(data))


def test_a_dumped_lock_reads_back_as_it_was() -> None:
    text = lock.dump(make_lock())
    assert lock.from_document(parsed(text)) == make_lock()
    assert text == lock.dump(lock.from_document(parsed(text)))


def test_a_lock_without_optional_parts_has_no_empty_fields() -> None:
    text = lock.dump(LEAST)
    assert lock.from_document(parsed(text)) == LEAST
    assert "findings" not in text
    assert "clinical_file" not in text


@pytest.mark.parametrize("given", [make_lock(), LEAST])
def test_what_is_written_is_valid(given: Lock) -> None:
    from jsonschema import Draft202012Validator

    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(plain(lock.to_data(given)))


@pytest.mark.parametrize("key", ["package", "content", "manifest"])
def test_the_schema_wants_what_counts(key: str) -> None:
    from jsonschema import Draft202012Validator

    data = plain(lock.to_data(make_lock()))
    del data[key]
    assert not Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).is_valid(data)


def test_the_lock_lists_findings_without_their_words() -> None:
    given = (
        Diagnostic("S110", "message", local="Rectum of the patient", subject="Rectum"),
        Diagnostic("S110", "other message", Location("x"), subject="Rectum"),
        Diagnostic("D204", "message", severity=Severity.ERROR, subject="sum", waived="agreed"),
        Diagnostic("C100", "message", severity=Severity.WARNING),
    )
    rows = lock.locked(given)
    assert rows == (
        LockedFinding("C100", "warning"),
        LockedFinding("D204", "error", "sum", "agreed"),
        LockedFinding("S110", "error", "Rectum"),
    )
    assert [row.fatal for row in rows] == [False, False, True]
    assert replace(make_lock(), findings=rows).fatal_findings == rows[2:]


# --- freshness ---


@pytest.mark.parametrize(
    ("now", "codes"),
    [
        (BASIS, []),
        (replace(BASIS, manifest="9" * 64), ["M401"]),
        (replace(BASIS, trial="9" * 64), ["M402"]),
        (replace(BASIS, settings="9" * 64), ["M403"]),
        (replace(BASIS, key="9" * 16), ["M404"]),
        (replace(BASIS, key=""), []),
        (replace(BASIS, manifest="9" * 64, trial="9" * 64), ["M401", "M402"]),
        (replace(BASIS, versions=replace(VERSIONS, typst="0.16.0")), ["M405"]),
        (replace(BASIS, versions=replace(VERSIONS, typst="")), []),
        (replace(BASIS, manifest="9" * 64, versions=replace(VERSIONS, tool="2")), ["M401"]),
    ],
)
def test_freshness(now: Basis, codes: list[str]) -> None:
    told = lock.freshness(make_lock(), now, received=False)
    assert [d.code for d in told] == codes
    assert all(d.fatal == (d.code != "M405") for d in told)


def test_a_rebuild_names_the_program() -> None:
    told = lock.freshness(
        make_lock(), replace(BASIS, versions=replace(VERSIONS, deflate="1.0")), received=False
    )
    assert "deflate 0.9.0 → 1.0" in told[0].message


@pytest.mark.parametrize(
    ("now", "codes"),
    [
        (replace(BASIS, trial="9" * 64, key="9" * 16, versions=replace(VERSIONS, tool="2")), []),
        (replace(BASIS, manifest="9" * 64), ["M406"]),
    ],
)
def test_a_received_revision_is_never_stale_but_must_not_be_edited(now: Basis, codes: list[str]) -> None:
    assert [d.code for d in lock.freshness(make_lock(), now, received=True)] == codes


# --- comparison ---

BASE = make_lock()


def test_equal_locks_have_no_differences() -> None:
    assert lock.compare(make_lock(), make_lock()) == ()


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (
            replace(BASE, basis=replace(BASIS, versions=replace(VERSIONS, tool="0.2.0"))),
            ["K101 tool: 0.1.0 in the lock, 0.2.0 now"],
        ),
        (replace(BASE, basis=replace(BASIS, trial="9")), ["K102 trial definition: another than in the lock"]),
        (replace(BASE, basis=replace(BASIS, key="9")), ["K102 key: another than in the lock"]),
        (
            replace(BASE, patient_tokens={"nhs": "9" * 64, "local": "0" * 64}),
            ["K103 patient token nhs: another patient"],
        ),
        (replace(BASE, patient_tokens={"nhs": "f" * 64}), ["K103 patient token local: no longer there"]),
        (
            replace(BASE, inputs={**BASE.inputs, "plan": Input(1, 4711, "9" * 64)}),
            ["K104 plan: another object"],
        ),
        (
            replace(BASE, inputs={**BASE.inputs, "planning_image": Input(59, 1, "9" * 64)}),
            ["K104 planning_image: 60 objects in the lock, 59 now"],
        ),
        (
            replace(BASE, inputs={**BASE.inputs, "planning_image": Input(60, 1, "9" * 64)}),
            ["K104 planning_image: other objects"],
        ),
        (replace(BASE, inputs={**BASE.inputs, "dose": Input(1, 1, "9" * 64)}), ["K104 dose: new"]),
        (replace(BASE, documents={}), ["K104 plan_assessment_form: no longer there"]),
        (replace(BASE, clinical_file=""), ["K104 clinical file: another text"]),
        (replace(BASE, uids={"plan": BASE.uids["plan"], "dose": ()}), ["K105 dose: another UID"]),
        (replace(BASE, content="9" * 64), ["K106 content of the package: other files or bytes"]),
        (
            replace(BASE, package=PackageFacts(BASE.package.name, 15, "9" * 64)),
            ["K107 package: the same content, packed differently"],
        ),
        (
            replace(BASE, content="9" * 64, package=PackageFacts("other.zip", 15, "9" * 64)),
            [
                "K106 content of the package: other files or bytes",
                f"K107 package name: {BASE.package.name} in the lock, other.zip now",
                "K107 package: other bytes",
            ],
        ),
        (
            replace(BASE, constraints=(replace(BASE.constraints[0], verdict="fail"), BASE.constraints[1])),
            ["K108 Rectum V60Gy[%] mandatory sum: now fail"],
        ),
        (
            replace(BASE, constraints=(*BASE.constraints, ConstraintVerdict("A", "Mean[Gy]", "pass"))),
            ["K108 A Mean[Gy]: new"],
        ),
        (
            replace(BASE, findings=(BASE.findings[0], LockedFinding("C100", "error"))),
            ["K109 S110 Rectum: no longer found (warning)", "K109 C100: found now (error)"],
        ),
        (replace(BASE, findings=BASE.findings[1:]), ["K109 D204 sum: no longer found (error, waived)"]),
    ],
)
def test_differences_are_told_in_words(new: Lock, told: list[str]) -> None:
    where = Location("submissions/x/lock.yaml")
    diagnostics = lock.compare(BASE, new, where)
    assert [f"{d.code} {d.message.removeprefix('differs from the lock: ')}" for d in diagnostics] == told
    assert all(d.message.startswith("differs from the lock: ") for d in diagnostics)
    assert all(d.fatal and d.hint and d.subject and d.where == where for d in diagnostics)


def test_every_field_of_a_lock_is_compared() -> None:
    others: dict[str, Any] = {
        "basis": replace(BASIS, settings="9"),
        "content": "9",
        "package": PackageFacts("a.zip", 1, "9"),
        "clinical_file": "9",
        "constraints": (),
        "findings": (),
    }
    for name in Lock.__slots__:
        assert lock.changes(BASE, replace(BASE, **{name: others.get(name, {})})), name


def test_what_reviewers_of_a_resubmission_are_told() -> None:
    old = replace(
        make_lock(),
        inputs={"planning_image": Input(90, 1, "a"), "plan": Input(1, 1, "b"), "dose": Input(1, 1, "c")},
        documents={"plan_assessment_form": "d", "letter": "e"},
        clinical_file="f",
        constraints=(ConstraintVerdict("Rectum", "V60Gy[%]", "fail", "mandatory"),),
    )
    new = replace(
        old,
        inputs={
            "planning_image": Input(95, 1, "x"),
            "plan": Input(1, 1, "y"),
            "diagnostic_mr": Input(2, 1, "z"),
        },
        documents={"plan_assessment_form": "x"},
        clinical_file="x",
        content="9" * 64,
        constraints=(
            ConstraintVerdict("Rectum", "V60Gy[%]", "pass", "mandatory"),
            ConstraintVerdict("Bladder", "V60Gy[%]", "pass"),
        ),
    )
    assert [str(one) for one in since(old, new)] == [
        "diagnostic_mr: new",
        "dose: no longer there",
        "plan: replaced",
        "planning_image: 90 before, 95 now",
        "document:letter: no longer there",
        "document:plan_assessment_form: replaced",
        "clinical file: replaced",
        "Rectum V60Gy[%] mandatory: was fail, now pass",
    ]
    assert since(old, old) == ()
    assert [str(one) for one in since(old, replace(old, clinical_file=""))] == [
        "clinical file: no longer there"
    ]

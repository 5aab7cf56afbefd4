"""Resolution: study × manifest × trial → roles, what is left out, findings."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rttqa_build.diagnostic import Severity
from rttqa_build.manifest import Manifest, SamePatient, Selector, Submission
from rttqa_build.resolve import Earlier, Resolution, resolve
from rttqa_build.source import Document
from rttqa_build.stages.intake import take_in
from rttqa_build.study import (
    DoseFacts,
    Fate,
    ImageFacts,
    Instance,
    Kind,
    PatientIdentity,
    PlanFacts,
    Reason,
    Roi,
    SourceFile,
    StructureFacts,
    Study,
    assemble,
)
from rttqa_build.study.classes import BURNED_IN, refusal_of
from rttqa_build.trial import Contact, ObjectRule, StructureRule, Trial, When

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
JANE = PatientIdentity("H1", "DOE^JANE", "19500102", ("9434765919",))
JOHN = PatientIdentity("H2", "ROE^JOHN", "19410203")
CHAIN = ("planning_image", "structure_set", "plan", "dose")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def an_instance(kind: Kind, modality: str, uid: str, **fields: Any) -> Instance:
    made = Instance(
        file=SourceFile(fields.pop("path", f"export/{uid}.dcm"), 100, digest(fields.pop("content", uid))),
        kind=kind,
        sop_class="1.2",
        sop_uid=uid,
        series_uid="s-" + uid,
        study_uid="study",
        frame_uid="frame",
        modality=modality,
        transfer_syntax="1.2.840.10008.1.2",
        patient=JANE,
    )
    return replace(made, **fields)


def a_series(name: str = "ct", modality: str = "CT", slices: int = 3, **fields: Any) -> list[Instance]:
    return [
        an_instance(
            Kind.IMAGE,
            modality,
            f"{name}{n}",
            **{
                "series_uid": name,
                "path": f"{name}/{n}.dcm",
                "facts": ImageFacts(position=(0, 0, -2.5 * n), orientation=(1, 0, 0, 0, 1, 0)),
                **fields,
            },
        )
        for n in range(1, slices + 1)
    ]


def a_structure_set(
    uid: str = "rs", images: tuple[str, ...] = ("ct1", "ct2", "ct3"), **fields: Any
) -> Instance:
    facts = StructureFacts(uid, (), frames=(fields.get("frame_uid", "frame"),))
    return an_instance(
        Kind.STRUCTURE_SET, "RTSTRUCT", uid, label=uid, facts=facts, references={"images": images}, **fields
    )


def a_plan(uid: str = "rp", sets: tuple[str, ...] = ("rs",), **fields: Any) -> Instance:
    references = {"structure_set": sets, "other": ("somewhere else",)}
    return an_instance(
        Kind.PLAN, "RTPLAN", uid, label=uid.upper(), facts=PlanFacts(uid), references=references, **fields
    )


def a_dose(
    uid: str = "rd", plans: tuple[str, ...] = ("rp",), summation: str = "PLAN", **fields: Any
) -> Instance:
    references = {"plan": plans} if plans else {}
    facts = DoseFacts(summation=summation)
    return an_instance(Kind.DOSE, "RTDOSE", uid, facts=facts, references=references, **fields)


def a_registration(uid: str = "reg", frames: tuple[str, ...] = ("frame", "other-frame")) -> Instance:
    return an_instance(Kind.REGISTRATION, "REG", uid, references={"frames": frames})


def a_study(*parts: Instance | Fate | list[Instance]) -> Study:
    return assemble(p for part in parts for p in (part if isinstance(part, list) else [part]))


def one_chain() -> tuple[list[Instance], Instance, Instance, Instance]:
    return a_series(), a_structure_set(), a_plan(), a_dose()


def a_manifest(**data: Selector | list[Selector]) -> Manifest:
    selectors = {role: tuple(s) if isinstance(s, list) else (s,) for role, s in data.items()}
    submission = Submission("dummy-run", 1, patient="EP-0001")
    return Manifest(Document("m.yaml", {}), "t", submission, "source", data=selectors)


def a_trial(*rules: ObjectRule) -> Trial:
    return Trial("t", "Trial", "example", "0", Contact("a", "b"), "t", objects=rules)


def required(*roles: str) -> tuple[ObjectRule, ...]:
    return tuple(ObjectRule(role, required=True) for role in roles)


ALL = a_trial(
    *required(*CHAIN), ObjectRule("registration"), ObjectRule("diagnostic_ct"), ObjectRule("diagnostic_mr")
)


def roles_of(resolution: Resolution) -> dict[str, list[str]]:
    return {s.place: [i.sop_uid for i in s.instances] for s in resolution.roles}


def codes_of(resolution: Resolution) -> list[tuple[str, str]]:
    return [(d.code, d.subject) for d in resolution.diagnostics]


def solve(
    study: Study, manifest: Manifest | None = None, trial: Trial = ALL
) -> tuple[dict[str, list[str]], Any]:
    resolution = resolve(study, manifest or a_manifest(), trial)
    used = sum(len(s.instances) for s in resolution.roles)
    assert used + len(resolution.left_out) == len(study.instances) + len(study.others)
    return roles_of(resolution), codes_of(resolution)


def test_one_linked_chain_is_taken() -> None:
    extra = an_instance(Kind.OTHER, "RTIMAGE", "ri")
    junk = Fate(SourceFile("notes.txt", 3, digest("x")), Reason.NOT_DICOM)
    resolution = resolve(a_study(*one_chain(), extra, junk), a_manifest(), ALL)
    assert roles_of(resolution) == {
        "planning_image": ["ct3", "ct2", "ct1"],
        "structure_set": ["rs"],
        "plan": ["rp"],
        "dose": ["rd"],
    }
    assert [(f.file.path, f.reason) for f in resolution.left_out] == [
        ("export/ri.dcm", Reason.NOT_SELECTED),
        ("notes.txt", Reason.NOT_DICOM),
    ]
    assert not resolution.diagnostics
    assert resolution.of("dose")[0].of == ("plan",)
    assert len(resolution.instances) == 6


def test_names_and_order_of_files_do_not_matter() -> None:
    objects = [
        *a_series(),
        *a_series("ct9", slices=4),
        a_structure_set(),
        a_plan(),
        a_dose(),
        a_plan("rp9", ("no",)),
    ]
    expected = roles_of(resolve(a_study(*objects), a_manifest(), ALL))
    shuffle = random.Random(3)  # noqa: S311 (an order, not a secret)
    for _ in range(5):
        shuffle.shuffle(objects)
        renamed = [replace(i, file=replace(i.file, path=f"{n}.dcm")) for n, i in enumerate(objects)]
        assert roles_of(resolve(a_study(*renamed), a_manifest(), ALL)) == expected


def two_of_each() -> Study:
    return a_study(
        *one_chain(),
        a_series("ctb"),
        a_structure_set("rsb", ("ctb1", "ctb2", "ctb3")),
        a_plan("rpb", ("rsb",)),
        a_dose("rdb", ("rpb",)),
    )


def test_two_chains_are_one_clear_ambiguity() -> None:
    resolution = resolve(two_of_each(), a_manifest(), ALL)
    (only,) = resolution.diagnostics
    assert (only.code, only.subject, only.where.file, only.fatal) == ("R101", "dose", "m.yaml", True)
    assert not resolution.roles
    for uid in ("rd", "rdb"):
        assert f"dose: {{sha256: {digest(uid)[:8]}}}" in only.local
        assert digest(uid)[:6] not in only.message + only.hint
    assert "“RPB”" in only.local
    assert "RPB" not in only.message + only.hint


B = {"planning_image": ["ctb3", "ctb2", "ctb1"], "structure_set": ["rsb"], "plan": ["rpb"], "dose": ["rdb"]}


@pytest.mark.parametrize(
    "data",
    [
        {"dose": Selector(sha256=digest("rdb")[:6])},
        {"dose": Selector(sha256=digest("rdb")[:9].upper())},
        {"dose": Selector(path="export/rdb.dcm")},
        {"plan": Selector(label="RPB")},
        {"plan": Selector(path="./export/rpb.dcm")},
        {"structure_set": Selector(label=" rsb ")},
        {"planning_image": Selector(path="ctb")},
        {"planning_image": Selector(path="ctb/")},
        {"planning_image": Selector(path="ctb/2.dcm")},
        {"planning_image": Selector(sha256=digest("ctb3")[:8])},
        {"planning_image": Selector(path="ctb"), "dose": Selector(sha256=digest("rdb")[:8])},
    ],
)
def test_selecting_one_object_settles_the_chain(data: dict[str, Selector]) -> None:
    assert solve(two_of_each(), a_manifest(**data)) == (B, [])


@pytest.mark.parametrize(
    ("data", "code", "item"),
    [
        ({"dose": Selector(sha256="abcdef")}, "R102", "data.dose[0]"),
        ({"plan": Selector(label="rpb")}, "R102", "data.plan[0]"),
        ({"plan": Selector(path="nowhere")}, "R102", "data.plan[0]"),
        ({"plan": Selector(path="exp")}, "R102", "data.plan[0]"),
        ({"plan": Selector(path="export")}, "R103", "data.plan[0]"),
        ({"plan": Selector(same_patient=SamePatient("a", "b"))}, "R103", "data.plan[0]"),
        ({"planning_image": Selector(path=".")}, "R103", "data.planning_image[0]"),
        ({"dose": Selector(path="export/rp.dcm")}, "R104", "data.dose[0]"),
        ({"diagnostic_mr": Selector(path="ct")}, "R104", "data.diagnostic_mr[0]"),
    ],
)
def test_selectors_that_name_not_exactly_one(data: dict[str, Selector], code: str, item: str) -> None:
    diagnostics = resolve(two_of_each(), a_manifest(**data), ALL).diagnostics
    found = [d for d in diagnostics if d.code == code]
    assert [d.where.item for d in found] in ([item], [""]), diagnostics
    assert {d.code for d in diagnostics} <= {code, "R101"}


def test_all_selectors_are_judged_in_one_run() -> None:
    manifest = a_manifest(
        dose=[Selector(id="a", sha256="abcdef"), Selector(id="b", sha256="fedcba")],
        plan=Selector(label="nope"),
    )
    assert solve(two_of_each(), manifest)[1] == [("R102", "a"), ("R102", "b"), ("R102", "plan")]


def test_a_selected_duplicate_counts_as_its_twin() -> None:
    twin = replace(a_dose(), file=replace(a_dose().file, path="zz/again.dcm"))
    study = a_study(*one_chain(), twin)
    roles, codes = solve(study, a_manifest(dose=Selector(path="zz/again.dcm")))
    assert (roles["dose"], codes) == (["rd"], [])


def phases(*, of: tuple[str, ...] = (), plans: tuple[str, ...] = ("p1", "p2")) -> tuple[Study, Manifest]:
    study = a_study(
        a_series(),
        a_structure_set(),
        a_plan("p1"),
        a_plan("p2"),
        a_plan("p3"),
        a_dose("d1", ("p1",)),
        a_dose("d2", ("p2",)),
        a_dose("d3", ("p3",)),
        a_dose("sum", plans, "MULTI_PLAN"),
    )
    manifest = a_manifest(
        plan=[Selector(id="phase1", label="P1"), Selector(id="phase2", label="P2")],
        dose=[Selector(id="sum", sha256=digest("sum")[:8], of=of)],
    )
    return study, manifest


def test_two_phases_with_a_sum() -> None:
    study, manifest = phases()
    resolution = resolve(study, manifest, ALL)
    assert [s.place for s in resolution.roles] == [
        "planning_image", "structure_set", "plan:phase1", "plan:phase2", "dose:sum",
    ]  # fmt: skip
    assert resolution.of("dose")[0].of == ("phase1", "phase2")
    assert not resolution.diagnostics


def test_selected_plans_bring_the_dose_of_each_and_of_their_sum() -> None:
    study, manifest = phases()
    only_plans = replace(manifest, data={"plan": manifest.data["plan"]})
    roles, codes = solve(study, only_plans)
    assert sorted(uid for place, uids in roles.items() if place.startswith("dose") for uid in uids) == [
        "d1", "d2", "sum",
    ]  # fmt: skip
    assert codes == []


@pytest.mark.parametrize(
    ("of", "plans", "codes"),
    [
        (("phase1", "phase2"), (), []),
        (("phase1", "phase2"), ("p1", "p2"), []),
        ((), (), [("R201", "sum")]),
        ((), ("p1", "p3"), [("R201", "sum")]),
        (("phase1", "phase2"), ("p1",), [("R201", "sum")]),
        (("phase9",), (), [("R106", "sum")]),
    ],
)
def test_a_dose_is_tied_to_its_plans(of: tuple[str, ...], plans: tuple[str, ...], codes: list[Any]) -> None:
    assert solve(*phases(of=of, plans=plans))[1] == codes


def test_the_dose_of_the_whole_plan_is_preferred_to_those_of_its_beams() -> None:
    beams = [a_dose(f"beam{n}", summation="BEAM") for n in range(3)]
    assert solve(a_study(*one_chain(), beams))[0]["dose"] == ["rd"]
    series, structures, plan, _ = one_chain()
    assert solve(a_study(series, structures, plan, beams))[1] == [("R101", "dose")]


def test_without_doses_the_plan_starts_the_chain() -> None:
    series, structures, plan, _ = one_chain()
    trial = a_trial(*required("planning_image", "structure_set", "plan"))
    assert solve(a_study(series, structures, plan), trial=trial)[1] == []
    assert solve(a_study(series, structures, plan, a_plan("rp2")), trial=trial)[1] == [("R101", "plan")]


def test_an_outlining_case_takes_images_and_structures_only() -> None:
    trial = a_trial(*required("planning_image", "structure_set"))
    roles, codes = solve(a_study(*one_chain()), trial=trial)
    assert (sorted(roles), codes) == (["planning_image", "structure_set"], [])


def test_two_series_under_one_structure_set_are_ambiguous() -> None:
    both = a_structure_set(images=("ct1", "ctb1"))
    study = a_study(a_series(), a_series("ctb"), both, a_plan(), a_dose())
    assert solve(study)[1] == [("R101", "planning_image")]


def test_mr_is_a_planning_image_where_the_trial_says_so() -> None:
    structures = a_structure_set(images=("mr1", "mr2", "mr3"))
    study = a_study(a_series("mr", "MR"), structures, a_plan(), a_dose())
    assert ("R203", "structure_set") in solve(study)[1]
    rule = ObjectRule("planning_image", ("CT", "MR"), required=True)
    roles, codes = solve(study, trial=a_trial(rule, *required("structure_set", "plan", "dose")))
    assert (roles["planning_image"], codes) == (["mr3", "mr2", "mr1"], [])


def with_mr(**fields: Any) -> Study:
    return a_study(*one_chain(), a_series("mr", "MR", frame_uid="other-frame", **fields), a_registration())


def test_diagnostic_series_and_registrations_are_sent_when_selected() -> None:
    assert "registration" not in solve(with_mr())[0]
    roles, codes = solve(
        with_mr(), a_manifest(diagnostic_mr=Selector(path="mr"), registration=Selector(path="export/reg.dcm"))
    )
    assert (list(roles)[-2:], codes) == (["registration", "diagnostic_mr"], [])


def test_diagnostic_series_are_sent_when_required_and_one_there_is() -> None:
    trial = a_trial(*required(*CHAIN, "diagnostic_mr"))
    assert solve(with_mr(), trial=trial)[0]["diagnostic_mr"] == ["mr3", "mr2", "mr1"]
    assert solve(a_study(*one_chain()), trial=trial)[1] == [("R001", "diagnostic_mr")]
    several = a_study(*one_chain(), a_series("mr", "MR"), a_series("mrb", "MR"))
    assert solve(several, trial=trial)[1] == [("R101", "diagnostic_mr")]


def test_the_planning_ct_is_no_diagnostic_ct() -> None:
    study = a_study(*one_chain(), a_series("ctb"))
    roles, codes = solve(study, trial=a_trial(*required(*CHAIN, "diagnostic_ct")))
    assert (roles["diagnostic_ct"], codes) == (["ctb3", "ctb2", "ctb1"], [])
    manifest = a_manifest(planning_image=Selector(path="ct"), diagnostic_ct=Selector(path="ct/1.dcm"))
    assert solve_codes(study, manifest) == ["R105"]


@pytest.mark.parametrize("role", ["diagnostic_ct", "ct_4d"])
def test_the_planning_ct_is_not_sent_as_another_one_unsaid(role: str) -> None:
    """The links lead to it: without a word it would be missing among the planning objects."""
    study = a_study(*one_chain(), a_series("ctb"))
    trial = a_trial(*required(*CHAIN), ObjectRule(role, ("CT",)))
    (told,) = resolve(study, a_manifest(**{role: Selector(path="ct")}), trial).diagnostics
    assert (told.code, told.message.count("planning_image"), told.where.item) == (
        "R105",
        1,
        f"data.{role}[0]",
    )
    assert solve_codes(study, a_manifest(**{role: Selector(path="ctb")}), trial) == []


def solve_codes(study: Study, manifest: Manifest | None = None, trial: Trial = ALL) -> list[str]:
    return [d.code for d in resolve(study, manifest or a_manifest(), trial).diagnostics]


@pytest.mark.parametrize("frames", [("frame", "a third"), ("x", "y"), ()])
def test_a_registration_must_join_selected_images(frames: tuple[str, ...]) -> None:
    study = a_study(
        *one_chain(), a_series("mr", "MR", frame_uid="other-frame"), a_registration(frames=frames)
    )
    manifest = a_manifest(diagnostic_mr=Selector(path="mr"), registration=Selector(path="export/reg.dcm"))
    assert solve(study, manifest)[1] == [("R205", "registration")]


@pytest.mark.parametrize("missing", CHAIN)
def test_what_is_required_and_missing_is_one_finding(missing: str) -> None:
    parts: dict[str, Any] = dict(zip(CHAIN, one_chain(), strict=True))
    del parts[missing]
    expected = {
        "planning_image": [("R203", "structure_set")],
        "structure_set": [("R202", "plan")],
        "plan": [("R201", "dose")],
        "dose": [("R001", "dose")],
    }
    assert solve(a_study(*parts.values()))[1] == expected[missing]


def test_an_empty_study_lacks_everything() -> None:
    assert solve(a_study())[1] == [("R001", role) for role in sorted(CHAIN)]


def test_conditions_and_maxima_of_the_trial() -> None:
    never = When({"purpose": ("planning-benchmark",)})
    trial = a_trial(*required(*CHAIN), ObjectRule("diagnostic_mr", required=True, when=never))
    assert solve(with_mr(), trial=trial)[1] == []
    assert solve(with_mr(), a_manifest(diagnostic_mr=Selector(path="mr")), trial)[1] == [
        ("R003", "diagnostic_mr")
    ]
    study, manifest = phases()
    one = a_trial(
        *required("planning_image", "structure_set", "dose"), ObjectRule("plan", required=True, maximum=1)
    )
    assert solve(study, manifest, one)[1] == [("R002", "plan")]


@pytest.mark.parametrize(
    ("changed", "code", "subject"),
    [
        ({"dose": a_dose(plans=())}, "R201", "dose"),
        ({"dose": a_dose(frame_uid="elsewhere")}, "R204", "dose"),
        ({"dose": a_dose(frame_uid="")}, "R204", "dose"),
        ({"plan": a_plan(sets=())}, "R202", "plan"),
        ({"plan": a_plan(frame_uid="elsewhere")}, "R204", "plan"),
        ({"structure_set": a_structure_set(images=())}, "R203", "structure_set"),
        ({"structure_set": a_structure_set(images=("ct1", "gone"))}, "R203", "structure_set"),
        ({"structure_set": a_structure_set(frame_uid="elsewhere")}, "R204", "structure_set"),
        ({"plan": a_plan(study_uid="elsewhere")}, "R206", "plan"),
    ],
)
def test_links(changed: dict[str, Instance], code: str, subject: str) -> None:
    parts: dict[str, Any] = {**dict(zip(CHAIN, one_chain(), strict=True)), **changed}
    resolution = resolve(a_study(*parts.values()), a_manifest(), ALL)
    found = {(d.code, d.subject): d for d in resolution.diagnostics}
    assert (code, subject) in found
    diagnostic = found[code, subject]
    assert diagnostic.where.file == subject
    assert diagnostic.severity is (Severity.WARNING if code == "R206" else Severity.ERROR)


def test_other_references_may_dangle() -> None:
    assert solve(a_study(*one_chain()))[1] == []


@pytest.mark.parametrize(
    ("patient", "agrees"),
    [
        (replace(JANE, patient_id="X9", other_ids=()), True),
        (PatientIdentity("X9", "DOE^J", "19500102", ("9434765919",)), True),
        (PatientIdentity("9434765919"), True),
        (PatientIdentity("H1", "DOE^J", "19500102"), True),
        (PatientIdentity("H1"), True),
        (PatientIdentity("H1", "DOE^JANE", "19500102", ("9990000018",)), False),
        (JOHN, False),
        (replace(JOHN, birth_date=JANE.birth_date), False),
        (replace(JOHN, name=JANE.name), False),
        (replace(JOHN, patient_id="H1"), False),
        (PatientIdentity(), False),
        (PatientIdentity("EP-0001"), False),
    ],
)
def test_patients_must_agree(patient: PatientIdentity, *, agrees: bool) -> None:
    study = with_mr(patient=patient)
    manifest = a_manifest(diagnostic_mr=Selector(path="mr"))
    assert solve(study, manifest)[1] == ([] if agrees else [("R301", "diagnostic_mr")])
    vouched = a_manifest(diagnostic_mr=Selector(path="mr", same_patient=SamePatient("physicist 2", "name")))
    assert solve(study, vouched)[1] == []


@pytest.mark.parametrize("nobodys", ["9999999999", "0000000000", "ANONYMOUS"])
def test_what_stands_where_there_is_no_number_proves_nothing(nobodys: str) -> None:
    one = PatientIdentity("H1", "DOE^ANN", "19500102", (nobodys,))
    for other in (replace(one, patient_id="H2", name="DOE^AMY"), PatientIdentity("H2", other_ids=(nobodys,))):
        chain = [replace(i, patient=one) for i in (*one_chain()[0], *one_chain()[1:3])]
        assert solve(a_study(*chain, a_dose(patient=other)))[1] == [("R301", "dose")]


def test_a_case_that_is_called_as_if_there_were_no_number() -> None:
    one, other = PatientIdentity("TEST", "PHANTOM", ""), PatientIdentity("TEST", "PHANTOM^HEAD", "")
    chain = [replace(i, patient=one) for i in (*one_chain()[0], *one_chain()[1:3])]
    manifest = replace(a_manifest(), submission=Submission("dummy-run", 1, case="Test"))
    assert solve(a_study(*chain, a_dose(patient=other)), manifest)[1] == []


def test_another_patient_inside_one_series_is_found() -> None:
    first, *rest = a_series()
    assert solve(a_study(replace(first, patient=JOHN), rest, *one_chain()[1:]))[1] == [
        ("R301", "planning_image")
    ]


def test_objects_under_the_trial_id_agree_whatever_their_names() -> None:
    one, two = PatientIdentity("EP-0001", "A", "19000101"), PatientIdentity("EP-0001", "B", "19010101")
    chain = [replace(i, patient=one) for i in (*one_chain()[0], *one_chain()[1:3])]
    assert solve(a_study(*chain, a_dose(patient=two)))[1] == []


def test_findings_hold_no_value_of_the_patient() -> None:
    study = with_mr(patient=JOHN, refusal="an image with text burned into it")
    manifest = a_manifest(diagnostic_mr=Selector(path="mr"), registration=Selector(path="mr"))
    for found in resolve(study, manifest, ALL).diagnostics:
        assert not any(
            word in f"{found.message} {found.hint}" for word in ("ROE", "H2", "mr1", "frame-", "export/")
        )


@pytest.mark.parametrize(
    ("sop_class", "code"),
    [
        ("7", "R401"),
        ("7.2", "R401"),
        ("104.1", "R402"),
        ("88.11", "R403"),
        ("9.1.1", "R404"),
        ("11.1", "R406"),
        ("77.1.4", "R406"),
        ("481.1", "R407"),
        ("481.6", "R407"),
    ],
)
def test_what_may_not_be_sent_is_left_out_and_an_error_when_selected(sop_class: str, code: str) -> None:
    uid = "1.2.840.10008.5.1.4.1.1." + sop_class
    other = an_instance(Kind.OTHER, "OT", "sc", refusal=refusal_of(uid))
    study = a_study(*one_chain(), other)
    resolution = resolve(study, a_manifest(), ALL)
    assert {f.reason for f in resolution.left_out} == {
        Reason.NOT_SELECTED if code == "R407" else Reason.REFUSED
    }
    assert not resolution.diagnostics
    for data in ({"diagnostic_mr": Selector(path="export/sc.dcm")}, {"plan": Selector(path="export/sc.dcm")}):
        assert code in solve_codes(study, a_manifest(**data))


def test_images_with_burned_in_text_are_left_out_and_an_error_when_selected() -> None:
    study = a_study(*one_chain(), a_series("mr", "MR", refusal=BURNED_IN))
    assert not resolve(study, a_manifest(), ALL).diagnostics
    assert solve_codes(study, a_manifest(diagnostic_mr=Selector(path="mr"))) == ["R405"]


def test_a_modality_that_no_role_of_the_trial_takes_is_outside_its_list() -> None:
    study = a_study(*one_chain(), a_series("us", "US"))
    assert solve_codes(study, a_manifest(planning_image=Selector(path="us"))) == ["R407"]
    among = a_study(*one_chain(), a_series("mr", "MR"))
    assert solve_codes(among, a_manifest(planning_image=Selector(path="mr"))) == ["R104"]


def test_two_contents_under_one_uid_matter_when_selected() -> None:
    again = replace(a_series()[0], file=SourceFile("old/1.dcm", 100, digest("old")))
    assert solve_codes(a_study(*one_chain(), again)) == ["R501"]
    elsewhere = replace(a_plan("rp9"), file=SourceFile("old/9.dcm", 1, digest("old9")))
    assert solve_codes(a_study(*one_chain(), a_plan("rp9"), elsewhere)) == []
    twice = replace(a_plan(), file=SourceFile("old/rp.dcm", 1, digest("old plan")))
    assert solve_codes(a_study(*one_chain(), twice)) == ["R501"]
    assert solve_codes(a_study(*one_chain(), twice), a_manifest(plan=Selector(path="export/rp.dcm"))) == []


def with_structure(name: str, contours: int = 3) -> Study:
    facts = StructureFacts("rs", (Roi(1, name, contours=contours),), frames=("frame",))
    images, structures, plan, dose = one_chain()
    return a_study(images, replace(structures, facts=facts), plan, dose)


def faces(study: Study, trial: Trial | None = None) -> list[str]:
    found = resolve(study, a_manifest(), trial or ALL).diagnostics
    assert all(d.severity is Severity.WARNING for d in found)
    return [d.code for d in found]


@pytest.mark.parametrize(
    ("body_part", "warned"),
    [
        ("HEAD", True),
        ("HEADNECK", True),
        ("HEAD NECK", True),
        ("brain", True),
        ("WHOLEBODY", True),
        ("PELVIS", False),
        ("CHEST", False),
        ("", False),
    ],
)
def test_a_face_is_warned_of_once_by_the_body_part(body_part: str, *, warned: bool) -> None:
    facts = ImageFacts(position=(0, 0, 0), orientation=(1, 0, 0, 0, 1, 0), body_part=body_part)
    images = a_series(facts=facts)
    assert faces(a_study(images, *one_chain()[1:])) == ["A008"] * warned


@pytest.mark.parametrize(
    ("name", "warned"),
    [
        ("Brain", True),
        ("Brainstem", True),
        ("Eye_L", True),
        ("Lens R", True),
        ("OpticNrv_L", True),
        ("OpticChiasm", True),
        ("Parotid_R", True),
        ("Bone_Mandible", True),
        ("Cavity_Oral", True),
        ("z PTV_Brain", True),
        ("BrachialPlexus_L", False),
        ("Rectum", False),
        ("Eyelet test", False),
        ("Ellipse", False),
    ],
)
def test_a_face_is_warned_of_by_structures_that_are_drawn(name: str, *, warned: bool) -> None:
    assert faces(with_structure(name)) == ["A008"] * warned
    assert faces(with_structure(name, contours=0)) == []


def test_a_face_is_warned_of_where_the_trial_asks_for_structures_of_a_head() -> None:
    for required in (True, False):
        rules = (StructureRule("Parotid_L", "ORGAN", required=required),)
        assert faces(a_study(*one_chain()), replace(ALL, structures=rules)) == ["A008"] * required


def test_no_face_is_warned_of_in_what_is_not_selected_or_shows_no_anatomy() -> None:
    facts = ImageFacts(position=(0, 0, 0), orientation=(1, 0, 0, 0, 1, 0), body_part="HEAD")
    assert faces(a_study(*one_chain(), a_series("mr", "MR", facts=facts))) == []


def test_digest_prefixes_grow_until_they_differ() -> None:
    base = "a" * 20
    doses = [
        replace(a_dose(uid), file=SourceFile(f"{uid}.dcm", 1, (base + end).ljust(64, "0")))
        for uid, end in (("d1", "1"), ("d2", "2"))
    ]
    (only,) = resolve(a_study(*one_chain()[:3], doses), a_manifest(), ALL).diagnostics
    assert f"{{sha256: {base}1}}" in only.local
    assert f"{{sha256: {base}2}}" in only.local


needs_exports = pytest.mark.skipif(not DATA.is_dir(), reason="the real exports are not beside this checkout")


def exported(name: str) -> Study:
    return take_in(DATA / name, 1, lambda _: None).study


@needs_exports
def test_eclipse_needs_one_selector() -> None:
    study = exported("eclipse_phantom")
    assert solve(study)[1] == [("R101", "dose")]
    for dose in (i for i in study.instances if i.kind is Kind.DOSE):
        roles, codes = solve(study, a_manifest(dose=Selector(sha256=dose.file.sha256[:6])))
        assert ({place: len(uids) for place, uids in roles.items()}, codes) == (
            {"planning_image": 11, "structure_set": 1, "plan": 1, "dose": 1},
            [],
        )


@needs_exports
def test_eclipse_with_second_ct_and_registration() -> None:
    study = exported("eclipse_phantom")
    water = next(i for i in study.instances if i.series_description == "Water phantom")
    registration = next(i for i in study.instances if i.kind is Kind.REGISTRATION)
    manifest = a_manifest(
        plan=Selector(label="VMAT_plan"),
        diagnostic_ct=Selector(sha256=water.file.sha256[:8]),
        registration=Selector(path=registration.file.path),
    )
    roles, codes = solve(study, manifest)
    assert (len(roles["diagnostic_ct"]), len(roles["planning_image"]), codes) == (101, 11, [])


@needs_exports
@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("gammaplan_srs", [("R203", "structure_set")]),
        ("monaco_vmat", [("R001", "planning_image"), ("R202", "plan")]),
    ],
)
def test_incomplete_exports_are_read_and_said_to_be_so(name: str, codes: list[tuple[str, str]]) -> None:
    assert sorted(solve(exported(name))[1]) == codes


@pytest.mark.parametrize(("count", "expected"), [(2, [("R004", "plan")]), (3, []), (4, [("R002", "plan")])])
def test_a_plan_library_is_whole(count: int, expected: list[tuple[str, str]]) -> None:
    names = [f"p{n}" for n in range(count)]
    study = a_study(
        a_series(), a_structure_set(), [a_plan(n) for n in names], [a_dose(f"d{n}", (n,)) for n in names]
    )
    rules = (*required("structure_set", "planning_image", "dose"), ObjectRule("plan", minimum=3, maximum=3))
    chosen = a_manifest(plan=[Selector(id=name, label=name.upper()) for name in names])
    roles, codes = solve(study, chosen, a_trial(*rules))
    assert codes == expected
    assert len([role for role in roles if role.startswith("dose")]) == count


@pytest.mark.parametrize(("arm", "expected"), [("proton", []), ("photon", [("R007", "plan")]), ("", [])])
def test_an_arm_takes_plans_of_a_kind(arm: str, expected: list[tuple[str, str]]) -> None:
    ions = replace(a_plan(), facts=PlanFacts("rp", kind="ion"))
    rules = (
        *required("structure_set", "planning_image", "dose"),
        ObjectRule("plan", kinds=("ion",), when=When({"arm": ("proton",)})),
        ObjectRule("plan", kinds=("photon", "electron"), when=When({"arm": ("photon",)})),
        ObjectRule("plan", when=When({"purpose": ("dummy-run",)})),
    )
    base = a_manifest()
    one = replace(base, submission=replace(base.submission, arm=arm))
    assert solve(a_study(a_series(), a_structure_set(), ions, a_dose()), one, a_trial(*rules))[1] == expected


# --- supplements: what was received before need not be there again ---

BEFORE = Earlier(
    frozenset(CHAIN),
    {"plan": frozenset({"base of rp"}), "structure_set": frozenset({"base of rs"})},
    lambda uid: f"base of {uid}",
)
WHOLE = a_trial(*required("planning_image", "structure_set", "plan", "dose"))


@pytest.mark.parametrize(
    ("part", "codes"),
    [
        (lambda: one_chain()[3], []),
        (lambda: a_dose("other", plans=("never sent",)), [("R201", "dose")]),
        (lambda: a_plan("rp2"), []),
        (lambda: a_plan("rp2", sets=("never sent",)), [("R202", "plan")]),
        (lambda: a_structure_set("rs2"), []),
    ],
)
def test_a_supplement_holds_what_is_added(part: Callable[[], Instance], codes: list[Any]) -> None:
    study = a_study(part())
    assert len(resolve(study, a_manifest(), WHOLE, BEFORE).roles) == 1
    assert codes_of(resolve(study, a_manifest(), WHOLE, BEFORE)) == codes
    assert "R001" in [code for code, _ in codes_of(resolve(study, a_manifest(), WHOLE))]


def test_below_data_nothing_is_followed_to_what_was_sent() -> None:
    images, structures, plan, dose = one_chain()
    study = a_study(images, structures, plan, dose)
    chosen = a_manifest(dose=Selector(sha256=dose.file.sha256))
    assert sorted(roles_of(resolve(study, chosen, WHOLE, BEFORE))) == ["dose"]
    assert codes_of(resolve(study, chosen, WHOLE, BEFORE)) == []
    assert len(roles_of(resolve(study, a_manifest(), WHOLE, BEFORE))) == 4
    assert len(roles_of(resolve(study, chosen, WHOLE))) == 4


@pytest.mark.parametrize(
    ("roles", "codes"), [(CHAIN, []), (("structure_set", "plan", "dose"), ["R001", "R205"])]
)
def test_a_registration_may_join_images_that_were_sent(roles: tuple[str, ...], codes: list[str]) -> None:
    study = a_study(a_series("mr", "MR", frame_uid="other-frame"), a_registration())
    manifest = a_manifest(diagnostic_mr=Selector(path="mr"), registration=Selector(path="export/reg.dcm"))
    told = resolve(study, manifest, ALL, replace(BEFORE, roles=frozenset(roles)))
    assert [code for code, _ in codes_of(told)] == codes

"""What one field of a manifest says about another, case by case: (change of a good manifest) → findings."""

from __future__ import annotations

import time

import pytest

from rttqa_build.library import Library
from rttqa_build.manifest import Submission
from rttqa_build.trial.consistency import path_fault, waivable

LIBRARY = Library()
GOOD = """\
manifest: 1
trial: example-prostate
protocol: "2.0"
submission: {patient: EP-0123, purpose: data-collection, arm: hypofractionated, revision: 1}
source: EP-0123
data:
  plan: [{id: one, label: A}, {id: two, label: B}]
  dose: {id: sum, of: [one, two]}
structures: {PTV_6000: PTV 60 final, Rectum: rectum}
prescription: [{target: PTV_6000, dose_gy: 60, fractions: 20, plan: one}]
clinical: {history: "None."}
"""


def found(old: str = "", new: str = "", text: str = GOOD) -> list[str]:
    assert old in text
    reading = LIBRARY.read_manifest(text.replace(old, new, 1).encode() if old else text.encode(), "m.yaml")
    return [f"{d.where.line}:{d.where.column} {d.code}" for d in reading.diagnostics]


def test_good() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"None."', "TODO", ["11:21 M201"]),
        ("rectum}", "TODO}", ["9:46 M201"]),
        ("id: two", "id: one", ["7:36 M202", "8:29 M203"]),
        ("id: two", "id: sum", ["8:14 M202", "8:29 M203"]),
        ("[one, two]", "[one, tow]", ["8:29 M203"]),
        ("plan: one}", "plan: sum}", ["10:69 M203"]),
        ("Rectum: rectum", "Rectum: rectum, Rektum: r2", ["9:54 M204"]),
        ("Rectum: rectum", "Rectum: PTV 60 final", ["9:24 M205", "9:46 M205"]),
        ("Rectum: rectum", "Rectum: rectum, CTVp: x, CTVP: y", ["9:54 M206", "9:63 M204", "9:63 M206"]),
        ("target: PTV_6000", "target: PTV_60", ["10:15 M217", "10:25 M207"]),
        (", Rectum: rectum", "", ["9:1 M208"]),
        ("Rectum: rectum", "Rectum: {absent: resected}", []),
        ("PTV_6000: PTV 60 final", "PTV_6000: {absent: none}", ["10:25 M207"]),
        ("source: EP-0123", "source: /data", ["5:9 M214"]),
        ("source: EP-0123", "source: 'C:\\data'", ["5:9 M214"]),
        ("label: A", "path: a/../b", ["7:26 M214"]),
        ("revision: 1", "revision: 2", ["4:91 M211", "4:91 M211"]),
        ("revision: 1", "revision: 2, kind: supplement, reason: dose", []),
        ("dose_gy: 60", "dose_gy: 55", ["10:16 M217"]),
        ("dose_gy: 60", "dose_gy: {min: 60, max: 60}", []),
        ("fractions: 20", "fractions: 30", ["10:16 M217"]),
        ("data:\n", "data:\n  ct_4d: {label: x}\n", ["7:3 M218"]),
        ("revision: 1", "revision: 1, radiotherapy_start: 2026-02-29", ["4:114 M219"]),
        ("clinical:", "waivers: [{code: K001, reason: x}]\nclinical:", ["11:18 M212"]),
        ("clinical:", "waivers: [{code: R301, reason: x}]\nclinical:", ["11:18 M212"]),
        ("clinical:", "waivers: [{code: M217, reason: x}]\nclinical:", ["11:18 M212"]),
        ("clinical:", "waivers: [{code: Z999, reason: x}]\nclinical:", ["11:18 M213"]),
        ("clinical:", "documents: {imaging_report: {path: a.doc}}\nclinical:", ["11:36 M210"]),
        ("clinical:", "documents: {forms: {path: a.pdf}}\nclinical:", ["11:13 M210"]),
        ("data-collection", "prospective-review, radiotherapy_start: 2026-12-14", ["1:1 M209"]),
    ],
)
def test_contradictions(old: str, new: str, expected: list[str]) -> None:
    # A document that the trial requires is looked for where `documents:` is, or at the top.
    assert found(old, new) == expected


PHANTOM = """\
manifest: 1
trial: example-phantom
submission: {patient: P1, purpose: dummy-run, revision: 1}
source: p
"""


def test_an_id_of_two_objects_of_a_role_leaves_nothing_to_build() -> None:
    """The lock has one row for each id: one of two objects of one id would be sent and not be recorded."""
    text = PHANTOM + "data: {plan: [{id: one, label: A}, {id: one, label: B}]}\n"
    reading = LIBRARY.read_manifest(text.encode(), "m.yaml")
    assert ([d.code for d in reading.diagnostics], reading.manifest) == (["M202"], None)
    text = PHANTOM + "data: {plan: {id: one, label: A}, dose: {id: one, label: B}}\n"
    reading = LIBRARY.read_manifest(text.encode(), "m.yaml")
    assert [d.code for d in reading.diagnostics] == ["M202"]
    assert reading.manifest is not None  # rows of their own, dose:one and plan:one


MANY = 4_000
OF_THOUSANDS = {
    "unknown fields": ("", "field{0}: x", "M101"),
    "unknown fields of entries": ("data:\n  plan:", "  - {{id: a{0}, lable: x}}", "M101"),
    "values of another kind": ("structures:", "  s{0}: []", "M103"),
    "several faults in each": ("documents:", "  d{0}: {{path: a{0}.pdf, other: no}}", "M101"),
    "numbers for names": ("structures:", "  s{0}: {0}", ""),
    "one name for all": ("structures:", "  s{0}: x", "M205"),
    "cut short": ("structures:", "  s{0}: x{0} #1", "M226"),
    "unknown ids": ("data:\n  plan:", "  - {{id: a{0}, of: [b{0}]}}", "M203"),
    "one id for all": ("data:\n  plan:", "  - {{id: a, label: x}}", "M202"),
    "unfinished": ("structures:", "  s{0}: TODO", "M201"),
}


def test_of_thousands_of_faults_the_first_are_told_whatever_the_run() -> None:
    lines = [f"  s{n}: [1, {{a: b}}]" for n in range(MANY)]
    begin = time.perf_counter()
    reading = LIBRARY.read_manifest("\n".join([PHANTOM + "structures:", *lines]).encode(), "m.yaml")
    assert time.perf_counter() - begin < 5
    first = len(PHANTOM.splitlines()) + 2
    assert [d.where.line for d in reading.diagnostics] == list(range(first, first + 51))


def test_numbers_for_text_are_all_found_among_thousands_of_faults() -> None:
    lines = [f"  s{n}: {n}" if n % 2 else f"  s{n}: []" for n in range(3000)]
    reading = LIBRARY.read_manifest("\n".join([PHANTOM + "structures:", *lines]).encode(), "m.yaml")
    assert {d.code for d in reading.diagnostics} == {"M103", "M110"}
    assert all(d.where.item in ("", f"structures.s{2 * n}") for n, d in enumerate(reading.diagnostics))


@pytest.mark.parametrize("how", OF_THOUSANDS)
def test_thousands_of_faults_are_cut_off_in_little_time(how: str) -> None:
    start, line, code = OF_THOUSANDS[how]
    text = "\n".join([PHANTOM + start, *(line.format(n) for n in range(MANY))])
    begin = time.perf_counter()
    reading = LIBRARY.read_manifest(text.encode(), "m.yaml")
    assert time.perf_counter() - begin < 10  # of twenty thousand, some took minutes
    told = [d.code for d in reading.diagnostics]
    assert (told.count(code), told.count("M110")) == ((50, 1) if code else (0, 0))
    assert len(told) <= 102
    more = next((d for d in reading.diagnostics if d.code == "M110"), None)
    assert more is None or (more.fatal, more.where.item) == (False, "")


def test_no_field_is_named_where_not_each_was_looked_at() -> None:
    text = PHANTOM + "\n".join(f"Jane Doe {n}: 943 476 5919" for n in range(60))
    reading = LIBRARY.read_manifest(text.encode(), "m.yaml")
    assert reading.document is not None
    places = [reading.document.at(path).item for path in reading.document.keys]
    assert {place for place in places if "Jane" in place} == set()


def test_a_trial_without_structures_takes_any_name() -> None:
    text = PHANTOM + "structures: {Target: ptv, Cord: cord}\n"
    text += "prescription: [{target: Target, dose_gy: 1, fractions: 1}]\n"
    assert found(text=text) == []
    assert found("target: Target", "target: Traget", text) == ["6:25 M207"]
    assert found("Cord: cord", "TARGET: cord", text) == ["5:14 M206", "5:27 M206"]


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("a/b.pdf", True),
        ("a..b", True),
        ("..", False),
        ("a/..", False),
        ("/a", False),
        ("C:a", False),
        ("a\\b", False),
    ],
)
def test_paths(path: str, *, safe: bool) -> None:
    assert (path_fault(path) == "") is safe


def test_what_may_be_waived() -> None:
    codes = ("A101", "C101", "D204", "K001", "M201", "R001", "R201", "R301", "S101", "U001")
    assert [code for code in codes if waivable(code)] == ["C101", "D204", "R001", "S101"]


def test_subject_is_the_pseudonym() -> None:
    assert Submission("dummy-run", 1, patient="EP-1").subject == "EP-1"
    assert Submission("planning-benchmark", 1, case="C1", observer="o2").subject == "C1-o2"


def test_five_hundred_manifests_are_quick() -> None:
    started = time.perf_counter()
    for _ in range(100):
        LIBRARY.read_manifest(GOOD.encode(), "m.yaml")
    assert time.perf_counter() - started < 1.5  # a third of it when nothing else runs; the bar is 3 s for 500

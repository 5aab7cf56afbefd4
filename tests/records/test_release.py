"""Coincidences of the residue search, released by file and element for one content, never by value."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import build_case
import pydicom
import pytest
from dicom_builder import IMPLICIT, element, part10
from lock_builder import make_lock
from submit_case import LOCK, codes, make_case

from rttqa_build import synthetic
from rttqa_build.build import build
from rttqa_build.deidentify.finds import Find, in_object, in_text
from rttqa_build.deidentify.identity import Fact, Harvest, Kind, Who
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.deidentify.stream import parse
from rttqa_build.diagnostic import Diagnostic, Location, Severity, finding
from rttqa_build.lock import LockedFinding
from rttqa_build.records import release
from rttqa_build.records.approval import Release
from rttqa_build.settings import Gate
from rttqa_build.stages.order import Clinical
from rttqa_build.submit import gate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rttqa_build.stages.order import Built, Order

PAF = "data/documents/plan_assessment_form.txt"
FORM = "Plan assessment\nseen by Hargreaves\nDose grid 2.5 mm\n"
BORN = "20190422"  # the day on which, by the shift of EP-0123, the study of the MR seems to have been
SLICES = tuple(f"data/diagnostic_mr/MR_000{number}.dcm" for number in (1, 2, 3))
HERE = Location("document:x")


class Case(NamedTuple):
    """An order whose source holds a coincidence in a document and one in three images, and its build."""

    order: Order
    built: Built


def make(folder: Path, form: str = FORM, **changes: str) -> Order:
    variant = build_case.named("prostate")
    variant = replace(variant, manifest=variant.manifest.replace("PAF.xlsx", "PAF.txt"))
    who = replace(synthetic.INVENTED, **({"birth_date": BORN} | changes))
    saved = synthetic.save(variant.patient(identity=who), folder / "exports" / "EP-0123")
    (folder / "exports" / "EP-0123" / "forms" / "PAF.txt").write_text(form, "utf-8")
    return variant.order(saved, folder / "exports" / "EP-0123", folder / "build")


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Case:
    order = make(tmp_path_factory.mktemp("held"))
    return Case(order, build(order))


def releases(finds: Iterable[Find], built: Built, by: str = "a@example.org") -> tuple[Release, ...]:
    """Release every find, as a person does who says yes to each."""
    return tuple(
        Release(
            group[0].told.code,
            group[0].element,
            tuple(sorted(one.file for one in group)),
            "a common word",
            by,
            "2026-11-22",
            built.content,
            built.whose,
        )
        for group in release.grouped(finds)
    )


def residue(built: Built) -> list[str]:
    return sorted({one.code for one in built.diagnostics if one.code.startswith("A1") and one.fatal})


# --- the build ---


def test_a_coincidence_stops_the_build_and_is_there_to_be_judged(held: Case) -> None:
    built = held.built
    assert (built.lock, built.package, residue(built)) == (None, None, ["A100", "A102"])
    assert {one.place for one in built.finds} == {
        ("A100", PAF, "text line 2"),
        *(("A102", name, "StudyDate") for name in SLICES),
    }
    assert {text for one in built.finds for text in one.shown} == {"seen by Hargreaves", BORN}
    assert len(release.grouped(built.finds)) == 2  # three slices are one look
    account = (held.order.output / release.ACCOUNT).read_text("utf-8")
    assert '"package": null' in account
    for shown in (repr(built), repr(built.finds), account):
        assert "Hargreaves" not in shown
        assert BORN not in shown


def test_what_was_released_leaves_with_a_warning_in_the_lock(held: Case, tmp_path: Path) -> None:
    given = releases(held.built.finds, held.built)
    built = build(replace(held.order, released=given, output=tmp_path))
    assert built.lock is not None
    assert built.package is not None
    assert built.content == built.lock.content == held.built.content  # a release changes nothing that leaves
    told = [one for one in built.diagnostics if one.code == "A110"]
    assert {(one.severity, one.subject) for one in told} == {
        (Severity.WARNING, "diagnostic_mr"),
        (Severity.WARNING, "plan_assessment_form"),
    }
    assert {one.subject for one in built.lock.findings if one.code == "A110"} == {one.subject for one in told}
    assert "A110" in (tmp_path / "report.html").read_text("utf-8")
    assert residue(built) == []
    assert release.waiting(tmp_path / release.ACCOUNT, held.order.basis.manifest, ()) is None
    with zipfile.ZipFile(built.package) as archive:
        assert b"Hargreaves" in archive.read(next(name for name in archive.namelist() if name.endswith(PAF)))


def test_a_release_is_void_when_the_export_names_somebody_else_too(held: Case, tmp_path: Path) -> None:
    """Nothing that leaves has changed; but what was seen as a coincidence may be this person's name."""
    order = make(tmp_path)
    other = pydicom.dcmread(next(path for path in order.source.rglob("*.dcm") if "RS" in path.name))
    other.SOPInstanceUID, other.Modality, other.PatientName = "2.25.999", "OT", "Seen^Hargreaves"
    other.save_as(order.source / "other.dcm")
    given = releases(held.built.finds, held.built)
    built = build(replace(order, released=given))
    assert built.content in ("", held.built.content)
    assert (built.package, residue(built)) == (None, ["A100", "A102"])
    assert {one.message for one in built.diagnostics if one.code == "A111"} != set()
    assert built.whose != held.built.whose
    again = build(replace(order, released=releases(built.finds, built)))
    assert again.package is not None
    assert again.content == held.built.content


@pytest.mark.parametrize("missing", [*SLICES, PAF])
def test_each_file_is_released_by_itself(missing: str, held: Case) -> None:
    built = held.built
    given = releases((one for one in built.finds if one.file != missing), built)
    settled = release.settle(built.diagnostics, built.finds, given, built.content, built.whose)
    expected = ["A110", "A100"] if missing == PAF else ["A102", "A110"]
    assert [code for code in codes(settled) if code.startswith("A1")] == expected


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"content": "0" * 64}, "is of other content"),
        ({"whose": "0" * 64}, "was given before the export named whom it names now"),
        ({"whose": ""}, "was given before the export named whom it names now"),
        ({"element": "SeriesDate"}, "matches nothing that was found"),
        ({"element": "text line 3"}, "matches nothing that was found"),
        ({"code": "A101"}, "matches nothing that was found"),
        ({"files": ("data/planning/CT_0001.dcm",)}, "matches nothing that was found"),
    ],
)
def test_a_release_of_anything_else_counts_for_nothing_and_is_told(
    other: dict[str, Any], words: str, held: Case
) -> None:
    built = held.built
    given = tuple(replace(one, **other) for one in releases(built.finds, built))
    assert (
        release.settle(built.diagnostics, built.finds, given, built.content, built.whose) == built.diagnostics
    )
    idle = release.idle(given, built.finds, built.content, built.whose)
    assert {one.code for one in idle} == {"A111"}
    assert all(one.severity is Severity.WARNING and one.message.endswith(words) for one in idle)


def test_the_same_value_elsewhere_is_not_released(held: Case, tmp_path: Path) -> None:
    """What was released is a place in one content: the same word one line further down stops the build."""
    order = make(tmp_path, FORM + "seen by Hargreaves\n")
    built = build(replace(order, released=releases(held.built.finds, held.built)))
    assert built.package is None
    assert residue(built) == ["A100", "A102"]
    assert {one.element for one in built.finds} == {"text line 2", "text line 4", "StudyDate"}
    assert {one.message.rpartition(" ")[2] for one in built.diagnostics if one.code == "A111"} == {"content"}


def test_a_release_of_what_is_mended_is_told_but_not_locked(held: Case, tmp_path: Path) -> None:
    order = make(tmp_path, "Plan assessment\n", birth_date="19510307")
    given = releases(held.built.finds, held.built)
    built = build(replace(order, released=given))
    assert codes(built.diagnostics).count("A111") == 2
    # approving leaves it out of approval.yaml: the lock must be the same before and after
    assert built.lock is not None
    assert "A111" not in {one.code for one in built.lock.findings}


def test_a_find_in_the_summary_is_released_too(held: Case, tmp_path: Path) -> None:
    order = make(tmp_path, "Plan assessment\n", birth_date="19510307")
    fields = {**order.clinical.fields, "history": "Hargreaves score of 3."}
    order = replace(order, clinical=Clinical(fields, "1" * 64))
    first = build(order)
    assert {one.file for one in first.finds} == {"data/clinical_summary.pdf"}
    assert build(replace(order, released=releases(first.finds, first))).package


def test_other_reasons_against_a_package_come_first(held: Case, tmp_path: Path) -> None:
    """Mending them changes the content: there is nothing to judge before."""
    committed = {"manifest.yaml": b"Hargreaves"}
    given = releases(held.built.finds, held.built)
    built = build(replace(held.order, committed=committed, output=tmp_path, released=given))
    assert (built.lock, built.finds, residue(built)) == (
        None,
        (),
        ["A100"],
    )  # what enters Git is never released


# --- what may be released ---


def fact(kind: Kind, value: bytes, who: Who = Who.PATIENT) -> Fact:
    return Fact(who, kind, value)


SCANNER = Scanner(
    Harvest(
        frozenset(
            {
                fact(Kind.NAME, b"ROSE^Anna^Maria"),
                fact(Kind.NUMBER, b"48577662"),
                fact(Kind.UID, b"1.2.246.352.71.4.123456789.1234", Who.UID),
            }
        )
    )
)


def test_lines_that_hold_something_together_are_one_place() -> None:
    text = "bolus\nAnna\nRose\n\nMaria Rose\n"
    told = SCANNER.scan_text(text, HERE)
    finds = in_text(text, PAF, told, lambda part: SCANNER.scan_text(part, HERE))
    shown = {one.element: one.shown for one in finds}
    assert all(one.releasable for one in finds)
    assert shown.keys() >= {"text line 5"}
    assert {"Anna", "Rose"} <= {line for lines in shown.values() for line in lines}


def test_what_lines_do_not_account_for_is_not_released() -> None:
    """A name in one line, and one spread over four: nobody would be shown the second."""
    told = (finding("A100", "m", HERE),)

    def scan(text: str) -> tuple[Diagnostic, ...]:
        return told if "rose" in text or all(part in text for part in ("an", "na", "ma", "ria")) else ()

    (find,) = in_text("rose\nan\nna\nma\nria", PAF, told, scan)
    assert (find.releasable, find.shown, find.element) == (False, (), "text")
    (find,) = in_text("rose\nan\nna\nma", PAF, told, scan)
    assert (find.releasable, find.shown, find.element) == (True, ("rose",), "text line 1")


def test_few_lines_of_a_long_text_are_found_by_few_searches() -> None:
    lines = [f"point {number}: 60 Gy" for number in range(20_000)]
    lines[70], lines[9_999], lines[10_000], lines[-1] = "Rose Anna", "Maria", "Rose", "Anna Rose"
    text, searched = "\n".join(lines), [0]

    def scan(part: str) -> tuple[Diagnostic, ...]:
        searched[0] += len(part)
        return SCANNER.scan_text(part, HERE)

    finds = in_text(text, PAF, SCANNER.scan_text(text, HERE), scan)
    assert {one.element for one in finds} >= {"text line 71", "text line 20000"}
    assert all(one.releasable for one in finds)
    assert searched[0] < 15 * len(text)


def test_a_uid_is_never_released() -> None:
    text = "see 1.2.246.352.71.4.123456789.1234"
    told = SCANNER.scan_text(text, HERE)
    assert codes(told) == ["A104"]
    assert not any(
        one.releasable for one in in_text(text, PAF, told, lambda part: SCANNER.scan_text(part, HERE))
    )


@pytest.mark.parametrize(
    ("tag", "vr", "value", "releasable"),
    [
        (0x00081030, "LO", b"48577662", True),
        (0x00181030, "LO", b"Anna Rose ", True),
        (0x00100020, "LO", b"48577662", False),  # the attribute is the identity
        (0x00081048, "PN", b"ROSE^Anna ", False),
        (0x00282000, "OB", b"..48577662\xff\x00\x01\x02", False),  # nobody can look at it
        (0x0008103E, "LO", b"48577662", True),
    ],
)
def test_which_elements_of_an_object(tag: int, vr: str, value: bytes, releasable: bool) -> None:
    data = part10(IMPLICIT, element(IMPLICIT, tag, vr, value))
    told = SCANNER.scan_dicom(parse(data), "plan")
    assert told
    finds = in_object(parse(data), "data/planning/RP_1.dcm", told, SCANNER)
    assert len(finds) == len(told)
    assert {one.releasable for one in finds} == {releasable}


def test_one_place_that_cannot_be_shown_holds_the_finding() -> None:
    """Equal findings of many files are one: it stands as long as one of them is not released."""
    told = finding("A100", "m", HERE)
    good, bad = Find(told, "data/a", "x", ("Rose",)), Find(told, "data/b", "x")
    given = tuple(Release("A100", "x", (name,), "r", "a", "2026-11-22", "c") for name in ("data/a", "data/b"))
    assert codes(release.settle([told], [good], given, "c", "")) == ["A110"]
    assert release.settle([told], [good, bad], given, "c", "") == (told,)
    uid = replace(told, code="A104")
    hand = (replace(given[0], code="A104"),)
    assert release.settle([uid], [Find(uid, "data/a", "x", ("1.2",))], hand, "c", "") == (uid,)


# --- the gate, and what status reads ---


ROW = Release("A100", "text line 2", (PAF,), "a word", "a@example.org", "2026-11-22", "d" * 64)


@pytest.mark.parametrize(
    ("rows", "approvals", "expected"),
    [
        ((), 1, ["U009"]),
        ((replace(ROW, content="0" * 64),), 1, ["U009"]),
        ((ROW,), 1, []),
        ((ROW,), 2, ["U009"]),
        ((ROW, replace(ROW, by="A@Example.org")), 2, ["U009"]),  # one person counts once
        ((ROW, replace(ROW, by="b@example.org")), 2, []),
        ((ROW, replace(ROW, by="b@example.org", files=("data/README.txt",))), 2, ["U009"]),
    ],
)
def test_the_gate_wants_as_many_people_as_for_an_approval(
    rows: tuple[Release, ...], approvals: int, expected: list[str], tmp_path: Path
) -> None:
    case = make_case(tmp_path)
    lock = replace(make_lock(), findings=(LockedFinding("A110", "warning", "plan"),))
    two = tuple(replace(case.candidate.approvals[0], by=by) for by in ("a@example.org", "b@example.org"))
    candidate = replace(case.candidate, lock=lock, released=rows, approvals=two)
    site = replace(case.site, settings=replace(case.site.settings, gate=Gate(approvals=approvals)))
    assert codes(gate(candidate, site)) == expected


@pytest.mark.parametrize(("whose", "sent"), [("new", 1), ("old", 0)])
def test_a_void_release_counts_for_nobody(whose: str, sent: int, tmp_path: Path) -> None:
    """Of two people one released before the export named whom it names now: only the rebuild can tell."""
    case = make_case(tmp_path)
    lock = replace(LOCK, findings=(LockedFinding("A110", "warning", "plan"),))
    rows = tuple(
        replace(ROW, content=LOCK.content, by=f"{by}@example.org", whose=at)
        for by, at in (("a", whose), ("b", "new"))
    )
    two = tuple(replace(case.candidate.approvals[0], by=row.by) for row in rows)
    case.candidate = replace(case.candidate, lock=lock, released=rows, approvals=two)
    case.site = replace(case.site, settings=replace(case.site.settings, gate=Gate(approvals=2)))
    case.rebuilt = replace(case.rebuilt, lock=lock, whose="new")
    result = case.submit()
    assert (len(case.outbox), [d.code for d in result.diagnostics if d.fatal]) == (
        sent,
        [] if sent else ["U009"],
    )


def test_without_a_released_find_the_gate_asks_for_none(tmp_path: Path) -> None:
    case = make_case(tmp_path)
    assert codes(gate(case.candidate, case.site)) == []


def test_what_waits_is_read_from_the_account(held: Case, tmp_path: Path) -> None:
    account, manifest = held.order.output / release.ACCOUNT, held.order.basis.manifest
    given = releases(held.built.finds, held.built)
    assert release.waiting(account, manifest, ()) == 2
    assert release.waiting(account, manifest, given[:1]) == 1
    assert release.waiting(account, manifest, given) == 0
    assert release.waiting(account, manifest, [replace(one, content="0" * 64) for one in given]) == 2
    assert release.waiting(account, manifest, [replace(one, whose="0" * 64) for one in given]) == 2
    assert release.waiting(account, "another manifest", ()) is None
    assert release.waiting(tmp_path / "none.json", manifest, ()) is None
    (tmp_path / "bad.json").write_bytes(b"\xff{")
    assert release.waiting(tmp_path / "bad.json", manifest, ()) is None


def test_finds_never_show_what_stands_there() -> None:
    find = Find(Diagnostic("A100", "m"), PAF, "text line 1", ("Rose",))
    assert "Rose" not in repr(find)

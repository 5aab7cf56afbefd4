"""What must not leave does not: every planted string and UID × everything that is written or said."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from typing import TYPE_CHECKING

import build_case
import pydicom
import pytest
from cli_centre import called
from git_builder import commit, git, git_environ
from pypdf import PdfReader

from rttqa_build import lock, synthetic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from build_case import Run

WHO = synthetic.INVENTED
COMMON = {"cancer", "centre", "radiotherapy", "physics", "general", "gallowmere lane", "terrace"}


def spellings() -> frozenset[str]:
    """Return the planted strings in the ways in which people and programs write them, in lower case."""
    planted = [text for texts in WHO.planted().values() for text in texts]
    words = {word for text in planted for word in re.findall(r"[^\W\d_]{5,}", text)}
    forms = {form for text in (*planted, *words) for form in _forms(text)}
    return frozenset(
        {
            *(form.lower() for form in forms if len(form) > 5 or text_is_rare(form)),
            *("999 000 0018", "999-000-0018", "7 march 1951", "7th march 1951", "1951-03-07", "07.03.1951"),
            *("07-03-1951", "07mar1951", "07-mar-1951", "march 7, 1951", "441632960417", "hargreaves_w"),
            *("w hargreaves", "whargreaves", "octavian hargreaves", "03071951", "07031951"),
        }
        - COMMON
    )


def text_is_rare(form: str) -> bool:
    return len(form) > 3 and any(c.isdigit() for c in form) and any(c.isalpha() for c in form)


def _forms(text: str) -> Iterator[str]:
    parts = text.split("^")
    yield from (text, re.sub(r"[\W_]+", "", text), text.replace(" ", ""), text.replace("^", " "))
    yield from (" ".join(reversed(parts)), ", ".join(parts), "_".join(parts), "".join(parts))


SPELLINGS = spellings()
ENCODED = frozenset(
    encoded
    for text in SPELLINGS
    for codec in ("utf-8", "utf-16-le", "utf-16-be")
    if len(encoded := text.encode(codec)) > 5
)


def planted_in(data: bytes) -> set[bytes]:
    low = data.lower()
    return {needle for needle in ENCODED if needle in low}


def uids_in(data: bytes, uids: frozenset[str]) -> set[str]:
    """Return the original UIDs that occur whole; the file's own pseudonyms do not look like them."""
    return {uid for uid in uids if re.search(rb"(?<![\d.])" + re.escape(uid.encode()) + rb"(?![\d])", data)}


def parts(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a file as it is, and what a reader of its format sees."""
    yield name, data
    if name.endswith(".xlsx"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (
                (f"{name}!{part}", part.encode() + b"\n" + archive.read(part)) for part in archive.namelist()
            )
    if name.endswith(".pdf"):
        reader = PdfReader(io.BytesIO(data))
        text = "\n".join(page.extract_text() for page in reader.pages)
        yield f"{name}!text", (text + "\n" + re.sub(r"\s+", "", text)).encode()
        yield f"{name}!metadata", str(reader.metadata).encode()
    if name.endswith(".dcm"):
        yield f"{name}!text", str(pydicom.dcmread(io.BytesIO(data))).encode()


def written(run: Run) -> dict[str, bytes]:
    """Return everything that a build writes or says, but for the report, which stays."""
    found: dict[str, bytes] = {}
    for name, data in run.members.items():
        found.update(parts(name, data))
    with zipfile.ZipFile(run.package) as archive:
        found["names"] = "\n".join([run.package.name, *archive.namelist(), archive.comment.decode()]).encode()
        found["extra"] = b"".join(info.extra for info in archive.infolist())
    assert run.built.lock is not None
    found["lock.yaml"] = lock.dump(run.built.lock).encode()
    found["deidentification.json"] = (run.order.output / "deidentification.json").read_bytes()
    said = [
        text
        for d in run.built.diagnostics
        for text in (d.message, d.hint, d.subject, str(d.where), d.where.item)
    ]
    found["findings"] = "\n".join(said).encode()
    return found


def demand_clean(run: Run, texts: Mapping[str, bytes]) -> None:
    uids = run.patient.original_uids()
    bad = {name: hits for name, data in texts.items() if (hits := planted_in(data) | uids_in(data, uids))}
    assert not bad


@pytest.mark.parametrize("name", build_case.NAMES)
def test_nothing_that_is_written_names_anyone(name: str, built: Callable[[str], Run]) -> None:
    run = built(name)
    demand_clean(run, written(run))


def test_labels_that_say_themselves_whose_they_are_stay_behind(tmp_path: Path) -> None:
    """Nothing else in the export tells who Mrs Okonkwo is: it was anonymised by the planning system."""
    variant = build_case.named("phantom")
    patient = variant.patient()
    one, two = patient.objects["plan"].BeamSequence[:2]
    one.BeamName, two.BeamName = "Mrs Okonkwo", "NHS 943 476 5919"
    rois = {roi.ROIName: roi for roi in patient.objects["structure_set"].StructureSetROISequence}
    rois["z_ring"].ROIName = "DOB 12.3.49"
    run = build_case.run(build_case.Variant("changed", variant.manifest, {}), tmp_path, patient)
    texts = written(run) | {"report": (run.order.output / "report.html").read_bytes()}
    told = (b"Okonkwo", b"943 476 5919", b"9434765919", b"12.3.49")
    assert not {name for name, data in texts.items() if any(text in data for text in told)}


def test_the_search_itself_finds_what_is_planted(built: Callable[[str], Run]) -> None:
    run = built("prostate")
    original = run.patient.paths["plan"].read_bytes()
    assert len(planted_in(original)) > 20
    assert uids_in(original, run.patient.original_uids())
    assert planted_in("W. HARGREAVES".encode("utf-16-le"))


@pytest.mark.parametrize("name", build_case.NAMES)
def test_the_local_report_names_neither_patient_nor_staff(name: str, built: Callable[[str], Run]) -> None:
    run = built(name)
    report = (run.order.output / "report.html").read_text("utf-8").lower()
    who = run.patient.planted()
    assert not [text for kind in ("patient", "staff") for text in who[kind] if text.lower() in report]


@pytest.mark.parametrize("name", build_case.NAMES)
def test_objects_carry_the_trial_id_and_no_private_element(name: str, built: Callable[[str], Run]) -> None:
    run = built(name)
    subject = run.order.manifest.submission.subject
    objects = [pydicom.dcmread(io.BytesIO(d)) for n, d in run.members.items() if n.endswith(".dcm")]
    assert objects
    for item in objects:
        assert (item.PatientName, item.PatientID, item.ClinicalTrialSubjectID) == (subject, subject, subject)
        assert item.PatientBirthDate == ""
        assert item.PatientIdentityRemoved == "YES"
        assert not [element.tag for element in item.iterall() if element.tag.is_private]
        assert not [e.tag for e in item.file_meta if e.tag.element in (0x0016, 0x0100, 0x0102)]


def dates(item: pydicom.Dataset) -> list[tuple[str, str]]:
    """Return the dates of an object by path, but for those that the policy removes with what holds them."""
    return sorted((e.keyword, str(e.value)[:8]) for e in item.iterall() if e.VR in ("DA", "DT") and e.value)


@pytest.mark.parametrize("name", build_case.NAMES)
def test_all_dates_move_by_the_same_whole_weeks(name: str, built: Callable[[str], Run]) -> None:
    import datetime as dt

    run = built(name)
    weeks = run.names.weeks_back(run.order.manifest.submission.subject)
    before = {
        day
        for item in run.patient.objects.values()
        for _, text in dates(item)
        if (day := dt.datetime.strptime(text, "%Y%m%d").date())  # noqa: DTZ007 - a date has no zone
    }
    found = 0
    for path, data in run.members.items():
        if path.endswith(".dcm"):
            for keyword, text in dates(pydicom.dcmread(io.BytesIO(data))):
                if text == "19000101":
                    continue  # the dummy
                found += 1
                day = dt.date.fromisoformat(text) + dt.timedelta(weeks=weeks)
                assert day in before, keyword
    assert found > 20


# --- through the command line ------------------------------------------------------------------------------

WAIVED = 'waivers: [{code: D204, for: dose, reason: "coarse on purpose, agreed with the trial team"}]\n'


@pytest.fixture(scope="module")
def submitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A submission taken from manifest to receipt by the program; the repository and all that was said."""
    folder = tmp_path_factory.mktemp("whole way")
    root, data = folder / "trials", folder / "data"
    patient = build_case.named("prostate").patient()
    synthetic.save(patient, data / "exports" / "EP-0123")
    (data / "portal").mkdir()
    environ = {**git_environ(folder / "home"), "RTTQA_DATA": str(data / "exports")}
    said = []

    def go(*words: str) -> None:
        out, err = io.StringIO(), io.StringIO()
        code = called(root, environ, words, out, err)
        said.append(out.getvalue() + err.getvalue())
        assert code == 0, said[-1]

    root.mkdir()
    go("init", ".")
    settings = build_case.SETTINGS.replace("data_root: exports", "data_root: ../data/exports")
    settings = settings.replace("key_file: centre.key", "key_file: ../data/centre.key\nkey_fingerprint: null")
    (root / "rttqa.yaml").write_text(settings + "portal: {kind: folder, path: ../data/portal}\n", "utf-8")
    manifest = root / "submissions" / "EP-0123" / "manifest.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(build_case.named("prostate").manifest + WAIVED, "utf-8")
    go("key", "new")
    go("check", "--format", "json")
    go("build")
    go("build", "--locked", "--format", "json")
    commit(root, environ)
    go("submit")
    go("status")
    git(root, environ, "add", "-A")
    return root, said


def test_nothing_that_is_committed_mailed_or_said_names_anyone(submitted: tuple[Path, list[str]]) -> None:
    root, said = submitted
    found = {str(n): text.encode() for n, text in enumerate(said)}
    for path in root.rglob("*"):
        if (
            path.is_file()
            and ".git" not in path.parts
            and path.suffix != ".zip"
            and path.name != "report.html"
        ):
            found[path.name] = path.read_bytes()
    assert {"receipt.yaml", "lock.yaml", "email.eml", "deidentification.json"} <= found.keys()
    uids = build_case.named("prostate").patient().original_uids()
    assert not {n: hits for n, d in found.items() if (hits := planted_in(d) | uids_in(d, uids))}


def test_what_the_portal_received_is_what_the_receipt_says(submitted: tuple[Path, list[str]]) -> None:
    root, said = submitted
    (package,) = (root.parent / "data" / "portal").glob("*.zip")
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    assert digest in (root / "submissions" / "EP-0123" / "receipt.yaml").read_text("utf-8")
    findings = json.loads(said[4])[0]["findings"]
    assert [f["waived"] for f in findings if f["code"] == "D204"] != [""]

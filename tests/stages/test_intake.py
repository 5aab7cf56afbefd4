from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pydicom
import pytest

from rttqa_build import disk, synthetic
from rttqa_build.deidentify.identity import Harvest, Kind, Who
from rttqa_build.diagnostic import RttqaError, UsageError
from rttqa_build.sibling import Here
from rttqa_build.stages.intake import Intake, take_in, weighed
from rttqa_build.study import Reason, survey

if TYPE_CHECKING:
    from pathlib import Path

WHO = synthetic.INVENTED


def silent(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("intake") / "EP-0123"
    synthetic.write(folder, extent=synthetic.SMALL, clutter=True)
    return folder


def test_objects_and_other_files_are_all_there(export: Path) -> None:
    intake = take_in(export, 2, silent)
    files = [path for path in export.rglob("*") if path.is_file()]
    assert len(intake.study.instances) + len(intake.study.others) == len(files)
    assert {fate.reason for fate in intake.study.others} == {Reason.DICOMDIR, Reason.NOT_DICOM}
    assert not intake.diagnostics


def test_a_long_file_is_read_to_its_end_only_where_it_begins_like_dicom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A film in the export would fill the memory; a dose is as long as it is."""
    patient = synthetic.write(tmp_path / "long", extent=synthetic.SMALL)
    whole = take_in(tmp_path / "long", 2, silent)
    (tmp_path / "long" / "film.avi").write_bytes(b"RIFF" * 2000)
    asked: list[int] = []
    unbuffered = disk.unbuffered

    def noted(path: Path, size: int) -> bytes:
        asked.extend([size] if path.name == "film.avi" else [])
        return unbuffered(path, size)

    monkeypatch.setattr(survey, "_LONG", 1000)
    monkeypatch.setattr(disk, "unbuffered", noted)
    taken = take_in(tmp_path / "long", 2, silent)
    assert taken.study.instances == whole.study.instances
    (film,) = (fate for fate in taken.study.others if fate.file.path == "film.avi")
    assert (film.reason, film.file.size, film.file.sha256) == (Reason.NOT_DICOM, 8000, "")
    assert set(asked) == {1000}
    assert patient.paths["dose"].stat().st_size > 1000


def test_the_harvest_holds_patient_staff_uids_and_names_of_files(export: Path) -> None:
    facts = take_in(export, 1, silent).harvest.facts
    values = {(fact.who, fact.value) for fact in facts}
    assert (Who.PATIENT, WHO.name.encode()) in values
    assert (Who.PATIENT, WHO.nhs_number.encode()) in values
    assert any(who is Who.STAFF and WHO.physicist.encode() in value for who, value in values)
    assert (Who.SOURCE, WHO.surname.encode()) in values
    assert any(fact.kind is Kind.UID for fact in facts)
    assert WHO.surname not in repr(take_in(export, 1, silent).harvest)


def test_the_number_of_jobs_changes_nothing(export: Path) -> None:
    assert take_in(export, 1, silent) == take_in(export, 5, silent)


def test_a_cut_file_is_a_finding_and_is_not_used(export: Path, tmp_path: Path) -> None:
    patient = synthetic.write(tmp_path / "cut", extent=synthetic.SMALL)
    path = patient.paths["plan"]
    path.write_bytes(path.read_bytes()[:-9])
    intake = take_in(tmp_path / "cut", 2, silent)
    (found,) = intake.diagnostics
    assert found.code == "A005"
    assert path.name in found.local
    assert path.name not in found.message
    assert any(fate.reason is Reason.UNREADABLE for fate in intake.study.others)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="this user may read every file")
def test_a_file_that_may_not_be_read_is_accounted_for(tmp_path: Path) -> None:
    patient = synthetic.write(tmp_path / "closed", extent=synthetic.SMALL)
    patient.paths["plan"].chmod(0)
    (fate,) = take_in(tmp_path / "closed", 2, silent).study.others
    assert fate.reason is Reason.UNREADABLE
    assert "operating system" in fate.detail


@pytest.mark.parametrize(
    ("closed", "words"), [(("plan",), "1 file or folder may"), (("plan", "dose"), "2 files")]
)
def test_what_may_not_be_read_is_told_and_hinders_nothing(
    closed: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slice that a drive does not give to this user would otherwise lack without a word."""
    patient = synthetic.write(tmp_path / "closed", extent=synthetic.SMALL)
    names, unbuffered = {patient.paths[one].name for one in closed}, disk.unbuffered

    def refused(path: Path, size: int) -> bytes:
        if path.name in names:
            raise PermissionError
        return unbuffered(path, size)

    monkeypatch.setattr(disk, "unbuffered", refused)
    intake = take_in(tmp_path / "closed", 2, silent)
    (found,) = intake.diagnostics
    assert (found.code, found.fatal) == ("A010", False)
    assert found.message.startswith(words)
    assert all(name in found.local for name in names)
    assert found in weighed(intake, intake.study.instances)


@pytest.mark.parametrize(
    "make", [lambda _: None, lambda path: path.mkdir(), lambda path: path.write_bytes(b"")]
)
def test_no_folder_or_an_empty_one_is_a_usage_error(make: object, tmp_path: Path) -> None:
    make(tmp_path / "none")  # type: ignore[operator]
    with pytest.raises(UsageError) as caught:
        take_in(tmp_path / "none", 1, silent)
    assert caught.value.hint


THREADS_FIND_PYDICOM = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from rttqa_build.stages import intake
from rttqa_build.study import survey

class Pool(ThreadPoolExecutor):
    def __init__(self, jobs):
        assert "pydicom.filereader" in sys.modules
        super().__init__(jobs)

assert "pydicom" not in sys.modules
intake.ThreadPoolExecutor = survey.ThreadPoolExecutor = Pool
intake.take_in(Path(sys.argv[1]), 2, len)
"""


def test_pydicom_is_loaded_before_there_are_threads(export: Path) -> None:
    # Two threads that load it at once may meet half of it: once in some forty builds, an ImportError.
    done = subprocess.run(
        [sys.executable, "-c", THREADS_FIND_PYDICOM, str(export)], check=False, capture_output=True, text=True
    )
    assert not done.returncode, done.stderr


# --- damage that matters and damage that does not ----------------------------------------------------------


def damaged(folder: Path, name: str, cut: int = 9) -> Intake:
    patient = synthetic.write(folder, extent=synthetic.SMALL)
    path = patient.paths[name]
    path.write_bytes(path.read_bytes()[:-cut])
    return take_in(folder, 2, silent)


@pytest.mark.parametrize(
    ("name", "sent", "severity"),
    [
        ("ct/002", ("ct",), "error"),
        ("ct/002", ("mr",), "warning"),
        ("mr/002", ("mr",), "error"),
        ("mr/002", ("ct",), "warning"),
        ("plan", ("ct",), "error"),
        ("structure_set", ("mr",), "error"),
    ],
)
def test_damage_counts_where_it_can_be_of_what_is_sent(
    name: str, sent: tuple[str, ...], severity: str, tmp_path: Path
) -> None:
    """An image of a series that is not sent is left out; a plan that is cut could be the one meant."""
    intake = damaged(tmp_path, name)
    modalities = {"ct": "CT", "mr": "MR"}
    instances = [i for i in intake.study.instances if i.modality in {modalities[s] for s in sent}]
    (found,) = weighed(intake, instances)
    assert (found.code, found.severity) == ("A005", severity)


def test_damage_of_an_image_that_is_referred_to_counts(tmp_path: Path) -> None:
    intake = damaged(tmp_path, "ct/002")
    (found,) = weighed(intake, [i for i in intake.study.instances if i.modality == "RTSTRUCT"])
    assert found.fatal


def test_a_file_of_which_nobody_knows_what_it_was_counts(tmp_path: Path) -> None:
    patient = synthetic.write(tmp_path, extent=synthetic.SMALL)
    path = patient.paths["mr/001"]
    path.write_bytes(path.read_bytes()[:150] + b"\xff" * 40)
    (found,) = weighed(take_in(tmp_path, 1, silent), [])
    assert found.fatal


def test_a_file_without_its_pixels_is_cut(tmp_path: Path) -> None:
    patient = synthetic.write(tmp_path, extent=synthetic.SMALL)
    path = patient.paths["ct/001"]
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"\xe0\x7f\x10\x00")])
    (found,) = take_in(tmp_path, 1, silent).diagnostics
    assert found.code == "A005"


def test_what_plan_and_dose_refer_to_is_known_at_every_depth(export: Path) -> None:
    for instance in take_in(export, 1, silent).study.instances:
        whole = pydicom.dcmread(export / instance.file.path)
        named = {
            int(e.value) for e in whole.iterall() if e.keyword == "ReferencedROINumber" and e.value != ""
        }
        assert instance.roi_numbers == (named if instance.modality in ("RTPLAN", "RTDOSE") else frozenset())


def test_a_number_with_its_sign_is_the_same_number(tmp_path: Path) -> None:
    patient = synthetic.build(extent=synthetic.SMALL)
    bolus = pydicom.Dataset()
    bolus.add_new("ReferencedROINumber", "IS", "+12")
    patient.objects["plan"].BeamSequence[0].ReferencedBolusSequence = [bolus]
    synthetic.save(patient, tmp_path)
    (plan,) = (i for i in take_in(tmp_path, 1, silent).study.instances if i.modality == "RTPLAN")
    assert 12 in plan.roi_numbers


# --- two readers -------------------------------------------------------------------------------------------


def test_a_file_that_changes_between_the_readers_stops_the_build(tmp_path: Path) -> None:
    """An export that is still being written: the one reader must not speak of another file than the other."""
    patient = synthetic.write(tmp_path / "export", extent=synthetic.SMALL)
    begun = survey.survey(tmp_path / "export", Here(), 1)
    path = patient.paths["ct/002"]
    path.write_bytes(path.read_bytes().replace(b"ORIGINAL", b"original", 1))
    with pytest.raises(RttqaError, match="changed during the build") as caught:
        take_in(tmp_path / "export", 2, silent, begun)
    assert "export is finished" in caught.value.hint


@pytest.mark.parametrize("gone", ["ct/002", "plan"])
def test_a_file_that_is_gone_for_the_second_reader_is_not_used(gone: str, tmp_path: Path) -> None:
    patient = synthetic.write(tmp_path / "export", extent=synthetic.SMALL)
    begun = survey.survey(tmp_path / "export", Here(), 1)
    patient.paths[gone].unlink()
    with pytest.raises(RttqaError):
        take_in(tmp_path / "export", 2, silent, begun)


@pytest.mark.parametrize("whose", ["both", "first", "second"])
def test_a_share_that_goes_away_leaves_no_file_out(
    whose: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what may not be read is left out: a fault of the disk or the network stops the run."""
    patient = synthetic.write(tmp_path / "export", extent=synthetic.SMALL)
    unbuffered, tries = disk.unbuffered, [0]

    def faulty(path: Path, size: int) -> bytes:
        if path == patient.paths["plan"]:
            tries[0] += 1
            if whose == "both" or (tries[0] == 1) == (whose == "first"):
                raise OSError(5, "input/output error")
        return unbuffered(path, size)

    monkeypatch.setattr(disk, "unbuffered", faulty)
    with pytest.raises(RttqaError, match="a file of the source") as caught:
        take_in(tmp_path / "export", 1, silent)
    assert caught.value.exit_code == 3


def test_numbers_of_the_folder_are_known_however_it_is_given(tmp_path: Path) -> None:
    folder = tmp_path / "90210345678"
    synthetic.write(folder, extent=synthetic.SMALL)
    (folder / "sub").mkdir()
    for way in (folder, folder / "sub" / ".."):
        assert b"90210345678" in {fact.value for fact in take_in(way, 1, silent).harvest.facts}


def test_a_directory_of_media_changes_nothing_of_what_is_told_ahead(export: Path) -> None:
    """Most exports hold one: the search would be compiled twice."""
    ahead: list[Harvest] = []
    intake = take_in(export, 2, silent, meanwhile=ahead.append)
    assert Reason.DICOMDIR in {fate.reason for fate in intake.study.others}
    assert ahead == [intake.harvest]


def test_identities_are_told_ahead_of_the_survey(tmp_path: Path) -> None:
    """They are those of the intake, unless the other reader refuses a file: then a few more."""
    synthetic.write(tmp_path / "export", extent=synthetic.SMALL)
    ahead: list[Harvest] = []
    intake = take_in(tmp_path / "export", 2, silent, meanwhile=ahead.append)
    assert ahead == [intake.harvest]
    nameless = pydicom.dcmread(next((tmp_path / "export").rglob("*.dcm")), stop_before_pixels=True)
    nameless.PatientName = "SOMEBODY^ELSE"
    del nameless.SOPInstanceUID
    nameless.save_as(tmp_path / "export" / "nameless.dcm", enforce_file_format=False)
    intake = take_in(tmp_path / "export", 2, silent, meanwhile=ahead.append)
    assert {fact.value for fact in ahead[1].facts - intake.harvest.facts} >= {b"SOMEBODY^ELSE"}

from __future__ import annotations

import hashlib
import threading
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import build_case
import pytest
from case_builder import instance, selected

from rttqa_build import synthetic
from rttqa_build.deidentify.dictionary import registered_uids
from rttqa_build.deidentify.identity import Harvest
from rttqa_build.deidentify.job import Job
from rttqa_build.deidentify.marks import Marks
from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.diagnostic import RttqaError
from rttqa_build.pseudonym import Pseudonyms
from rttqa_build.stages.objects import Task, process, settle_uids, tasks
from rttqa_build.study import DoseFacts, ImageFacts, SourceFile

if TYPE_CHECKING:
    from pathlib import Path


NAMES = Pseudonyms.derive(build_case.KEY, "example-prostate")
MARKS = Marks("EP-0123", "t", "T", "", "RXX", "Centre")
JOB = Job(compile_policy(), MARKS, 52, NAMES.base_uid, registered_uids(), lambda _: False)
SCANNER = Scanner(Harvest())


def test_paths_go_by_role_and_order_and_rt_objects_get_a_series_of_their_own() -> None:
    images = selected("planning_image", ImageFacts(), ImageFacts())
    doses = [selected("dose", DoseFacts(), name=name, modality="RTDOSE") for name in ("a", "b")]
    chosen = tasks([images, *doses], NAMES, lambda _: {})
    assert [task.path for task in chosen] == [
        "data/planning/CT_0001.dcm",
        "data/planning/CT_0002.dcm",
        "data/planning/RD_1.dcm",
        "data/planning/RD_2.dcm",
    ]
    assert [task.plan.series for task in chosen[:2]] == ["", ""]
    assert len({task.plan.series for task in chosen[2:]}) == 2
    assert [task.role for task in chosen] == ["planning_image", "planning_image", "dose:a", "dose:b"]


def one_task(path: Path, data: bytes, facts: ImageFacts | DoseFacts | None = None) -> tuple[Task, ...]:
    path.write_bytes(data)
    file = SourceFile(path.name, len(data), hashlib.sha256(data).hexdigest(), zlib.crc32(data))
    thing = replace(instance(facts or ImageFacts(), "1.2.3"), file=file)
    return tasks([replace(selected("planning_image"), instances=(thing,))], NAMES, lambda _: {})


def packed(task: Task, data: bytes) -> tuple[Task, int]:
    return task, len(data)


def test_an_object_that_the_engine_refuses_is_a_finding_not_a_failure(tmp_path: Path) -> None:
    patient = synthetic.build(extent=synthetic.SMALL)
    saved = synthetic.save(patient, tmp_path / "x")
    data = saved.paths["ct/001"].read_bytes()
    cut = data[: len(data) // 2]
    (done,) = process(tmp_path, one_task(tmp_path / "a.dcm", cut), JOB, SCANNER, packed, 1)
    assert done.packed is None
    assert [(d.code, d.local) for d in done.diagnostics] == [("A003", "a.dcm")]
    assert done.diagnostics[0].where.file == "planning_image"


def test_a_file_that_changed_since_it_was_read_stops_the_build(tmp_path: Path) -> None:
    chosen = one_task(tmp_path / "a.dcm", b"one")
    (tmp_path / "a.dcm").write_bytes(b"two")
    with pytest.raises(RttqaError, match="changed"):
        list(process(tmp_path, chosen, JOB, SCANNER, packed, 1))


def test_images_have_no_final_uids(tmp_path: Path) -> None:
    chosen = one_task(tmp_path / "a.dcm", b"never parsed")
    assert settle_uids(tmp_path, chosen, JOB, NAMES) == {}


def test_an_rt_object_that_the_engine_refuses_has_no_final_uid_and_stops_nothing(tmp_path: Path) -> None:
    chosen = one_task(tmp_path / "a.dcm", b"no DICOM at all", DoseFacts())
    assert settle_uids(tmp_path, chosen, JOB, NAMES) == {}


def test_rt_objects_come_when_half_of_the_images_are_done(tmp_path: Path) -> None:
    images = [one_task(tmp_path / f"{n}.dcm", bytes(n), ImageFacts())[0] for n in range(1, 8)]
    doses = [one_task(tmp_path / f"dose{n}.dcm", bytes(n), DoseFacts())[0] for n in (20, 30)]
    sizes = [
        one.task.instance.file.size for one in process(tmp_path, [*images, *doses], JOB, SCANNER, packed, 2)
    ]
    assert sizes == [7, 6, 5, 30, 20, 4, 3, 2, 1]


def test_equal_accounts_are_held_once(tmp_path: Path) -> None:
    """Thousands of slices have the same: each by itself is as large as a small slice."""
    saved = synthetic.save(synthetic.build(extent=synthetic.SMALL), tmp_path / "x")
    slices = [saved.paths[f"ct/00{n}"].read_bytes() for n in (1, 2, 3)]
    chosen = [one_task(tmp_path / f"{n}.dcm", data)[0] for n, data in enumerate(slices)]
    accounts = [one.rules for one in process(tmp_path, chosen, JOB, SCANNER, packed, 2)]
    assert len(accounts[0]) > 20
    assert len({id(rules) for rules in accounts}) == 1


def test_the_bytes_are_packed_in_the_thread_that_made_them(tmp_path: Path) -> None:
    saved = synthetic.save(synthetic.build(extent=synthetic.SMALL), tmp_path / "x")
    (task,) = one_task(tmp_path / "a.dcm", saved.paths["ct/001"].read_bytes())

    def told(given: Task, data: bytes) -> tuple[Task, bool, int]:
        return given, threading.current_thread() is threading.main_thread(), len(data)

    (done,) = process(tmp_path, (task,), JOB, SCANNER, told, 1)
    assert done.packed is not None
    assert done.packed[:2] == (task, False)
    assert done.packed[2] > 0

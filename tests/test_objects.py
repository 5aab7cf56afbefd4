from __future__ import annotations

import hashlib
import threading
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import build_case
import pytest
from case_builder import instance, selected

from rttqa_build import synthetic
from rttqa_build.deidentify.engine import Job, registered_uids
from rttqa_build.deidentify.identity import Harvest
from rttqa_build.deidentify.marks import Marks
from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.diagnostic import RttqaError
from rttqa_build.objects import bounded, process, settle_uids, tasks
from rttqa_build.pseudonym import Pseudonyms
from rttqa_build.study import DoseFacts, ImageFacts, SourceFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAMES = Pseudonyms.derive(build_case.KEY, "example-prostate")
MARKS = Marks("EP-0123", "t", "T", "", "RXX", "Centre")
JOB = Job(compile_policy(), MARKS, 52, NAMES.base_uid, registered_uids(), lambda _: False)
SCANNER = Scanner(Harvest())


@pytest.mark.parametrize(("items", "limit"), [(0, 2), (1, 2), (7, 2), (7, 1), (3, 9)])
def test_bounded_keeps_order_and_never_has_more_in_flight(items: int, limit: int) -> None:
    lock, running, most = threading.Lock(), [0], [0]

    def submit(work: Callable[[int], int], item: int) -> Future[int]:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        return pool.submit(work, item)

    with ThreadPoolExecutor(3) as pool:
        found = []
        for result in bounded(submit, lambda item: item * item, range(items), limit):
            found.append(result)
            with lock:
                running[0] -= 1
    assert found == [n * n for n in range(items)]
    assert most[0] <= limit + 1


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


def one_task(path: Path, data: bytes) -> object:
    path.write_bytes(data)
    file = SourceFile(path.name, len(data), hashlib.sha256(data).hexdigest(), zlib.crc32(data))
    thing = replace(instance(ImageFacts(), "1.2.3"), file=file)
    return tasks([replace(selected("planning_image"), instances=(thing,))], NAMES, lambda _: {})


def test_an_object_that_the_engine_refuses_is_a_finding_not_a_failure(tmp_path: Path) -> None:
    patient = synthetic.build(extent=synthetic.SMALL)
    saved = synthetic.save(patient, tmp_path / "x")
    data = saved.paths["ct/001"].read_bytes()
    cut = data[: len(data) // 2]
    (done,) = process(tmp_path, one_task(tmp_path / "a.dcm", cut), JOB, SCANNER, bytes, 1)  # type: ignore[arg-type]
    assert done.packed is None
    assert [d.code for d in done.diagnostics] == ["A003"]
    assert done.diagnostics[0].where.file == "planning_image"


def test_a_file_that_changed_since_it_was_read_stops_the_build(tmp_path: Path) -> None:
    chosen = one_task(tmp_path / "a.dcm", b"one")
    (tmp_path / "a.dcm").write_bytes(b"two")
    with pytest.raises(RttqaError, match="changed"):
        list(process(tmp_path, chosen, JOB, SCANNER, bytes, 1))  # type: ignore[arg-type]


def test_images_have_no_final_uids(tmp_path: Path) -> None:
    chosen = one_task(tmp_path / "a.dcm", b"never parsed")
    assert settle_uids(tmp_path, chosen, JOB, NAMES, 1) == {}  # type: ignore[arg-type]

"""``locate``: from what a reviewer quotes back to the file, through every way of quoting it."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import build_case
import pydicom
import pytest

from rttqa_build.locate import Origins, as_quoted, is_locatable, locate
from rttqa_build.pseudonym import CentreKey, Pseudonyms
from rttqa_build.records.release import ACCOUNT
from rttqa_build.stages import account

if TYPE_CHECKING:
    from collections.abc import Callable

    from build_case import Run


def origins(run: Run, key: CentreKey = build_case.KEY) -> Origins:
    assert run.built.lock is not None
    bases = {row.uid: row.base for rows in run.built.lock.uids.values() for row in rows}
    paths = account.paths((run.order.output / ACCOUNT).read_bytes())
    return Origins(run.order.source, Pseudonyms.derive(key, "example-prostate"), bases, paths)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_every_object_is_found_by_path_uid_and_digest(built: Callable[[str], Run]) -> None:
    run = built("prostate")
    where = origins(run)
    seen = 0
    for path, data in run.members.items():
        if not path.endswith(".dcm") or ("CT_000" in path and not path.endswith("1.dcm")):
            continue
        (by_path,) = locate(path, where)
        (by_uid,) = locate(str(pydicom.dcmread(io.BytesIO(data)).SOPInstanceUID), where)
        (by_digest,) = locate(by_path.sha256[:12], where)
        assert by_path.path == by_uid.path == by_digest.path
        original = run.order.source / by_path.path
        assert sha256(original.read_bytes()) == by_path.sha256
        assert pydicom.dcmread(original).Modality == pydicom.dcmread(io.BytesIO(data)).Modality
        seen += 1
    assert seen >= 6


def test_a_path_may_begin_with_the_packages_folder(built: Callable[[str], Run]) -> None:
    run = built("prostate")
    path = next(name for name in run.members if name.endswith(".dcm"))
    assert locate(f"{run.package.stem}/{path}", origins(run)) == locate(path, origins(run))
    assert locate("data/nothing/of_that_name.dcm", origins(run)) == ()


@pytest.mark.parametrize("keyword", ["SeriesInstanceUID", "FrameOfReferenceUID", "StudyInstanceUID"])
def test_other_uids_lead_to_the_objects_that_hold_them(keyword: str, built: Callable[[str], Run]) -> None:
    run = built("prostate")
    images = [d for n, d in run.members.items() if "/CT_" in n]
    found = locate(str(pydicom.dcmread(io.BytesIO(images[0]))[keyword].value), origins(run))
    assert {account.keyword(place.tag) for place in found} >= {keyword}
    assert len(found) >= len(images)


def test_the_series_of_its_own_of_an_rt_object_is_found(built: Callable[[str], Run]) -> None:
    run = built("prostate")
    plan = next(d for n, d in run.members.items() if pydicom_is(d, n, "RTPLAN"))
    (place,) = locate(str(pydicom.dcmread(io.BytesIO(plan)).SeriesInstanceUID), origins(run))
    assert pydicom.dcmread(run.order.source / place.path).Modality == "RTPLAN"


def pydicom_is(data: bytes, name: str, modality: str) -> bool:
    return name.endswith(".dcm") and pydicom.dcmread(io.BytesIO(data)).Modality == modality


def test_documents_are_found_by_the_keyed_digest_of_the_lock(built: Callable[[str], Run]) -> None:
    run = built("prostate")
    assert run.built.lock is not None
    (place,) = locate(run.built.lock.documents["plan_assessment_form"], origins(run))
    assert place.path == "forms/PAF.xlsx"


def test_another_key_finds_no_uid(built: Callable[[str], Run]) -> None:
    run = built("prostate")
    image = next(d for n, d in run.members.items() if "/CT_" in n)
    uid = str(pydicom.dcmread(io.BytesIO(image)).SOPInstanceUID)
    assert locate(uid, origins(run, CentreKey(bytes(32)))) == ()
    assert len(locate(uid, origins(run))) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc123", True),
        ("abc12", False),
        ("2.25.1", True),
        ("1.2.3", True),
        ("3.4", False),
        ("a/b", True),
        ("plan", False),
    ],
)
def test_what_can_be_located(text: str, expected: bool) -> None:
    assert is_locatable(text) is expected


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        (" 2.25.17 ", "2.25.17"),
        ("BC076A0800A1", "bc076a0800a1"),
        ("data\\planning\\RP_1.dcm", "data/planning/RP_1.dcm"),
        ('"EP-0123_r1/data/planning/RP_1.dcm"', "EP-0123_r1/data/planning/RP_1.dcm"),
        ("plan", "plan"),
    ],
)
def test_what_is_pasted_is_understood(pasted: str, meant: str) -> None:
    assert as_quoted(pasted) == meant
    assert is_locatable(as_quoted(pasted)) is (meant != "plan")


def test_an_image_that_kept_its_uid_is_found_by_it(built: Callable[[str], Run]) -> None:
    """As those of a supplied case do."""
    run = built("prostate")
    file = next(path for path in sorted(run.order.source.rglob("CT*")) if path.is_file())
    uid = str(pydicom.dcmread(file).SOPInstanceUID)
    assert is_locatable(uid)
    (place,) = locate(uid, origins(run))
    assert run.order.source / place.path == file

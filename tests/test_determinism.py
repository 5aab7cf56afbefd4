"""The same submission gives the same bytes, wherever, whenever and however it is built."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import build_case
import pytest

from rttqa_build import synthetic
from rttqa_build.build import build
from rttqa_build.lock import dump
from rttqa_build.package import archive
from rttqa_build.pseudonym import CentreKey
from rttqa_build.records.release import ACCOUNT
from rttqa_build.stages import packing
from rttqa_build.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from build_case import Run

# Builds what is saved in argv[1] into argv[2] and prints digests; run where the environment must differ.
PROGRAM = """
import sys
from pathlib import Path
import build_case, test_determinism
variant = build_case.named(sys.argv[3])
saved = build_case.synthetic.save(variant.patient(), Path(sys.argv[1]))
made = build_case.build(variant.order(saved, Path(sys.argv[1]), Path(sys.argv[2]), jobs=int(sys.argv[4])))
print(test_determinism.fingerprint(made, Path(sys.argv[2])))
"""
ENVIRONMENTS: dict[str, tuple[int, dict[str, str]]] = {
    "far away, five jobs": (5, {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "1"}),
    "one core, other instructions": (
        1,
        {
            "TZ": "America/St_Johns",
            "LC_ALL": "C",
            "PYTHONHASHSEED": "2",
            "OPENBLAS_NUM_THREADS": "1",
            "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX2 FMA3",
        },
    ),
}


def fingerprint(built: Any, output: Path) -> str:
    """Return digests of everything that must be the same: package, lock, account."""
    package = hashlib.sha256(built.package.read_bytes()).hexdigest()
    lock = hashlib.sha256(dump(built.lock).encode()).hexdigest()
    account = hashlib.sha256((output / ACCOUNT).read_bytes()).hexdigest()
    return f"{package} {lock} {account}"


def of(run: Run) -> str:
    return fingerprint(run.built, run.order.output)


@pytest.mark.parametrize("where", ENVIRONMENTS)
@pytest.mark.parametrize("name", ["prostate"])
def test_other_time_zone_locale_hash_seed_processor_and_umask(
    name: str, where: str, built: Callable[[str], Run], tmp_path: Path
) -> None:
    jobs, wanted = ENVIRONMENTS[where]
    here = Path(__file__).resolve().parent
    environ = {**os.environ, **wanted, "PYTHONPATH": str(here), "PYTHONWARNINGS": "ignore"}
    folders = [str(tmp_path / "anderswo" / "Ex port"), str(tmp_path / "b u i l d")]
    umask = 0o077 if jobs > 1 else 0o002
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *folders, name, str(jobs)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        umask=umask if os.name == "posix" else -1,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == of(built(name))


@pytest.mark.usefixtures("histograms_anew")
@pytest.mark.parametrize(
    ("name", "jobs"), [("two-phases", 1), ("phantom", 1), ("phantom", 2), ("phantom", 5)]
)
def test_any_number_of_jobs(name: str, jobs: int, built: Callable[[str], Run], tmp_path: Path) -> None:
    run = build_case.run(build_case.named(name), tmp_path, jobs=jobs)
    assert of(run) == of(built(name))


def test_twice_into_the_same_folder(tmp_path: Path) -> None:
    run = build_case.run(build_case.named("phantom"), tmp_path)
    first = of(run)
    assert fingerprint(build(run.order), run.order.output) == first


@pytest.mark.parametrize("seed", [1, 2])
def test_other_file_names_and_order_of_files(seed: int, built: Callable[[str], Run], tmp_path: Path) -> None:
    """The names of the files say nothing: objects are known by what they hold."""
    variant = build_case.named("prostate")
    source = tmp_path / "exports" / "EP-0123"
    saved = synthetic.save(variant.patient(), source)
    paths = [path for key, path in saved.paths.items() if key != "forms/PAF.xlsx"]
    chance = random.Random(seed)  # noqa: S311 - the order of files is no secret
    chance.shuffle(paths)
    for number, path in enumerate(paths):
        target = source / "abc"[number % 3] / f"{chance.randrange(10**9)}-{number}"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    made = build(variant.order(saved_without_paths(saved), source, tmp_path / "out"))
    assert made.package is not None
    run = built("prostate")
    assert made.package.read_bytes() == run.package.read_bytes()
    assert made.lock == run.built.lock


def saved_without_paths(saved: synthetic.SyntheticPatient) -> synthetic.SyntheticPatient:
    return synthetic.SyntheticPatient(saved.identity, saved.objects, saved.extras)


def test_another_key_gives_other_pseudonyms_and_the_same_pixels(
    built: Callable[[str], Run], tmp_path: Path
) -> None:
    run = built("phantom")
    other = build_case.run(build_case.named("phantom"), tmp_path, key=CentreKey(bytes(range(1, 33))))
    assert run.built.lock is not None
    assert other.built.lock is not None
    mine = {row.uid for rows in run.built.lock.uids.values() for row in rows}
    theirs = {row.uid for rows in other.built.lock.uids.values() for row in rows}
    assert not mine & theirs
    assert run.built.lock.content != other.built.lock.content
    assert run.members.keys() == other.members.keys()


def test_the_content_digest_does_not_depend_on_compression(
    built: Callable[[str], Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "LEVEL", 9)
    monkeypatch.setattr("rttqa_build.stages.reading.probe", lambda: ())
    run = build_case.run(build_case.named("phantom"), tmp_path)
    first, second = built("phantom").built.lock, run.built.lock
    assert first is not None
    assert second is not None
    assert first.package.sha256 != second.package.sha256
    assert first.content == second.content
    assert verify(run.package, run.package.name).content_digest == first.content


def test_the_package_is_whole_when_the_staging_folder_lies_elsewhere(tmp_path: Path) -> None:
    """The name of the staging folder is nowhere in the package."""
    run = build_case.run(build_case.named("phantom"), tmp_path)
    data = run.package.read_bytes()
    assert packing.STAGING.encode() not in data
    assert str(tmp_path).encode() not in data
    assert all(str(tmp_path).encode() not in member for member in run.members.values())

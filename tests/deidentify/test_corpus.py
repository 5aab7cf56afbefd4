"""Planted identities × the whole build, and the engine on its own: none of them leaves, none is said."""

from __future__ import annotations

import io
import logging
import shutil
import tempfile
import zipfile
from typing import TYPE_CHECKING

import build_case
import corpus
import pydicom
import pytest
from test_no_identity import parts, written

from rttqa_build.build import build
from rttqa_build.deidentify.stream import parse
from rttqa_build.export import export

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from corpus import Corpus

PROSTATE = build_case.named("prostate")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corpus, Path]:
    """The corpus without the flood, and the folder it lies in. Shared: alter a copy."""
    made, folder = corpus.corpus(flood=False), tmp_path_factory.mktemp("corpus")
    corpus.save(made, folder)
    return made, folder


def demand_clean(made: Corpus, texts: Mapping[str, bytes]) -> None:
    assert not {name: hits for name, data in texts.items() if (hits := made.found(data))}


def everything_below(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its path, and what readers of its format see in it."""
    found: dict[str, bytes] = {}
    for path in folder.rglob("*"):
        found[f"path {path.relative_to(folder)}"] = str(path.relative_to(folder)).encode()
        if path.is_file():
            found.update(parts(str(path.relative_to(folder)), path.read_bytes()))
    return found


def test_the_corpus_plants_enough_and_the_search_finds_it(tmp_path: Path) -> None:
    small = corpus.corpus(flood=False)
    assert len(small.planted) >= 150
    made = corpus.corpus()
    assert len(made.planted) >= 1200
    saved = corpus.save(made, tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    hits = {needle for path in files for _, needle in made.found(path.read_bytes() + str(path).encode())}
    missed = {text for text in made.planted if not any(text.encode(c, "ignore") in hits for c in made.codecs)}
    # deflated files hide their strings from this search, and spellings stand for others
    assert len(missed) < 0.02 * len(made.planted)
    assert {item.Modality for item in saved.objects.values()} >= {"CT", "MR", "PT", "REG"}
    assert {item.Modality for item in saved.objects.values()} >= {"RTSTRUCT", "RTPLAN", "RTDOSE"}


LONG = {"ISO_IR 144", "ISO_IR 126"}


@pytest.mark.parametrize(
    "charset",
    [pytest.param(one, marks=pytest.mark.long if one in LONG else ()) for one in corpus.ALPHABETS],
)
def test_nothing_planted_leaves_the_build(
    charset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = corpus.corpus(charset, flood=charset == "ISO_IR 192")
    source, output, temporary = tmp_path / "in", tmp_path / "out", tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    saved = corpus.save(made, source)
    order = PROSTATE.order(saved, source, output)
    said: list[str] = []
    half_way: dict[str, bytes] = {}

    def progress(text: str) -> None:
        said.append(text)
        half_way.update(everything_below(output) | everything_below(temporary))

    with caplog.at_level(logging.DEBUG):
        run = build_case.Run(PROSTATE, saved, order, build(order, progress))
    assert [d for d in run.built.diagnostics if d.fatal and d.code.startswith(("A", "K", "R"))] == []
    assert len([name for name in run.members if name.endswith(".dcm")]) >= 15
    texts = written(run) | everything_below(output)
    texts = {name: data for name, data in texts.items() if "report.html" not in name}
    texts["progress"] = "\n".join(said).encode()
    texts["log"] = caplog.text.encode()
    demand_clean(made, texts | half_way)
    assert not list(temporary.iterdir())
    assert run.order.output.joinpath("report.html").is_file()


def test_the_local_report_names_no_patient(saved: tuple[Corpus, Path], tmp_path: Path) -> None:
    made, source = saved
    order = PROSTATE.order(made.patient, source, tmp_path / "out")
    build(order)
    report = (order.output / "report.html").read_bytes()
    assert {where for where, _ in made.found(report)} <= {"an original UID"}


def test_nothing_planted_leaves_the_engine_on_its_own(tmp_path: Path) -> None:
    made = corpus.corpus()
    saved = corpus.save(made, tmp_path / "in")
    phantom = build_case.named("phantom")
    said: list[str] = []
    exported = export(phantom.order(saved, tmp_path / "in", tmp_path / "out" / "all"), said.append)
    found = exported.diagnostics
    assert [d for d in found if d.fatal] == []
    assert exported.count == len(saved.objects)
    texts = everything_below(tmp_path / "out")
    texts["said"] = "\n".join([*said, *(d.message + d.hint + str(d.where) for d in found)]).encode()
    demand_clean(made, texts)
    kinds = {pydicom.dcmread(path).Modality for path in (tmp_path / "out").rglob("*.dcm")}
    assert kinds == {"CT", "MR", "PT", "RTSTRUCT", "RTPLAN", "RTDOSE", "REG"}


def cut(data: bytes) -> bytes:
    return data[: len(data) - 40]


def no_object(data: bytes) -> bytes:
    return data[:300]


def between_elements(data: bytes) -> bytes:
    """Cut before the last third of the top-level elements: what is left is well-formed."""
    elements = parse(data).elements
    return data[: elements[len(elements) * 2 // 3].start]


def text_conversion(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n").replace(b"\x01", b"\r\n")


@pytest.mark.parametrize(
    ("key", "damage"),
    [
        ("ct/001", cut),
        ("ct/001", no_object),
        ("ct/001", text_conversion),
        ("plan", cut),
        ("structure_set", cut),
        ("dose", cut),
        ("ct/001", between_elements),
        ("plan", between_elements),
        ("structure_set", between_elements),
        ("dose", between_elements),
    ],
)
def test_what_is_said_of_a_damaged_export_names_nobody(
    key: str, damage: Callable[[bytes], bytes], saved: tuple[Corpus, Path], tmp_path: Path
) -> None:
    made, folder = saved
    source = shutil.copytree(folder, tmp_path / "in")
    path = source / made.patient.paths[key].relative_to(folder)
    path.write_bytes(damage(path.read_bytes()))
    order = PROSTATE.order(made.patient, source, tmp_path / "out")
    built = build(order)
    assert built.package is None
    assert any(d.fatal for d in built.diagnostics)
    said = "\n".join(f"{d.code} {d.message} {d.hint} {d.subject} {d.where}" for d in built.diagnostics)
    texts = {name: d for name, d in everything_below(tmp_path / "out").items() if "report.html" not in name}
    demand_clean(made, texts | {"findings": said.encode()})


def test_a_document_with_an_author_leaves_without(saved: tuple[Corpus, Path], tmp_path: Path) -> None:
    made, source = saved
    form = made.patient.extras["forms/PAF.xlsx"]
    with zipfile.ZipFile(io.BytesIO(form)) as archive:
        inside = b"\n".join(archive.read(name) for name in archive.namelist())
    assert len(made.found(inside)) >= 3
    order = PROSTATE.order(made.patient, source, tmp_path / "out")
    run = build_case.Run(PROSTATE, made.patient, order, build(order))
    (name,) = [name for name in run.members if name.endswith(".xlsx")]
    demand_clean(made, dict(parts(name, run.members[name])))

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import bagit
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rttqa_build.diagnostic import RttqaError
from rttqa_build.package import archive, bag, layout, probe, provenance, readme
from rttqa_build.package.archive import Entry, Writer, compress, end_of_directory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NOISE = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(128))
STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
IDENTITY = layout.Identity("example-prostate", "RXX", "EP-0123", "prospective-review", 1)
INFO = bag.BagInfo(
    "EP-0123_r1", "a package\nfor review", "Example Cancer Centre", "Physics", "rt@example.org"
)
FACTS = provenance.Provenance(
    "example-prostate", "ab" * 32, "f40f69391a7fb4d2", {"rttqa-build": "0.1.0"}, {"plan": "12" * 32}
)
PAYLOAD = {
    "data/README.txt": b"what is where\n",
    "data/documents/form.pdf": b"%PDF-" + bytes(range(256)) * 8,
    "data/planning/CT_0001.dcm": b"image" * 500,
    "data/planning/CT_0002.dcm": b"",
}


def records(payload: Mapping[str, bytes]) -> dict[str, bag.Record]:
    return {
        path: bag.Record(hashlib.sha256(content).hexdigest(), len(content))
        for path, content in payload.items()
    }


def build(target: Path, payload: Mapping[str, bytes] = PAYLOAD, jobs: int = 1) -> Writer:
    paths = sorted(payload)
    statement = provenance.statement(bag.content_digest(records(payload)), FACTS)
    with archive.writing(target) as writer, ThreadPoolExecutor(jobs) as pool:
        members = {path: pool.submit(compress, payload[path]) for path in paths}
        for path, member in members.items():
            writer.add(f"EP-0123_r1/{path}", member.result())
        for path, content in bag.tag_files(records(payload), INFO, statement).items():
            writer.add(f"EP-0123_r1/{path}", compress(content))
    return writer


@given(st.binary(max_size=3000) | st.binary(min_size=1, max_size=4).map(lambda seed: seed * 900))
@settings(max_examples=60, deadline=None)
def test_members_survive_the_archive(data: bytes) -> None:
    sink = io.BytesIO()
    writer = Writer(sink)
    member = compress(data)
    writer.add("a/b", member)
    writer.finish()
    assert (member.sha256, member.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert len(member.payload) <= len(data)
    with zipfile.ZipFile(sink) as found:
        assert found.read("a/b") == data
        assert found.testzip() is None


@pytest.mark.parametrize(
    ("data", "method"),
    [
        (b"", STORED),
        (b"a", STORED),
        (NOISE, STORED),
        (b"contour\\" * 100, DEFLATED),
        (bytes(1_000_000), STORED),
    ],
    ids=["empty", "short", "noise", "text", "would look like a bomb"],
)
def test_what_gains_nothing_or_too_much_is_stored(data: bytes, method: int) -> None:
    member = compress(data)
    assert member.method == method
    assert method == DEFLATED or bytes(member.payload) == data


def test_large_members_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LARGEST_COMPRESSED", 1000)
    assert compress(b"ab" * 500).method == DEFLATED
    assert compress(b"ab" * 501).method == STORED


def test_any_buffer_gives_the_same_member() -> None:
    data = b"\1\2\3\4" * 1000
    shapes: list[archive.Buffer] = [data, bytearray(data), memoryview(data), memoryview(data).cast("I")]
    assert (
        len({(m.sha256, m.size, m.crc32, bytes(m.payload)) for m in (compress(shape) for shape in shapes)})
        == 1
    )


def test_headers_hold_no_trace_of_when_and_where(tmp_path: Path) -> None:
    written = build(tmp_path / "p.zip")
    content = (tmp_path / "p.zip").read_bytes()
    assert written.size == len(content)
    with zipfile.ZipFile(tmp_path / "p.zip") as found:
        infos = found.infolist()
    assert [info.filename for info in infos] == sorted(info.filename for info in infos)
    for info in infos:
        assert (info.date_time, info.create_system, info.external_attr >> 16) == (
            (1980, 1, 1, 0, 0, 0),
            3,
            0o100644,
        )
        assert (info.extra, info.comment, info.flag_bits, info.internal_attr) == (b"", b"", 0, 0)


def test_utf8_is_flagged_only_where_needed() -> None:
    sink = io.BytesIO()
    writer = Writer(sink)
    writer.add("plain", compress(b""))
    writer.add("Größe", compress(b""))
    writer.finish()
    with zipfile.ZipFile(sink) as found:
        assert {info.filename: info.flag_bits for info in found.infolist()} == {"plain": 0, "Größe": 0x800}


def test_one_path_cannot_be_written_twice() -> None:
    writer = Writer(io.BytesIO())
    writer.add("a/B", compress(b""))
    with pytest.raises(ValueError, match="one path"):
        writer.add("A/b", compress(b""))


@pytest.mark.parametrize(("jobs", "umask", "zone"), [(1, 0o077, "UTC"), (4, 0o000, "Pacific/Apia")])
def test_same_bytes_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int, umask: int, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    before = os.umask(umask)
    try:
        build(tmp_path / "elsewhere" / "p.zip", dict(reversed(PAYLOAD.items())), jobs)
    finally:
        os.umask(before)
    digest = hashlib.sha256((tmp_path / "elsewhere" / "p.zip").read_bytes()).hexdigest()
    assert digest == "1bc233bf91d3c407537e33cf8e840d720f1c1ebbe54e2c69b0f4c5d2fb9e155b"


def test_plain_unzip_reads_it(tmp_path: Path) -> None:
    build(tmp_path / "p.zip")
    try:
        done = subprocess.run(
            ["unzip", "-q", "p.zip"], cwd=tmp_path, check=False, capture_output=True, timeout=60
        )
    except FileNotFoundError:
        pytest.skip("no unzip on this machine")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    for path, content in PAYLOAD.items():
        assert (tmp_path / "EP-0123_r1" / path).read_bytes() == content


def test_bagit_accepts_the_folder(tmp_path: Path) -> None:
    build(tmp_path / "p.zip")
    with zipfile.ZipFile(tmp_path / "p.zip") as found:
        found.extractall(tmp_path)
    folder = tmp_path / "EP-0123_r1"
    found_bag = bagit.Bag(str(folder))
    found_bag.validate()
    assert found_bag.info["Payload-Oxum"] == f"{sum(map(len, PAYLOAD.values()))}.{len(PAYLOAD)}"
    assert found_bag.info["External-Description"] == "a package for review"
    assert "Bagging-Date" not in found_bag.info
    (folder / "data" / "README.txt").write_bytes(b"what is there\n")
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(folder)).validate()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RttqaError("stop"), ValueError("bug")])
def test_nothing_is_left_when_the_build_fails(
    tmp_path: Path, error: BaseException | type[BaseException]
) -> None:
    target = tmp_path / "p.zip"
    target.write_bytes(b"the last good one")

    def fail() -> None:
        with archive.writing(target) as writer:
            writer.add("a", compress(b"half"))
            raise error

    with pytest.raises((KeyboardInterrupt, RttqaError, ValueError)):
        fail()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"p.zip": b"the last good one"}


def test_a_killed_build_is_swept_by_the_next(tmp_path: Path) -> None:
    script = (
        "import os, sys, pathlib\n"
        "from rttqa_build.package.archive import compress, writing\n"
        "with writing(pathlib.Path(sys.argv[1]) / 'p.zip') as writer:\n"
        "    writer.add('a', compress(b'half'))\n"
        "    os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False, timeout=60)
    (tmp_path / "report.html").write_bytes(b"kept")
    left = [path.name for path in tmp_path.iterdir()]
    assert len(left) == 2
    assert "p.zip" not in left
    build(tmp_path / "p.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.zip", "report.html"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/secret/path")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RttqaError, match="the package: the disk is full") as caught:
        build(tmp_path / "p.zip")
    assert caught.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_is_said(tmp_path: Path) -> None:
    class FullDisk(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(RttqaError, match="full"):
        Writer(FullDisk()).add("a", compress(b""))


def test_zip64_where_a_size_or_an_offset_needs_it(tmp_path: Path) -> None:
    """A sparse file stands in for the large members: only its headers are really written."""
    path, big = tmp_path / "big.zip", (1 << 32) + 7
    large = Entry(b"large", 0, STORED, 0, big, big, 0)
    small = compress(b"behind the large one")
    offset = len(large.local_header()) + big
    behind = Entry(b"small", 0, small.method, small.crc32, len(small.payload), small.size, offset)
    directory = large.central_header() + behind.central_header()
    with path.open("wb") as handle:
        handle.write(large.local_header())
        handle.seek(offset)
        handle.write(behind.local_header() + small.payload)
        start = handle.tell()
        handle.write(directory + end_of_directory(2, len(directory), start))
    with zipfile.ZipFile(path) as found:
        assert [(info.file_size, info.header_offset) for info in found.infolist()] == [
            (big, 0),
            (small.size, offset),
        ]
        assert found.read("small") == b"behind the large one"


def test_zip64_where_the_count_needs_it() -> None:
    sink = io.BytesIO()
    writer = Writer(sink)
    member = compress(b"")
    for number in range(66_000):
        writer.add(str(number), member)
    writer.finish()
    with zipfile.ZipFile(sink) as found:
        assert len(found.infolist()) == 66_000


def test_manifests_are_sorted_by_bytes_and_end_their_lines() -> None:
    payload = records({"data/b": b"1", "data/B": b"2", "data/ä": b"3", "data/a_10": b"4", "data/a_1": b"5"})
    lines = bag.manifest(payload).decode().splitlines(keepends=True)
    assert [line[66:] for line in lines] == ["data/B\n", "data/a_1\n", "data/a_10\n", "data/b\n", "data/ä\n"]
    assert bag.content_digest(payload) == hashlib.sha256(bag.manifest(payload)).hexdigest()


def test_content_digest_ignores_compression_but_not_content() -> None:
    digest = bag.content_digest(records(PAYLOAD))
    assert digest == bag.content_digest(records(dict(reversed(PAYLOAD.items()))))
    assert digest != bag.content_digest(records({**PAYLOAD, "data/README.txt": b"What is where\n"}))
    assert digest != bag.content_digest(records({**PAYLOAD, "data/more.txt": b""}))


def test_statement_names_subject_and_inputs() -> None:
    raw = provenance.statement("cd" * 32, FACTS)
    statement = json.loads(raw)
    assert raw == provenance.statement("cd" * 32, FACTS)
    assert raw.endswith(b"}\n")
    assert b"\r" not in raw
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": "manifest-sha256.txt", "digest": {"sha256": "cd" * 32}}]
    assert statement["predicate"]["inputs"] == [{"name": "plan", "digest": {"hmac-sha256": "12" * 32}}]
    assert statement["predicate"]["keyFingerprint"] == "f40f69391a7fb4d2"


def test_names_come_from_the_identity() -> None:
    assert IDENTITY.folder == "EP-0123_r1"
    assert IDENTITY.package == "example-prostate_RXX_EP-0123_prospective-review_r1.zip"


def test_objects_are_numbered_within_their_folder_and_kind() -> None:
    placed = [
        layout.Placed("planning_image", "CT"),
        layout.Placed("planning_image", "CT"),
        layout.Placed("structure_set", "RTSTRUCT"),
        layout.Placed("plan", "RTPLAN"),
        layout.Placed("plan", "RTPLAN"),
        layout.Placed("dose", "RTDOSE"),
        layout.Placed("registration", "REG"),
        layout.Placed("diagnostic_mr", "MR"),
        layout.Placed("ct_4d", "CT", 1),
        layout.Placed("ct_4d", "CT", 2),
    ]
    assert layout.object_paths(placed) == (
        "data/planning/CT_0001.dcm",
        "data/planning/CT_0002.dcm",
        "data/planning/RS_1.dcm",
        "data/planning/RP_1.dcm",
        "data/planning/RP_2.dcm",
        "data/planning/RD_1.dcm",
        "data/registration/RE_1.dcm",
        "data/diagnostic_mr/MR_0001.dcm",
        "data/ct_4d/series_1/CT_0001.dcm",
        "data/ct_4d/series_2/CT_0001.dcm",
    )


def test_documents_are_named_by_role() -> None:
    assert layout.document_path("plan_assessment_form", "XLSX") == "data/documents/plan_assessment_form.xlsx"


def test_long_paths_are_findings() -> None:
    fits, too_long = "data/" + "a" * 74, "data/" + "a" * 75
    assert [(d.code, d.subject) for d in layout.long_paths("EP-0123_r1", [too_long, fits])] == [
        ("K004", too_long)
    ]


@pytest.mark.parametrize(("size", "limit", "codes"), [(10, None, []), (10, 10, []), (11, 10, ["K003"])])
def test_too_large_for_the_portal(size: int, limit: int | None, codes: list[str]) -> None:
    assert [d.code for d in layout.too_large(size, limit)] == codes


def test_readme_says_what_is_where_and_how_to_check() -> None:
    facts = readme.Readme(IDENTITY, "Example prostate trial", "Example Centre", "Physics", "rt@example.org")
    paths = [*PAYLOAD, "data/planning/RS_1.dcm", layout.SUMMARY]
    text = readme.readme(facts, paths).decode()
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert text == readme.readme(facts, reversed(paths)).decode()
    assert "data/planning/CT_*.dcm 2 CT images" in lines
    assert "data/planning/RS_*.dcm 1 structure set" in lines
    assert "data/clinical_summary.pdf" in lines
    assert f"certutil -hashfile {IDENTITY.package} SHA256" in text
    assert "sha256sum -c manifest-sha256.txt" in text
    assert "rt@example.org" in text


@pytest.mark.parametrize("document", [b'#set document(title: "Other")', b"no title: refused"])
def test_probe_knows_the_pinned_versions(monkeypatch: pytest.MonkeyPatch, document: bytes) -> None:
    assert probe.probe() == ()
    monkeypatch.setattr(archive, "LEVEL", 6)
    monkeypatch.setattr(probe, "_DOCUMENT", document)
    assert [d.code for d in probe.probe()] == ["K001", "K002"]

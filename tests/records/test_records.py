from __future__ import annotations

import json
from pathlib import Path

import pytest
from lock_builder import make_lock

from rttqa_build import lock, records
from rttqa_build.records import SCHEMAS, Records, approval, outcome, receipt
from rttqa_build.records.approval import Approval
from rttqa_build.records.outcome import Grade, Review
from rttqa_build.records.receipt import About, Attempt, Notice, Receipt, Sent, Withdrawal
from rttqa_build.schema import CompiledSchema, Schema

FOLDER = Path(__file__).resolve().parents[2] / "schemas"


def resolve(name: str) -> Schema:
    schema: Schema = json.loads((FOLDER / name).read_text("utf-8"))
    return schema


COMPILED = {name: CompiledSchema(resolve(file), resolve) for name, file in SCHEMAS.items()}
YES = Approval("physicist", "a@example.org", "2026-11-22", "d" * 64)
SENT = Receipt().begun(
    Attempt(1, "d" * 64, "x_000000000000.zip", 14, "e" * 64, "folder", "2026-11-22T10:00:00Z")
)
SENT = SENT.noticed(Notice(1, About.ANNOUNCEMENT, "2026-11-22T10:00:00Z", "<1@x>", Sent.SENT))
SENT = SENT.withdrew(Withdrawal("withdrawn", "wrong patient", "a@example.org", "2026-11-23T10:00:00Z"))
REVIEW = Review(1, Grade.ACCEPTABLE, True, "2026-11-24", "a@example.org")
TEXTS = {
    "lock.yaml": lock.dump(make_lock()),
    "approval.yaml": approval.dump([YES]),
    "receipt.yaml": receipt.dump(SENT),
    "outcome.yaml": outcome.dump([REVIEW]),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text, "utf-8", newline="\r\n")
    return tmp_path


def read(folder: Path) -> Records:
    return records.read(folder, "submissions/x", COMPILED)


def test_what_was_written_is_read(folder: Path) -> None:
    assert read(folder) == Records(make_lock(), (YES,), SENT, (REVIEW,))


def test_what_is_missing_is_no_finding(tmp_path: Path) -> None:
    assert read(tmp_path) == Records()


@pytest.mark.parametrize(
    ("name", "code"),
    [("lock.yaml", "M408"), ("approval.yaml", "M409"), ("receipt.yaml", "M410"), ("outcome.yaml", "M411")],
)
@pytest.mark.parametrize(
    "data", [b"", b"[]\n", b"\x00\xff", b"x: [\n", b"lock: 1\n", b"{" * 3000, b"<<<<<<< HEAD\nlock: 1\n"]
)
def test_a_damaged_file_is_one_finding(name: str, code: str, data: bytes, folder: Path) -> None:
    (folder / name).write_bytes(data)
    (told,) = read(folder).diagnostics
    assert (told.code, told.fatal, told.where.file) == (code, True, f"submissions/x/{name}")
    assert "git restore" in told.hint


@pytest.mark.parametrize("name", TEXTS)
def test_a_cut_file_is_never_an_exception(name: str, folder: Path) -> None:
    text = TEXTS[name]
    for end in range(0, len(text), 37):
        (folder / name).write_text(text[:end], "utf-8")
        read(folder)

"""Files beside manifests: what identifies in them is found where it stands, and never shown."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rttqa_build.centre.beside import files, searched
from rttqa_build.library import Library
from rttqa_build.settings import IdentifierPattern

ROOT = Path(__file__).resolve().parents[2]
OWN = (IdentifierPattern("hospital number", r"\b[A-Z]\d{6}\b"),)
CONTACTS = ("rt.physics@example.nhs.uk", "Dr Hargreaves")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"Low-volume disease. Ask rt.physics@example.nhs.uk, or Dr Hargreaves.\n", []),
        (b"one\nNHS number 999 000 0018\n", [("M260", 2)]),
        (b"CHI number:\n9990000018\n", [("M260", 1)]),
        (b"a\r\nborn 7 March 1951\r\n", [("M260", 2)]),
        (b"lives at AB1 2DE\ncall 01632 960123\n", [("M261", 1), ("M261", 2)]),
        (b"seen by Mrs O'Neill\n", [("M261", 1)]),
        (b"ask jane@hospital.nhs.uk or qa@example.org\n", [("M261", 1)]),
        (b"- {role: physicist, by: jane@hospital.nhs.uk, date: 2026-11-20}\n", []),
        (b"by: jane@hospital.nhs.uk\nreason: Mr Smith rang\n", [("M261", 2)]),
        (b"ID H123456\n", [("M262", 1)]),
        ("NHS 999 000 0018 für\n".encode("latin-1"), [("M260", 1)]),
        ("NHS 999 000 0018".encode("utf-16"), [("M260", 1)]),
        ("a\nNHS 999 000 0018".encode("utf-8-sig"), [("M260", 2)]),
        (b"PK\x03\x04\0\0", [("M264", 0)]),
        (b"\0" * 128 + b"DICM" + b"\0" * 9, [("M263", 0)]),
        (b"#" * ((1 << 20) + 1), [("M264", 0)]),
    ],
)
def test_a_file(data: bytes, expected: list[tuple[str, int]], tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(data)
    found = searched(path, "notes.txt", OWN, CONTACTS)
    assert [(one.code, one.where.line) for one in found] == expected
    for one in found:
        assert one.where.file == "notes.txt"
        assert not [w for w in ("999", "1951", "AB1", "960", "Neill", "jane", "H12") if w in one.message]


def test_long_words_do_not_hang(tmp_path: Path) -> None:
    """A picture as text, say, on one line."""
    path = tmp_path / "notes.txt"
    path.write_bytes(b"YWJj" * 200_000 + b" @")
    started = time.process_time()
    assert searched(path, "notes.txt", OWN, CONTACTS) == ()
    assert time.process_time() - started < 3


def test_files_are_sorted_and_links_stay_out(tmp_path: Path) -> None:
    for name in ("b.txt", "a/c.txt", ".hidden", ".DS_Store"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "b.txt")
    assert [path.name for path in files(tmp_path)] == [".hidden", "c.txt", "b.txt"]
    assert [path.name for path in files(tmp_path, deep=False)] == [".hidden", "b.txt"]


@pytest.mark.parametrize("folder", ["trials", "schemas", "rttqa_build/data/scaffold"])
def test_what_is_shipped_is_no_alarm(folder: str) -> None:
    contacts = [one.trial.contact.email for one in Library().trials() if one.trial]
    found = [one for path in files(ROOT / folder) for one in searched(path, path.name, OWN, contacts)]
    assert found == []

"""The catalogue: every code is whole, is emitted somewhere, and occurs in some test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rttqa_build.codes import CATALOGUE, FAMILIES

ROOT = Path(__file__).resolve().parents[1]
CODE = re.compile(r"\b[A-Z]\d{3}\b")


def codes_in(folder: str, *suffixes: str, leave_out: str = "") -> set[str]:
    """Return every code that the files below a folder mention."""
    files = (path for path in (ROOT / folder).rglob("*") if path.suffix in suffixes and path.is_file())
    kept = (path for path in files if not leave_out or leave_out not in path.parts)
    return {code for path in kept for code in CODE.findall(path.read_text("utf-8"))}


def test_every_code_occurs_in_a_test() -> None:
    tested = codes_in("tests", ".py") | codes_in("trials", ".expected")
    assert sorted(CATALOGUE.keys() - tested) == []


def test_every_code_is_emitted_and_every_emitted_code_is_in_the_catalogue() -> None:
    emitted = codes_in("rttqa_build", ".py", leave_out="codes")
    assert sorted(CATALOGUE.keys() - emitted) == []


@pytest.mark.parametrize("code", CATALOGUE)
def test_entries_are_whole(code: str) -> None:
    entry = CATALOGUE[code]
    assert CODE.fullmatch(code)
    assert code[0] in FAMILIES
    assert entry.title
    assert not entry.title.endswith(".")
    assert all(
        text.strip() and text.rstrip().endswith((".", "?", ")"))
        for text in (entry.meaning, entry.why, entry.mend)
    )
    assert entry.severity in ("error", "warning", "info")

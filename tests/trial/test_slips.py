"""What YAML takes for something else than its author: told where it is suspicious, and only there."""

from __future__ import annotations

import pytest

from rttqa_build.library import Library

LIBRARY = Library()
MANIFEST = """\
manifest: 1
trial: example-phantom  # a comment
submission:
  patient: P1  #a comment without a space
  purpose: dummy-run #another
  revision: 2 #2
  kind: replacement # of the first
  reason: REASON
source: P1 # below data_root
data:
  plan: {label: "Plan #1"}  # the second #1 is the rejected one
  dose:
    sha256: 3fa94c #dose of the plan
structures:
  Target: PTV
  Cord: SpinalCord
"""


def found(old: str = "", new: str = "") -> list[str]:
    reading = LIBRARY.read_manifest(MANIFEST.replace(old, new, 1).encode(), "m.yaml")
    assert reading.manifest is not None
    return [f"{d.where.line}:{d.where.column} {d.code}" for d in reading.diagnostics]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", []),
        ("PTV\n", "PTV #60\n", ["15:11 M226"]),
        ("PTV\n", "PTV #60\r\n", ["15:11 M226"]),
        ("PTV\n", "PTV #2 final\n", ["15:11 M226"]),
        ("PTV\n", "PTV #A\n", ["15:11 M226"]),
        ("PTV\n", "PTV #LN2\n", ["15:11 M226"]),
        ("PTV\n", "60 #2\n", ["15:11 M226"]),
        ('"Plan #1"}', "Plan}", []),
        ("REASON", "new plan, see ticket #4711", ["8:11 M226"]),
        ("source: P1 #", "source: P1 #2 #", ["9:9 M226"]),
        ("PTV\n", "'PTV #60'\n", []),
        ("PTV\n", "PTV#60\n", []),
        ("PTV\n", "PTV  #60 as planned\n", []),
        ("PTV\n", "PTV # 60 Gy\n", []),
        ("PTV\n", "PTV #checked by a physicist\n", []),
        ("PTV\n", "PTV #done\n", []),
        ("PTV\n", "|\n    PTV #60\n", []),
        ("REASON", ">\n    ticket\n    #4711", []),
        ("REASON", "ticket  # 4711", []),
    ],
)
def test_texts_cut_short(old: str, new: str, expected: list[str]) -> None:
    assert found(old, new) == expected


@pytest.mark.parametrize(
    "word", ["absent", "absent, nephrectomy", "Absent", "none", "N/A", "not contoured", "--", "no"]
)
def test_structures_called_absent(word: str) -> None:
    assert found("SpinalCord", word) == ["16:9 M227"]
    assert found("SpinalCord", f"'{word}'") == []
    assert found("SpinalCord", f"{{absent: '{word}'}}") == []


@pytest.mark.parametrize(
    "name", ["Cord none", "No_PTV", "NA01", "missing tissue", "notch", "absentee", "Node"]
)
def test_structures_called_something_like_it(name: str) -> None:
    assert found("SpinalCord", name) == []


def test_both_are_warnings_without_the_text() -> None:
    text = MANIFEST.replace("PTV\n", "PTV #60\n").replace("SpinalCord", "absent")
    reading = LIBRARY.read_manifest(text.encode(), "m.yaml")
    assert [d.fatal for d in reading.diagnostics] == [False, False]
    assert all("60" not in d.message and "absent" not in d.message for d in reading.diagnostics)
    assert [d.where.item for d in reading.diagnostics] == ["structures.Target", "structures.Cord"]


def test_a_clinical_file_is_read_alike() -> None:
    reading = LIBRARY.read_manifest(MANIFEST.encode(), "m.yaml")
    assert reading.manifest is not None
    data = b"history: lesion #3 treated # b\n"
    _, told = LIBRARY.read_clinical(data, "clinical file", reading.manifest)
    assert [f"{d.where.line} {d.code}" for d in told] == ["1 M226"]

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from case_builder import manifest, mapped

from rttqa_build.library import Library
from rttqa_build.naming import mappings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rttqa_build.naming.mappings import Mappings

SCHEMA = Library().schema("mappings")
KNOWN: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "other": {"Rectum": ("rectum",)},
    "trial": {"PTV": ("a", "b")},
}


def remembered(known: Mappings, **names: str) -> Mappings:
    return mappings.remember(known, [manifest(**mapped(**names))], lambda text: "Mr" in text)


def test_what_was_received_is_added_sorted() -> None:
    told = remembered(KNOWN, Rectum=" my rectum ", PTV="a1", CTV="CTV", GTV="-none drawn", Cord="Mr Smith")
    assert told == {
        "other": {"Rectum": ("rectum",)},
        "trial": {"PTV": ("a", "a1", "b"), "Rectum": ("my rectum",)},
    }
    backwards = {trial: dict(reversed(list(names.items()))) for trial, names in reversed(list(told.items()))}
    assert mappings.dump(remembered(backwards)) == mappings.dump(told)
    assert remembered(told, PTV="a") == told


def test_it_reads_back(tmp_path: Path) -> None:
    path = tmp_path / mappings.FILE
    assert mappings.read(path, SCHEMA) == (None, ())
    odd = {"trial": {"PTV": ("60", "a: b", "no", "\u00b5 # x")}}
    path.write_bytes(mappings.dump(odd).encode())
    document, told = mappings.read(path, SCHEMA)
    assert document is not None
    assert (mappings.from_document(document), told) == (odd, ())


@pytest.mark.parametrize(
    "text", ["", "[", "mappings: []\n", "mappings: {t: {PTV: a}}\n", "mappings: {t: {PTV: []}}\n", "x: 1\n"]
)
def test_a_damaged_file_is_one_finding_that_stops_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / mappings.FILE
    path.write_text(text, "utf-8")
    document, (told,) = mappings.read(path, SCHEMA)
    assert (document, told.code, told.fatal, told.where.file) == (None, "M412", False, mappings.FILE)

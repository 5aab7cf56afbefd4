from __future__ import annotations

import pytest
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from rttqa_build.deidentify.table import Kept, Row, read_keep_list, read_table

ROWS, KEPT = read_table(), read_keep_list()
CODES = {"X", "Z", "D", "U", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"}


def test_the_table_is_whole() -> None:
    assert len(ROWS) == 656
    assert len({row.tag for row in ROWS}) == len(ROWS)
    assert {row.basic for row in ROWS} == CODES
    assert sum(row.number is None for row in ROWS) == 4


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.keyword)
def test_rows_agree_with_the_data_dictionary(row: Row) -> None:
    """Where the library's dictionary knows the tag, keyword and VR are the same."""
    if row.number is not None and keyword_for_tag(row.number):
        assert keyword_for_tag(row.number) == row.keyword
        assert dictionary_VR(row.number) in (row.vr, "SQ" if not row.vr else row.vr)


@pytest.mark.parametrize("line", KEPT, ids=lambda line: line.keyword)
def test_every_kept_line_has_a_real_keyword_and_a_reason(line: Kept) -> None:
    assert tag_for_keyword(line.keyword) == line.tag
    assert len(line.reason) > 8
    assert line.action in ("keep", "clean", "code", "dummy", "empty")
    assert (line.action == "dummy") <= bool(line.dummy)
    assert line.dummy.isascii()
    assert len(line.dummy) <= 16


def test_the_keep_list_names_each_tag_once_and_no_person() -> None:
    assert len({line.tag for line in KEPT}) == len(KEPT)
    assert all(dictionary_VR(line.tag) not in ("PN", "DA", "DT", "SQ", "UN") for line in KEPT)
    assert all(
        dictionary_VR(line.tag) in ("UI", "OF") or line.action != "keep" or line.tag > 0x00280000
        for line in KEPT
    )


@pytest.mark.parametrize(
    ("row", "tag", "covered"),
    [
        ("50xxxxxx", 0x50003000, True),
        ("50xxxxxx", 0x50FE0010, True),
        ("50xxxxxx", 0x51000000, False),
        ("60xx3000", 0x60023000, True),
        ("60xx3000", 0x60023001, False),
        ("ggggeeee", 0x32530010, True),
        ("ggggeeee", 0x32540010, False),
    ],
)
def test_wildcards(row: str, tag: int, *, covered: bool) -> None:
    (wildcard,) = [r for r in ROWS if r.tag == row]
    assert wildcard.covers(tag) is covered

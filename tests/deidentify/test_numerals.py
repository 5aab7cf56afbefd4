"""Numbers and text of a person under VRs that hold neither."""

from __future__ import annotations

import pytest

from rttqa_build.deidentify.numerals import reads_as_text, whole_numbers

NUMBER = "9990000018"


@pytest.mark.parametrize(
    "value",
    [b"9990000018", b"1\\9990000018", b"9990000018.0", b"+9990000018 ", b"-9990000018.", b"0009990000018"],
)
def test_a_number_is_found_however_it_is_written(value: bytes) -> None:
    assert NUMBER in whole_numbers(value)


@pytest.mark.parametrize("value", [b"", b"123456", b"0.9990000018", b"1.5\\2.5", b"9990000018\\" * 40])
def test_measures_are_no_whole_numbers(value: bytes) -> None:
    assert whole_numbers(value) == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"J483920 ", True), (b"WILFRED\0", True), (b"WIL", False), (b"1234", False), (b"\1\2AB\3", False)],
)
def test_binary_that_reads_as_text(value: bytes, text: bool) -> None:
    assert reads_as_text(value) is text

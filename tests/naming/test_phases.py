"""Ids for the series of a 4D CT, from their labels."""

from __future__ import annotations

import pytest

from rttqa_build.naming.phases import phase_id


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("20% phase", "phase20"),
        ("Thorax 4D 0 % insp", "phase0"),
        ("RESP 100%", "phase100"),
        ("Average CT", "average"),
        ("AIP", "average"),
        ("4D MIP", "mip"),
        ("MinIP", "minip"),
        ("Min IP", "minip"),
        ("0% to 90%", ""),
        ("average of 30%", ""),
        ("Thorax 3.0 B31f", ""),
        ("Maverick", ""),
        ("", ""),
    ],
)
def test_what_a_label_says(label: str, expected: str) -> None:
    assert phase_id(label) == expected

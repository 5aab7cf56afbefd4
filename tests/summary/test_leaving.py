from __future__ import annotations

import pytest

from rttqa_build.summary.context import FreeText
from rttqa_build.summary.leaving import Group, Row, groups, in_words


def of(role: str, attribute: str, text: str) -> FreeText:
    return FreeText(f"{role}: {attribute}", text, role, attribute)


def test_what_is_said_again_is_said_once() -> None:
    texts = (
        FreeText("Clinical: History", "none"),
        FreeText("Beam name", "Arc 1"),
        FreeText("Beam name", "Arc 2"),
        of("dose", "Manufacturer", "Maker"),
        of("plan", "BeamName", "Arc 1"),
        of("plan", "BeamName", "Arc 2"),
        of("plan", "Manufacturer", "Maker"),
        of("plan", "Manufacturer", "Linacs"),
        of("planning_image", "SoftwareVersions", "1.0"),
        of("structure_set", "ROIName", "PTV"),
    )
    assert groups(texts) == (
        Group(
            "Clinical summary", (Row("Clinical: History", ("none",)), Row("Beam name", ("Arc 1", "Arc 2")))
        ),
        Group(
            "Makers and software",
            (
                Row("Manufacturer", ("Linacs",), "plan"),
                Row("Manufacturer", ("Maker",), "dose distribution, plan"),
                Row("Software Versions", ("1.0",), "planning images"),
            ),
            shared=True,
        ),
        Group("Plan", (Row("Beam Name", ("Arc 1", "Arc 2")),)),
        Group("Structure set", (Row("ROI Name", ("PTV",)),)),
    )


def test_nothing_leaves() -> None:
    assert groups(()) == ()


@pytest.mark.parametrize(
    ("keyword", "words"),
    [("RTPlanLabel", "RT Plan Label"), ("ROIName", "ROI Name"), ("Manufacturer", "Manufacturer"), ("", "")],
)
def test_keywords_in_words(keyword: str, words: str) -> None:
    assert in_words(keyword) == words

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rttqa_build.deidentify.labels import LABELS, dated_labels, holds_date

BEAM_NAME, SOFTWARE = 0x300A00C2, 0x00181020


@pytest.mark.parametrize(
    "text",
    [
        *("Ant 29022020", "20200229", "CT_290220", "29/02/2020", "29.2.20", "29-02-20", "2020-02-29"),
        *("29 Feb 2020", "29feb20", "1st March 2021", "Plan 3.11.2019 b", "replan_15_06_2023", "9 SEP 1999"),
    ],
)
def test_dates_are_seen(text: str) -> None:
    assert holds_date(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "PTV_6000", "PTV 60 Gy", "Arc 1 181-179", "G180 C30", "6 MV FFF", "31022020", "99999999"),
        *("PTV_4600_3", "1234567890", "Prostate60/20", "20Gy", "5 mm", "v1.2.345", "may", "Rectum2"),
    ],
)
def test_other_labels_are_none(text: str) -> None:
    assert not holds_date(text)


@given(st.dates(), st.sampled_from(["%d%m%Y", "%Y%m%d", "%d/%m/%Y", "%d %b %Y", "%Y-%m-%d"]))
def test_every_date_of_this_and_the_last_century_is_seen(day: object, spelling: str) -> None:
    from datetime import date

    assert isinstance(day, date)
    text = f"Boost {day.strftime(spelling)} b"
    assert holds_date(text) or not 1900 <= day.year < 2100


def test_a_dated_label_is_one_warning_an_attribute_and_shows_it_only_locally() -> None:
    texts = [
        (BEAM_NAME, "Ant 29022020"),
        (BEAM_NAME, "Post 29022020"),
        (BEAM_NAME, "Arc"),
        (SOFTWARE, "15.6.03"),
    ]
    (found,) = dated_labels(texts, "plan")
    assert (found.code, found.fatal, found.subject, found.where.item) == ("A007", False, "plan", "BeamName")
    assert "2902" not in found.message + found.hint
    assert found.local == "Ant 29022020, Post 29022020"


def test_labels_are_those_of_the_dictionary() -> None:
    from pydicom.datadict import keyword_for_tag

    assert all(keyword_for_tag(tag) == keyword for tag, keyword in LABELS.items())

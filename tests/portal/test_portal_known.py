"""The file of trusted hosts beside the key, and when a host may be asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rttqa_build.diagnostic import UsageError
from rttqa_build.portal import known
from rttqa_build.portal.known import Host, Known

if TYPE_CHECKING:
    from pathlib import Path

NAME = "portal.example.org"


def minute(number: int) -> str:
    return f"2026-11-22T{10 + number // 60:02d}:{number % 60:02d}:00Z"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / known.FILE
    assert known.read(path) == Known()
    trusted = Host(NAME, trusted=minute(0), by="a@example.org").after_refusal(minute(1))
    hosts = Known().having(trusted).having(Host("a.example.org").after_throttling(minute(2)))
    known.write(path, hosts)
    assert known.read(path) == hosts
    assert [one.host for one in hosts.hosts] == ["a.example.org", NAME]
    assert hosts.host(NAME) == trusted
    assert hosts.host("never.example.org") == Host("never.example.org")
    assert hosts.having(Host(NAME)).host(NAME) == Host(NAME)


@pytest.mark.parametrize(
    "text",
    [
        "hosts: [",
        "[]\n",
        "hosts:\n- x\n",
        "hosts:\n- {host: a, not_before: soon}\n",
        "hosts:\n- {host: a, refused: [1]}\n",
    ],
)
def test_a_damaged_file_trusts_nobody(text: str, tmp_path: Path) -> None:
    path = tmp_path / known.FILE
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match="damaged"):
        known.read(path)


def test_a_shut_out_hospital_waits_half_an_hour() -> None:
    host = Host(NAME).after_throttling(minute(5))
    assert host.not_before == minute(35)
    assert host.waits(minute(34))
    assert not host.waits(minute(35))


def test_five_refusals_in_half_an_hour_are_the_most() -> None:
    host = Host(NAME)
    for number in (0, 4, 8, 12):
        host = host.after_refusal(minute(number))
        assert not host.waits(minute(number))
    host = host.after_refusal(minute(16))
    assert host.not_before == minute(30)
    again = Host(NAME, refused=tuple(minute(one) for one in (0, 4, 8, 12))).after_refusal(minute(31))
    assert not again.waits(minute(31))
    assert again.refused == tuple(minute(one) for one in (4, 8, 12, 31))


@given(st.lists(st.integers(0, 600), max_size=60))
def test_no_half_hour_ever_sees_more_than_five(minutes: list[int]) -> None:
    host, asked = Host(NAME), []
    for number in sorted(minutes):
        if not host.waits(minute(number)):
            asked.append(number)
            host = host.after_refusal(minute(number))
    assert all(sum(0 <= one - first < 30 for one in asked) <= 5 for first in asked)

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rttqa_build.inflight import mapped


def run(sizes: list[int], ahead: int, threads: int = 3) -> tuple[list[int], int]:
    """Return the results, and how large what was at work together was at most."""
    lock, now, most = threading.Lock(), [0], [0]

    def begun(size: int) -> int:
        with lock:
            now[0] += size
            most[0] = max(most[0], now[0])
        return size * size

    found = []
    with ThreadPoolExecutor(threads) as pool:
        for result, size in zip(mapped(pool, begun, sizes, int, ahead), sizes, strict=True):
            found.append(result)
            with lock:
                now[0] -= size
    return found, most[0]


@pytest.mark.parametrize(
    ("sizes", "ahead", "most"),
    [
        ([], 2, 0),
        ([5], 2, 5),
        ([5] * 7, 4, 5),
        ([5] * 7, 5, 10),
        ([9, *[1] * 30], 3, 12),
        ([9, 9, 9, 9, 1], 0, 9),
        ([0] * 5, 0, 0),
    ],
)
def test_order_is_kept_and_the_memory_bounded(sizes: list[int], ahead: int, most: int) -> None:
    found, together = run(sizes, ahead)
    assert found == [size * size for size in sizes]
    assert together <= most


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=20), st.integers(0, 9), st.integers(1, 4))
def test_never_more_than_the_largest_and_what_may_run_ahead(
    sizes: list[int], ahead: int, threads: int
) -> None:
    found, together = run(sizes, ahead, threads)
    assert found == [size * size for size in sizes]
    assert together <= max(sizes, default=0) + ahead


def test_small_ones_run_ahead_of_a_large_one() -> None:
    """The thread that has the large one does not keep the other one waiting."""
    small = threading.Event()

    def work(size: int) -> bool:
        if size == 1:
            small.set()
            return True
        return small.wait(10)

    with ThreadPoolExecutor(2) as pool:
        assert all(mapped(pool, work, [9, 1], int, 1))


def test_an_error_comes_out() -> None:
    with ThreadPoolExecutor(2) as pool, pytest.raises(ZeroDivisionError):
        list(mapped(pool, lambda item: 1 // item, [1, 0, 1], int))

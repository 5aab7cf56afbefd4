"""``Executor.map`` with an eye on the memory: at work is the largest item, and some small ones beside it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor, Future

In = TypeVar("In")
Out = TypeVar("Out")

AHEAD = 32 << 20  # bytes: what the other threads have to do while the largest item is at work


def mapped(
    pool: Executor,
    work: Callable[[In], Out],
    items: Iterable[In],
    size: Callable[[In], int],
    ahead: int = AHEAD,
) -> Iterator[Out]:
    """Yield what comes of each item, in their order.

    Those that are begun and not yet yielded have together at most the ``size`` of the largest and ``ahead``
    bytes more, however many threads there are: memory grows with the largest item only.
    """
    waiting = deque(items)
    room = max(map(size, waiting), default=0) + ahead
    flying: deque[tuple[Future[Out], int]] = deque()
    while waiting or flying:
        while waiting and size(waiting[0]) <= room:
            item = waiting.popleft()
            room -= size(item)
            flying.append((pool.submit(work, item), size(item)))
        result, freed = flying.popleft()
        yield result.result()
        room += freed

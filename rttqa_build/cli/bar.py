"""How far an upload is: a bar on a terminal, else a line now and then; on standard error."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_EVERY = 10.0  # seconds between plain lines
_MB = 1e6


class Upload:
    """Called with the bytes sent and the size; fewer bytes than before begin another try."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal
        self._bar: Progress | None = None
        self._done = 0
        self._since = self._told = 0.0

    def __call__(self, done: int, size: int) -> None:
        """Show it; a terminal that has gone must not look like a connection that broke."""
        with contextlib.suppress(OSError, ValueError):
            self._show(done, size)

    def _show(self, done: int, size: int) -> None:
        if not self._done or done < self._done:
            self._begin(size)
        self._done = done
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[-1], completed=done)
        elif time.monotonic() - self._told >= _EVERY:
            self._told = time.monotonic()
            rate = done / (self._told - self._since) / _MB
            sys.stderr.write(f"uploaded {done / _MB:.0f} of {size / _MB:.0f} MB, {rate:.1f} MB/s\n")

    def close(self) -> None:
        """Leave the terminal to others."""
        if self._bar is not None:
            with contextlib.suppress(OSError, ValueError):
                self._bar.stop()
        self._bar, self._done = None, 0

    def _begin(self, size: int) -> None:
        self.close()
        self._since = self._told = time.monotonic()
        if self._terminal:
            self._bar = _bar()
            self._bar.start()
            self._bar.add_task("uploading", total=size)


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.progress import TransferSpeedColumn as Rate

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True))

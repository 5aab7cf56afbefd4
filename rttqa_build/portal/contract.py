"""What every portal can do, and how a file is named there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.receipt import Outcome


class Portal(Protocol):
    """A place that packages are handed over to."""

    @property
    def host(self) -> str:
        """Return what the receipt calls the portal: its host name, or ``folder``."""

    @property
    def local(self) -> bool:
        """Return whether nothing leaves this computer's own folders and loopback."""

    def preflight(self, need: int) -> tuple[Diagnostic, ...]:
        """Say what speaks against handing over ``need`` bytes, without sending anything."""

    def put(self, handle: BinaryIO, name: str, size: int, sha256: str) -> Outcome:
        """Hand over the file behind ``handle`` (read from its start) under ``name``.

        ``size`` in bytes and ``sha256`` (hex) are what the bytes must turn out to be. Never raises for what
        disk, network or portal do: that is the outcome.
        """


def remote_name(package: str, sha256: str, tried: int) -> str:
    """Return the name at the portal: the package's, 12 hex digits of its SHA-256, and the number of the try.

    ``tried`` counts earlier attempts with the same bytes: each further one takes a new name.
    """
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", package.removesuffix(".zip")) or "package"
    suffix = f"_t{tried + 1}" if tried else ""
    return f"{stem}_{sha256[:12]}{suffix}.zip"

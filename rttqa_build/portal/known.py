"""The hosts that this centre trusts, and when one may be asked again: a file beside the key, outside Git.

What lies in the repository can name another host; only a person at the centre can make it a trusted one.
Times are ISO 8601, UTC, with ``Z``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from rttqa_build import disk, source
from rttqa_build.diagnostic import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.source import Json

FILE = "rttqa-portals.yaml"
# A Nextcloud shuts out an address with more than 10 refused logins in 30 minutes; a hospital has one address.
_WINDOW = dt.timedelta(minutes=30)
_MOST = 5
_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Host:
    """One host: trusted since and by whom; when it refused a login lately; the earliest time to ask again."""

    host: str
    trusted: str = ""
    by: str = ""
    refused: tuple[str, ...] = ()
    not_before: str = ""

    def waits(self, now: str) -> bool:
        """Return whether it is too early to send anything."""
        return now < self.not_before

    def after_refusal(self, now: str) -> Host:
        """Return the host after a refused login: far from the server's limit, nobody asks any more."""
        since = _moved(now, -_WINDOW)
        refused = (*(one for one in self.refused if one > since), now)
        wait = _moved(refused[-_MOST], _WINDOW) if len(refused) >= _MOST else ""
        return replace(self, refused=refused, not_before=max(self.not_before, wait))

    def after_throttling(self, now: str) -> Host:
        """Return the host after it has shut this hospital out."""
        return replace(self, not_before=max(self.not_before, _moved(now, _WINDOW)))


@dataclass(frozen=True, slots=True)
class Known:
    """All hosts of the file."""

    hosts: tuple[Host, ...] = ()

    def host(self, name: str) -> Host:
        """Return what is known of a host; nothing of one that is not in the file."""
        return next((one for one in self.hosts if one.host == name), Host(name))

    def having(self, host: Host) -> Known:
        """Return the same with this host, in the place of what was known of it."""
        others = (one for one in self.hosts if one.host != host.host)
        return Known(tuple(sorted((*others, host), key=lambda one: one.host)))


def read(path: Path) -> Known:
    """Return what the file says, nothing where there is none. Raises UsageError when it is damaged."""
    if not path.exists():
        return Known()
    document, _ = source.parse(disk.read(path, _LIMIT, FILE), FILE)
    try:
        data = cast("dict[str, Any]", document.data if document else {})
        return Known(tuple(_host(row) for row in data["hosts"]))
    except (KeyError, TypeError, AttributeError, ValueError):
        raise UsageError(
            f"{FILE} beside the key is damaged",
            "remove it, then trust the portal's host again: `rttqa-build portal trust HOST`",
        ) from None


def _host(row: dict[str, Any]) -> Host:
    texts = {name: str(row.get(name, "")) for name in ("trusted", "by", "not_before")}
    refused = tuple(str(one) for one in row.get("refused", []))
    _ = [_moved(one, _WINDOW) for one in (*refused, texts["not_before"]) if one]
    return Host(str(row["host"]), refused=refused, **texts)


def write(path: Path, known: Known) -> None:
    """Write the file. Raises RttqaError when the disk fails."""
    rows: list[Json] = [_row(one) for one in known.hosts]
    disk.write(path, source.dump({"portals": 1, "hosts": rows}).encode())


def _row(host: Host) -> dict[str, Json]:
    pairs = {name: getattr(host, name) for name in Host.__slots__}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in pairs.items() if value
    }


def _moved(time: str, by: dt.timedelta) -> str:
    moved = dt.datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC) + by
    return moved.strftime("%Y-%m-%dT%H:%M:%SZ")

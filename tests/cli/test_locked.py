"""``build --locked``: the same again, or what differs; nothing on disk changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cli_centre import snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from cli_centre import Centre


def files(centre: Centre) -> tuple[Path, ...]:
    return centre.root / "submissions", centre.root / "build", centre.data


def test_the_same_again(packed: Centre) -> None:
    before = snapshot(*files(packed))
    ran = packed.call("build", "--locked", "--jobs", "1")
    assert ran.code == 0
    assert "nothing differs from the lock" in ran.out
    assert snapshot(*files(packed)) == before


def test_what_differs(packed: Centre) -> None:
    (plan,) = packed.export.rglob("RP.*")
    plan.write_bytes(plan.read_bytes().replace(b"Prostate60", b"Prostate61"))
    before = snapshot(*files(packed))
    ran = packed.call("build", "--locked")
    assert ran.code == 1
    assert re.findall(r"error\[(K\d+)\]", ran.out)
    assert "plan" in ran.out
    assert snapshot(*files(packed)) == before


def test_a_manifest_edited_since(packed: Centre) -> None:
    packed.edit("revision: 1", "revision: 1\n  radiotherapy_start: 2026-12-14")
    ran = packed.call("build", "--locked")
    assert ran.code == 1
    assert "manifest" in ran.out


def test_nothing_was_locked(centre: Centre) -> None:
    ran = centre.call("build", "--locked")
    assert ran.code == 1
    assert "error[K110]" in ran.told
    assert "hint: " in ran.told
    assert not centre.built.exists() or not list(centre.built.iterdir())

"""Light verbs don't pay for heavy libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cli_centre import HEAVY, SHOW

if TYPE_CHECKING:
    from cli_centre import Centre


@pytest.mark.parametrize(
    "arguments", [("--help",), ("check",), ("status",), ("trials",), ("explain", "D204"), ("key", "show")]
)
def test_imports(arguments: tuple[str, ...], delivered: Centre) -> None:
    ran = delivered.altered(SHOW, *arguments)
    assert ran.code == 0
    loaded = {name.partition(".")[0] for name in ran.err.partition("MODULES")[2].split()}
    assert "typer" in loaded
    assert loaded & HEAVY == set()

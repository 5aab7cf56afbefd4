"""The tables of faults in docs/portal.md are what happens: no lie, no loss, no silent second copy."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import TYPE_CHECKING

import folder_faults
import nextcloud_double
import portal_faults
import pytest
import trustme
from portal_centre import Wired, prepared

if TYPE_CHECKING:
    from cli_centre import Centre

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.long
def test_the_tables_of_faults(settled: Centre, tmp_path: Path) -> None:
    nextcloud, folder = rows_of(settled, tmp_path / "a"), folder_rows_of(settled, tmp_path / "b")
    assert len(nextcloud) >= 40
    assert [(row.title, row.faults) for row in (*nextcloud, *folder) if row.faults] == []
    page = runpy.run_path(str(DOCS / "write_portal.py"))["page"](nextcloud, folder)
    if os.environ.get("UPDATE_GOLDEN"):
        (DOCS / "portal.md").write_text(page, "utf-8", newline="\n")
    assert page == (DOCS / "portal.md").read_text("utf-8")


def folder_rows_of(settled: Centre, folder: Path) -> list[portal_faults.Row]:
    ready = settled.at(folder / "ready")
    assert ready.call("build").code == 0
    ready.commit()
    cases = enumerate(folder_faults.CASES)
    benches = ((case, ready.at(folder / f"{number}")) for number, case in cases)
    return [
        portal_faults.run(case, folder_faults.Bench(folder_faults.Shelved(centre)))
        for case, centre in benches
    ]


def rows_of(settled: Centre, folder: Path) -> list[portal_faults.Row]:
    folder.mkdir()
    ready = prepared(settled, folder / "ready")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    size = next(ready.built.glob("*.zip")).stat().st_size
    rows = []
    with (
        nextcloud_double.served() as plain,
        nextcloud_double.served(nextcloud_double.tls(authority, folder)) as secure,
    ):
        for number, case in enumerate(portal_faults.CASES):
            wired = Wired(ready.at(folder / f"{number}"), plain.fresh(), plain.port)
            bench = portal_faults.Bench(wired, secure, folder / "authority.pem", size)
            rows.append(portal_faults.run(case, bench))
    return rows

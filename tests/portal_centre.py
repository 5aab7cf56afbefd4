"""A centre whose package is built and committed, and whose portal is the double on loopback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nextcloud_double import PASSWORD, TOKEN

from rttqa_build.records import ledger

if TYPE_CHECKING:
    from pathlib import Path

    from cli_centre import Centre, Ran
    from nextcloud_double import Nextcloud

    from rttqa_build.records.receipt import Receipt


@dataclass(frozen=True)
class Wired:
    """A centre, the double, and how they reach each other."""

    centre: Centre
    server: Nextcloud
    port: int
    password: str = PASSWORD

    @property
    def environ(self) -> dict[str, str]:
        """What tells the program the link and the password."""
        link = f"http://127.0.0.1:{self.port}/s/{TOKEN}"
        return {"RTTQA_PORTAL_LINK": link, "RTTQA_PORTAL_PASSWORD": self.password}

    def submit(self, *arguments: str, **environ: str) -> Ran:
        """Run ``submit`` within this process."""
        return self.centre.call("submit", *arguments, **{**self.environ, **environ})

    @property
    def receipt(self) -> Receipt:
        """The receipt on disk."""
        kept = ledger.read(self.centre.submission / "receipt.yaml")
        assert kept is not None
        return kept

    @property
    def names(self) -> list[str]:
        """What the recipient sees at the portal."""
        return [one.name for one in self.server.files]

    @property
    def known(self) -> Path:
        """The file of trusted hosts, beside the key."""
        return self.centre.data / "rttqa-portals.yaml"


def prepared(settled: Centre, folder: Path) -> Centre:
    """Return a copy of a centre, its package built and committed; the environment holds the portal's link."""
    made = settled.at(folder)
    settings = made.root / "rttqa.yaml"
    text = settings.read_text("utf-8")
    head, _, tail = text.partition("portal:")
    rest = tail.partition("path: ../data/portal")[2]
    settings.write_text(
        f'{head}portal:\n  kind: nextcloud\n  link: "${{RTTQA_PORTAL_LINK}}"{rest}', "utf-8", newline="\n"
    )
    ran = made.call("build")
    assert ran.code == 0, ran.told
    made.commit()
    return made

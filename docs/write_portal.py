"""Write docs/portal.md, the page of the portals, from rows that a run of their faults gives.

The rows come from tests/portal_faults.py and tests/folder_faults.py: ``UPDATE_GOLDEN=1 python -m pytest
-m long tests/cli/test_portal_table.py`` runs every case and writes the page; without the variable it
compares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HEAD = """# The upload portal

RTTQA's portal gives a centre one link and one password. It is a Nextcloud *file drop*: files can be put
there and nothing can be read back, so that only the portal's answer to an upload tells whether it arrived.
This page says what `rttqa-build submit` does with that, and what happens when something goes wrong.

## Before the first upload

1. In `rttqa.yaml`: `portal: {kind: nextcloud, link: "${RTTQA_PORTAL_LINK}"}`, with the link in the
   environment, or the link itself. Where the trust has its own certificates, `ca_file:` names a PEM file to
   trust as well.
2. `rttqa-build portal trust HOST`, once a centre, after comparing the host with the trial group's letter.
   It is kept beside the key (`rttqa-portals.yaml`), outside Git: whoever can change the repository cannot
   lead packages elsewhere. Before that no password is read.
3. The password: in `RTTQA_PORTAL_PASSWORD`, or typed in when `submit` asks for it; the keyring of the
   operating system keeps it where you say yes to that. It is never in a file, on a command line, or in
   anything that the program writes. Of the link's token, the receipt shows the last four characters.
4. `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are honoured: `http://HOST:PORT`, with `USER:PASSWORD@` before
   the host where the proxy wants it.

## What happens

- **One question before anything is built.** `submit` asks the portal once for all submissions of a run
  whether the link takes uploads with this password. A wrong password costs exactly one refused login,
  however many submissions there are: a Nextcloud shuts out an address after ten of them in half an hour,
  and a hospital has one address. After five refused logins in half an hour, or once the portal has shut the
  hospital out, `submit` sends nothing before a time that it tells. Runs that begin together ask in turn.
- **The attempt is written down before the first byte leaves**, in `receipt.yaml`; its outcome afterwards.
  Whatever happens in between, the receipt says *unknown*, not nothing.
- **The portal's SHA-256 is the proof.** The server is asked to hash what it received. Equal: *received*.
  Another: a *corrupt* copy lies there, and the package is sent again under another name. None: *accepted,
  unverified* (exit code 1); it is not sent again by itself.
- **Another try takes another name** (`…_t2.zip`), because an interrupted upload locks the first. There are
  at most four tries, each after a longer pause, and only after what another try can cure. Where a try may
  have left a copy (a gateway's 502 after the last byte), the run ends well only with a later try that is
  proved; else the outcome is *unknown*, whatever the last try came to, and whoever stops it in between.
- **Where the answer is lost** after the last byte had left, nobody can know whether the package arrived:
  the outcome is *unknown*, and `submit` sends nothing more until a person says `--resend` or
  `--treat-as-received`, with a reason. Both go into the receipt.
- **Where the disk does not take the outcome any more**, `submit` says what the portal answered and which word
  the next `submit` will ask for (U036): the receipt holds an attempt without an outcome.
- **What another clone handed over** with the same key stands in the journal beside it: `status`, `submit` and
  `withdraw` all say so (U050) until its receipt is here; also where both know of an attempt, and the other
  clone knows by now that it was received. No word is recorded before.
- **What a commit took away** is looked for in Git: where an earlier commit holds an attempt that receipt.yaml
  does not, as after a revert or a merge that went wrong, `submit` sends nothing (U025).
- **A received revision is kept** in `history/` before the next one leaves (U026): without it nobody could
  tell what has changed since.
- **A portal that was changed in the settings** is not said to have what the one before received: `submit`
  names both, and sends nothing. Where the new one is to have it too, raise the revision.
- **When more than one copy may lie there**, a warning (U035) says so, and which one is valid.
- Cookies are not kept, redirects not followed, certificates always checked. Encryption may be left out for
  this very computer only, and a trial whose status is `example` never goes further than that.

## What the receipt holds

For each try: the name at the portal, size and SHA-256, host, start, outcome, the portal's SHA-256 and
whether it is equal; `facts` with the status of the answer, `cause` and `reason` of a failure, the portal's
own numbers for the stored file (`file_id`, `etag`, `request_id`), its clock and version, and the last four
characters of the link's token. `copies` says how many copies may lie there. It proves that the portal
received exactly these bytes; not that the trial team has seen them.

## A folder or a share

`portal: {kind: folder, path: ...}` hands over by a copy. It has a hidden temporary name until it was synced
and read back, and until the SHA-256 of what was read back is the package's; then it is renamed, so that
whoever watches the folder never sees half a file. Nothing there is overwritten; what a killed run left is
removed by the next try of the same package. A package that lies there already under its own name, with its
own SHA-256, counts as received. Receipt, words and email are those of a portal on the net.

## Every fault, and what comes of it

Written by a run of all cases against a double of the portal (tests/portal_faults.py). *You see* gives exit
code, findings and the last word of the run. *Then* is the next `submit`, when the fault is over; where that
asks for a person's word, what comes of the right one. HOST and NAME stand for the portal's address and the
package's name there.
"""
_FOLDER = """
## Every fault of a folder

The same for a folder (tests/folder_faults.py).
"""


class Row(Protocol):
    """A row of the table."""

    title: str
    seen: str
    held: str
    recorded: str
    next: str


def page(nextcloud: Iterable[Row], folder: Iterable[Row]) -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_table(nextcloud), _FOLDER, *_table(folder), ""])


def _table(rows: Iterable[Row]) -> Iterator[str]:
    yield "| | what goes wrong | you see | the portal holds | the receipt says | then |"
    yield "|---|---|---|---|---|---|"
    for number, row in enumerate(rows, 1):
        cells = (str(number), row.title, row.seen, row.held, row.recorded, row.next)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

"""``fmt`` and ``schema``: help with writing manifests; no patient data needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.cli import session
from rttqa_build.cli.output import show_text
from rttqa_build.diagnostic import UsageError
from rttqa_build.library import Library
from rttqa_build.schema import fields
from rttqa_build.settings import find_root
from rttqa_build.source import MAX_BYTES, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rttqa_build.cli.output import Terminal
    from rttqa_build.source.style import Order
    from rttqa_build.workspace import Workspace


def schema(trial: str) -> int:
    """Print the self-contained JSON Schema of a trial's manifests."""
    library = Library(find_root(Path.cwd()))
    session.demand_known(library, trial)
    session.term().out.write(library.bundled_text(trial))
    return 0


def fmt(named: Sequence[str], *, only_check: bool) -> int:
    """Put manifests into the house style; with ``only_check`` say which are not."""
    here, out = session.workspace(), session.term()
    order = _order(here.library)
    endings = [_one(here, path, order, out, only_check=only_check) for path in here.manifests(named)]
    if not endings:
        out.tell(session.NO_SUBMISSION)
    elif settled := endings.count(None):
        what = "1 manifest is" if settled == 1 else f"{settled} manifests are"
        out.say(f"{what} in the house style already")
    return session.worst(code or 0 for code in endings)


def _one(here: Workspace, path: Path, order: Order, out: Terminal, *, only_check: bool) -> int | None:
    """Return how one manifest ended; None where there was nothing to do."""
    from rttqa_build.source.style import StyleError, styled

    shown = here.shown(path)
    data = disk.read(path, MAX_BYTES, shown)
    document, found = parse(data, shown)
    if document is None or found:
        show_text(found, out, session.sources(here))
        return 1
    try:
        new = styled(document.text, order).encode()
    except StyleError:
        raise UsageError(
            f"{shown} cannot be put in order without losing something",
            "it stays as it is; move comments that stand inside {…} or […] above the field",
        ) from None
    if new == data:
        return None
    if only_check:
        out.tell(f"{shown}: not in the house style: run `rttqa-build fmt`")
        return 1
    disk.write(path, new)
    out.say(f"{shown}: put in order")
    return 0


def _order(library: Library) -> Order:
    """Return the order of the fields: the one in which the common schema lists them."""
    root = library.bundled_schema("manifest")
    top = fields(root, root)
    return {(): tuple(top), ("submission",): tuple(fields(root, top["submission"]))}

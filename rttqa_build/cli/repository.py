"""``init``: the submissions repository."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rttqa_build import __version__
from rttqa_build.centre import scaffold
from rttqa_build.cli.output import show_text
from rttqa_build.cli.session import environ, term
from rttqa_build.library import Library

if TYPE_CHECKING:
    from pathlib import Path


def editor_schemas(library: Library) -> dict[str, bytes]:
    """Return the self-contained schemas that editors complete and explain manifests with."""
    return {
        f"{name}.schema.json": library.bundled_text(name).encode() for name in ("settings", *library.ids())
    }


def init(folder: Path, *, ci: bool) -> int:
    """Make a submissions repository and say what to do next."""
    out = term()
    made = scaffold.init(
        folder.absolute(),
        editor_schemas(Library(folder.absolute())),
        environ(),
        sys.executable,
        ci=__version__ if ci else "",
    )
    show_text(made.kept, out)
    out.say(f"made a submissions repository in {folder}" if made.written else f"nothing to add in {folder}")
    for name in made.written:
        out.say(f"  {name}")
    out.say("")
    out.wrapped(
        "Next: in that folder, fill in your centre in rttqa.yaml; say where the exports and the key lie (set "
        "RTTQA_DATA and RTTQA_KEY_FILE); make the key with `rttqa-build key new`. README.md there says more."
    )
    return 0

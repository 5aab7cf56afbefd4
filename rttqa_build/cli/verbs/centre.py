"""What a centre does once, and how to see it all: ``demo``, ``init``, ``key``, ``portal``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that does not exist yet.")],
) -> int:
    """Make a complete example with a synthetic patient.

    A repository, its key and an export; built, and submitted to a folder that stands for the portal.
    """
    from rttqa_build.cli import demonstration

    return demonstration.demo(folder)


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The new repository's folder.")] = Path(),
    ci: Annotated[
        bool, typer.Option("--ci", help="Also files that make GitHub and GitLab check and review.")
    ] = False,
) -> int:
    """Make a submissions repository.

    It holds settings, a Makefile, a Git hook and schemas for editors. What is there already stays.
    """
    from rttqa_build.cli import repository

    return repository.init(folder, ci=ci)


def key_new() -> int:
    """Make the centre's secret key, once.

    It lies outside Git, where rttqa.yaml says; its fingerprint is pinned in rttqa.yaml.
    """
    from rttqa_build.cli import keys as verbs

    return verbs.new()


def key_show() -> int:
    """Show where the key lies and its fingerprint, never the key."""
    from rttqa_build.cli import keys as verbs

    return verbs.show()


def key_backup(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A new file, outside Git, to print and delete.")
    ] = None,
    shown: Annotated[
        bool, typer.Option("--show", help="Show the page on this terminal instead of writing a file.")
    ] = False,
) -> int:
    """Make a copy of the key to print.

    Four lines of digits with checks, which `key restore` takes from paper. Keep it in a safe.
    """
    from rttqa_build.cli import keys as verbs

    return verbs.backup(file, shown=shown)


def key_restore(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A copy of the key. Default: type it in.")
    ] = None,
    fingerprint: Annotated[
        str,
        typer.Option(
            "--fingerprint", metavar="HEX", help="The key's fingerprint, where rttqa.yaml does not pin it."
        ),
    ] = "",
) -> int:
    """Put the key back from its copy.

    Only the key with the right fingerprint is taken; a key that is there is never overwritten.
    """
    from rttqa_build.cli import keys as verbs

    return verbs.restore(file, fingerprint)


def portal_trust(
    host: Annotated[str, typer.Argument(metavar="HOST", help="The portal's host, as in its link.")],
) -> int:
    """Approve an upload host.

    Kept beside the key, outside Git; before it, no password is read and nothing is sent.
    """
    from rttqa_build.cli import portals as verbs

    return verbs.trust(host)

"""What becomes of errors: message and hint, the contract's exit code, never a traceback.

A bug of ours (70) leaves a report with the places in our code that were passed, without any value.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rttqa_build import __version__
from rttqa_build.cli.output import show_text, terminal
from rttqa_build.diagnostic import RttqaError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

USAGE, OPERATIONAL, BUG, INTERRUPTED = 2, 3, 70, 130


def guarded(run: Callable[[], object], environ: Mapping[str, str]) -> int:
    """Run the program and return its exit code, whatever happens."""
    try:
        result = run()
    except click.exceptions.Exit as error:
        return int(error.exit_code)
    except BaseException as error:  # noqa: BLE001 - the last line of defence
        return ending(error, environ)
    return result if isinstance(result, int) else 0


def ending(error: BaseException, environ: Mapping[str, str]) -> int:
    """Say what stopped the program and return its exit code."""
    match error:
        case KeyboardInterrupt() | click.Abort():
            sys.stderr.write("\ninterrupted; nothing half-made is left behind\n")
            return INTERRUPTED
        case click.ClickException():
            error.show()
            return USAGE
        case RttqaError():
            show_text(getattr(error, "diagnostics", ()), terminal(environ))
            tell(error)
            return error.exit_code
        case BrokenPipeError():
            return 0
    return bug(error)


def tell(error: RttqaError) -> None:
    """Write an operational error to standard error."""
    code = f"[{error.code}]" if error.code else ""
    sys.stderr.write(f"error{code}: {error.message}\n")
    if error.hint:
        sys.stderr.write(f"  hint: {error.hint}\n")


def bug(error: BaseException) -> int:
    """Write a report of a bug of ours, without values, and say where it lies."""
    frames = traceback.extract_tb(error.__traceback__)
    places = "\n".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    text = f"rttqa-build {__version__}\n{type(error).__name__}\n{places}\n"
    with tempfile.NamedTemporaryFile(
        "w", prefix="rttqa-build-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as handle:
        handle.write(text)
    sys.stderr.write(
        f"error: this is a bug in rttqa-build ({type(error).__name__}), not a mistake of yours\n"
        f"  hint: please send {handle.name} to its authors; it holds no patient data\n"
    )
    return BUG

"""What becomes of errors: message and hint, the contract's exit code, never a traceback.

A bug of ours (70) leaves a report with the places in our code that were passed, without any value.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rttqa_build import __version__, disk
from rttqa_build.cli.output import NO_SOURCES, show_text, terminal
from rttqa_build.cli.snippet import Sources
from rttqa_build.diagnostic import RttqaError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

USAGE, OPERATIONAL, BUG, INTERRUPTED = 2, 3, 70, 130
COMPLETING = "_RTTQA_BUILD_COMPLETE"  # set by the scripts that a shell asks for completions with


def guarded(run: Callable[[], object], environ: Mapping[str, str]) -> int:
    """Run the program and return its exit code, whatever happens."""
    try:
        result = run()
        sys.stdout.flush()
    except typer.Exit as error:
        return int(error.exit_code)
    except SystemExit as error:
        if (
            not error.code or COMPLETING in environ
        ):  # what typer does for shells; their scripts go by the code
            return int(error.code or 0)
        return ending(error, environ)
    except BaseException as error:  # noqa: BLE001 - the last line of defence
        return ending(error, environ)
    if result == INTERRUPTED:  # typer turns Ctrl-C into this code without a word
        return ending(KeyboardInterrupt(), environ)
    return result if isinstance(result, int) else 0


def ending(error: BaseException, environ: Mapping[str, str]) -> int:
    """Say what stopped the program and return its exit code."""
    match error:
        # the last is what Python 3.11 makes of the first while a class is being made
        case KeyboardInterrupt() | typer.Abort() | RuntimeError(__cause__=KeyboardInterrupt()):
            sys.stderr.write("\ninterrupted; nothing half-made is left behind\n")
            return INTERRUPTED
        case typer.TyperException():
            # What typer raises about a command line shows itself, with the verb's usage.
            getattr(error, "show", lambda: typer.echo(error.format_message(), err=True))()
            return USAGE
        case RttqaError():
            root = getattr(error, "root", None)
            sources = _settings(root) if root else NO_SOURCES
            show_text(getattr(error, "diagnostics", ()), terminal(environ), sources)
            tell(error)
            return error.exit_code
        case BrokenPipeError() | SystemExit():  # the latter is what typer makes of the former
            _let_go_of_output()
            return OPERATIONAL
        case OSError():
            _let_go_of_output()
            tell(disk.failure(error, "a file, or the output"))
            return OPERATIONAL
    return bug(error)


def _settings(root: Path) -> Sources:
    """Return the settings that cannot be used, to show the lines that findings speak of.

    None is shown where the centre's own identifiers cannot be told, and none that holds a link: it may be the
    portal's, which is a secret.
    """
    from rttqa_build.centre.identifiers import kinds
    from rttqa_build.settings import FILE, own_identifiers
    from rttqa_build.source import MAX_BYTES

    try:
        data = disk.head(root / FILE, MAX_BYTES, FILE)
        text, patterns = data.decode("utf-8-sig"), own_identifiers(data)
    except (RttqaError, UnicodeDecodeError):
        return NO_SOURCES
    if patterns is None:
        return NO_SOURCES
    return Sources(
        lambda name: text if name == FILE else "", lambda line: "://" in line or bool(kinds(line, patterns))
    )


def _let_go_of_output() -> None:
    """Send what is still to be written nowhere: its reader has gone, and Python would complain of it."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(error: RttqaError) -> None:
    """Write an operational error to standard error."""
    err = terminal(os.environ, sys.stderr)
    code = f"[{error.code}]" if error.code else ""
    err.tell(f"error{code}: {error.message}")
    if error.hint:
        err.tell(f"  hint: {error.hint}", hang=len("  hint: "))


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

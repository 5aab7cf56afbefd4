"""Findings and results → text or JSON on the terminal. The only module that prints."""

from __future__ import annotations

import json
import sys
import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from rttqa_build.cli.snippet import Sources
from rttqa_build.diagnostic import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_COLOURS = {Severity.ERROR: "\x1b[31m", Severity.WARNING: "\x1b[33m", Severity.INFO: "\x1b[36m"}
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"
WIDTH = 80
NO_SOURCES = Sources(lambda _: "", bool)


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where to write and how: ``colour`` only where a person looks, ``local`` values only there too."""

    out: TextIO
    colour: bool = False
    local: bool = False

    def say(self, text: str = "") -> None:
        """Write a line; what the console's encoding lacks is replaced, never an error (cp1252 consoles)."""
        encoding = self.out.encoding or "utf-8"
        self.out.write(text.encode(encoding, "replace").decode(encoding) + "\n")

    def wrapped(self, text: str, indent: int = 0) -> None:
        """Write a paragraph in lines that fit a terminal, all but the first indented."""
        margin = " " * indent
        for line in textwrap.wrap(text, WIDTH, subsequent_indent=margin, break_on_hyphens=False):
            self.say(line)

    def strong(self, text: str) -> str:
        """Return text in bold on a terminal."""
        return f"{_BOLD}{text}{_RESET}" if self.colour else text

    def progress(self, text: str) -> None:
        """Write a step of a long run to standard error, on a terminal only."""
        if self.local and sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()


def terminal(environ: Mapping[str, str]) -> Terminal:
    """Return standard output: colour and local values on a terminal only; no colour with NO_COLOR."""
    is_terminal = sys.stdout.isatty()
    colour = is_terminal and "NO_COLOR" not in environ and environ.get("TERM") != "dumb"
    return Terminal(sys.stdout, colour, is_terminal)


def show_text(findings: Iterable[Diagnostic], term: Terminal, sources: Sources = NO_SOURCES) -> None:
    """Write findings: place, severity, code, message; then the line, where else to look, what to do."""
    for found in findings:
        place = f"{found.where}: " if found.where.file else ""
        told = found.message + place
        item = f" ({found.subject})" if found.subject and found.subject not in told else ""
        term.say(f"{place}{_label(found, term)} {term.strong(found.message)}{item}")
        for line in sources.lines(found.where):
            term.say(line)
        for line in found.local.splitlines() if term.local else ():
            term.say(f"  | {line}")
        for other in found.related:
            term.say(f"  {other.where}: {other.note}")
            for line in sources.lines(other.where):
                term.say(line)
        if found.waived:
            term.say(f"  waived: {found.waived}")
        elif found.hint:
            term.say(f"  hint: {found.hint}")


def _label(found: Diagnostic, term: Terminal) -> str:
    label = f"{'waived' if found.waived else found.severity.value}[{found.code}]"
    plain = found.waived or not term.colour
    return label if plain else f"{_COLOURS[found.severity]}{label}{_RESET}"


def tally(findings: Iterable[Diagnostic]) -> str:
    """Return ``2 errors, 1 warning``, or ``no findings``."""
    counts = Counter("waived" if found.waived else found.severity.value for found in findings)
    words = {"error": "errors", "warning": "warnings", "info": "notes", "waived": "waived"}
    single = {"error": "error", "warning": "warning", "info": "note", "waived": "waived"}
    parts = [f"{counts[k]} {single[k] if counts[k] == 1 else words[k]}" for k in words if counts[k]]
    return ", ".join(parts) or "no findings"


def show_json(data: object, term: Terminal) -> None:
    """Write JSON: ASCII only, so that any console and any pipe carries it."""
    term.say(json.dumps(data, indent=2, ensure_ascii=True))

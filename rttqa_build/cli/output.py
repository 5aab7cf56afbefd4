"""Findings and results → text or JSON on the terminal. The only module that prints."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from rttqa_build.cli.lines import fitting, visible
from rttqa_build.cli.snippet import Sources
from rttqa_build.diagnostic import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_COLOURS = {Severity.ERROR: "\x1b[31m", Severity.WARNING: "\x1b[33m", Severity.INFO: "\x1b[36m"}
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"
WIDTH = 80
_WIDEST = 100  # longer lines are hard to read, however wide the window is
_NARROWEST = 40
NO_SOURCES = Sources(lambda _: "", bool)


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where to write and how: ``colour`` only where a person looks, ``local`` values only there too.

    ``columns``: how wide it is; 0 where nobody looks, and lines are not wrapped (pipes, files, CI).
    """

    out: TextIO
    colour: bool = False
    local: bool = False
    columns: int = 0

    def say(self, text: str = "") -> None:
        """Write a line as it is; what the console's encoding lacks is replaced, never an error (cp1252)."""
        self.out.write(self.writable(text) + "\n")

    def writable(self, text: str) -> str:
        """Return text with a stand-in for each character that the console's encoding lacks."""
        encoding = self.out.encoding or "utf-8"
        return text.encode(encoding, "replace").decode(encoding)

    def tell(self, text: str, hang: int = 4) -> None:
        """Write a sentence: on a terminal in lines that fit, all but the first indented by ``hang``."""
        for line in fitting(text, self._width, hang) if self.columns else [text]:
            self.say(line)

    def wrapped(self, text: str, indent: int = 0) -> None:
        """Write a page's paragraph, in lines that fit wherever it goes, all but the first indented."""
        for line in fitting(text, self._width, indent):
            self.say(line)

    @property
    def _width(self) -> int:
        return min(max(self.columns, _NARROWEST), _WIDEST) if self.columns else WIDTH

    @property
    def room(self) -> int:
        """Return how many columns there are for what is shown as it stands, however wide the window."""
        return max(self.columns, _NARROWEST) if self.columns else WIDTH

    def strong(self, text: str) -> str:
        """Return text in bold on a terminal."""
        return f"{_BOLD}{text}{_RESET}" if self.colour else text

    def progress(self, text: str) -> None:
        """Write a step of a long run to standard error, on a terminal only."""
        if self.local and sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()


def terminal(environ: Mapping[str, str], stream: TextIO | None = None) -> Terminal:
    """Return standard output, or another stream: colour, local values and wrapped lines on a terminal only.

    No colour with NO_COLOR; as wide as COLUMNS says, or else as the terminal is.
    """
    out = stream or sys.stdout
    if not out.isatty():
        return Terminal(out)
    colour = "NO_COLOR" not in environ and environ.get("TERM") != "dumb"
    return Terminal(out, colour, local=True, columns=_columns(out, environ))


def _columns(out: TextIO, environ: Mapping[str, str]) -> int:
    wanted = environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    try:
        return os.get_terminal_size(out.fileno()).columns or WIDTH
    except OSError:
        return WIDTH


def show_text(findings: Iterable[Diagnostic], term: Terminal, sources: Sources = NO_SOURCES) -> None:
    """Write findings: place, severity, code, message; then the line, where else to look, what to do."""
    for found in findings:
        place = f"{found.where}: " if found.where.file else ""
        told = found.message + place
        item = f" ({found.subject})" if found.subject and found.subject not in told else ""
        term.tell(f"{place}{_label(found, term)} {term.strong(found.message)}{item}")
        for line in sources.lines(found.where, term.room):
            term.say(line)
        for line in found.local.splitlines() if term.local else ():
            term.say(f"  | {visible(line)}")
        for other in found.related:
            term.tell(f"  {other.where}: {other.note}")
            for line in sources.lines(other.where, term.room):
                term.say(line)
        if found.waived:
            term.tell(f"  waived: {found.waived}", hang=len("  waived: "))
        elif found.hint:
            term.tell(f"  hint: {found.hint}", hang=len("  hint: "))


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

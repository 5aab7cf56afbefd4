"""Lines fit the terminal; what a person copies is never broken; where nobody looks nothing is wrapped."""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING

import pydicom
import pytest
from cli_centre import NAME
from hypothesis import given
from hypothesis import strategies as st

from rttqa_build.cli.lines import columns, fitting
from rttqa_build.cli.output import Terminal, show_text, terminal
from rttqa_build.codes import CATALOGUE
from rttqa_build.diagnostic import Diagnostic, Location, finding

if TYPE_CHECKING:
    from cli_centre import Centre

LONG = "submissions/" + "A" * 90 + "/manifest.yaml"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("short enough for it", ["short enough for it"]),
        ("  hint: one two three four", ["  hint: one two three", "    four"]),
        ("then `rttqa-build key new` follows", ["then", "    `rttqa-build key new`", "    follows"]),
        ("then (`rttqa-build key new`).", ["then", "    (`rttqa-build key new`)."]),
        ("a lone ` mark among other words", ["a lone ` mark among", "    other words"]),
        (f"see {LONG} there", ["see", f"    {LONG}", "    there"]),
        ("  role        required twice", ["  role        required", "    twice"]),
        ("\x1b[1mbold words that are\x1b[0m long", ["\x1b[1mbold words that are\x1b[0m", "    long"]),
        ("名名名名 名名名名 名名名名", ["名名名名 名名名名", "    名名名名"]),
    ],
)
def test_a_line_is_wrapped(text: str, lines: list[str]) -> None:
    assert fitting(text, 22, 4) == lines


@given(st.text(st.sampled_from("ab `\x1b[1m名-/.é"), max_size=120), st.integers(8, 60), st.integers(0, 6))
def test_nothing_is_lost_and_all_fits_that_can(text: str, width: int, hang: int) -> None:
    shown = fitting(text, width, hang)
    assert "".join("".join(shown).split()) == "".join(text.split())
    for line in shown:
        assert columns(line) <= width or re.fullmatch(r" *(?:`[^`\n]*`|\S)+", line)


@pytest.mark.parametrize("width", [44, 80, 100])
def test_every_finding_fits_a_terminal(width: int) -> None:
    out = io.StringIO()
    term = Terminal(out, colour=True, local=True, columns=width)
    for code, entry in CATALOGUE.items():
        show_text([finding(code, entry.meaning, Location("submissions/EP-1/manifest.yaml", 3, 7))], term)
    lines = out.getvalue().splitlines()
    assert [line for line in lines if columns(line) > width and "`" not in line] == []
    assert len(lines) > 2 * len(CATALOGUE)


def test_hints_hang_beneath_themselves() -> None:
    out = io.StringIO()
    told = Diagnostic("M201", "one two three four five six seven eight", hint="nine ten " * 6)
    show_text([told], Terminal(out, columns=42))
    assert out.getvalue().splitlines() == [
        "error[M201] one two three four five six",
        "    seven eight",
        "  hint: nine ten nine ten nine ten nine",
        "        ten nine ten nine ten",
    ]


def test_what_an_export_says_does_not_steer_the_terminal() -> None:
    out = io.StringIO()
    found = finding("A005", "a file is damaged", Location("source"), local="a\x1b[2J\x07\u202eb\x9b8m.dcm")
    show_text([found], Terminal(out, local=True))
    assert "  | a·[2J··b·8m.dcm\n" in out.getvalue()


@pytest.mark.skipif(os.name == "nt", reason="terminals of their own are POSIX's")
def test_nothing_hides_from_those_who_approve(centre: Centre) -> None:
    (path,) = centre.export.rglob("RP.*")
    plan = pydicom.dcmread(path)
    plan.RTPlanLabel = "Plan\x1b[8mX"
    plan.save_as(path)
    assert centre.call("build").code == 0
    shown = centre.typed("n\n", "approve", NAME).out
    assert "plan: RTPlanLabel: Plan·[8mX" in shown
    assert "\x1b[8m" not in shown


def test_where_nobody_looks_nothing_is_wrapped() -> None:
    out = io.StringIO()
    show_text([Diagnostic("M201", "words " * 40, hint="words " * 40)], Terminal(out))
    assert len(out.getvalue().splitlines()) == 2
    assert terminal({"COLUMNS": "40"}, out).columns == 0


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX's")
def test_errors_fit_the_terminal_too(centre: Centre) -> None:
    (centre.root / "rttqa.yaml").rename(centre.root / "elsewhere")
    ran = centre.typed("", "status")
    assert ran.code == 2
    assert "`rttqa-build init FOLDER`" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    assert len(ran.out.splitlines()) > 2

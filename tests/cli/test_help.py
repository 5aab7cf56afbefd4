"""What the program says of itself: it fits a terminal, and helps with slips."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from rttqa_build.cli.app import VERBS as SECTIONS
from rttqa_build.cli.app import app
from rttqa_build.codes import CATALOGUE
from rttqa_build.library import Library

if TYPE_CHECKING:
    from cli_centre import Centre

VERBS = sorted(
    str(command.name or getattr(command.callback, "__name__", "")) for command in app.registered_commands
)
KEYS = ("new", "show", "backup", "restore")
GROUPS = {"key": KEYS, "portal": ("trust",), "trials": ("show", "check", "new")}
HELPS = [(), *((verb,) for verb in (*VERBS, *GROUPS))]
HELPS += [(group, verb) for group, verbs in GROUPS.items() for verb in verbs]


@pytest.mark.parametrize("verb", HELPS)
def test_help_fits_a_terminal(verb: tuple[str, ...], settled: Centre) -> None:
    ran = settled.call(*verb, "--help", COLUMNS="80")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if line.endswith("...") and not line.startswith("Usage:")]
    assert ran.out.count("\n\n") >= 2  # usage, what it does, options


def test_every_verb_is_listed_once_by_what_it_is_for(settled: Centre) -> None:
    listing = settled.call("--help", COLUMNS="80").out
    assert [verb for verb in (*VERBS, *GROUPS) if listing.count(f"\n  {verb} ") != 1] == []
    places = [listing.index(f"\n{title}:\n") for title in SECTIONS]
    assert places == sorted(places)
    first, last = listing.index("\n  portal "), listing.index("\n  trials ")
    assert places[0] < first < places[1] < listing.index("\n  submit ") < places[2] < last


def test_options_are_worded_alike(settled: Centre) -> None:
    """The same option says the same wherever it is, and what is to be written stands in capitals."""
    told: dict[str, set[str]] = {}
    for verb in HELPS:
        text = settled.call(*verb, "--help", COLUMNS="100").out
        for option, what in re.findall(r"\n  (?:-\w, )?(--[a-z]+ [^ \n]+) +(\S+ \S+)", text):
            told.setdefault(option, set()).add(what)
    assert not [option for option in told if not option.partition(" ")[2].replace("-", "").isupper()]
    for option in ("--trial ID", "--patient ID", "--jobs N"):
        assert len(told[option]) == 1, told
    assert told["--format FORMAT"] == {"One of:"}


def test_no_arguments_show_the_help(settled: Centre) -> None:
    for verb in ((), ("key",)):
        ran = settled.run(*verb)
        assert ran.code == 2
        assert "Usage:" in ran.told
        assert "  show  " in ran.told if verb else "Once for a centre:" in ran.told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("bild",), "Did you mean 'build'?"),
        (("build", "--lockd"), "--locked"),
        (("check", "--format", "xml"), "'text', 'json'"),
        (("build", "--jobs", "0"), "--jobs"),
        (("build", "--jobs", "many"), "--jobs"),
        (("new", "FOLDER"), "--trial"),
        (("explain",), "CODE"),
        (("explain", "D999"), "hint: "),
        (("trials", "example-prostat"), "did you mean 'example-prostate'?"),
        (("submit", "--resend"), "--reason"),
        (("submit", "--reason", "because"), "--resend"),
        (("submit", "--resend", "--treat-as-received", "--reason", "x"), "exclude each other"),
        (("submit", "--resend", "--reason", "Dr Smith rang"), "--reason seems to hold"),
        (("submit", "--resend", "--reason", "943 476 5919 rang"), "--reason seems to hold"),
    ],
)
def test_slips(arguments: tuple[str, ...], told: str, settled: Centre) -> None:
    ran = settled.call(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert len(ran.err.splitlines()) <= 6


@pytest.mark.parametrize("trial", Library().ids())
def test_a_trial_reads_well(trial: str, settled: Centre) -> None:
    ran = settled.call("trials", trial)
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    assert settled.call("trials").out.count(trial) == 1


def test_findings_are_explained(settled: Centre) -> None:
    for code in sorted(CATALOGUE)[::9]:
        ran = settled.call("explain", code.lower())
        assert ran.code == 0
        assert ran.out.startswith(f"{code}: ")
        assert max(map(len, ran.out.splitlines())) <= 80

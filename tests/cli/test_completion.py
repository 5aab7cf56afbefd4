"""The Tab key: verbs, options, names of submissions, ids of trials, codes; in each shell's own protocol."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli_centre import HEAVY, NAME, SHOW

from rttqa_build.codes import CATALOGUE
from rttqa_build.library import Library

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cli_centre import Centre, Ran

VARIABLE = "_RTTQA_BUILD_COMPLETE"
BEGIN = "import sys; sys.argv[0] = 'rttqa-build'"


def bash(line: str) -> Mapping[str, str]:
    return {VARIABLE: "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}


def zsh(line: str) -> Mapping[str, str]:
    return {VARIABLE: "complete_zsh", "_TYPER_COMPLETE_ARGS": line}


def fish(line: str, action: str = "get-args") -> Mapping[str, str]:
    asked = {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": action}
    return {VARIABLE: "complete_fish", **asked}


def powershell(line: str) -> Mapping[str, str]:
    word = line.rpartition(" ")[2]
    return {
        VARIABLE: "complete_powershell",
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": word,
    }


def pressed(centre: Centre, environ: Mapping[str, str]) -> Ran:
    """Press Tab."""
    return centre.altered(BEGIN, **environ)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("rttqa-build bu", ["build"]),
        ("rttqa-build por", ["portal"]),
        ("rttqa-build key ", ["new", "show", "backup", "restore"]),
        ("rttqa-build check --st", ["--staged"]),
        ("rttqa-build check ", [NAME]),
        ("rttqa-build approve P", [NAME]),
        ("rttqa-build submit X", []),
        ("rttqa-build new --trial example-", ["example-phantom", "example-prostate"]),
        ("rttqa-build trials pla", ["plato"]),
        ("rttqa-build schema sar", ["saron"]),
        ("rttqa-build explain M26", [code for code in sorted(CATALOGUE) if code.startswith("M26")]),
        ("rttqa-build check --format s", ["sarif"]),
    ],
)
def test_what_bash_is_offered(line: str, offered: list[str], centre: Centre) -> None:
    ran = pressed(centre, bash(line))
    assert (ran.code, ran.out.split(), ran.err) == (0, offered, "")


def test_the_other_shells_are_offered_the_same(centre: Centre) -> None:
    line, title = "rttqa-build explain M260", CATALOGUE["M260"].title
    assert f'"M260":"{title}"' in pressed(centre, zsh(line)).out
    assert pressed(centre, fish(line)).out == f"M260\t{title}\n"
    assert pressed(centre, powershell(line)).out == f"M260:::{title}\n"
    # fish asks first whether there is anything, and goes by the exit code
    codes = [pressed(centre, fish(f"rttqa-build explain {word}", "is-args")).code for word in ("M26", "X")]
    assert codes == [0, 1]


def test_completion_needs_no_repository_and_nothing_heavy(centre: Centre) -> None:
    (centre.root / "rttqa.yaml").unlink()
    assert pressed(centre, bash("rttqa-build check ")).told.strip() == ""
    assert set(pressed(centre, bash("rttqa-build schema ")).out.split()) == set(Library().ids())
    (centre.root / "rttqa.yaml").mkdir()
    assert pressed(centre, bash("rttqa-build check ")).told.strip() == ""
    for line in ("rttqa-build check ", "rttqa-build schema ", "rttqa-build explain "):
        ran = centre.altered(f"{BEGIN}\n{SHOW}", **bash(line))
        loaded = {name.partition(".")[0] for name in ran.err.partition("MODULES")[2].split()}
        assert "typer" in loaded
        assert loaded & HEAVY == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_scripts_are_shown(shell: str, centre: Centre) -> None:
    ran = centre.altered(BEGIN, "--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert (ran.code, ran.err) == (0, "")
    assert f"{VARIABLE}" in ran.out
    assert "rttqa-build" in ran.out


def test_python_m_has_nothing_to_complete(centre: Centre) -> None:
    """What would be installed would break the shell's profile."""
    home = Path(centre.environ["HOME"])
    before = sorted(home.iterdir())
    ran = centre.run("--install-completion")
    assert (ran.code, "`rttqa-build --install-completion`" in ran.err) == (2, True)
    assert sorted(home.iterdir()) == before


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_itself(centre: Centre) -> None:
    program = centre.root.parent / "bin" / "rttqa-build"
    program.parent.mkdir()
    # as pip writes it where the path of the interpreter holds spaces
    begin = "#!/bin/sh\n'" + f"""''exec' "{sys.executable}" "$0" "$@"\n' '"""
    program.write_text(f"{begin}''\nfrom rttqa_build.cli import main\nmain()\n", "utf-8")
    program.chmod(0o755)
    script = """
        rttqa-build --install-completion >/dev/null && . "$HOME/.bashrc" || exit 1
        for word in PH --st; do
            COMP_WORDS=(rttqa-build check "$word") COMP_CWORD=2
            _rttqa_build_completion rttqa-build
            printf '"%s", ' "${COMPREPLY[@]}"
        done
    """
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=centre.root,
        env={**centre.environ, "PATH": f"{program.parent}{os.pathsep}{centre.environ['PATH']}"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(f"[{done.stdout.rstrip(', ')}]") == [NAME, "--staged"]

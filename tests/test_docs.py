"""What is written for readers is true: verbs, commands, links, transcripts, the page of codes."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from rttqa_build.cli.app import app
from rttqa_build.codes import CATALOGUE, FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.synthetic import SyntheticPatient

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
SCAFFOLD = ROOT / "rttqa_build" / "data" / "scaffold" / "README.md"

# How a person finishes the draft of README's walk.
DECISIONS = {
    r"purpose: TODO": "purpose: prospective-review",
    r"arm: TODO": "arm: hypofractionated",
    r"radiotherapy_start: TODO": "radiotherapy_start: 2026-12-14",
    r"(?m)^# (documents:)": r"\1",
    r"# (plan_assessment_form): \{path: .*\}": r"\1: {path: forms/PAF.xlsx}",
    r"(?m)^  - .*TODO.*$": "  - {target: PTV_6000, dose_gy: 60, fractions: 20}",
    r"history: TODO": "history: Low-volume disease on biopsy.",
    r"# (psa): *": r"\1: 8.4  ",
    r"# (gleason): *": r"\1: 3+4  ",
    r"# (t_stage): *": r"\1: T2b  ",
}


# --- verbs and commands ------------------------------------------------------------------------------------


def verbs() -> dict[str, Any]:
    commands: dict[str, Any] = {}
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined] # a group
        below = getattr(command, "commands", None)
        commands |= {f"{name} {sub}": one for sub, one in below.items()} if below else {name: command}
    return commands


def commands_in(text: str) -> Iterator[list[str]]:
    """Yield what follows the program's name in code spans and transcripts."""
    for span in re.findall(r"`(rttqa-build [^`\n]+)`|(?m:^\$ (.*rttqa-build.*)$)", text):
        for command in "".join(span).split(" && "):
            words = shlex.split(command)
            if words[0] == "rttqa-build":
                yield words[1:]


def test_every_verb_is_in_the_table_and_every_row_is_a_verb() -> None:
    table = README.partition("## Verbs")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"(?m)^\| `([a-z ]+)` \|", table)) == sorted(verbs())


def test_what_is_said_to_come_later_is_not_there() -> None:
    later = README.partition("does not do yet")[2].partition("\n## ")[0]
    assert not set(re.findall(r"`([a-z ]+)`", later)) & set(verbs())


@pytest.mark.parametrize("page", [*PAGES, SCAFFOLD], ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_parse(page: Path) -> None:
    known = verbs()
    for words in commands_in(page.read_text("utf-8")):
        name = " ".join(words[:2]) if words[0] == "key" and len(words) > 1 else words[0]
        if name == "VERB":
            continue
        assert name in known, f"{page.name}: {words}"
        options = {option for one in known[name].params for option in one.opts} | {"--help", "-h"}
        assert {word for word in words if word.startswith("-")} <= options, words


@pytest.mark.parametrize("name", sorted(verbs()))
def test_every_verb_has_help_that_fits_a_terminal(name: str) -> None:
    command = verbs()[name]
    first = (command.help or "").partition("\n")[0]
    assert first.endswith(".")
    assert len(first) <= 62, "longer is cut off in the list of verbs at 80 columns"
    assert all(getattr(one, "help", None) for one in command.params)


# --- codes -------------------------------------------------------------------------------------------------


def test_the_page_of_codes_is_up_to_date() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "write_codes.py"))["page"]
    assert (ROOT / "docs" / "codes.md").read_text("utf-8") == page(), "run `make codes`"


def test_every_code_is_explained() -> None:
    for code, entry in CATALOGUE.items():
        assert re.fullmatch(r"[A-Z]\d{3}", code)
        assert code[0] in FAMILIES
        for text in (entry.title, entry.meaning, entry.why, entry.mend):
            assert len(text.strip()) > 5, code
        for text in (entry.meaning, entry.why, entry.mend):
            assert text.rstrip()[-1] in ".)", code
        assert entry.severity in {"error", "warning", "info"}


# --- links, and what must not be said ----------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_path_of_one_machine(page: Path) -> None:
    assert not re.search(r"(?<![\w…/.])/(?:home|tmp|work|Users|root)/", page.read_text("utf-8"))


# --- transcripts -------------------------------------------------------------------------------------------


@dataclass
class Shell:
    """Runs the commands of a transcript, in a folder of its own."""

    place: Path
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, line: str) -> str:
        if line.startswith("$EDITOR "):
            return self._edit(self.folder / line.split()[1])
        if line.startswith("export "):
            pairs = (word.partition("=") for word in shlex.split(line)[1:])
            self.variables |= {name: value.replace("…", str(self.place)) for name, _, value in pairs}
            return ""
        words = shlex.split(re.sub(r"\$(\w+)", lambda m: self.variables[m[1]], line))
        if words[0] == "cd":
            self.folder /= words[1]
            return ""
        if words[:2] == ["rttqa-build", "approve"]:
            return self._on_a_terminal(words[1:])
        return self._plain(line, words)

    def _plain(self, line: str, words: list[str]) -> str:
        command = [sys.executable, "-m", "rttqa_build", *words[1:]]
        done = subprocess.run(
            line if words[0] == "git" else command,
            shell=words[0] == "git",
            cwd=self.folder,
            env=self._environ(),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        return done.stdout

    def _on_a_terminal(self, words: list[str]) -> str:
        """Run a verb that wants a person, who says yes."""
        pty = pytest.importorskip("pty", reason="there is no terminal to pretend here")
        main, other = pty.openpty()
        os.write(main, b"y\n")
        command = [sys.executable, "-m", "rttqa_build", *words]
        with subprocess.Popen(
            command, cwd=self.folder, env=self._environ(), stdin=other, stdout=other, stderr=other
        ):
            os.close(other)
            told = b"".join(iter(lambda: self._read(main), b""))
        os.close(main)
        text = re.sub(r"[^\n]*\r\x1b\[K", "", told.decode("utf-8").replace("\r\n", "\n"))
        # What was typed before the question stood there is echoed before it.
        return text.removeprefix("y\n").replace("[y/N]: ", "[y/N]: y\n")

    @staticmethod
    def _read(handle: int) -> bytes:
        try:
            return os.read(handle, 65536)
        except OSError:
            return b""  # the other end is closed

    @staticmethod
    def _edit(path: Path) -> str:
        text = path.read_text("utf-8")
        for pattern, choice in DECISIONS.items():
            text, count = re.subn(pattern, choice, text)
            assert count, f"the draft has no {pattern}"
        path.write_text(text, "utf-8", newline="\n")
        return ""

    def _environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RTTQA_", "GIT_"))}
        identity = self.place / "gitconfig"
        identity.write_text("[user]\nname = Demo Physicist\nemail = demo@example.org\n", "utf-8")
        fixed = {"GIT_CONFIG_GLOBAL": str(identity), "NO_COLOR": "1", "COLUMNS": "80", "TERM": "xterm"}
        return {**kept, **fixed, **self.variables}


def transcripts(title: str) -> list[tuple[str, str]]:
    """Return the commands of a section's console blocks, each with what it is shown to say."""
    section = README.partition(f"## {title}\n")[2].partition("\n## ")[0]
    text = "\n".join(re.findall(r"(?ms)^```console\n(.*?)\n?^```", section))
    return [
        (block.partition("\n")[0], block.partition("\n")[2]) for block in re.split(r"(?m)^\$ ", text) if block
    ]


def plain(text: str, place: Path) -> str:
    """Return a transcript without what differs from run to run: places, digests, fingerprints."""
    text = text.replace(str(place), "…")
    return re.sub(r"\b[0-9a-f]{12,64}\b|(?<=_r1_)[0-9a-f]{12}", "#", text).strip("\n")


def same(told: str, shown: str) -> bool:
    """Return whether both say the same; ``[…]`` stands for lines that are not shown."""
    pattern = r".*?".join(re.escape(part.strip("\n")) for part in shown.split("[…]"))
    return re.fullmatch(pattern, told.strip("\n"), re.DOTALL) is not None


def test_the_demonstration_says_what_the_readme_shows(tmp_path: Path) -> None:
    shell = Shell(tmp_path, tmp_path)
    told = plain(shell.run("rttqa-build demo rttqa-build-demo"), tmp_path)
    text = README.partition("$ make demo\n")[2].partition("```")[0]
    assert told.partition("\nTry it yourself")[0] == plain(text, tmp_path)


def test_the_walk_does_what_the_readme_shows(tmp_path: Path, full_patient: SyntheticPatient) -> None:
    source = Path(next(iter(full_patient.paths.values())))
    exports = tmp_path / "rttqa-build-demo-data" / "exports"
    export = next(folder for folder in source.parents if (folder / "forms").is_dir())
    shutil.copytree(export, exports / "EP-0123")
    shell = Shell(tmp_path, tmp_path)
    for command, shown in transcripts("A submission of your own"):
        told = plain(shell.run(command), tmp_path)
        assert same(told, plain(shown, tmp_path)), f"$ {command}\n{told}\n--- but README shows\n{shown}"

"""What is written for readers is true: verbs, commands, links, transcripts, the page of codes."""

from __future__ import annotations

import io
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main
from cli_centre import called, on_a_terminal

from rttqa_build.cli.app import app
from rttqa_build.codes import CATALOGUE, FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
SCAFFOLD = ROOT / "rttqa_build" / "data" / "scaffold" / "README.md"

OTHERS = {"git", "mv"}  # programs that transcripts call beside ours

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


def fences(text: str) -> list[tuple[str, str]]:
    """Return a page's fenced blocks: what each is, and what it holds."""
    return re.findall(r"(?ms)^```(\w*)\n(.*?)\n?^```", text)


def commands_in(text: str) -> Iterator[list[str]]:
    """Yield what follows the program's name in code spans, transcripts, and blocks that are only shown."""
    spans = re.findall(r"`(rttqa-build [^`\n]+)`", text)
    for kind, body in fences(text):
        spans += re.findall(
            r"(?m)^\$ (.*rttqa-build.*)$" if kind == "console" else r"(?m)^rttqa-build .*", body
        )
    for command in (command for span in spans for command in re.split(r" && | \| ", span)):
        words = shlex.split(command, comments=True)
        if words[0] == "rttqa-build":
            yield words[1:]


def test_every_verb_is_in_the_table_and_every_row_is_a_verb() -> None:
    table = README.partition("## Verbs")[2].partition("\n## ")[0]
    cells = re.findall(r"(?m)^\| (`[^|]+) \|", table)
    assert sorted(verb for cell in cells for verb in re.findall(r"`([a-z ]+)`", cell)) == sorted(verbs())


@pytest.mark.parametrize("page", [*PAGES, SCAFFOLD], ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_parse(page: Path) -> None:
    known = verbs()
    for words in commands_in(page.read_text("utf-8")):
        below = " ".join(words[:2])
        name = below if below in known else {"trials": "trials show"}.get(words[0], words[0])
        if name == "VERB":
            continue
        command = typer.main.get_command(app) if name.startswith("-") else known.get(name)
        assert command is not None, f"{page.name}: {words}"
        options = {option for one in command.params for option in one.opts} | {"--help", "-h"}
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


def test_the_reference_is_up_to_date() -> None:
    pages = runpy.run_path(str(ROOT / "docs" / "write_reference.py"))["pages"]()
    kept = {path.name: path.read_text("utf-8") for path in (ROOT / "docs" / "reference").iterdir()}
    assert kept == pages, "run `make codes`"


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
    demonstrated: str = ""  # what `make demo` said: it was run before, once for all pages

    def run(self, line: str) -> str:
        if line.startswith("$EDITOR "):
            return self._edit(self.folder / line.split()[1])
        if line.startswith("export "):
            pairs = (word.partition("=") for word in shlex.split(line)[1:])
            self.variables |= {name: value.replace("…", str(self.place)) for name, _, value in pairs}
            return ""
        line = re.sub(r"\$(\w+)", lambda m: self.variables[m[1]], line)
        words = [path for word in shlex.split(line) for path in self._matching(word)]
        if words[0] == "cd":
            self.folder = (self.folder / words[1]).resolve()
            return ""
        if words == ["make", "demo"]:
            return self.demonstrated
        if words[:2] == ["rttqa-build", "approve"]:
            return self._on_a_terminal(words[1:])
        return self._plain(line, words)

    def _plain(self, line: str, words: list[str]) -> str:
        if words[0] not in OTHERS:
            told = io.StringIO()
            called(self.folder, self.environ(), words[1:], told, told)
            return told.getvalue()
        done = subprocess.run(  # noqa: S602 - a line of our own pages
            line,
            shell=True,
            cwd=self.folder,
            env=self.environ(),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        return done.stdout

    def _on_a_terminal(self, words: list[str]) -> str:
        """Run a verb that wants a person, who says yes."""
        pytest.importorskip("pty", reason="there is no terminal to pretend here")
        told = on_a_terminal(self.folder, self.environ(), "y\n", words).out
        text = re.sub(r"[^\n]*\r\x1b\[K", "", told)
        # What was typed before the question stood there is echoed before it.
        return text.removeprefix("y\n").replace("[y/N]: ", "[y/N]: y\n")

    def _matching(self, word: str) -> list[str]:
        """Return the files that a pattern stands for, as a shell would; of anything else, itself."""
        found = sorted(map(str, self.folder.glob(word))) if "*" in word else []
        return found or [word]

    @staticmethod
    def _edit(path: Path) -> str:
        text = path.read_text("utf-8")
        for pattern, choice in DECISIONS.items():
            text, count = re.subn(pattern, choice, text)
            assert count, f"the draft has no {pattern}"
        path.write_text(text, "utf-8", newline="\n")
        return ""

    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RTTQA_", "GIT_"))}
        identity = self.place / "gitconfig"
        identity.write_text("[user]\nname = Demo Physicist\nemail = demo@example.org\n", "utf-8")
        fixed = {"GIT_CONFIG_GLOBAL": str(identity), "NO_COLOR": "1", "COLUMNS": "80", "TERM": "xterm"}
        return {**kept, **fixed, **self.variables}


def commands_of(text: str) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with what it is shown to say.

    A demonstration is one command: what it says looks like a transcript itself.
    """
    if text.startswith("$ make demo\n"):
        return [("make demo", text.partition("\n")[2])]
    return [
        (block.partition("\n")[0], block.partition("\n")[2]) for block in re.split(r"(?m)^\$ ", text) if block
    ]


def plain(text: str, place: Path) -> str:
    """Return a transcript without what differs from run to run: places, digests, dates, sizes."""
    text = text.replace(str(place), "…")
    text = re.sub(r"\b20\d\d-\d\d-\d\d(?:T[\d:]+Z)?|\b[\d.]+ (?=MB|bytes)", "#", text)
    return re.sub(r"\b[0-9a-f]{12,64}\b|(?<=_r[12]_)[0-9a-f]{12}", "#", text).strip("\n")


def same(told: str, shown: str) -> bool:
    """Return whether both say the same; ``[…]`` stands for lines that are not shown."""
    pattern = r".*?".join(re.escape(part.strip("\n")) for part in shown.split("[…]"))
    return re.fullmatch(pattern, told.strip("\n"), re.DOTALL) is not None


def patched(folder: Path, text: str) -> None:
    """Change a file as a ``diff`` block shows: each group of lines, from what has - to what has +."""
    name, _, body = text.partition("\n")
    path = folder / name.removeprefix("--- ")
    content = path.read_text("utf-8")
    for group in body.split("@@\n"):
        lines = group.splitlines()
        old, new = ("".join(f"{line[1:]}\n" for line in lines if line[0] in signs) for signs in (" -", " +"))
        assert content.count(old) == 1, f"{name} has not exactly one\n{old}"
        content = content.replace(old, new)
    path.write_text(content, "utf-8", newline="\n")


# Blocks that only show something; what docs/README.md says of them holds.
SHOWN = {"text", "yaml", "json", "sh", "powershell"}
RUN = [page for page in PAGES if "console" in {kind for kind, _ in fences(page.read_text("utf-8"))}]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_block_looks_as_if_it_were_run(page: Path) -> None:
    for kind, body in fences(page.read_text("utf-8")):
        assert kind in SHOWN | {"console", "diff"}, kind
        assert kind == "console" or not re.search(r"(?m)^\$ ", body), body


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which every page begins, and what was said when the demonstration was made in it."""
    place = tmp_path_factory.mktemp("demonstration")
    told = Shell(place, place).run("rttqa-build demo rttqa-build-demo")
    return place, told.partition("\nTry it yourself")[0].replace(str(place), "…")


@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_does_what_it_shows(page: Path, tmp_path: Path, demonstration: tuple[Path, str]) -> None:
    place = shutil.copytree(demonstration[0], tmp_path / "place", symlinks=True)
    shell = Shell(place, place, demonstrated=demonstration[1])
    for kind, block in fences(page.read_text("utf-8")):
        if kind == "diff":
            patched(shell.folder, f"{block}\n")
        for command, shown in commands_of(block) if kind == "console" else ():
            told = plain(shell.run(command), place)
            assert same(told, plain(shown, place)), f"$ {command}\n{told}\n--- but it shows\n{shown}"


def newcomer() -> list[str]:
    """Return README's commands from the wheel to a received submission."""
    section = README.partition("## Without the checkout")[2].partition("\n## ")[0]
    return next(body for kind, body in fences(section) if kind == "sh").splitlines()


def test_a_newcomer_types_little() -> None:
    assert len(newcomer()) <= 10


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="the commands are those of a POSIX shell")
def test_a_newcomer_gets_there(tmp_path: Path) -> None:
    """The wheel is really installed; what it depends on is lent by this environment, without a network."""
    make = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path)]
    subprocess.run([sys.executable, "-m", *make, str(ROOT)], check=True)
    lent = {"PYTHONPATH": sysconfig.get_path("purelib"), "PIP_NO_DEPS": "1", "COLUMNS": "80"}
    done = subprocess.run(
        ["bash", "-ec", "\n".join(newcomer())],
        cwd=tmp_path,
        env={**Shell(tmp_path, tmp_path).environ(), **lent},
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout
    assert "EP-0123: received by the portal" in done.stdout
    assert done.stdout.rstrip().endswith("files (64 CT, 24 MR, 1 REG, 1 RTDOSE, 1 RTPLAN, 1 RTSTRUCT)")

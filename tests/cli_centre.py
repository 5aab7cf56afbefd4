"""A centre with one phantom to send: a repository, a key, an export; and the program as its users meet it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO
from unittest.mock import patch

import typer.main
from git_builder import commit, git, git_environ

from rttqa_build import synthetic
from rttqa_build.cli.app import app
from rttqa_build.cli.failures import guarded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

NAME = "PHANTOM-1"
MANIFEST = f"""\
manifest: 1
trial: example-phantom
submission:
  patient: {NAME}
  purpose: dummy-run
  revision: 1
source: {NAME}
"""
COMMAND = typer.main.get_command(app)  # making it takes as long as many a verb
# what takes long to load, and code that shows at the end what was loaded
HEAVY = {
    "pydicom",
    "numpy",
    "typst",
    "jinja2",
    "http",
    "keyring",
    "rich",
    "pypdf",
    "deflate",
    "re2",
    "ahocorasick_rs",
}
SHOW = """
import atexit, sys
atexit.register(lambda: print("MODULES", *sys.modules, file=sys.stderr))
"""
_IDENTITY = (
    *(value for values in synthetic.INVENTED.planted().values() for value in values),
    synthetic.INVENTED.name,
    synthetic.INVENTED.hospital_number,
)


class Ran(NamedTuple):
    """How a run of the program ended. No run of a test may show an identity, or a traceback."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """Standard output and standard error."""
        return self.out + self.err

    @property
    def json(self) -> Any:
        """Standard output, read as one JSON document."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Centre:
    """A repository ``root`` beside its ``data``, and the environment in which the program runs."""

    root: Path
    environ: dict[str, str]

    @property
    def data(self) -> Path:
        """The folder with exports, key and portal, outside the repository."""
        return self.root.parent / "data"

    @property
    def export(self) -> Path:
        """The phantom's export."""
        return self.data / "exports" / NAME

    @property
    def submission(self) -> Path:
        """The folder of the phantom's submission."""
        return self.root / "submissions" / NAME

    @property
    def manifest(self) -> Path:
        """The phantom's manifest."""
        return self.submission / "manifest.yaml"

    @property
    def built(self) -> Path:
        """The folder in which the phantom's package lies once it is built."""
        return self.root / "build" / NAME

    @property
    def packages(self) -> list[str]:
        """The names of the packages there, hidden and half-written ones included."""
        return sorted(path.name for path in self.built.glob("**/*.zip*"))

    def run(self, *arguments: str | Path, **environ: str) -> Ran:
        """Run ``python -m rttqa_build`` as a process of its own, at the root."""
        return self._run([sys.executable, "-m", "rttqa_build"], arguments, environ)

    def call(self, *arguments: str | Path, **environ: str) -> Ran:
        """Do the same within this process: quicker."""
        out, err = io.StringIO(), io.StringIO()
        code = called(self.root, {**self.environ, **environ}, arguments, out, err)
        return examined(Ran(code, out.getvalue(), err.getvalue()))

    def altered(self, code: str, *arguments: str | Path, **environ: str) -> Ran:
        """Run the program after some code that alters it, in a process of its own, at the root."""
        script = f"{code}\nfrom rttqa_build.cli import main\nmain()"
        return self._run([sys.executable, "-c", script], arguments, environ)

    def _run(self, call: list[str], arguments: tuple[str | Path, ...], environ: dict[str, str]) -> Ran:
        done = subprocess.run(
            [*call, *map(str, arguments)],
            cwd=self.root,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        return examined(Ran(done.returncode, done.stdout, done.stderr))

    def typed(self, answer: str, *arguments: str) -> Ran:
        """Call the program on a terminal, and type an answer; what it writes comes as ``out``."""
        return on_a_terminal(self.root, {**self.environ, "TERM": "dumb"}, answer, arguments)

    def conversed(self, answers: list[tuple[str, str]], *arguments: str, **environ: str) -> tuple[int, str]:
        """Run it on a terminal; type each answer once its prompt is there. Return code and output."""
        ours, theirs = os.openpty()
        shown, left = "", list(answers)
        with subprocess.Popen(
            [sys.executable, "-m", "rttqa_build", *arguments],
            cwd=self.root,
            env={**self.environ, **environ, "TERM": "dumb"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            for piece in _until_closed(ours):
                shown += piece.decode()
                if left and left[0][0] in shown.rpartition("\n")[2]:
                    shown += "\n"
                    os.write(ours, f"{left.pop(0)[1]}\n".encode())
        os.close(ours)
        return process.returncode, shown

    def commit(self) -> None:
        """Commit everything, past the hook."""
        commit(self.root, self.environ)

    def git(self, *arguments: str) -> str:
        """Run git at the root."""
        return git(self.root, self.environ, *arguments)

    def write(self, text: str | bytes) -> None:
        """Replace the manifest."""
        self.manifest.write_bytes(text if isinstance(text, bytes) else text.encode())

    def edit(self, old: str, new: str, path: Path | None = None) -> None:
        """Replace a part of the manifest, or of another file, that occurs in it once."""
        file = path or self.manifest
        text = file.read_text("utf-8")
        assert text.count(old) == 1, text
        file.write_bytes(text.replace(old, new).encode())

    def at(self, parent: Path) -> Centre:
        """Return a copy of everything below another folder."""
        samples = shutil.ignore_patterns("*.sample")  # what Git puts beside its hooks
        shutil.copytree(self.root.parent, parent, dirs_exist_ok=True, symlinks=True, ignore=samples)
        return replace(self, root=parent / self.root.name)


def called(
    folder: Path, environ: Mapping[str, str], arguments: Iterable[str | Path], out: TextIO, err: TextIO
) -> int:
    """Run the program within this process, in a folder and an environment, and return its exit code."""
    with (
        contextlib.chdir(folder),
        patch.dict(os.environ, environ, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        return guarded(lambda: COMMAND([*map(str, arguments)], standalone_mode=False), dict(os.environ))


def on_a_terminal(
    folder: Path, environ: Mapping[str, str], answer: str, arguments: Iterable[str | Path]
) -> Ran:
    """Run the program within this process on a terminal where an answer is typed; all comes as ``out``."""
    ours, theirs = os.openpty()
    os.write(ours, answer.encode())
    with ThreadPoolExecutor(1) as across:
        shown = across.submit(lambda: b"".join(_until_closed(ours)))
        with (
            os.fdopen(os.dup(theirs), encoding="utf-8") as keys,
            os.fdopen(theirs, "w", encoding="utf-8") as screen,
            patch("sys.stdin", keys),
        ):
            code = called(folder, environ, arguments, screen, screen)
    os.close(ours)
    return Ran(code, shown.result().decode().replace("\r\n", "\n"), "")


def examined(ran: Ran) -> Ran:
    """Return a run after a look for what no run may show."""
    assert "Traceback" not in ran.told, ran.told
    assert ran.code != 70, ran.told
    shown = [value for value in _IDENTITY if value in ran.told]
    assert not shown, (shown, ran.told)
    return ran


def _until_closed(terminal: int) -> Iterator[bytes]:
    with contextlib.suppress(OSError):  # Linux gives EIO once the other side is closed
        while piece := os.read(terminal, 4096):
            yield piece


def snapshot(*folders: Path) -> Mapping[str, tuple[int, bytes]]:
    """Return every file below some folders with its time and content, to see that nothing changed."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in sorted(files)}


def centre(folder: Path) -> Centre:
    """Make a centre: `init`, `key new`, settings, a phantom's export and its manifest, committed."""
    made = Centre(folder / "our trials", git_environ(folder / "home"))
    made.root.mkdir()
    assert made.call("init", ".").code == 0
    settings = made.root / "rttqa.yaml"
    made.edit("${RTTQA_DATA}", "../data/exports", settings)
    made.edit("${RTTQA_KEY_FILE}", "../data/centre.key", settings)
    made.edit("path: outbox", "path: ../data/portal", settings)
    synthetic.write(made.export, extent=synthetic.SMALL)
    (made.data / "portal").mkdir()
    assert made.call("key", "new").code == 0
    made.submission.mkdir()
    made.write(MANIFEST)
    made.commit()
    return made

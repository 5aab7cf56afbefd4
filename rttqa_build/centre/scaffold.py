"""``init``: a submissions repository from the templates in ``data/scaffold``; what is yours stays."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.centre import repository
from rttqa_build.diagnostic import Diagnostic, Location, UsageError, finding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rttqa_build.centre.repository import Repository

# where each template goes, in the order in which they are told
TEMPLATES: Mapping[str, str] = {
    "rttqa.yaml": "rttqa.yaml",
    "Makefile": "Makefile",
    "README.md": "README.md",
    ".gitignore": "gitignore",
    ".gitattributes": "gitattributes",
    "submissions/.gitkeep": "gitkeep",
}
CI: Mapping[str, str] = {".github/workflows/rttqa.yaml": "github.yaml", ".gitlab-ci.yml": "gitlab-ci.yml"}
SCHEMAS = ".rttqa/schemas"
HOOK = "pre-commit"
_INTERPRETER = re.compile(rb"(?m)^interpreter=.*$")


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What was made: the repository, the files written (relative to the folder), a finding per file kept."""

    repository: Repository
    written: tuple[str, ...]
    kept: tuple[Diagnostic, ...]


def init(
    folder: Path, schemas: Mapping[str, bytes], environ: Mapping[str, str], interpreter: str, *, ci: str = ""
) -> Scaffold:
    """Make ``folder`` a submissions repository, in the Git repository around it or in a new one.

    ``schemas`` maps file names to self-contained JSON Schemas for editors; ``interpreter`` is the Python
    that the hook falls back to; ``ci`` is the version of this program that GitHub and GitLab are to install,
    nothing for no files of theirs. Files that are there stay: each is a finding, unless it is the same; only
    the schemas are written anew.
    Raises UsageError when ``folder`` is a file or git is missing, RttqaError when the disk refuses.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError("there is a file where the folder should be", "give another name")
    repository.demand_git(environ)
    _make(folder)
    git = _repository(folder, environ)
    files = {name: _template(template) for name, template in TEMPLATES.items()}
    if ci:
        files |= {name: _template(one).replace(b"@VERSION@", ci.encode()) for name, one in CI.items()}
    written, kept = [], []
    for name, data in files.items():
        if _place(folder / name, data):
            written.append(name)
        elif disk.read(folder / name, 1 << 24, name) != data:
            kept.append(_kept(name))
    written += filter(None, (place_schema(folder, name, data) for name, data in sorted(schemas.items())))
    hook = git.hooks() / HOOK
    data = _hook(git.relative(folder / "rttqa.yaml").removesuffix("rttqa.yaml"), interpreter)
    if _place(hook, data, mode=0o755) or _renewed(hook, data):
        written.append(f"Git hook {HOOK}")
    elif disk.read(hook, 1 << 20, HOOK) != data:
        kept.append(_kept(f"Git hook {HOOK}"))
    return Scaffold(git, tuple(written), tuple(kept))


def place_schema(root: Path, name: str, data: bytes) -> str:
    """Write an editor's schema, which nobody edits, as it is now; return its path where it was not so."""
    shown = f"{SCHEMAS}/{name}"
    path = root / shown
    if path.is_file() and disk.read(path, 1 << 24, shown).replace(b"\r\n", b"\n") == data:
        return ""
    disk.write(path, data)
    return shown


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk.failure(error, "the folder of the repository") from None


def _repository(folder: Path, environ: Mapping[str, str]) -> Repository:
    if repository.inside_work_tree(folder):
        return repository.find(folder, environ)
    return repository.create(folder, environ)


def _template(name: str) -> bytes:
    data = (resources.files("rttqa_build") / "data" / "scaffold" / name).read_bytes()
    return data.replace(b"\r\n", b"\n")


def _hook(prefix: str, interpreter: str) -> bytes:
    """Return the hook, which Git starts at the root of the work tree; ``prefix`` leads to the folder."""
    text = _template(HOOK).decode()
    text = text.replace('"./@PREFIX@"', shlex.quote(f"./{prefix}"))
    return text.replace("@INTERPRETER@", shlex.quote(interpreter)).encode()


def _place(path: Path, data: bytes, mode: int = 0) -> bool:
    """Write a file unless there is one, a dangling link included; return whether it was written."""
    if path.exists() or path.is_symlink():
        return False
    disk.write(path, data)
    if mode:
        path.chmod(mode)
    return True


def _renewed(hook: Path, data: bytes) -> bool:
    """Write a hook of ours anew when only its interpreter is another one; return whether it was."""
    old = disk.read(hook, 1 << 20, HOOK)
    if old == data or _INTERPRETER.sub(b"", old) != _INTERPRETER.sub(b"", data):
        return False
    disk.write(hook, data)
    hook.chmod(0o755)
    return True


def _kept(name: str) -> Diagnostic:
    return finding("M420", f"{name} was there already and stays as it is", Location(name))

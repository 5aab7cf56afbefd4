"""The Git repository around the submissions, asked through the ``git`` program.

Works in clones, worktrees and with Git for Windows. Nothing here changes the repository but
:func:`create`. Paths go in absolute or relative to the caller; Git is asked about them relative to the
root of the work tree, with ``/`` on every system.
"""

from __future__ import annotations

import enum
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import RttqaError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

# A hook runs with GIT_DIR, GIT_INDEX_FILE and more; they would point every question at the wrong place.
_KEPT_VARIABLES = frozenset(
    {
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CEILING_DIRECTORIES",
        "GIT_EXEC_PATH",
    }
)


class FileState(enum.StrEnum):
    """How a file on disk relates to HEAD; the words complete the sentence *this file is …*."""

    COMMITTED = "committed as it is"
    MISSING = "missing"
    OUTSIDE = "outside the Git repository"
    IGNORED = "ignored by Git"
    UNTRACKED = "not in Git yet"
    STAGED = "staged, but not committed"
    MODIFIED = "changed since the last commit"
    HIDDEN = "changed, and Git was told not to look (skip-worktree or assume-unchanged)"


@dataclass(frozen=True, slots=True)
class Repository:
    """One work tree: its root, the ``git`` program, and the environment that it runs in."""

    root: Path
    program: str
    environ: Mapping[str, str]

    def head_blob(self, path: Path) -> str:
        """Return the object name of ``HEAD:path``; empty when HEAD has no such file, or there is no HEAD."""
        name = self.relative(path)
        return (
            self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"HEAD:{name}").strip()
            if name
            else ""
        )

    def hash_object(self, path: Path) -> str:
        """Return the object name that the file would get if committed: CRLF and filters as in Git."""
        name = self.relative(path)
        return self._ask("hash-object", f"--path={name}", "--", name).strip() if name else ""

    def state(self, path: Path) -> FileState:
        """Return how the file stands to HEAD. Only equal content counts: flags of the index hide nothing."""
        name = self.relative(path)
        if not name:
            return FileState.OUTSIDE
        if not path.is_file():
            return FileState.MISSING
        blob, present = self.head_blob(path), self.hash_object(path)
        if blob and blob == present:
            return FileState.COMMITTED
        return self._difference(name, present, in_head=bool(blob))

    def _difference(self, name: str, present: str, *, in_head: bool) -> FileState:
        tag = self._ask("ls-files", "-v", "-z", "--", f":(literal){name}")[:1]
        if tag == "S" or tag.islower():
            return FileState.HIDDEN
        if not tag and not in_head:
            return (
                FileState.IGNORED if self._succeeds("check-ignore", "-q", "--", name) else FileState.UNTRACKED
            )
        return FileState.STAGED if self._object(f":{name}") == present else FileState.MODIFIED

    def _object(self, name: str) -> str:
        return self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", name).strip()

    def ignored(self, path: Path) -> bool:
        """Return whether Git ignores the path; a tracked file is never ignored."""
        name = self.relative(path)
        return bool(name) and self._succeeds("check-ignore", "-q", "--", name)

    def reachable_from(self, branch: str) -> bool:
        """Return whether HEAD lies on ``branch`` (a local or a remote-tracking branch)."""
        return any(
            self._succeeds("merge-base", "--is-ancestor", "HEAD", f"{prefix}{branch}")
            for prefix in ("refs/heads/", "refs/remotes/")
        )

    def email(self) -> str:
        """Return the user's Git e-mail address; empty when none is set."""
        return self._ask("config", "--get", "user.email").strip()

    def remotes(self) -> tuple[str, ...]:
        """Return every URL that this repository fetches from or pushes to, sorted; ``insteadOf`` applied."""
        names = self._ask("remote").split()
        urls = (
            self._ask("remote", "get-url", "--all", *push, name).split("\n")
            for name in names
            for push in ((), ("--push",))
        )
        return tuple(sorted({url for group in urls for url in group if url}))

    def hooks(self) -> Path:
        """Return the folder from which Git runs hooks (worktrees and ``core.hooksPath`` respected)."""
        return self.root / self._ask("rev-parse", "--git-path", "hooks").strip()

    def commit(self, message: str, name: str, email: str) -> None:
        """Commit everything that is not ignored, as the person named; raise RttqaError when Git refuses."""
        identity = ("-c", f"user.name={name}", "-c", f"user.email={email}", "-c", "commit.gpgsign=false")
        for arguments in (("add", "--all"), (*identity, "commit", "--quiet", f"--message={message}")):
            if not self._succeeds(*arguments):
                raise RttqaError("git could not commit", "try `git commit` by hand to see why")

    def relative(self, path: Path) -> str:
        """Return the path below the root with ``/``; empty when it is not below it.

        Links in the folders above the file are followed, the file itself is not.
        """
        place = path.absolute()
        place = place.parent.resolve() / place.name
        return place.relative_to(self.root).as_posix() if place.is_relative_to(self.root) else ""

    def _ask(self, *arguments: str) -> str:
        """Return what git prints; nothing when it answers no."""
        result = _run(self.program, self.root, self.environ, *arguments)
        return result.stdout.decode("utf-8", "surrogateescape") if result.returncode == 0 else ""

    def _succeeds(self, *arguments: str) -> bool:
        return _run(self.program, self.root, self.environ, *arguments).returncode == 0


def find(folder: Path, environ: Mapping[str, str]) -> Repository:
    """Return the repository whose work tree holds ``folder``.

    Raises UsageError when git is not installed, the folder is in no repository, or Git distrusts its owner.
    """
    program, clean = _program(environ), _sanitised(environ)
    result = _run(program, folder, clean, "rev-parse", "--show-toplevel")
    if result.returncode == 0:
        return Repository(
            Path(result.stdout.decode("utf-8", "surrogateescape").rstrip("\r\n")).resolve(), program, clean
        )
    if b"dubious ownership" in result.stderr:
        raise UsageError(
            "Git does not trust this folder because another user owns it",
            "if it is your department's share: git config --global --add safe.directory FOLDER",
        )
    raise UsageError(
        "this folder is not in a Git repository",
        "run `rttqa-build init`, or go to the folder of your submissions repository",
    )


def create(folder: Path, environ: Mapping[str, str]) -> Repository:
    """Make ``folder`` a Git repository, on the branch ``main``, and return it."""
    program, clean = _program(environ), _sanitised(environ)
    if _run(program, folder, clean, "init", "--quiet", "--initial-branch=main").returncode != 0:
        raise RttqaError("git could not make a repository here", "try `git init` by hand to see why")
    return find(folder, environ)


def inside_work_tree(path: Path) -> bool:
    """Return whether ``path``, which need not exist, lies in any Git work tree, linked ones included.

    Looks at the folders themselves, so that it needs no ``git`` and no trusted owner.
    """
    # as written and as linked; `inside/../beside` is beside, in both
    places = {Path(os.path.normpath(path.absolute())), path.resolve()}
    return any(_holds_git(folder) for place in places for folder in (place, *place.parents))


def _holds_git(folder: Path) -> bool:
    entry = folder / ".git"
    try:
        return entry.is_file() or (entry / "HEAD").exists()
    except OSError:
        return False


def _program(environ: Mapping[str, str]) -> str:
    program = shutil.which("git", path=environ.get("PATH", ""))
    if program is None:
        raise UsageError(
            "the program git was not found",
            "install Git (Git for Windows needs no admin rights) and open a new terminal",
        )
    return program


def _sanitised(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in environ.items() if not k.startswith("GIT_") or k in _KEPT_VARIABLES}
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}


def _run(
    program: str, folder: Path, environ: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - list of arguments, no shell
            [program, "-C", str(folder), *arguments],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise RttqaError("git could not be started", "check the installation of Git") from error

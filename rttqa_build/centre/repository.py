"""The Git repository around the submissions, asked through the ``git`` program.

Works in clones, worktrees and with Git for Windows. Nothing here changes the repository but
:func:`create` and :meth:`Repository.commit`, and only :meth:`Repository.upstream` asks another computer.
Paths go in absolute or relative to the caller; Git is asked about them relative to the root of the work
tree, with ``/`` on every system.
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
    from collections.abc import Iterable, Mapping

# A hook runs with GIT_DIR, GIT_INDEX_FILE and more; they would point every question at the wrong place.
_KEPT_VARIABLES = frozenset(
    {
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CEILING_DIRECTORIES",
        "GIT_EXEC_PATH",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSL_CAINFO",
    }
)
_SECRETS = frozenset({"RTTQA_PORTAL_PASSWORD", "RTTQA_SMTP_PASSWORD"})


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


_PATIENCE = 20.0  # seconds until a remote that does not answer counts as silent


@dataclass(frozen=True, slots=True)
class Upstream:
    """The branch that the present one follows: what it is called, its commit, and whether we have all of it.

    ``answered`` is False when the other side was silent: then the commit is that of the last fetch.
    """

    name: str
    commit: str
    known: bool
    answered: bool


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

    def versions(self, path: Path) -> tuple[bytes, ...]:
        """Return every content that a file had in a commit from which HEAD comes, the latest first."""
        name = self.relative(path)
        form = ("--format=", "--raw", "--no-abbrev", "--no-renames", "--full-history", "-m")
        told = self._ask("log", *form, "--", f":(literal){name}") if name else ""
        rows = (line.split() for line in told.splitlines() if line.startswith(":"))
        blobs = dict.fromkeys(blob for row in rows for blob in row[3:1:-1] if blob.strip("0"))
        return tuple(
            _run(self.program, self.root, self.environ, "cat-file", "blob", one).stdout for one in blobs
        )

    def committed_below(self, path: Path) -> tuple[Path, ...]:
        """Return the files that HEAD holds at or below ``path``, whether or not they are on disk."""
        name = self.relative(path)
        listed = self._ask("ls-tree", "-r", "-z", "--name-only", "HEAD", "--", name) if name else ""
        return tuple(self.root / one for one in listed.split("\0") if one)

    def changed_below(self, path: Path) -> tuple[str, ...]:
        """Return the files at or below ``path`` that differ from HEAD or are not in Git, unless ignored."""
        name = self.relative(path)
        told = self._ask("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", name)
        return tuple(entry[3:] for entry in told.split("\0") if entry) if name else ()

    def upstream(self) -> Upstream | None:
        """Return the branch that the present one follows, as the other side has it now; None for none.

        Asks the remote without a prompt and for a bounded time; nothing is fetched.
        """
        branch = self._ask("symbolic-ref", "--quiet", "HEAD").strip()
        form = "--format=%(upstream)%00%(upstream:remotename)%00%(upstream:remoteref)"
        told = self._ask("for-each-ref", form, branch).rstrip("\n") if branch else ""
        ours, remote, theirs = [*told.split("\0"), "", ""][:3]
        if not (ours and remote and theirs):
            return None
        answer = _ask_remote(self, remote, theirs)
        commit = answer or self._object(f"{ours}^{{commit}}")
        name = f"{remote}/{theirs.removeprefix('refs/heads/')}"
        known = not commit or self._succeeds("merge-base", "--is-ancestor", commit, "HEAD")
        return Upstream(name, commit, known, answered=bool(answer))

    def blob_at(self, commit: str, path: Path) -> str | None:
        """Return the object name of a file in a commit, empty for none; None for an unknown commit."""
        name = self.relative(path)
        if not self._succeeds("cat-file", "-e", f"{commit}^{{commit}}"):
            return None
        return self._object(f"{commit}:{name}")

    def default_branch(self) -> str:
        """Return the branch that merge requests go to: the remote's default, else main or master."""
        remote = self._ask("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD").strip()
        return remote or next((name for name in ("main", "master") if self._object(f"refs/heads/{name}")), "")

    def parting(self, base: str) -> str:
        """Return the commit from which HEAD parted from ``base``; empty when ``base`` is unknown."""
        commit = self._object(f"{base}^{{commit}}")
        return self._ask("merge-base", commit, "HEAD").strip() if commit else ""

    def archive(self, commit: str, paths: Iterable[str]) -> bytes:
        """Return those of the paths that a commit holds, as a tar archive; nothing when it holds none."""
        there = [path for path in paths if self._object(f"{commit}:{path}")]
        arguments = ("archive", "--format=tar", commit, "--", *filter(None, there))
        return _run(self.program, self.root, self.environ, *arguments).stdout if there else b""

    def staged(self, folder: Path, index: str = "") -> bytes:
        """Return what the next commit would hold at or below ``folder``, as a tar archive; nothing for none.

        ``index`` is what Git tells its hooks in GIT_INDEX_FILE: ``git commit FILE`` has an index of its own.
        Raises RttqaError while a merge is not resolved.
        """
        chosen = {**self.environ, "GIT_INDEX_FILE": str(self.root / index)} if index else self.environ
        made = _run(self.program, self.root, chosen, "write-tree")
        if made.returncode != 0:
            raise RttqaError("git cannot tell what is staged", "resolve the merge, then `git add` its files")
        name = self.relative(folder)
        return self.archive(made.stdout.decode().strip(), [name] if name != "." else [""])

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
            "if it is your department's share: `git config --global --add safe.directory FOLDER`",
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


def demand_git(environ: Mapping[str, str]) -> None:
    """Raise UsageError when there is no git, before anything is made that would need it."""
    _program(environ)


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
    known = {k: v for k, v in environ.items() if k not in _SECRETS}  # filters and hooks are others' programs
    kept = {k: v for k, v in known.items() if not k.startswith("GIT_") or k in _KEPT_VARIABLES}
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}


def _ask_remote(git: Repository, remote: str, ref: str) -> str:
    """Return the commit of a branch at the remote; nothing when it is silent or wants a password."""
    quiet = {**git.environ, "GCM_INTERACTIVE": "never", "GIT_ASKPASS": "", "SSH_ASKPASS": ""}
    try:
        told = _run(git.program, git.root, quiet, "ls-remote", "--", remote, ref, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return ""
    rows = (line.split("\t") for line in told.stdout.decode("utf-8", "surrogateescape").splitlines())
    return next((row[0] for row in rows if row[1:] == [ref]), "") if told.returncode == 0 else ""


def _run(
    program: str, folder: Path, environ: Mapping[str, str], *arguments: str, timeout: float | None = None
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - list of arguments, no shell
            [program, "-C", str(folder), *arguments],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=timeout,
            start_new_session=timeout is not None,  # without a terminal nothing below git can ask
        )
    except OSError as error:
        raise RttqaError("git could not be started", "check the installation of Git") from error

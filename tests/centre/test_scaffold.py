from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from git_builder import commit, git, git_environ

from rttqa_build import source
from rttqa_build.centre import scaffold
from rttqa_build.diagnostic import UsageError

SCHEMAS = {"plato.schema.json": b"{}\n"}
WRITTEN = (
    "rttqa.yaml",
    "Makefile",
    "README.md",
    ".gitignore",
    ".gitattributes",
    "submissions/.gitkeep",
    ".rttqa/schemas/plato.schema.json",
    "Git hook pre-commit",
)
Environ = dict[str, str]


@pytest.fixture
def environ(tmp_path: Path) -> Environ:
    """An environment in which ``rttqa-build`` says how it was called, and fails when asked to."""
    home = git_environ(tmp_path / "home")
    program = tmp_path / "bin" / "rttqa-build"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && exit\necho "$@" >> "$CALLS"\n'
        'case "$*" in *BAD*) exit 1;; esac\n[ ! -e bad ]\n',
        "utf-8",
    )
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{home['PATH']}"
    return {**home, "PATH": path, "CALLS": str(tmp_path / "calls")}


def calls(environ: Environ) -> list[str]:
    path = Path(environ["CALLS"])
    text = path.read_text("utf-8").splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return sorted(text)


@pytest.fixture
def folder(tmp_path: Path, environ: Environ) -> Path:
    made = tmp_path / "our 'own' trials"
    scaffold.init(made, SCHEMAS, environ, sys.executable)
    return made


def submission(folder: Path, name: str) -> None:
    (folder / "submissions" / name).mkdir()
    (folder / "submissions" / name / "manifest.yaml").write_bytes(b"manifest: 1\n")


def make(folder: Path, environ: Environ, *arguments: str) -> int:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environ, check=False, capture_output=True
    ).returncode


def test_a_new_repository(tmp_path: Path, environ: Environ) -> None:
    made = scaffold.init(tmp_path / "a" / "our trials", SCHEMAS, environ, sys.executable)
    assert made.written == WRITTEN
    assert made.kept == ()
    assert made.repository.root == (tmp_path / "a" / "our trials").resolve()
    document, told = source.parse((made.repository.root / "rttqa.yaml").read_bytes(), "rttqa.yaml")
    assert document is not None
    assert told == ()
    for name in ("build/x/package.zip", "outbox/a.zip", "b.zip", "CT1.dcm", "rttqa-key.txt"):
        assert made.repository.ignored(made.repository.root / name), name
    for name in WRITTEN[:-1]:
        assert not made.repository.ignored(made.repository.root / name), name


def test_a_second_time_nothing_changes(folder: Path, environ: Environ) -> None:
    again = scaffold.init(folder, SCHEMAS, environ, sys.executable)
    assert (again.written, again.kept) == ((), ())


def test_nothing_is_overwritten(folder: Path, environ: Environ) -> None:
    own = b"# ours\n"
    (folder / "Makefile").write_bytes(own)
    (folder / ".git" / "hooks" / "pre-commit").write_bytes(own)
    (folder / "README.md").unlink()
    again = scaffold.init(folder, SCHEMAS, environ, sys.executable)
    assert again.written == ("README.md",)
    assert [(d.code, d.where.file) for d in again.kept] == [
        ("M420", "Makefile"),
        ("M420", "Git hook pre-commit"),
    ]
    assert (folder / "Makefile").read_bytes() == own


def test_schemas_are_those_of_this_version(folder: Path, environ: Environ) -> None:
    """What an editor offers would else be what an earlier version took."""
    name = next(iter(SCHEMAS))
    (folder / scaffold.SCHEMAS / name).write_bytes(b"{}")
    again = scaffold.init(folder, SCHEMAS, environ, sys.executable)
    assert (again.written, again.kept) == ((f"{scaffold.SCHEMAS}/{name}",), ())
    assert (folder / scaffold.SCHEMAS / name).read_bytes() == SCHEMAS[name]


def test_inside_an_existing_repository(tmp_path: Path, environ: Environ) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, environ, "init", "--quiet")
    (outer / ".git" / "description").read_bytes()
    made = scaffold.init(outer / "our trials", SCHEMAS, environ, sys.executable)
    assert made.repository.root == outer.resolve()
    assert not (outer / "our trials" / ".git").exists()
    (outer / "our trials" / "bad").touch()  # the hook runs where the settings are
    git(outer, environ, "add", "--all")
    result = subprocess.run(
        ["git", "commit", "-m", "x"], cwd=outer, env=environ, check=False, capture_output=True
    )
    assert result.returncode != 0
    assert calls(environ) == ["check --staged"]


def test_a_file_in_the_way(tmp_path: Path, environ: Environ) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError):
        scaffold.init(tmp_path / "file", SCHEMAS, environ, sys.executable)
    with pytest.raises(UsageError, match="git was not found"):
        scaffold.init(tmp_path / "new", SCHEMAS, {**environ, "PATH": ""}, sys.executable)


def test_the_hook_lets_only_clean_submissions_in(folder: Path, environ: Environ) -> None:
    git(folder, environ, "add", "--all")
    git(folder, environ, "commit", "--quiet", "-m", "clean")
    assert calls(environ) == ["check --staged"]
    (folder / "bad").touch()
    git(folder, environ, "add", "--all")
    result = subprocess.run(
        ["git", "commit", "-m", "x"], cwd=folder, env=environ, check=False, capture_output=True
    )
    assert result.returncode == 1
    assert result.stderr.decode().splitlines() == ["not committed: first mend the errors above"]


RECORDS = '#!/bin/sh\necho "$@" >> "$CALLS"\n'


@pytest.mark.parametrize(
    "installed", [None, "#!/nowhere/python\n", "#!/bin/sh\necho Traceback >&2\nexit 1\n"], ids=repr
)
def test_the_hook_falls_back_to_the_interpreter_or_refuses(
    installed: str | None, tmp_path: Path, environ: Environ
) -> None:
    """Whether there is no program on the path, or one that does not start any more."""
    interpreter = tmp_path / "a python"
    interpreter.write_text(RECORDS, "utf-8")
    interpreter.chmod(0o755)
    folder = tmp_path / "trials"
    scaffold.init(folder, SCHEMAS, environ, str(interpreter))
    program = tmp_path / "bin" / "rttqa-build"
    if installed is None:
        program.unlink()
    else:
        program.write_text(installed, "utf-8")
    hook = folder / ".git" / "hooks" / "pre-commit"
    minimal = {**environ, "PATH": str(tmp_path / "bin")}
    result = subprocess.run(["/bin/sh", hook], cwd=folder, env=minimal, check=False, capture_output=True)
    assert (result.returncode, result.stderr) == (0, b"")
    assert calls(environ) == ["-m rttqa_build --version", "-m rttqa_build check --staged"]
    interpreter.unlink()
    result = subprocess.run(["/bin/sh", hook], cwd=folder, env=minimal, check=False, capture_output=True)
    assert result.returncode == 1
    told = result.stderr.decode()
    assert told.startswith("not committed: rttqa-build ")
    assert ("does not start" in told, "rttqa-build init" in told) == (
        installed is not None,
        installed is None,
    )
    assert len(told.splitlines()) == 2


def test_the_hook_is_renewed_for_another_interpreter_unless_edited(folder: Path, environ: Environ) -> None:
    hook = folder / ".git" / "hooks" / "pre-commit"
    again = scaffold.init(folder, SCHEMAS, environ, "/another/python")
    assert (again.written, again.kept) == (("Git hook pre-commit",), ())
    assert "interpreter=/another/python" in hook.read_text("utf-8")
    hook.write_bytes(hook.read_bytes() + b"echo ours\n")
    again = scaffold.init(folder, SCHEMAS, environ, sys.executable)
    assert ([one.code for one in again.kept], again.written) == (["M420"], ())
    assert "echo ours" in hook.read_text("utf-8")


@pytest.mark.parametrize("jobs", [(), ("-j2",)])
def test_make_for_all_and_for_one(jobs: tuple[str, ...], folder: Path, environ: Environ) -> None:
    for name in ("EP-1", "EP-2"):
        submission(folder, name)
    one, two = (f"submissions/{name}/manifest.yaml" for name in ("EP-1", "EP-2"))
    for verb, every in (("check", ["check"]), ("build", [f"build {one}", f"build {two}"])):
        assert make(folder, environ, *jobs, verb) == 0
        assert calls(environ) == every
        assert make(folder, environ, *jobs, verb, "NAME=EP-2") == 0
        assert calls(environ) == [f"{verb} {two}"]
    assert make(folder, environ, *jobs, "submit") == 0
    assert calls(environ) == [f"submit {one} {two}"]
    assert make(folder, environ, "submit", "NAME=EP-1") == 0
    assert make(folder, environ, "status") == 0
    assert calls(environ) == ["status", f"submit {one}"]


def test_make_reports_all_and_fails_for_one(folder: Path, environ: Environ) -> None:
    for name in ("BAD-1", "EP-2"):
        submission(folder, name)
    assert make(folder, environ, "build") != 0
    assert len(calls(environ)) == 2


def test_make_without_submissions_and_with_a_wrong_name(folder: Path, environ: Environ) -> None:
    for verb in ("check", "build", "submit"):
        assert make(folder, environ, verb) == 0
    assert calls(environ) == []
    assert make(folder, environ, "check", "NAME=EP-9") == 0
    assert calls(environ) == ["check submissions/EP-9/manifest.yaml"]


def test_a_committed_scaffold_is_clean(folder: Path, environ: Environ) -> None:
    commit(folder, environ)
    (folder / "outbox").mkdir()
    (folder / "outbox" / "x.zip").write_bytes(b"")
    assert git(folder, environ, "status", "--porcelain") == ""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from git_builder import commit, git, git_environ

from rttqa_build.centre import repository
from rttqa_build.centre.repository import FileState, Repository
from rttqa_build.diagnostic import RttqaError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

Environ = dict[str, str]


@pytest.fixture
def environ(tmp_path: Path) -> Environ:
    return git_environ(tmp_path / "home")


@pytest.fixture
def repo(tmp_path: Path, environ: Environ) -> Repository:
    folder = tmp_path / "our trials é"
    folder.mkdir()
    made = repository.create(folder, environ)
    (folder / "a file.yaml").write_bytes(b"one\n")
    (folder / ".gitattributes").write_bytes(b"*.yaml text\n")
    (folder / ".gitignore").write_bytes(b"ignored.yaml\n")
    commit(folder, environ)
    return made


def test_a_committed_file(repo: Repository) -> None:
    path = repo.root / "a file.yaml"
    assert repo.head_blob(path) == repo.hash_object(path) != ""
    assert repo.state(path) is FileState.COMMITTED


def test_line_endings_of_a_windows_checkout_pass(repo: Repository) -> None:
    (repo.root / "a file.yaml").write_bytes(b"one\r\n")
    assert repo.state(repo.root / "a file.yaml") is FileState.COMMITTED


def test_states(repo: Repository, environ: Environ, tmp_path: Path) -> None:
    path = repo.root / "a file.yaml"
    path.write_bytes(b"two\n")
    assert repo.state(path) is FileState.MODIFIED
    git(repo.root, environ, "add", "a file.yaml")
    assert repo.state(path) is FileState.STAGED
    path.unlink()
    assert repo.state(path) is FileState.MISSING
    (repo.root / "new.yaml").write_bytes(b"")
    assert repo.state(repo.root / "new.yaml") is FileState.UNTRACKED
    git(repo.root, environ, "add", "new.yaml")
    assert repo.state(repo.root / "new.yaml") is FileState.STAGED
    (repo.root / "ignored.yaml").write_bytes(b"")
    assert repo.state(repo.root / "ignored.yaml") is FileState.IGNORED
    (tmp_path / "else.yaml").write_bytes(b"")
    assert repo.state(tmp_path / "else.yaml") is FileState.OUTSIDE
    assert repo.head_blob(tmp_path / "else.yaml") == repo.hash_object(tmp_path / "else.yaml") == ""


@pytest.mark.parametrize("flag", ["--skip-worktree", "--assume-unchanged"])
def test_a_flag_of_the_index_hides_nothing(flag: str, repo: Repository, environ: Environ) -> None:
    path = repo.root / "a file.yaml"
    git(repo.root, environ, "update-index", flag, "a file.yaml")
    assert repo.state(path) is FileState.COMMITTED
    path.write_bytes(b"two\n")
    assert git(repo.root, environ, "status", "--porcelain") == ""
    assert repo.state(path) is FileState.HIDDEN


def test_a_file_that_git_was_told_to_forget(repo: Repository, environ: Environ) -> None:
    git(repo.root, environ, "rm", "--cached", "--quiet", "a file.yaml")
    assert repo.state(repo.root / "a file.yaml") is FileState.COMMITTED
    (repo.root / "a file.yaml").write_bytes(b"two\n")
    assert repo.state(repo.root / "a file.yaml") is FileState.MODIFIED


def test_a_name_with_wildcards_is_only_a_name(repo: Repository) -> None:
    (repo.root / "[a] *.yaml").write_bytes(b"")
    assert repo.state(repo.root / "[a] *.yaml") is FileState.UNTRACKED


def test_a_link_is_not_the_file_it_shows(repo: Repository, tmp_path: Path) -> None:
    path = repo.root / "a file.yaml"
    path.unlink()
    (tmp_path / "else.yaml").write_bytes(b"one\n")
    path.symlink_to(tmp_path / "else.yaml")
    assert repo.state(path) is not FileState.MISSING


def test_found_from_below_and_from_a_hook(repo: Repository, environ: Environ, tmp_path: Path) -> None:
    below = repo.root / "submissions"
    below.mkdir()
    (tmp_path / "other").mkdir()
    other = repository.create(tmp_path / "other", environ)
    leaky = {**environ, "GIT_DIR": str(other.root / ".git"), "GIT_INDEX_FILE": "nowhere", "GIT_PREFIX": "x/"}
    found = repository.find(below, leaky)
    assert found.root == repo.root
    assert found.state(repo.root / "a file.yaml") is FileState.COMMITTED


def test_a_linked_worktree(repo: Repository, environ: Environ, tmp_path: Path) -> None:
    git(repo.root, environ, "worktree", "add", "--quiet", "-b", "second", str(tmp_path / "second tree"))
    found = repository.find(tmp_path / "second tree", environ)
    assert found.root == (tmp_path / "second tree").resolve()
    assert found.state(found.root / "a file.yaml") is FileState.COMMITTED
    assert found.hooks().is_relative_to(repo.root / ".git")
    assert repository.inside_work_tree(found.root / "key")


def test_a_repository_without_a_commit(tmp_path: Path, environ: Environ) -> None:
    (tmp_path / "empty").mkdir()
    repo = repository.create(tmp_path / "empty", environ)
    (repo.root / "x").write_bytes(b"")
    assert repo.state(repo.root / "x") is FileState.UNTRACKED
    assert not repo.reachable_from("main")
    assert repo.remotes() == ()


def test_branches(repo: Repository, environ: Environ) -> None:
    assert repo.reachable_from("main")
    git(repo.root, environ, "checkout", "--quiet", "-b", "draft/x")
    assert repo.reachable_from("main")
    commit(repo.root, environ)
    assert not repo.reachable_from("main")
    assert not repo.reachable_from("nowhere")
    git(repo.root, environ, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert repo.reachable_from("origin/main")


def test_remotes_and_user(repo: Repository, environ: Environ) -> None:
    git(repo.root, environ, "remote", "add", "origin", "https://git.example.org/a.git")
    git(repo.root, environ, "remote", "set-url", "--push", "origin", "git@example.org:a.git")
    assert repo.remotes() == ("git@example.org:a.git", "https://git.example.org/a.git")
    assert repo.email() == "a@example.org"


def test_ignored(repo: Repository) -> None:
    assert repo.ignored(repo.root / "ignored.yaml")
    assert not repo.ignored(repo.root / "a file.yaml")


def test_no_git(tmp_path: Path, environ: Environ) -> None:
    with pytest.raises(UsageError) as caught:
        repository.find(tmp_path, {**environ, "PATH": str(tmp_path)})
    assert "git was not found" in caught.value.message
    assert "Git for Windows" in caught.value.hint


def test_no_repository(tmp_path: Path, environ: Environ) -> None:
    with pytest.raises(UsageError, match="not in a Git repository"):
        repository.find(tmp_path, {**environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})


def test_a_git_that_does_not_start(tmp_path: Path, environ: Environ) -> None:
    broken = tmp_path / "bin" / "git"
    broken.parent.mkdir()
    broken.write_bytes(b"\x7fELF nothing")
    broken.chmod(0o755)
    with pytest.raises(RttqaError, match="could not be started"):
        repository.find(tmp_path, {**environ, "PATH": str(broken.parent)})


def test_the_folder_of_another_user(tmp_path: Path, environ: Environ) -> None:
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\necho 'fatal: detected dubious ownership in repository' >&2\nexit 128\n", "utf-8"
    )
    program.chmod(0o755)
    with pytest.raises(UsageError) as caught:
        repository.find(tmp_path, {**environ, "PATH": f"{program.parent}{os.pathsep}{environ['PATH']}"})
    assert "safe.directory" in caught.value.hint


def test_inside_a_work_tree(repo: Repository, tmp_path: Path) -> None:
    assert repository.inside_work_tree(repo.root / "not" / "there" / "yet.key")
    assert repository.inside_work_tree(repo.root)
    assert not repository.inside_work_tree(tmp_path / "outside.key")
    assert not repository.inside_work_tree(repo.root / ".." / "beside" / "outside.key")
    (tmp_path / "link").symlink_to(repo.root)
    assert repository.inside_work_tree(tmp_path / "link" / "key")
    (tmp_path / "odd" / ".git").mkdir(parents=True)
    assert not repository.inside_work_tree(tmp_path / "odd" / "key")


def test_every_version_of_a_file(repo: Repository, environ: Environ) -> None:
    path = repo.root / "a file.yaml"
    assert repo.versions(path) == (b"one\n",)
    for content in (b"two\n", b"one\n"):
        path.write_bytes(content)
        commit(repo.root, environ)
    path.unlink()
    commit(repo.root, environ)
    assert sorted(repo.versions(path)) == [b"one\n", b"two\n"]
    assert repo.versions(repo.root / "never.yaml") == repo.versions(repo.root.parent / "x.yaml") == ()


def test_other_programs_get_no_password(repo: Repository, environ: Environ) -> None:
    secrets = {"RTTQA_PORTAL_PASSWORD": "secret", "RTTQA_SMTP_PASSWORD": "secret"}
    asking = repository.find(repo.root, {**environ, **secrets})
    assert "secret" not in asking.environ.values()

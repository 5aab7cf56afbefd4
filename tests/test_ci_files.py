"""What `init --ci` writes is valid by the hosts' published schemas, and calls verbs that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from git_builder import git_environ
from typer.testing import CliRunner

from rttqa_build import __version__
from rttqa_build.centre import scaffold
from rttqa_build.cli.app import app

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ci") / "trials"
    environ = git_environ(made.parent / "home")
    scaffold.init(made, {}, environ, sys.executable, ci=__version__)
    return made


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (".github/workflows/rttqa.yaml", ["vendor.github-workflows"]),
        (".gitlab-ci.yml", ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
    ],
)
def test_valid_by_the_published_schema(name: str, options: list[str], folder: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *options, str(folder / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_version_is_the_one_that_wrote_them(folder: Path) -> None:
    for name in scaffold.CI:
        text = (folder / name).read_text("utf-8")
        assert f'"rttqa-build=={__version__}"' in text
        assert "@VERSION@" not in text


def commands(folder: Path) -> list[str]:
    files = [*(folder / name for name in scaffold.CI), PROJECT / ".pre-commit-hooks.yaml"]
    texts = "\n".join(path.read_text("utf-8") for path in files)
    return re.findall(r"(?:- |run: |entry: |^ +)rttqa-build ([^|>\n]*)", texts, re.MULTILINE)


def test_every_command_is_a_verb_with_options_that_it_has(folder: Path) -> None:
    found = commands(folder)
    assert len(found) >= 7
    for command in found:
        verb, *arguments = command.split()
        told = CliRunner().invoke(app, [verb, "--help"])
        assert told.exit_code == 0
        for option in (one for one in arguments if one.startswith("--")):
            assert option in told.output, command


def test_hooks_of_the_pre_commit_framework() -> None:
    hooks: list[dict[str, Any]] = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert [hook["id"] for hook in hooks] == ["rttqa-check", "rttqa-fmt"]
    for hook in hooks:
        assert re.search(hook["files"], "submissions/EP-0123/manifest.yaml")
        assert not re.search(hook["files"], "README.md")


def test_without_the_option_there_are_none(tmp_path: Path) -> None:
    scaffold.init(tmp_path / "x", {}, git_environ(tmp_path / "home"), sys.executable)
    assert not [name for name in scaffold.CI if (tmp_path / "x" / name).exists()]

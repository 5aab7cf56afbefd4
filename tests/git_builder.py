"""Real Git repositories for tests, independent of the machine's own Git settings."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def git_environ(home: Path) -> dict[str, str]:
    """Return an environment whose Git knows one user and no settings of this machine."""
    home.mkdir(exist_ok=True)
    (home / ".gitconfig").write_text(
        "[user]\nname = A Physicist\nemail = a@example.org\n"
        "[init]\ndefaultBranch = main\n[commit]\ngpgsign = false\n",
        "utf-8",
    )
    names = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LANG")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def git(folder: Path, environ: dict[str, str], *arguments: str) -> str:
    """Run git in ``folder``; fail the test when git fails."""
    result = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=environ,
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def commit(folder: Path, environ: dict[str, str], message: str = "change") -> None:
    git(folder, environ, "add", "--all")
    git(folder, environ, "commit", "--quiet", "--no-verify", "--allow-empty", "-m", message)

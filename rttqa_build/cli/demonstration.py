"""``demo``: an example repository with a synthetic patient, built and submitted to a folder portal."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.centre import keyfile, repository, scaffold
from rttqa_build.cli import session
from rttqa_build.cli.formats import Format
from rttqa_build.cli.repository import editor_schemas
from rttqa_build.cli.workers import workers
from rttqa_build.diagnostic import UsageError
from rttqa_build.library import Library
from rttqa_build.pseudonym import KEY_LENGTH, CentreKey

if TYPE_CHECKING:
    from rttqa_build.cli.output import Terminal

SUBMISSION = "EP-0123"
NAME, EMAIL = "Demo Physicist", "demo@example.org"
COLUMN = 34
_NOTICE = b"""\
Data of the demonstration, made by `rttqa-build demo`. The patient is invented.
exports/ is what a planning system would export, centre.key the secret key,
portal/ a folder that stands for the trial's upload portal.
All of it may be deleted, together with the repository beside it.
"""


def demo(folder: Path) -> int:
    """Make the example, submit it, and say what was made, where, and what to look at."""
    from rttqa_build import synthetic
    from rttqa_build.cli import building, submitting

    folder, out = folder.resolve(), session.term()
    data = folder.with_name(f"{folder.name}-data")
    _demand_room(folder, data)
    repository.demand_git(session.environ())
    out.say("Making a patient (invented): CT, MR, registration, structures, plan, dose …")
    disk.write(data / "README.txt", _NOTICE)
    synthetic.write(data / "exports" / SUBMISSION, clutter=True, form_for=SUBMISSION)
    out.say("Making a submissions repository, as rttqa-build init and key new do …")
    git = _repository(folder, data)
    with contextlib.chdir(folder), workers(None, 2) as crew:
        out.say("")
        out.say(out.strong("$ rttqa-build build"))
        code = building.build([], crew, locked=False, output=Format.TEXT)
        if code:
            return code
        git.commit("Add EP-0123 for prospective review", NAME, EMAIL)
        out.say("")
        out.say(out.strong("$ git add -A && git commit && rttqa-build submit"))
        code = submitting.submit([], submitting.Asked(False, False, False, ""), crew, Format.TEXT)
        git.commit("Record the receipt of EP-0123", NAME, EMAIL)
    _tell(folder, data, out)
    return code


def _demand_room(folder: Path, data: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise UsageError("the folder holds something already", "give a folder that does not exist yet")
    if data.exists():
        raise UsageError(
            f"there is a folder {data.name} beside it already", "remove it, or give another folder"
        )
    if repository.inside_work_tree(folder):
        raise UsageError(
            "the folder lies inside a Git repository", "give one outside: it becomes a repository itself"
        )


def _repository(folder: Path, data: Path) -> repository.Repository:
    key = CentreKey(secrets.token_bytes(KEY_LENGTH))
    keyfile.create(data / "centre.key", key)
    (data / "portal").mkdir()
    settings = _template("rttqa.yaml").replace("@DATA@", data.name).replace("@FINGERPRINT@", key.fingerprint)
    disk.write(folder / "rttqa.yaml", settings.encode())
    disk.write(folder / "submissions" / SUBMISSION / "manifest.yaml", _template("manifest.yaml").encode())
    return scaffold.init(
        folder, editor_schemas(Library(folder)), session.environ(), sys.executable
    ).repository


def _template(name: str) -> str:
    text = (resources.files("rttqa_build") / "data" / "demo" / name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")


def _tell(folder: Path, data: Path, out: Terminal) -> None:
    package = next((path.name for path in (data / "portal").glob("*.zip")), "")
    own, kept = f"submissions/{SUBMISSION}", f"build/{SUBMISSION}"
    repository_rows = (
        (f"{own}/manifest.yaml", "the manifest, as you would write it"),
        (f"{own}/lock.yaml", "the lock: what was built, from what"),
        (f"{own}/receipt.yaml", "what the portal confirmed"),
        (f"{kept}/report.html", "the report: open it in a browser"),
        (f"{kept}/email.eml", "the email to the trial, a draft"),
    )
    data_rows = (
        (f"exports/{SUBMISSION}", "what the planning system exported"),
        ("centre.key", "the centre's secret key"),
        (f"portal/{package}", "what the trial received"),
    )
    out.say("")
    out.say(out.strong("What was made, and what to look at"))
    for where, rows in ((folder, repository_rows), (data, data_rows)):
        out.say(f"{where}:")
        for path, what in rows:
            gap = " " if len(path) <= COLUMN else "\n" + " " * (COLUMN + 3)
            out.say(f"  {path:<{COLUMN}}{gap}{what}")
    out.say("")
    out.say("The summary that reviewers read is data/clinical_summary.pdf in the zip file.")
    out.say("Try it yourself:")
    out.say(f"  cd {_quoted(folder)}")
    out.say(f"  {_program()} status")


def _program() -> str:
    """Return how this program is called: by its name where the shell finds it."""
    return "rttqa-build" if shutil.which("rttqa-build") else f"{_quoted(Path(sys.executable))} -m rttqa_build"


def _quoted(path: Path) -> str:
    text = str(path)
    return f'"{text}"' if " " in text else text

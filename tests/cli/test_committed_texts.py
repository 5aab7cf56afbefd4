"""No identifier enters Git: whatever a commit takes along is searched, as it is staged."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cli_centre import MANIFEST, NAME

from rttqa_build import synthetic

if TYPE_CHECKING:
    from cli_centre import Centre

NUMBER = "NHS number 943 476 5919"
OWN = "identifiers: [{name: hospital number, pattern: '[A-Z]\\d{6}'}]\n"
PLACES = {
    "a manifest that is no YAML": f"submissions/{NAME}/manifest.yaml",
    "a value of the manifest": f"submissions/{NAME}/manifest.yaml",
    "a comment in the manifest": f"submissions/{NAME}/manifest.yaml",
    "the reason of a waiver": f"submissions/{NAME}/manifest.yaml",
    "the note of an approval": f"submissions/{NAME}/approval.yaml",
    "a review": f"submissions/{NAME}/outcome.yaml",
    "notes": f"submissions/{NAME}/notes.txt",
    "notes in a folder": f"submissions/{NAME}/mail/answer.eml",
    "notes of an earlier revision": f"submissions/{NAME}/history/r1/notes.md",
    "a loose file": "submissions/list.csv",
    "the settings": "rttqa.yaml",
    "the memory of names": "mappings.yaml",
    "a definition": "trials/ours/trial.yaml",
    "an example of a definition": "trials/ours/examples/valid/a.yaml",
    "a schema": "schemas/ours.schema.json",
    "the README": "README.md",
    "the Makefile": "Makefile",
}
ADDED = {
    "a manifest that is no YAML": f"a: [\n# {NUMBER}\n",
    "a value of the manifest": f"clinical: {{history: {NUMBER}}}\n",
    "the reason of a waiver": f"waivers: [{{code: D204, for: dose, reason: {NUMBER}}}]\n",
}


KINDS = {
    "CHI 9434765919": "error[M260]",
    "H&C number 943-476-5919": "error[M260]",
    "date of birth 3.4.1950": "error[M260]",
    "Mrs Smith": "warning[M261]",
    "AB10 1AA": "warning[M261]",
    "01632 960123": "warning[M261]",
    "jane@hospital.nhs.uk": "warning[M261]",
    "ward A123456": "error[M262]",
}


def test_every_text_is_searched(centre: Centre) -> None:
    for what, name in PLACES.items():
        path = centre.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_bytes() if path.exists() else None
        path.write_bytes((before or b"") + ADDED.get(what, f"# {NUMBER}\n").encode())
        ran = centre.call("check", "--format", "json")
        found = [one["file"] for row in ran.json for one in row["findings"] if one["code"] == "M260"]
        assert (ran.code, found) == (1, [name]), what
        assert "5919" not in ran.told + centre.call("check").told
        if before is None:
            path.unlink()
        else:
            path.write_bytes(before)


def test_every_kind_is_found(centre: Centre) -> None:
    settings = centre.root / "rttqa.yaml"
    settings.write_text(settings.read_text("utf-8") + OWN, "utf-8")
    for name in (f"submissions/{NAME}/notes.txt", "README.md"):
        (centre.root / name).write_text("\n".join(["one", *KINDS]), "utf-8")
        ran = centre.call("check")
        for line, (text, told) in enumerate(KINDS.items(), 2):
            assert f"{name}:{line}: {told}" in ran.out
            assert text not in ran.told


def test_what_belongs_there_is_no_alarm(received: Centre) -> None:
    """Contacts, authors as Git knows them, remotes, example addresses; and all that the program writes."""
    settings = received.root / "rttqa.yaml"
    text = settings.read_text("utf-8").replace("Radiotherapy Physics", "Dr Jane Smith")
    text += OWN + "email: {smtp: {host: smtp.trust.nhs.uk, sender: jane@trust.nhs.uk}}\n"
    settings.write_text(text.replace("rt.physics@example.org", "jane.smith@trust.nhs.uk"), "utf-8")
    received.call("outcome", NAME, "--grade", "per-protocol")
    received.run("init", ".", "--ci")
    (received.root / "CODEOWNERS").write_text("* Dr Jane Smith <jane.smith@trust.nhs.uk>, a@example.org\n")
    received.call("trials", "new", "ours")
    ran = received.call("check")
    assert "[M26" not in ran.out


def test_what_git_ignores_is_no_alarm(centre: Centre) -> None:
    (centre.root / ".env").write_text(f"# {NUMBER}\n", "utf-8")
    (centre.submission / "RP.dcm").write_bytes(bytes(128) + b"DICM")
    assert centre.call("check").code == 0
    (centre.root / ".gitignore").unlink()
    ran = centre.call("check")
    assert (ran.code, "[M260]" in ran.out, "RP.dcm: error[M263]" in ran.out) == (1, True, True)


def test_submit_refuses_it_too(packed: Centre) -> None:
    (packed.submission / "notes.txt").write_text(NUMBER, "utf-8")
    packed.commit()
    ran = packed.call("submit")
    assert (ran.code, "[M260]" in ran.out, "not sent" in ran.out) == (1, True, True)


def test_drafts_are_clean(centre: Centre) -> None:
    synthetic.write(centre.data / "exports" / "second", extent=synthetic.SMALL)
    drafted = centre.call(
        "new", "--trial", "plato", "--patient", "PLATO-1", centre.data / "exports" / "second"
    )
    assert drafted.code in (0, 2), drafted.told
    assert "[M26" not in centre.call("check").out


# --- the hook ----------------------------------------------------------------------------------------------


def commit(centre: Centre, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**centre.environ, "PATH": f"{centre.root.parent / 'bin'}:{centre.environ['PATH']}"}
    return subprocess.run(
        ["git", "commit", "-m", "x", *arguments],
        cwd=centre.root,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def hooked(centre: Centre) -> Centre:
    """A centre whose hook finds the program on the path."""
    program = centre.root.parent / "bin" / "rttqa-build"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rttqa_build "$@"\n', "utf-8")
    program.chmod(0o755)
    return centre


def test_the_hook_looks_at_what_is_staged(hooked: Centre) -> None:
    hooked.write(MANIFEST + f"# {NUMBER}\n")
    hooked.git("add", "--all")
    hooked.write(MANIFEST + "# clean again, on disk only\n")
    refused = commit(hooked)
    assert (refused.returncode, "[M260]" in refused.stdout + refused.stderr) == (1, True)
    hooked.git("add", "--all")
    hooked.write(MANIFEST + f"# {NUMBER}, on disk only\n")
    (hooked.submission / "notes.txt").write_text(NUMBER, "utf-8")
    assert commit(hooked).returncode == 0
    assert "clean again" in hooked.git("show", f"HEAD:submissions/{NAME}/manifest.yaml")


def test_the_hook_looks_at_what_is_named_on_the_command_line(hooked: Centre) -> None:
    """``git commit FILE`` and ``git commit -a`` make an index of their own, and tell the hook of it."""
    hooked.write(MANIFEST + f"# {NUMBER}\n")
    for arguments in (("--all",), (f"submissions/{NAME}/manifest.yaml",)):
        assert commit(hooked, *arguments).returncode == 1
    (hooked.root / "README.md").write_text("ours\n", "utf-8")
    assert commit(hooked, "README.md").returncode == 0


def test_check_staged(centre: Centre) -> None:
    clean = centre.call("check", "--staged")
    assert (clean.code, clean.out) == (0, f"{NAME}: no findings\n")
    assert centre.call("check", "--staged", NAME).code == 2
    centre.edit("portal:", "allowed_remotes: [git@host.example]\nportal:", centre.root / "rttqa.yaml")
    centre.git("remote", "add", "origin", "https://elsewhere.example/x.git")
    centre.git("add", "--all")
    assert "[U0" in centre.call("check", "--staged").out
    centre.git("rm", "--cached", "--quiet", "rttqa.yaml")
    ran = centre.call("check", "--staged")
    assert (ran.code, "rttqa.yaml is not staged" in ran.err) == (2, True)
    centre.git("rm", "-r", "--cached", "--quiet", ".")
    nothing = centre.call("check", "--staged")
    assert (nothing.code, nothing.told) == (0, "")

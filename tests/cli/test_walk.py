"""The main job as a user types it: from an export to a receipt, and on to the next revision."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from cli_centre import MANIFEST, NAME, snapshot

if TYPE_CHECKING:
    from cli_centre import Centre


def test_from_export_to_package(centre: Centre) -> None:
    centre.manifest.unlink()
    drafted = centre.call("new", "--trial", "example-phantom", "--patient", NAME, centre.export)
    assert (drafted.code, "1 line says TODO" in drafted.out) == (0, True)
    unfinished = centre.call("check")
    assert (unfinished.code, re.findall(r"\[(\w+)\]", unfinished.out)) == (1, ["M201"])
    assert "incomplete" in centre.call("status").out
    centre.edit("purpose: TODO", "purpose: dummy-run")
    assert centre.call("check").code == 0
    assert "build it" in centre.call("status").out
    built = centre.run("build")
    assert built.code == 0
    assert centre.packages == [f"example-phantom_RXX_{NAME}_dummy-run_r1.zip"]
    assert f"build/{NAME}/report.html" in built.out
    assert centre.call("verify", centre.built / centre.packages[0]).code == 0


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX's")
def test_a_person_approves(centre: Centre) -> None:
    centre.edit("portal:", "gate: {approvals: 1}\nportal:", centre.root / "rttqa.yaml")
    centre.call("build")
    centre.commit()
    assert "approve" in centre.call("status").out
    assert "[U005]" in centre.call("submit").out
    assert centre.call("approve", NAME).code == 2  # on a terminal only
    refused = centre.typed("n\n", "approve", NAME)
    assert (refused.code, "not approved" in refused.out) == (1, True)
    approved = centre.typed("y\n", "approve", NAME)
    assert approved.code == 0
    assert "HARGREAVES" in approved.out  # a person compares who it is with the trial ID, here only
    assert f"in the package  {NAME}" in approved.out
    assert "[U006]" in centre.call("submit").out  # the approval is not committed
    assert not list((centre.data / "portal").iterdir())
    centre.commit()
    assert centre.call("submit").code == 0


def test_from_package_to_receipt(packed: Centre) -> None:
    sent = packed.run("submit")
    assert (sent.code, "received by the portal" in sent.out) == (0, True)
    (arrived,) = (packed.data / "portal").glob("*.zip")
    assert arrived.read_bytes() == (packed.built / packed.packages[0]).read_bytes()
    packed.commit()
    before = snapshot(packed.submission, packed.data / "portal")
    again = packed.call("submit")
    assert (again.code, "already received; nothing was sent" in again.out) == (0, True)
    assert snapshot(packed.submission, packed.data / "portal") == before
    assert "nothing to do" in packed.call("status").out


def test_a_second_revision(received: Centre) -> None:
    received.edit("revision: 1\n", "revision: 2\n  kind: replacement\n")
    assert "[M" in received.call("check").out  # a reason is missing
    received.edit("kind: replacement\n", "kind: replacement\n  reason: a finer dose grid\n")
    stale = received.call("check")
    assert (stale.code, "[M401]" in stale.out) == (1, True)
    assert received.call("build").code == 0
    received.commit()
    assert received.call("check").code == 0
    assert received.call("submit").code == 0
    arrived = sorted(path.name for path in (received.data / "portal").glob("*.zip"))
    assert [re.findall(r"_(r\d)_", name) for name in arrived] == [["r1"], ["r2"]]
    assert sorted(path.name for path in (received.submission / "history").iterdir()) == ["r1", "r2"]


def test_a_received_revision_does_not_change(received: Centre) -> None:
    received.write(f"{MANIFEST}clinical: {{history: something else}}\n")
    edited = received.call("check")
    assert edited.code == 1
    assert "revision" in edited.out
    assert re.search(rf"\n{NAME} +received .*  undo the edit", received.call("status").out)


def test_the_lock_of_a_received_revision_stands(received: Centre) -> None:
    lock = received.submission / "lock.yaml"
    before = lock.read_bytes()
    assert received.call("build").code == 0
    (plan,) = received.export.rglob("RP.*")
    plan.write_bytes(plan.read_bytes().replace(b"Prostate60", b"Prostate61"))
    other = received.call("build")
    assert (other.code, "[U021]" in other.out) == (1, True)
    assert lock.read_bytes() == before


@pytest.mark.parametrize("verb", ["check", "build", "submit"])
def test_one_of_several_is_bad(verb: str, centre: Centre) -> None:
    for name, text in (("A-BAD", "manifest: 1\ntrail: x\n"), ("Z-BAD", "[")):
        (centre.submission.parent / name).mkdir()
        (centre.submission.parent / name / "manifest.yaml").write_text(text, "utf-8")
    centre.call("build", NAME)
    centre.commit()
    ran = centre.call(verb)
    assert ran.code == 1
    for name in ("A-BAD", NAME, "Z-BAD"):
        assert f"{name}: " in ran.out, ran.told
    if verb == "submit":
        assert f"{NAME}: received by the portal" in ran.out


def test_the_worst_exit_code_wins(centre: Centre) -> None:
    """Findings in one submission, a source that is not there in another."""
    other = centre.submission.with_name("OTHER-1")
    other.mkdir()
    (other / "manifest.yaml").write_text(MANIFEST.replace(NAME, "OTHER-1"), "utf-8")
    (other.with_name("BAD-1")).mkdir()
    (other.with_name("BAD-1") / "manifest.yaml").write_text("manifest: 2\n", "utf-8")
    ran = centre.call("build")
    assert ran.code == 2
    assert f"{NAME}: no findings" in ran.out
    assert "OTHER-1" in ran.told
    assert centre.packages


def test_json_is_all_there_is_on_standard_output(centre: Centre) -> None:
    centre.export.joinpath("HARGREAVES notes.txt").write_text("left out", "utf-8")
    as_json = ("--format", "json")
    assert centre.call("check", *as_json).json[0]["findings"] == []
    built = centre.call("build", *as_json)
    assert built.json[0]["package"]["name"] == centre.packages[0]
    centre.commit()
    assert centre.call("verify", centre.built / centre.packages[0], *as_json).json[0]["findings"] == []
    assert centre.call("status", *as_json).json[0]["state"] == "built"
    assert centre.call("submit", *as_json).json[0]["ending"] == "received"
    assert {row["id"] for row in centre.call("trials", *as_json).json["trials"]} >= {"example-phantom"}
    centre.write("manifest: 1\ntrial: [\n")
    for verb in ("check", "build", "submit", "status"):
        ran = centre.call(verb, *as_json)
        assert ran.json[0]["name"] == NAME, verb
        assert ran.code == (0 if verb == "status" else 1), verb


def test_the_hook_refuses_remotes_that_the_settings_do_not_list(centre: Centre) -> None:
    settings = centre.root / "rttqa.yaml"
    centre.edit("portal:", "allowed_remotes: [https://git.example.nhs.uk/trials]\nportal:", settings)
    centre.git("remote", "add", "origin", "https://git.example.nhs.uk/trials/ours.git")
    assert centre.call("check").code == 0
    centre.git("remote", "add", "backup", "https://user:secret@elsewhere.example.org/ours.git")
    refused = centre.call("check")
    assert (refused.code, "[U008]" in refused.out, "secret" in refused.told) == (1, True, False)
    structured = centre.call("check", "--format", "json")
    assert (structured.code, "U008" in structured.out) == (1, True)

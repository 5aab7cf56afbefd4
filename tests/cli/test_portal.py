"""``submit`` to a Nextcloud portal, and ``portal trust``, as their users meet them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cli_centre import NAME, snapshot
from git_builder import git
from nextcloud_double import PASSWORD, TOKEN, Front, served
from portal_centre import Wired, prepared

from rttqa_build.cli import bar, portals
from rttqa_build.diagnostic import RttqaError
from rttqa_build.portal import known, wire
from rttqa_build.records import ledger
from rttqa_build.records.receipt import OutcomeKind
from rttqa_build.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli_centre import Centre

    from rttqa_build.records.receipt import Receipt

WRONG = "not the password, but secret"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with served() as made:
        yield made


@pytest.fixture(scope="module")
def ready(settled: Centre, tmp_path_factory: pytest.TempPathFactory) -> Centre:
    return prepared(settled, tmp_path_factory.mktemp("wired"))


@pytest.fixture
def wired(ready: Centre, front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wired:
    monkeypatch.setattr(portals, "_FIRST_PAUSE", 0.0)
    return Wired(ready.at(tmp_path / "a centre"), front.fresh(), front.port)


def test_from_the_gate_to_the_proof(wired: Wired) -> None:
    ran = wired.submit()
    assert (ran.code, ran.err) == (0, "")
    assert f"{NAME}: received by the portal" in ran.out
    (attempt,) = wired.receipt.attempts
    assert (attempt.kind, attempt.portal) == (OutcomeKind.VERIFIED, f"127.0.0.1:{wired.port}")
    assert wired.names == [attempt.name]
    assert wired.server.files[0].sha256 == attempt.sha256
    again = wired.submit()
    assert (again.code, len(wired.server.requests)) == (0, 3)
    assert "already received" in again.out


def test_a_dry_run_goes_as_far_as_the_preflight(wired: Wired) -> None:
    before = snapshot(wired.centre.submission)
    ran = wired.submit("--dry-run")
    assert (ran.code, wired.names) == (0, [])
    assert [one.method for one in wired.server.requests] == ["GET", "PROPFIND"]
    assert snapshot(wired.centre.submission) == before


def test_what_the_gate_refuses_costs_no_login(wired: Wired) -> None:
    wired.centre.manifest.write_bytes(wired.centre.manifest.read_bytes() + b"# x\n")
    ran = wired.submit()
    assert ran.code == 1
    assert "U006" in ran.out
    assert wired.server.requests == []


def more(wired: Wired, count: int) -> None:
    """Add submissions of the same phantom, built and committed."""
    text = wired.centre.manifest.read_text("utf-8")
    for number in range(2, count + 1):
        folder = wired.centre.root / "submissions" / f"PHANTOM-{number}"
        folder.mkdir()
        other = text.replace(f"patient: {NAME}", f"patient: PHANTOM-{number}")
        (folder / "manifest.yaml").write_text(other, "utf-8", newline="\n")
    ran = wired.centre.call("build")
    assert ran.code == 0, ran.told
    wired.centre.commit()


@pytest.mark.parametrize("count", [3, pytest.param(12, marks=pytest.mark.long)])
def test_a_wrong_password_costs_one_login_over_all_manifests(count: int, wired: Wired) -> None:
    more(wired, count)
    ran = replace(wired, password=WRONG).submit()
    assert ran.code == 2
    assert ran.err.count("U060") == 1
    assert ran.out.count("not sent") == count
    assert len(wired.server.logins) == 1
    assert wired.server.puts == []
    assert not wired.receipt.attempts


def test_a_password_that_is_refused_in_mid_run_ends_it(wired: Wired) -> None:
    more(wired, 3)
    wired.server.switches.statuses = [401]
    ran = wired.submit()
    assert ran.code == 2
    assert len(wired.server.puts) == 1
    assert ran.out.count("not sent") == 2
    (attempt,) = wired.receipt.attempts
    assert (attempt.kind, attempt.stored) == (OutcomeKind.REFUSED, False)


def test_several_are_sent_after_one_preflight(wired: Wired) -> None:
    more(wired, 2)
    assert wired.submit().code == 0
    assert [one.method for one in wired.server.requests] == ["GET", "PROPFIND", "PUT", "PUT"]


def test_throttling_is_remembered_beside_the_key(wired: Wired) -> None:
    wired.server.switches.throttled = True
    ran = wired.submit()
    assert ran.code == 3
    assert "U061" in ran.err
    assert "not_before" in wired.known.read_text("utf-8")
    asked = len(wired.server.requests)
    wired.server.switches.throttled = False
    ran = wired.submit()
    assert ran.code == 1
    assert "U019" in ran.out
    assert "UTC on" in ran.out
    assert len(wired.server.requests) == asked
    text = wired.known.read_text("utf-8")
    wired.known.write_text(text.replace("20", "19"), "utf-8")
    assert wired.submit().code == 0


def test_wrong_passwords_stop_long_before_the_portal_shuts_us_out(wired: Wired) -> None:
    mistaken = replace(wired, password=WRONG)
    assert [mistaken.submit().code for _ in range(7)] == [2, 2, 2, 2, 2, 1, 1]
    assert len(wired.server.failures) == 5
    assert WRONG not in wired.known.read_text("utf-8")


def test_nobody_notes_the_keys_of_the_connection(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(wired.centre.data / "keys.txt"))
    here = Workspace.find(wired.centre.root, wired.environ)
    assert portals._context(here).keylog_filename == os.devnull


SLOWLY = """
import time
from rttqa_build.portal.nextcloud import NextcloudPortal
inner = NextcloudPortal.preflight
def preflight(*given):
    time.sleep(1.5)
    return inner(*given)
NextcloudPortal.preflight = preflight
from rttqa_build.cli import main
main()
"""


def test_runs_that_begin_together_ask_in_turn(wired: Wired) -> None:
    mistaken = replace(wired, password=WRONG)
    for _ in range(4):
        mistaken.submit()
    call = [sys.executable, "-c", SLOWLY, "submit", "--dry-run"]
    environ = {**wired.centre.environ, **mistaken.environ}
    clones = [wired.centre.root.with_name(f"clone {number}") for number in range(3)]
    for root in clones:
        wired.centre.git("clone", "--quiet", str(wired.centre.root), str(root))
        git(root, wired.centre.environ, "remote", "remove", "origin")
    runs = [subprocess.Popen(call, cwd=root, env=environ, stdin=subprocess.DEVNULL) for root in clones]
    assert {one.wait(60) for one in runs} <= {1, 2, 3}
    assert len(wired.server.failures) == 5


def test_what_cannot_be_remembered_does_not_hide_a_wrong_password(
    wired: Wired, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RttqaError("rttqa-portals.yaml: the disk is full", "free some space")

    monkeypatch.setattr(known, "write", full)
    ran = replace(wired, password=WRONG).submit()
    assert (ran.code, "U060" in ran.err, "the disk is full" in ran.err) == (2, True, True), ran.told


# --- tries -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [423, 503])
def test_each_try_takes_a_new_name(status: int, wired: Wired) -> None:
    wired.server.switches.statuses = [status, status]
    ran = wired.submit()
    assert ran.code == 0
    assert ran.err.count("another try in") == 2
    assert [one.name.rpartition("_")[2] for one in wired.receipt.attempts][1:] == ["t2.zip", "t3.zip"]
    assert (len(wired.names), wired.receipt.copies) == (1, 1)
    assert "U035" not in ran.out


def test_there_are_four_tries(wired: Wired) -> None:
    wired.server.switches.statuses = [423] * 9
    ran = wired.submit()
    assert (ran.code, len(wired.server.puts)) == (3, 4)
    assert "U034" in ran.out
    assert wired.submit().code == 3
    assert len({one.path for one in wired.server.puts}) == 8


def test_a_gateway_that_failed_late_may_leave_two_copies_and_says_so(wired: Wired) -> None:
    wired.server.switches.statuses, wired.server.switches.stores = [502], True
    ran = wired.submit()
    assert ran.code == 0
    assert "U035" in ran.out
    assert "2 copies may lie at the portal; the valid one is" in ran.out
    assert len(wired.names) == wired.receipt.copies == 2


def test_a_gateway_that_fails_to_the_last_leaves_it_unknown(wired: Wired) -> None:
    wired.server.switches.statuses, wired.server.switches.stores = [502] * 4, True
    ran = wired.submit()
    assert (ran.code, len(wired.names)) == (3, 4)
    assert "U033" in ran.out
    assert wired.receipt.copies == 4
    assert "U020" in wired.submit().out


def test_a_corrupt_copy_is_sent_again_and_told(wired: Wired) -> None:
    wired.server.switches.echo = "wrong"
    ran = wired.submit()
    assert (ran.code, len(wired.names)) == (3, 4)
    assert "U032" in ran.out
    assert "U035" in ran.out


def test_accepted_but_unverified_exits_1(wired: Wired) -> None:
    wired.server.switches.echo = "none"
    ran = wired.submit()
    assert (ran.code, len(wired.names)) == (1, 1)
    assert "U031" in ran.out
    assert "submitted, unverified" in wired.centre.call("status").out
    assert "U020" in wired.submit().out
    assert len(wired.names) == 1
    ran = wired.submit("--treat-as-received", "--reason", "the team confirmed it")
    assert (ran.code, len(wired.names)) == (0, 1)


# --- hosts -------------------------------------------------------------------------------------------------


def linked(wired: Wired, link: str) -> dict[str, str]:
    return {**wired.environ, "RTTQA_PORTAL_LINK": link}


def test_no_password_is_read_for_a_host_that_is_not_trusted(
    wired: Wired, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rttqa_build.cli import passwords

    def read(_: object) -> str:
        raise AssertionError("the password was read")

    monkeypatch.setattr(passwords.Password, "__call__", read)
    monkeypatch.setattr(socket, "create_connection", read)
    environ = linked(wired, f"https://portal.example.org/s/{TOKEN}")
    ran = wired.submit(**environ)
    assert ran.code == 1
    assert "U018" in ran.out
    assert "rttqa-build portal trust portal.example.org" in ran.out
    assert "U015" in ran.out  # all refusals at once: the trial is an example, too


def test_trust_is_kept_beside_the_key(wired: Wired) -> None:
    environ = linked(wired, f"https://portal.example.org/s/{TOKEN}")
    ran = wired.centre.call("portal", "trust", "Portal.Example.org", **environ)
    assert (ran.code, ran.err) == (0, "")
    assert "portal.example.org is trusted" in ran.out
    assert "another host" not in ran.out
    ran = wired.submit(**environ)
    assert "U018" not in ran.out
    assert "U015" in ran.out
    assert (
        "another host: portal.example.org"
        in wired.centre.call("portal", "trust", "other.example.org", **environ).out
    )
    text = wired.known.read_text("utf-8")
    assert (text.count("trusted:"), text.count("a@example.org")) == (2, 2)
    assert wired.centre.git("status", "--porcelain") == ""


@pytest.mark.parametrize("host", ["", "https://portal.example.org", "a b", "portal.example.org/s/x"])
def test_what_is_no_host(host: str, wired: Wired) -> None:
    ran = wired.centre.call("portal", "trust", host)
    assert ran.code == 2
    assert not wired.known.exists()


@pytest.mark.parametrize(
    "text", ["portals: [", "[]\n", "portals: 1\nhosts:\n- x\n", "hosts:\n- {host: a, not_before: x}\n"]
)
def test_a_damaged_file_of_hosts_trusts_nobody(text: str, wired: Wired) -> None:
    wired.known.write_text(text, "utf-8")
    ran = wired.submit()
    assert ran.code == 2
    assert "rttqa-portals.yaml beside the key is damaged" in ran.err
    assert wired.server.requests == []


def test_a_link_that_is_none(wired: Wired) -> None:
    ran = wired.submit(**linked(wired, f"http://portal.example.org/s/{TOKEN}"))
    assert ran.code == 1
    assert "U017" in ran.out
    assert TOKEN not in ran.told


def test_without_a_portal(wired: Wired) -> None:
    settings = wired.centre.root / "rttqa.yaml"
    head, _, tail = settings.read_text("utf-8").partition("portal:")
    settings.write_text(head + "portal: null" + tail.partition('RTTQA_PORTAL_LINK}"')[2], "utf-8")
    assert "U010" in wired.submit().out


def test_a_link_into_nothing(wired: Wired) -> None:
    ran = wired.submit(**linked(wired, f"http://127.0.0.1:{wired.port}/cloud/s/{TOKEN}"))
    assert ran.code == 2
    assert "U067" in ran.err


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_certificates_that_cannot_be_read(content: bytes | None, wired: Wired) -> None:
    if content is not None:
        (wired.centre.root / "trust-ca.pem").write_bytes(content)
    link = "${RTTQA_PORTAL_LINK}"
    wired.centre.edit(f'"{link}"', f'"{link}"\n  ca_file: trust-ca.pem', wired.centre.root / "rttqa.yaml")
    ran = wired.submit(**linked(wired, f"https://portal.example.org/s/{TOKEN}"))
    assert ran.code == 2
    assert "U064" in ran.err


# --- Ctrl-C ------------------------------------------------------------------------------------------------


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_stopped_in_mid_upload_it_can_be_sent_again(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(bar.Upload, "__call__", interrupt)
        patched.setattr(wire, "_BLOCK", 1 << 10)
        ran = wired.submit()
    assert ran.code == 130
    assert [one.kind for one in wired.receipt.attempts] == [OutcomeKind.REFUSED]
    assert wired.submit().code == 0


def test_stopped_after_the_last_byte_it_is_unknown(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(wire, "send", interrupt)
        ran = wired.submit()
    assert ran.code == 130
    assert "it is not known whether the package arrived" in ran.err
    assert "U020" in wired.submit().out


# --- passwords ---------------------------------------------------------------------------------------------


def test_without_a_password_nobody_is_asked(wired: Wired) -> None:
    ran = replace(wired, password="").submit()
    assert ran.code == 2
    assert "U069" in ran.err
    assert wired.server.logins == []


def test_no_secret_is_written_or_shown(wired: Wired) -> None:
    wired.server.switches.statuses, wired.server.switches.reflects = [423], True
    encoded = "a0xtTm9QcVJzVHVWd1h5Wj"  # the beginning of the login, as it is sent
    ran = wired.submit("--format", "json")
    assert ran.code == 0
    shown = [ran.told, json.dumps(ran.json), wired.centre.call("status").told]
    folders = (wired.centre.root, wired.centre.data)
    files = [data.decode("utf-8", "replace") for _, data in snapshot(*folders).values()]
    for text in (*shown, *files):
        assert not [secret for secret in (PASSWORD, TOKEN, encoded) if secret in text]
    assert f"…{TOKEN[-4:]}" in (wired.centre.submission / "receipt.yaml").read_text("utf-8")


# --- what an earlier try may have left there ---


def test_a_copy_that_may_lie_there_is_not_forgotten(wired: Wired) -> None:
    wired.server.switches.stores, wired.server.switches.statuses = True, [502, 507]
    ran = wired.submit()
    assert (ran.code, "error[U033]" in ran.out, f"{NAME}: unknown" in ran.out) == (3, True, True), ran.told
    assert "a copy may lie there; then: the portal has not enough space" in ran.out
    assert wired.centre.call("status", "--format", "json").json[0]["state"] == "unknown"
    again = wired.submit()
    assert (again.code, "error[U020]" in again.out, len(wired.server.puts)) == (1, True, 2)
    resent = wired.submit("--resend", "--reason", "nothing arrived")
    assert (resent.code, "warning[U035]" in resent.out) == (0, True), resent.told
    assert wired.receipt.undecided == ()


def test_stopping_the_pause_after_such_a_copy_says_so(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rttqa_build.cli.portals.time.sleep", stop)
    wired.server.switches.stores, wired.server.switches.statuses = True, [502]
    ran = wired.submit()
    assert (ran.code, "not known whether the package arrived" in ran.err) == (130, True), ran.told
    assert "error[U020]" in wired.submit().out
    assert len(wired.server.puts) == 1


def test_a_recall_names_every_copy_that_may_lie_there(wired: Wired) -> None:
    wired.server.switches.stores, wired.server.switches.statuses = True, [502, 502]
    assert wired.submit().code == 0
    ran = wired.centre.call("withdraw", NAME, "--reason", "wrong structure set")
    assert (ran.code, "asks to delete 3:" in ran.out) == (0, True), ran.told
    recall = (wired.centre.built / "recall.eml").read_text("utf-8")
    assert all(name in recall.replace("=\n", "") for name in wired.names)


@pytest.mark.parametrize("letter", ["received", "refused"])
def test_a_full_disk_after_the_upload_says_what_is_so(
    letter: str, wired: Wired, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, switches = ledger.write, wired.server.switches
    switches.statuses = [] if letter == "received" else [507]

    def full(path: Path, journal: Receipt) -> None:
        if journal.attempts[-1].outcome is not None:
            raise RttqaError("receipt.yaml: the disk is full", "free some space")
        write(path, journal)

    monkeypatch.setattr(ledger, "write", full)
    ran = wired.submit()
    monkeypatch.setattr(ledger, "write", write)
    assert (ran.code, "error[U036]" in ran.out, f"{NAME}: unknown" in ran.out) == (3, True, True), ran.told
    assert "not sent" not in ran.told
    word = "--treat-as-received" if letter == "received" else "--resend"
    assert f"`{word}` is right" in ran.out
    assert "error[U020]" in wired.submit().out
    done = wired.submit(word, "--reason", "as the program said")
    assert (done.code, len(wired.names)) == (0, 1), done.told


def test_what_another_portal_received_is_not_said_of_this_one(wired: Wired) -> None:
    settings = wired.centre.root / "rttqa.yaml"
    text = settings.read_text("utf-8")
    link = 'kind: nextcloud\n  link: "${RTTQA_PORTAL_LINK}"'
    assert link in text
    assert wired.submit().code == 0
    assert "this package was already received; nothing was sent" in wired.submit().out
    settings.write_text(text.replace(link, "kind: folder\n  path: ../data/portal"), "utf-8", newline="\n")
    wired.centre.commit()
    ran = wired.submit()
    there, now = f"by the portal 127.0.0.1:{wired.port}", "not by the hand-over folder of the settings"
    assert (ran.code, f"{there}, {now}; nothing was sent" in ran.out) == (0, True), ran.told
    assert "next revision" in ran.out

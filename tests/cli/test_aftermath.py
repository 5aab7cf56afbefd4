"""After the hand-over: the e-mail, the reviewers' word, the next revision, a recall, and tidying up."""

from __future__ import annotations

import io
import os
import re
import zipfile
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from cli_centre import NAME, snapshot
from mail_server import PASSWORD, USER, postbox
from pypdf import PdfReader

from rttqa_build import synthetic
from rttqa_build.cli.session import today

if TYPE_CHECKING:
    from pathlib import Path

    from cli_centre import Centre
    from mail_server import Postbox


def text(data: bytes) -> str:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return f"{message['Subject']}\n{message.get_content()}".replace("\r\n", "\n")


# --- the e-mail ---


def with_server(centre: Centre, box: Postbox, *, user: bool = False) -> None:
    """Name the server in the settings, build and commit."""
    who = f", user: {USER}" if user else ""
    server = f"host: 127.0.0.1, port: {box.port}, ca_file: {box.ca_file}, sender: {USER}{who}"
    centre.edit("portal:", f"email: {{smtp: {{{server}}}}}\nportal:", centre.root / "rttqa.yaml")
    assert centre.call("build").code == 0
    centre.commit()


def test_an_email_goes_out_once(centre: Centre, tmp_path: Path) -> None:
    with postbox(tmp_path) as box:
        with_server(centre, box)
        sent = centre.call("submit")
        assert (sent.code, "sent to the trial's contact" in sent.out) == (0, True), sent.told
        assert centre.call("submit").code == 0
    (data,) = box.taken
    assert box.encrypted == [True]
    assert f"example-phantom {NAME}" in text(data)
    assert not (centre.built / "email.eml").exists()
    assert "outcome: sent" in (centre.submission / "receipt.yaml").read_text("utf-8")


def test_an_email_that_fails_is_retried_by_submit_alone(centre: Centre, tmp_path: Path) -> None:
    with postbox(tmp_path, login=True) as box:
        with_server(centre, box, user=True)
        wrong = centre.call("submit", RTTQA_SMTP_PASSWORD="not the one")  # noqa: S106 - a wrong one
        assert (wrong.code, "[U056]" in wrong.out, "refused user or password" in wrong.out) == (0, True, True)
        assert len(box.logins) == 1
        centre.commit()
        assert "submit it again" in centre.call("status").out
        before = snapshot(centre.data / "portal")
        right = centre.call("submit", RTTQA_SMTP_PASSWORD=PASSWORD)
        assert (right.code, len(box.taken)) == (0, 1), right.told
        assert snapshot(centre.data / "portal") == before
        assert centre.call("submit", RTTQA_SMTP_PASSWORD=PASSWORD).code == 0
    assert len(box.taken) == 1
    places = (centre.root, centre.data)
    everything = b"".join(data for _, data in snapshot(*places).values()) + wrong.told.encode() + box.taken[0]
    for secret in (PASSWORD, "not the one"):
        assert secret.encode() not in everything + right.told.encode()


def test_who_stops_the_email_is_told_that_the_package_arrived(centre: Centre, tmp_path: Path) -> None:
    with postbox(tmp_path) as box:
        with_server(centre, box)
        with patch("rttqa_build.mail.send", side_effect=KeyboardInterrupt):
            ran = centre.call("submit")
        assert (ran.code, "the portal has received PHANTOM-1" in ran.err) == (130, True), ran.told
        assert "U055" in centre.call("submit").out
    assert not box.taken


def test_an_answer_that_is_lost_is_told(centre: Centre, tmp_path: Path) -> None:
    with postbox(tmp_path) as box:
        with_server(centre, box)
        box.faults["DATA"] = "close"
        first = centre.call("submit")
        assert (first.code, "[U055]" in first.out, "perhaps sent" in first.out) == (0, True, True), first.told
        again = centre.call("submit")
        assert (again.code, "[U055]" in again.out) == (0, True)
    assert len(box.taken) == 1
    assert (centre.built / "email.eml").exists()


# --- what the reviewers said, and the next revision ---


def test_what_the_reviewers_said(received: Centre) -> None:
    day = today()
    assert received.call("outcome", NAME).out == "no review is recorded\n"
    said = received.call(
        "outcome", NAME, "--grade", "unacceptable-variation", "--resubmission", "--date", day
    )
    assert (said.code, "unacceptable variation, resubmission asked" in said.out) == (0, True), said.told
    assert "commit" in received.call("status").out
    received.commit()
    assert re.search(
        rf"\n{NAME} +resubmission asked .*  unacceptable variation.*: raise", received.call("status").out
    )
    assert (
        received.call("outcome", NAME).out
        == f"revision 1, {day}: unacceptable variation, resubmission asked\n"
    )
    mended = received.call("outcome", NAME, "--grade", "per-protocol")
    assert mended.code == 0
    received.commit()
    assert "reviewed" in received.call("status").out
    assert received.call("check").code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--revision", "2", "--resubmission"), "no received revision 2"),
        (("--date", "2026-11-20"), "nothing to record"),
        (("--resubmission", "--date", "yesterday"), "--date is no date"),
        (("--resubmission", "--date", "2999-01-01"), "in the future"),
        (("--resubmission", "--date", "2000-01-03"), "before the hand-over"),
        (("--grade", "good"), "'per-protocol'"),
    ],
)
def test_slips_of_outcome(arguments: tuple[str, ...], told: str, received: Centre) -> None:
    ran = received.call("outcome", NAME, *arguments)
    assert (ran.code, told in ran.err) == (2, True), ran.told
    assert not (received.submission / "outcome.yaml").exists()


def test_nothing_was_received_yet(centre: Centre) -> None:
    ran = centre.call("outcome", NAME, "--resubmission")
    assert (ran.code, "has no received revision" in ran.err) == (2, True)


def test_a_damaged_outcome_is_found_and_not_written_over(received: Centre) -> None:
    (received.submission / "outcome.yaml").write_bytes(b"outcomes: [\n")
    assert "[M411]" in received.call("check").out
    assert received.call("outcome", NAME, "--resubmission").code == 2


@pytest.mark.parametrize(("kind", "words"), [("replacement", "replaced"), ("supplement", "sent anew")])
def test_a_resubmission_says_what_changed(kind: str, words: str, received: Centre) -> None:
    (plan,) = received.export.rglob("RP.*")
    plan.write_bytes(plan.read_bytes().replace(b"Prostate60", b"Prostate61"))
    received.edit("revision: 1\n", f"revision: 2\n  kind: {kind}\n  reason: the plan was renamed\n")
    assert received.call("build").code == 0
    received.commit()
    first = snapshot(received.submission / "history" / "r1")
    assert received.call("submit").code == 0
    told = text((received.built / "email.eml").read_bytes())
    assert f"Revision:            2 ({kind})" in told
    assert f"Changed since the last received revision:\n  - Plan: {words}" in told
    assert "renamed" not in told
    arrived = max((received.data / "portal").glob("*.zip"))
    with zipfile.ZipFile(arrived) as package:
        summary = package.read(f"{NAME}_r2/data/clinical_summary.pdf")
    shown = "".join(page.extract_text() for page in PdfReader(io.BytesIO(summary)).pages)
    assert re.search(rf"Changes since the last received revision\s+Plan\s*{words}", shown)
    assert snapshot(received.submission / "history" / "r1") == first
    assert sorted(path.name for path in (received.submission / "history").iterdir()) == ["r1", "r2"]


def test_the_lock_of_an_earlier_revision_must_be_committed(received: Centre) -> None:
    """References to what was sent keep their UIDs through it."""
    received.edit("revision: 1\n", "revision: 2\n  kind: replacement\n  reason: a finer grid\n")
    assert received.call("build").code == 0
    received.commit()
    frozen = received.submission / "history" / "r1" / "lock.yaml"
    frozen.write_bytes(frozen.read_bytes() + b"# edited\n")
    ran = received.call("submit")
    assert (ran.code, "[U006]" in ran.out, "history/r1/lock.yaml" in ran.out) == (1, True, True)


# --- verify against a receipt ---


def test_a_package_is_compared_with_a_receipt(received: Centre, tmp_path: Path) -> None:
    (arrived,) = (received.data / "portal").glob("*.zip")
    receipt = received.submission / "receipt.yaml"
    same = received.call("verify", arrived, "--receipt", receipt)
    assert (same.code, "receipt revision 1, received, folder" in same.out) == (0, True), same.told
    received.edit("revision: 1\n", "revision: 2\n  kind: replacement\n  reason: a finer grid\n")
    received.call("build")
    other = received.call("verify", received.built / received.packages[-1], "--receipt", receipt)
    assert (other.code, "[U057]" in other.out) == (1, True)
    receipt.write_text(
        re.sub(r"(?m)^    (outcome|echo|equal): .*\n", "", receipt.read_text("utf-8")), "utf-8"
    )
    doubtful = received.call("verify", arrived, "--receipt", receipt)
    assert (doubtful.code, "[U058]" in doubtful.out, "revision 1, unknown" in doubtful.out) == (1, True, True)
    as_json = received.call("verify", arrived, "--receipt", receipt, "--format", "json")
    assert as_json.json[0]["findings"][0]["code"] == "U058"
    for wrong in (received.manifest, tmp_path / "missing.yaml"):
        assert received.call("verify", arrived, "--receipt", wrong).code in (2, 3)


# --- a recall ---


def test_what_was_sent_is_recalled(received: Centre) -> None:
    said = received.call("withdraw", NAME, "--reason", "wrong structure set")
    assert (said.code, "withdrawn" in said.out) == (0, True), said.told
    draft = (received.built / "recall.eml").read_bytes()
    (arrived,) = (received.data / "portal").glob("*.zip")
    assert b"X-Unsent: 1" in draft
    assert arrived.name in text(draft)
    assert "please delete" in text(draft)
    assert "structure set" not in text(draft)
    received.commit()
    assert "withdrawn" in received.call("status").out
    received.edit("revision: 1\n", "revision: 2\n  kind: replacement\n  reason: the right one\n")
    received.call("build")
    received.commit()
    blocked = received.call("submit")
    assert (blocked.code, "[U054]" in blocked.out) == (1, True)
    assert received.call("withdraw", NAME, "--reason", "again").code == 2
    assert received.call("withdraw", NAME, "--reason", "it may go", "--lift").code == 0
    assert received.call("withdraw", NAME, "--reason", "it may go", "--lift").code == 2
    received.commit()
    assert received.call("submit").code == 0


def test_what_was_never_sent_is_blocked_without_an_email(centre: Centre) -> None:
    said = centre.call("withdraw", NAME, "--reason", "consent withdrawn")
    assert (said.code, "nothing to recall" in said.out) == (0, True)
    assert not (centre.built / "recall.eml").exists()
    centre.call("build")
    centre.commit()
    assert "[U054]" in centre.call("submit").out


def test_a_reason_must_not_identify(received: Centre) -> None:
    before = snapshot(received.root)
    ran = received.call("withdraw", NAME, "--reason", "Mr Smith does not want it")
    assert (ran.code, "--reason seems to hold" in ran.err) == (2, True)
    assert received.call("withdraw", NAME).code == 2
    assert snapshot(received.root) == before


def test_another_clone_wrote_to_the_receipt(received: Centre) -> None:
    (received.submission / "receipt.yaml").unlink()
    ran = received.call("withdraw", NAME, "--reason", "wrong one")
    assert (ran.code, "[U050]" in ran.err) == (2, True)


# --- tidying up ---


def test_what_is_no_longer_needed_goes(received: Centre) -> None:
    before = snapshot(received.submission, received.data)
    listed = received.call("status")
    assert "rttqa-build clean removes it" in listed.out
    assert re.search(rf"{NAME}  build/{NAME}: package, report, account \([0-9.]+ [kM]B\)", listed.out)
    assert received.call("clean").code == 2  # nobody is there to ask
    assert received.packages
    done = received.call("clean", "--yes")
    assert (done.code, "removed" in done.out) == (0, True), done.told
    assert [path.name for path in received.built.iterdir()] == ["email.eml"]  # it may not be sent yet
    assert snapshot(received.submission, received.data) == before
    assert received.call("clean").out == "nothing to remove\n"
    assert "rttqa-build clean" not in received.call("status").out
    assert received.call("status", "--format", "json").json[0]["remains"] == {"files": 0, "bytes": 0}
    assert "already received" in received.call("submit").out
    assert received.call("build").code == 0


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX's")
def test_a_person_is_asked(received: Centre) -> None:
    assert received.typed("n\n", "clean").code == 1
    assert received.packages
    assert received.typed("y\n", "clean").code == 0
    assert not received.packages


def test_what_is_still_needed_stays(packed: Centre) -> None:
    before = snapshot(packed.root)
    ran = packed.call("clean", NAME, "--yes")
    assert (ran.code, "not received yet" in ran.err) == (2, True)
    assert packed.call("clean", "--yes").out == "nothing to remove\n"
    assert {k: v for k, v in snapshot(packed.root).items() if ".git/" not in k} == {
        k: v for k, v in before.items() if ".git/" not in k
    }


def test_only_what_the_program_made_goes(received: Centre) -> None:
    (received.built / "notes.txt").write_bytes(b"mine")
    (received.built / "own.zip").write_bytes(b"mine")
    (received.built / ".staging").mkdir()
    (received.built / ".staging" / "x").write_bytes(b"left")
    assert received.call("clean", "--yes", NAME).code == 0
    assert sorted(path.name for path in received.built.iterdir()) == ["email.eml", "notes.txt", "own.zip"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_is_not_followed(received: Centre, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    received.built.rename(elsewhere)
    received.built.symlink_to(elsewhere)
    assert received.call("clean", "--yes").out == "nothing to remove\n"
    assert list(elsewhere.glob("*.zip"))


def test_what_was_withdrawn_may_go(packed: Centre) -> None:
    packed.call("withdraw", NAME, "--reason", "consent withdrawn")
    assert packed.call("clean", "--yes").code == 0
    assert not packed.built.exists()


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_recall_without_a_reason_changes_nothing(reason: str, received: Centre) -> None:
    before = snapshot(received.submission, received.data)
    ran = received.call("withdraw", NAME, "--reason", reason)
    assert (ran.code, "--reason is empty" in ran.err) == (2, True)
    assert snapshot(received.submission, received.data) == before


def test_a_reason_that_names_the_patient_is_refused(received: Centre) -> None:
    before = snapshot(received.submission)
    surname = synthetic.INVENTED.name.partition("^")[0].title()
    ran = received.call("withdraw", NAME, "--reason", f"{surname} asked for it")
    assert (ran.code, "names somebody of the export" in ran.err) == (2, True)
    assert snapshot(received.submission) == before


CHANGING = """
from rttqa_build.diagnostic import RttqaError
from rttqa_build.stages import intake
def take_in(*_):
    raise RttqaError("a file of the source changed during the build", "wait until the export is finished")
intake.take_in = take_in
"""


def test_a_reason_waits_for_an_export_that_is_being_written(received: Centre) -> None:
    """Whom the export names is not known yet: the reason, which may name them, must not go into Git."""
    before = snapshot(received.submission)
    ran = received.altered(CHANGING, "withdraw", NAME, "--reason", "consent withdrawn")
    assert (ran.code, "wait until the export is finished" in ran.err) == (3, True)
    assert snapshot(received.submission) == before

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from git_builder import commit, git
from lock_builder import BASIS, VERSIONS
from submit_case import (
    FILES,
    LOCK,
    NOW,
    PACKAGE,
    RESEND,
    SHA,
    TREAT,
    YES,
    Case,
    Rebuilt,
    Remote,
    codes,
    make_case,
    make_trial,
    sent,
)

from rttqa_build import disk, mail
from rttqa_build.diagnostic import Diagnostic, RttqaError, Severity
from rttqa_build.lock import LockedFinding
from rttqa_build.records import receipt
from rttqa_build.records.receipt import Decision, Outcome, OutcomeKind, Receipt
from rttqa_build.settings import Gate, PortalSettings
from rttqa_build.submit import Candidate, Ending, Order, Site, Steps, gate, preflight, submit

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.mail import Letter
    from rttqa_build.records.receipt import Attempt


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return make_case(tmp_path)


# --- the way through ---


def test_from_the_gate_to_the_draft_email(case: Case) -> None:
    result = case.submit()
    assert (result.ending, result.exit_code, result.diagnostics) == (Ending.RECEIVED, 0, ())
    assert case.outbox == [f"plato_RXX_PL-1_r1_{SHA[:12]}.zip"]
    assert (case.root / "outbox" / case.outbox[0]).read_bytes() == PACKAGE
    (attempt,) = case.receipt.attempts
    assert attempt == result.attempt
    assert attempt.outcome == Outcome(OutcomeKind.VERIFIED, SHA)
    assert (attempt.size, attempt.sha256, attempt.content) == (len(PACKAGE), SHA, LOCK.content)
    assert (case.receipt.received, case.receipt.copies) == (1, 1)
    frozen = case.candidate.folder / "history" / "r1"
    assert sorted(p.name for p in frozen.iterdir()) == sorted([*FILES, "receipt.yaml"])
    assert (frozen / "receipt.yaml").read_bytes() == (case.candidate.folder / "receipt.yaml").read_bytes()
    assert (case.candidate.output / "email.eml").exists()


def test_a_second_run_sends_nothing_and_says_so(case: Case) -> None:
    case.submit()
    before = (case.candidate.folder / "receipt.yaml").read_bytes()
    result = case.submit()
    assert (result.ending, codes(result.diagnostics), result.exit_code) == (Ending.ALREADY, ["U030"], 0)
    assert (case.rebuilds, len(case.mails), len(case.outbox)) == (1, 1, 1)
    assert (case.candidate.folder / "receipt.yaml").read_bytes() == before


def test_a_dry_run_does_everything_but_send(case: Case) -> None:
    result = case.submit(order=Order(NOW, send=False))
    assert (result.ending, result.exit_code, case.rebuilds) == (Ending.READY, 0, 1)
    assert case.outbox == []
    assert case.receipt == Receipt()
    assert git(case.root, case.environ, "status", "--porcelain") == ""


# --- the gate ---


def settings_with(case: Case, **fields: Any) -> Site:
    return replace(case.site, settings=replace(case.site.settings, **fields))


def test_a_clean_case_passes_the_gate(case: Case) -> None:
    assert gate(case.candidate, case.site) == ()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"checked": (Diagnostic("S110", "m"),)}, ["S110", "U001"]),
        ({"checked": (Diagnostic("S110", "m", severity=Severity.WARNING),)}, ["S110"]),
        ({"lock": None}, ["U002"]),
        ({"basis": replace(BASIS, manifest="9")}, ["M401"]),
        ({"basis": replace(BASIS, key="9")}, ["M404"]),
        ({"basis": replace(BASIS, versions=replace(VERSIONS, tool="2"))}, ["M405", "U003"]),
        ({"lock": replace(LOCK, findings=(LockedFinding("D204", "error", "sum"),))}, ["U004"]),
        ({"lock": replace(LOCK, findings=(LockedFinding("D204", "error", "sum", "agreed"),))}, []),
        ({"lock": replace(LOCK, findings=(LockedFinding("D204", "warning"),))}, []),
        ({"approvals": ()}, ["U005"]),
        ({"approvals": (replace(YES, content="9"),)}, ["U005"]),
        ({"approvals": (), "trial": make_trial("example")}, []),
    ],
)
def test_refusals_of_the_submission(change: dict[str, Any], expected: list[str], case: Case) -> None:
    told = gate(replace(case.candidate, **change), case.site)
    assert codes(told) == expected
    assert all(d.hint for d in told if d.code.startswith(("U", "M")))


def test_two_approvals_are_two_people(case: Case) -> None:
    site = settings_with(case, gate=Gate(approvals=2))
    assert codes(gate(case.candidate, site)) == ["U005"]
    again = replace(case.candidate, approvals=(YES, replace(YES, role="clinician")))
    assert codes(gate(again, site)) == ["U005"]
    two = replace(case.candidate, approvals=(YES, replace(YES, by="b@example.org")))
    assert gate(two, site) == ()


@pytest.mark.parametrize("name", FILES)
def test_each_file_that_counts_must_be_committed(name: str, case: Case) -> None:
    path = case.candidate.folder / name
    path.write_bytes(path.read_bytes() + b"# x\n")
    (told,) = gate(case.candidate, case.site)
    assert (told.code, told.where.file) == ("U006", f"submissions/PL-1/{name}")
    assert "changed since the last commit" in told.message
    git(case.root, case.environ, "update-index", "--skip-worktree", f"submissions/PL-1/{name}")
    assert codes(gate(case.candidate, case.site)) == ["U006"]


def test_branch_and_remotes(case: Case) -> None:
    site = settings_with(case, gate=Gate(branch="main"))
    assert gate(case.candidate, site) == ()
    git(case.root, case.environ, "checkout", "--quiet", "-b", "draft")
    commit(case.root, case.environ)
    assert codes(gate(case.candidate, site)) == ["U007"]
    git(case.root, case.environ, "remote", "add", "origin", "https://user:secret@git.example.org/a.git")
    site = settings_with(case, allowed_remotes=("https://git.example.org",))
    (told,) = gate(case.candidate, site)
    assert told.code == "U008"
    assert "secret" not in f"{told}"
    for allowed in ("https://user:secret@git.example.org/a.git", "https://user:secret@git.example.org"):
        assert gate(case.candidate, settings_with(case, allowed_remotes=(allowed,))) == ()


def test_the_portal(case: Case) -> None:
    example = replace(case.candidate, trial=make_trial("example"))
    assert gate(example, case.site) == ()
    assert codes(gate(example, replace(case.site, portal=Remote()))) == ["U015"]
    small = settings_with(case, portal=PortalSettings("folder", path="outbox", max_bytes=100))
    assert codes(gate(case.candidate, small)) == ["U016"]


def test_all_refusals_are_told_at_once_and_nothing_is_done(case: Case) -> None:
    case.candidate = replace(
        case.candidate, approvals=(), basis=replace(BASIS, trial="9"), checked=(Diagnostic("S110", "m"),)
    )
    (case.candidate.folder / "manifest.yaml").write_bytes(b"manifest: 2\n")
    result = case.submit()
    assert (result.ending, result.exit_code) == (Ending.STOPPED, 1)
    assert sorted(codes(result.diagnostics)) == ["M402", "S110", "U001", "U005", "U006"]
    assert case.rebuilds == 0
    assert case.receipt == Receipt()


def test_preflight_is_asked_once_for_all_that_may_go(case: Case) -> None:
    done = replace(case.candidate, receipt=sent(OutcomeKind.VERIFIED))
    unknown = replace(case.candidate, receipt=sent(OutcomeKind.UNKNOWN))
    stopped = replace(case.candidate, approvals=())
    never = replace(case.candidate, lock=None)

    def asked(*candidates: Candidate, decision: Decision | None = None) -> list[int]:
        portal = Remote()
        site = replace(case.site, portal=portal)
        preflight(site, candidates, Order(NOW, decision))
        return portal.asked

    assert asked(case.candidate, case.candidate, done, unknown, stopped, never) == [2 * len(PACKAGE)]
    assert asked(done, unknown, stopped, never) == []
    assert asked(unknown, decision=RESEND) == [len(PACKAGE)]
    assert asked(unknown, decision=TREAT) == []


def test_without_a_portal_nothing_is_built(case: Case) -> None:
    case.site = replace(case.site, portal=None)
    assert (case.submit().ending, case.rebuilds) == (Ending.STOPPED, 0)
    told = (Diagnostic("U018", "not trusted"),)
    result = submit(case.candidate, case.site, Steps(case.rebuild, case.verify, case.email), Order(NOW), told)
    assert (result.diagnostics, case.rebuilds) == (told, 0)


# --- rebuild and verify ---


def test_another_rebuild_is_not_sent(case: Case) -> None:
    case.rebuilt = replace(case.rebuilt, lock=replace(LOCK, content="9" * 64))
    result = case.submit()
    assert (result.ending, codes(result.diagnostics)) == (Ending.STOPPED, ["K106"])
    assert case.outbox == []
    assert case.receipt == Receipt()


def test_a_rebuild_without_a_package_says_why(case: Case) -> None:
    case.rebuilt = Rebuilt(None, None, (Diagnostic("A100", "m"),))
    assert codes(case.submit().diagnostics) == ["A100", "U023"]


def test_what_verify_refuses_is_not_sent(case: Case) -> None:
    case.verify_diagnostics = (Diagnostic("K001", "m"),)
    assert codes(case.submit().diagnostics) == ["K001"]
    assert case.outbox == []


def test_bytes_other_than_the_locks_are_not_sent(case: Case) -> None:
    assert case.rebuilt.package is not None
    case.rebuilt.package.write_bytes(PACKAGE + b"x")
    assert codes(case.submit().diagnostics) == ["U023"]
    assert case.outbox == []
    case.rebuilt.package.unlink()
    with pytest.raises(RttqaError, match="the package"):
        case.submit()


# --- the journal ---


def test_the_attempt_is_on_disk_before_the_first_byte(case: Case) -> None:
    seen: list[Receipt] = []
    case.submit(Remote(before=lambda: seen.append(case.receipt)))
    assert [item.outcome for item in seen[0].attempts] == [None]
    assert seen[0].copies == 1


@pytest.mark.parametrize("death", [KeyboardInterrupt(), SystemExit(1), MemoryError()])
def test_a_run_that_dies_in_mid_upload_leaves_unknown(death: BaseException, case: Case) -> None:
    with pytest.raises(type(death)):
        case.submit(Remote(death))
    assert len(case.receipt.undecided) == 1
    portal = Remote()
    result = case.submit(portal)
    assert (result.ending, codes(result.diagnostics), result.exit_code) == (Ending.STOPPED, ["U020"], 1)
    assert portal.sent == []


@pytest.mark.parametrize(
    ("kind", "ending", "told", "code", "next_"),
    [
        (OutcomeKind.VERIFIED, Ending.RECEIVED, [], 0, Ending.ALREADY),
        (OutcomeKind.UNVERIFIED, Ending.UNVERIFIED, ["U031"], 1, Ending.STOPPED),
        (OutcomeKind.CORRUPT, Ending.CORRUPT, ["U032"], 3, Ending.RECEIVED),
        (OutcomeKind.UNKNOWN, Ending.UNKNOWN, ["U033"], 3, Ending.STOPPED),
        (OutcomeKind.REFUSED, Ending.REFUSED, ["U034"], 3, Ending.RECEIVED),
    ],
)
def test_outcomes(
    kind: OutcomeKind, ending: Ending, told: list[str], code: int, next_: Ending, case: Case
) -> None:
    result = case.submit(Remote(kind))
    assert (result.ending, codes(result.diagnostics), result.exit_code) == (ending, told, code)
    assert case.receipt.attempts[-1].kind is kind
    assert (case.candidate.output / "email.eml").exists() == (kind is OutcomeKind.VERIFIED)
    portal = Remote()
    assert case.submit(portal).ending is next_
    assert portal.sent == ([f"plato_RXX_PL-1_r1_{SHA[:12]}_t2.zip"] if next_ is Ending.RECEIVED else [])


@pytest.mark.parametrize("kind", [OutcomeKind.UNKNOWN, OutcomeKind.UNVERIFIED])
def test_resend_is_recorded_and_counts_two_copies(kind: OutcomeKind, case: Case) -> None:
    case.submit(Remote(kind))
    portal = Remote()
    result = case.submit(portal, Order(NOW, RESEND))
    assert result.ending is Ending.RECEIVED
    assert [item.decision for item in case.receipt.attempts] == [RESEND, None]
    assert (case.receipt.received, case.receipt.copies, len(portal.sent)) == (1, 2, 1)


def test_treat_as_received_sends_nothing_and_freezes(case: Case) -> None:
    case.submit(Remote(OutcomeKind.UNKNOWN))
    portal = Remote()
    result = case.submit(portal, Order(NOW, TREAT))
    assert (result.ending, result.exit_code, portal.sent) == (Ending.ALREADY, 0, [])
    assert case.receipt.attempts[0].decision == TREAT
    assert (case.candidate.folder / "history" / "r1" / "receipt.yaml").exists()
    assert len(case.mails) == 1


def test_a_dry_run_records_no_word(case: Case) -> None:
    case.submit(Remote(OutcomeKind.UNKNOWN))
    before = case.receipt
    assert case.submit(Remote(), Order(NOW, TREAT, send=False)).ending is Ending.ALREADY
    assert case.submit(Remote(), Order(NOW, RESEND, send=False)).ending is Ending.READY
    assert case.receipt == before


@pytest.mark.parametrize("word", [RESEND, TREAT])
def test_a_word_for_nothing_stops(word: Decision, case: Case) -> None:
    portal = Remote()
    assert codes(case.submit(portal, Order(NOW, word)).diagnostics) == ["U024"]
    assert portal.sent == []


def test_a_received_revision_is_not_replaced_in_silence(case: Case) -> None:
    case.submit()
    case.candidate = replace(
        case.candidate, lock=replace(LOCK, content="9" * 64, package=replace(LOCK.package, sha256="9"))
    )
    assert "U021" in codes(case.submit().diagnostics)
    assert len(case.outbox) == 1


@pytest.mark.parametrize("left", [None, Receipt()])
def test_a_lost_receipt_does_not_send_twice(left: Receipt | None, case: Case) -> None:
    case.submit()
    path = case.candidate.folder / "receipt.yaml"
    path.unlink()
    if left is not None:
        path.write_text(receipt.dump(left), "utf-8")
    portal = Remote()
    assert codes(case.submit(portal).diagnostics) == ["U025"]
    assert portal.sent == []


def test_a_deleted_receipt_of_an_unknown_outcome_does_not_send_again(case: Case) -> None:
    case.submit(Remote(OutcomeKind.UNKNOWN))
    commit(case.root, case.environ)
    (case.candidate.folder / "receipt.yaml").unlink()
    portal = Remote()
    assert codes(case.submit(portal).diagnostics) == ["U025"]
    assert portal.sent == []


def test_the_same_content_packed_anew_counts_as_received(case: Case) -> None:
    case.submit()
    case.candidate = replace(case.candidate, lock=replace(LOCK, package=replace(LOCK.package, sha256="9")))
    assert case.submit().ending is Ending.ALREADY


def test_an_edited_manifest_of_a_received_revision_is_refused(case: Case) -> None:
    case.submit()
    case.candidate = replace(case.candidate, basis=replace(BASIS, manifest="9"))
    told = codes(case.submit().diagnostics)
    assert "M401" in told
    assert "U021" in told


@pytest.mark.parametrize(
    "text", [receipt.dump(sent(OutcomeKind.VERIFIED)), "receipt: [\n", "receipt: 1\n", ""]
)
def test_a_receipt_that_changes_meanwhile_stops(text: str, case: Case) -> None:
    def meanwhile() -> Rebuilt:
        (case.candidate.folder / "receipt.yaml").write_text(text, "utf-8")
        return case.rebuilt

    result = submit(case.candidate, case.site, Steps(meanwhile, case.verify, case.email), Order(NOW))
    assert codes(result.diagnostics) == ["U022"]
    assert case.outbox == []


def test_a_full_disk_before_the_upload_sends_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise RttqaError("receipt.yaml: the disk is full")

    monkeypatch.setattr(disk, "write", full)
    portal = Remote()
    with pytest.raises(RttqaError):
        case.submit(portal)
    assert portal.sent == []


def test_a_full_disk_after_the_upload_leaves_unknown(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    write = disk.write

    def full() -> None:
        def fail(*_: object) -> None:
            raise RttqaError("receipt.yaml: the disk is full")

        monkeypatch.setattr(disk, "write", fail)

    result = case.submit(Remote(before=full))
    assert (result.ending, codes(result.diagnostics), result.exit_code) == (Ending.UNKNOWN, ["U036"], 3)
    monkeypatch.setattr(disk, "write", write)
    assert len(case.receipt.undecided) == 1


def test_a_failed_email_does_not_undo_and_is_made_later(case: Case) -> None:
    def fail(_: Attempt) -> Letter:
        raise RttqaError("the template is broken", "mend it")

    result = submit(case.candidate, case.site, Steps(case.rebuild, case.verify, fail), Order(NOW))
    assert (result.ending, codes(result.diagnostics), result.exit_code) == (Ending.RECEIVED, ["U040"], 0)
    assert case.receipt.received == 1
    assert case.submit().ending is Ending.ALREADY
    assert len(case.mails) == 1


def test_the_draft_of_an_earlier_revision_does_not_stand_for_a_later_one(case: Case) -> None:
    def fail(_: Attempt) -> Letter:
        raise RttqaError("the template is broken", "mend it")

    disk.write(case.candidate.output / "email.eml", b"of an earlier revision")
    submit(case.candidate, case.site, Steps(case.rebuild, case.verify, fail), Order(NOW))
    case.submit()
    expected = mail.draft(case.email(case.receipt.attempts[0]))
    assert (case.candidate.output / "email.eml").read_bytes() == expected


def test_a_freeze_that_was_cut_off_is_made_later(case: Case) -> None:
    case.submit()
    frozen = case.candidate.folder / "history" / "r1"
    frozen.rename(frozen.with_name(".r1.part"))
    case.submit()
    assert (frozen / "lock.yaml").exists()
    assert [p.name for p in frozen.parent.iterdir()] == ["r1"]

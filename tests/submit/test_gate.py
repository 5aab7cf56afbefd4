"""What stops a submission at the gate: what is not committed, other clones, a withdrawal."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from git_builder import commit, git
from lock_builder import BASIS
from submit_case import LOCK, NOW, RESEND, TREAT, Case, Remote, codes, make_case, sent

from rttqa_build.centre import repository
from rttqa_build.records import ledger
from rttqa_build.records.receipt import (
    About,
    Attempt,
    Notice,
    Outcome,
    OutcomeKind,
    Receipt,
    Sent,
    Withdrawal,
)
from rttqa_build.submit import Ending, Order, Site, gate
from rttqa_build.submit.gate import files_that_count

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rttqa_build.diagnostic import Diagnostic

NAME = "submissions/PL-1/manifest.yaml"


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return make_case(tmp_path)


# --- committed as it is ---


def edit(case: Case) -> None:
    (case.root / NAME).write_bytes(b"manifest: 1\n# edited\n")


def stage(case: Case) -> None:
    edit(case)
    git(case.root, case.environ, "add", NAME)


def skip(case: Case) -> None:
    git(case.root, case.environ, "update-index", "--skip-worktree", NAME)
    edit(case)


def assume(case: Case) -> None:
    git(case.root, case.environ, "update-index", "--assume-unchanged", NAME)
    edit(case)


def delete(case: Case) -> None:
    (case.root / NAME).unlink()


def forget(case: Case) -> None:
    git(case.root, case.environ, "rm", "--quiet", "--cached", NAME)
    git(case.root, case.environ, "commit", "--quiet", "-m", "forgotten")


def ignore(case: Case) -> None:
    forget(case)
    (case.root / ".gitignore").write_bytes(b"outbox/\nbuild/\nmanifest.yaml\n")


def crlf(case: Case) -> None:
    git(case.root, case.environ, "config", "core.autocrlf", "true")
    (case.root / NAME).write_bytes(b"manifest: 1\r\n")


def crlf_kept(case: Case) -> None:
    git(case.root, case.environ, "config", "core.autocrlf", "false")
    (case.root / NAME).write_bytes(b"manifest: 1\r\n")


def touched(case: Case) -> None:
    (case.root / NAME).write_bytes(b"manifest: 1\n")


def unborn(case: Case) -> None:
    git(case.root, case.environ, "checkout", "--quiet", "--orphan", "empty")
    git(case.root, case.environ, "rm", "-r", "--quiet", "--cached", ".")


@pytest.mark.parametrize(
    ("change", "words", "hint"),
    [
        (edit, "changed since the last commit", f"git diff {NAME}"),
        (stage, "staged, but not committed", "git commit"),
        (skip, "Git was told not to look", "--no-skip-worktree"),
        (assume, "Git was told not to look", "--no-assume-unchanged"),
        (delete, "missing", f"git restore {NAME}"),
        (forget, "not in Git yet", f"git add {NAME}"),
        (ignore, "ignored by Git", "git add --force"),
        (unborn, "not in Git yet", "git add"),
        (crlf_kept, "changed since the last commit", "git diff"),
        (crlf, "", ""),
        (touched, "", ""),
    ],
)
def test_what_is_not_committed(change: Callable[[Case], None], words: str, hint: str, case: Case) -> None:
    change(case)
    told = [one for one in gate(case.candidate, case.site) if one.where.file == NAME]
    assert [one.code for one in told] == (["U006"] if words else [])
    assert all(words in one.message and hint in one.hint for one in told)


def test_a_lock_that_never_was_is_not_to_be_brought_back(case: Case) -> None:
    lock = case.candidate.folder / "lock.yaml"
    assert lock in case.candidate.files
    lock.unlink()
    never_built = replace(case.candidate, lock=None)
    assert codes(gate(never_built, case.site)) == ["U002", "U006"]
    git(case.root, case.environ, "commit", "--quiet", "-am", "no lock")
    assert codes(gate(never_built, case.site)) == ["U002"]


def test_a_name_with_a_space_is_quoted_in_the_hint(case: Case) -> None:
    path = case.root / "trials" / "plato" / "a note.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    (told,) = gate(replace(case.candidate, files=(path,)), case.site)
    assert '`git add "trials/plato/a note.yaml"`' in told.hint


def test_a_file_outside_the_repository(case: Case, tmp_path: Path) -> None:
    (tmp_path / "else.yaml").write_bytes(b"")
    (told,) = gate(replace(case.candidate, files=(tmp_path / "else.yaml",)), case.site)
    assert "outside the Git repository" in told.message


def test_in_a_linked_worktree(case: Case, tmp_path: Path) -> None:
    tree = tmp_path / "second tree"
    git(case.root, case.environ, "worktree", "add", "--quiet", "-b", "second", str(tree))
    files = tuple(tree / path.relative_to(case.root) for path in case.candidate.files)
    there = replace(case.candidate, folder=tree / "submissions" / "PL-1", files=files)
    site = replace(case.site, repository=repository.find(tree, case.environ))
    assert gate(there, site) == ()
    files[0].write_bytes(b"manifest: 1\n# edited\n")
    assert codes(gate(there, site)) == ["U006"]
    assert gate(case.candidate, case.site) == ()


def test_every_file_that_counts_is_found_on_disk_and_in_the_commit(case: Case) -> None:
    names = ("trials/plato/trial.yaml", "trials/plato/templates/email.txt.j2", "schemas/plato.schema.json")
    others = ("schemas/common.schema.json", "schemas/other.schema.json")
    frozen = "submissions/PL-1/history/r1/lock.yaml"
    for name in (*names, *others, frozen):
        (case.root / name).parent.mkdir(parents=True, exist_ok=True)
        (case.root / name).write_bytes(b"")
    commit(case.root, case.environ)
    (case.root / names[1]).unlink()
    (case.root / "submissions/PL-1/history/.r2.part").mkdir()
    (case.root / "submissions/PL-1/history/.r2.part/lock.yaml").write_bytes(b"")
    found = files_that_count(
        case.root, case.candidate.folder, "plato", ("plato", "common", "manifest"), case.site.repository
    )
    told = {path.relative_to(case.root).as_posix() for path in found}
    assert told == {
        *names,
        *others[::2],
        frozen,
        *(f"submissions/PL-1/{name}.yaml" for name in ("manifest", "lock", "approval")),
        "rttqa.yaml",
    }
    missing = [
        one for one in gate(replace(case.candidate, files=found), case.site) if "missing" in one.message
    ]
    assert [one.where.file for one in missing] == ["rttqa.yaml", names[1]]


# --- other clones ---


ELSEWHERE = Attempt(1, "c" * 64, f"x_{'0' * 12}.zip", 14, "e" * 64, "folder", NOW)


def with_ledger(case: Case, journal: Receipt, own: Receipt | None = None) -> tuple[Diagnostic, ...]:
    path = case.root.parent / "key" / "rttqa-receipts" / "x.yaml"
    ledger.write(path, journal)
    return gate(replace(case.candidate, ledger=path, receipt=own or Receipt()), case.site)


def test_what_another_clone_began_is_not_begun_again(case: Case) -> None:
    theirs = Receipt().begun(ELSEWHERE)
    (told,) = with_ledger(case, theirs)
    assert (told.code, "1 entry" in told.message) == ("U050", True)
    assert with_ledger(case, theirs, theirs)[0].code == "U020"
    assert with_ledger(case, Receipt()) == ()
    assert codes(with_ledger(case, Receipt(), theirs)) == ["U020"]


def test_what_another_clone_learned_since_counts(case: Case) -> None:
    begun = Receipt().begun(ELSEWHERE)
    verified = begun.ended(Outcome(OutcomeKind.VERIFIED))
    for theirs in (verified, begun.decided(TREAT)):
        (told,) = (one for one in with_ledger(case, theirs, begun) if one.code == "U050")
        assert "1 entry" in told.message
        assert "U050" not in codes(with_ledger(case, begun, theirs))
    drafted = Notice(1, About.ANNOUNCEMENT, NOW, outcome=Sent.DRAFTED)
    told_of, mailed = verified.noticed(drafted), verified.noticed(replace(drafted, outcome=Sent.SENT))
    assert "U050" in codes(with_ledger(case, mailed, told_of))
    assert "U050" not in codes(with_ledger(case, told_of, mailed))


def test_a_word_does_not_hide_what_another_clone_wrote(case: Case) -> None:
    path = case.root.parent / "key" / "rttqa-receipts" / "x.yaml"
    case.candidate = replace(case.candidate, ledger=path)
    case.submit(Remote(OutcomeKind.UNKNOWN))
    journal = case.receipt.decided(RESEND).begun(ELSEWHERE).ended(Outcome(OutcomeKind.VERIFIED))
    ledger.write(path, journal)
    own = case.receipt
    next_one = replace(case.candidate.submission, revision=2)
    lock = replace(LOCK, content="9" * 64, package=replace(LOCK.package, sha256="9" * 64))
    case.candidate = replace(case.candidate, submission=next_one, lock=lock)
    portal = Remote()
    result = case.submit(portal, Order(NOW, TREAT))
    assert (portal.sent, result.ending, "U050" in codes(result.diagnostics)) == ([], Ending.STOPPED, True)
    assert (ledger.read(path), case.receipt) == (journal, own)


def test_an_outcome_that_was_edited_counts_for_nothing(case: Case) -> None:
    path = case.root.parent / "key" / "rttqa-receipts" / "x.yaml"
    case.candidate = replace(case.candidate, ledger=path)
    case.submit(Remote(OutcomeKind.REFUSED))
    own = case.candidate.folder / "receipt.yaml"
    own.write_text(own.read_text("utf-8").replace("refused", "verified"), "utf-8")
    assert case.receipt.received == 1
    portal = Remote()
    result = case.submit(portal)
    assert ("U050" in codes(result.diagnostics), result.exit_code, portal.sent) == (True, 1, [])


# --- what Git remembers ---


@pytest.mark.parametrize("merged", [False, True])
def test_a_receipt_that_a_commit_took_away_is_not_forgotten(merged: bool, case: Case) -> None:
    if merged:
        git(case.root, case.environ, "checkout", "--quiet", "-b", "theirs")
    case.submit()
    commit(case.root, case.environ)
    if merged:
        git(case.root, case.environ, "checkout", "--quiet", "main")
        git(case.root, case.environ, "merge", "--quiet", "--no-commit", "--no-ff", "-s", "ours", "theirs")
        commit(case.root, case.environ)
    else:
        git(case.root, case.environ, "revert", "--no-edit", "HEAD")
    assert not (case.candidate.folder / "receipt.yaml").exists()
    portal = Remote()
    result = case.submit(portal)
    assert (portal.sent, codes(result.diagnostics)) == ([], ["U025"])
    assert "1 entry" in result.diagnostics[0].message


def test_what_was_received_must_be_frozen_before_a_next_revision(case: Case) -> None:
    case.submit()
    commit(case.root, case.environ)
    own = replace(case.candidate, receipt=case.receipt)
    assert "U026" not in codes(gate(own, case.site))
    own = replace(own, submission=replace(own.submission, revision=2))
    assert "U026" not in codes(gate(own, case.site))
    shutil.rmtree(case.candidate.folder / "history")
    assert "U026" in codes(gate(own, case.site))
    assert case.submit().ending is Ending.ALREADY
    assert "U026" not in codes(gate(own, case.site))


def test_a_withdrawal_in_another_clone_counts(case: Case) -> None:
    theirs = Receipt().withdrew(Withdrawal("withdrawn", "r", "b@example.org", NOW))
    assert codes(with_ledger(case, theirs)) == ["U050"]


def test_an_unreadable_ledger_stops(case: Case) -> None:
    path = case.root.parent / "x.yaml"
    path.write_bytes(b"receipt: [")
    assert codes(gate(replace(case.candidate, ledger=path), case.site)) == ["U050"]


def test_the_ledger_is_written_with_the_receipt(case: Case) -> None:
    path = case.root.parent / "key" / "rttqa-receipts" / "x.yaml"
    case.candidate = replace(case.candidate, ledger=path)
    case.submit()
    assert ledger.read(path) == case.receipt
    assert case.receipt.received == 1


def upstream(case: Case, tmp_path: Path) -> Path:
    """Give the case an upstream repository and return a colleague's clone of it."""
    bare, clone = tmp_path / "bare.git", tmp_path / "colleague"
    git(case.root, case.environ, "init", "--quiet", "--bare", str(bare))
    git(case.root, case.environ, "remote", "add", "origin", str(bare))
    git(case.root, case.environ, "push", "--quiet", "-u", "origin", "main")
    git(tmp_path, case.environ, "clone", "--quiet", str(bare), str(clone))
    return clone


def asked(case: Case) -> Site:
    return replace(case.site, upstream=case.site.repository.upstream())


def test_an_upstream_that_is_level_or_behind_says_nothing(case: Case, tmp_path: Path) -> None:
    assert case.site.repository.upstream() is None
    upstream(case, tmp_path)
    assert gate(case.candidate, asked(case)) == ()
    commit(case.root, case.environ)
    assert gate(case.candidate, asked(case)) == ()


def test_commits_of_a_colleague_stop_until_they_are_here(case: Case, tmp_path: Path) -> None:
    clone = upstream(case, tmp_path)
    (clone / "submissions" / "PL-1" / "receipt.yaml").write_bytes(b"receipt: 1\n")
    commit(clone, case.environ)
    git(clone, case.environ, "push", "--quiet")
    (told,) = gate(case.candidate, asked(case))
    assert (told.code, "origin/main holds commits that are not here" in told.message) == ("U051", True)
    git(case.root, case.environ, "fetch", "--quiet")
    (told,) = gate(case.candidate, asked(case))
    assert (told.code, "another receipt" in told.message) == ("U051", True)
    git(case.root, case.environ, "merge", "--quiet", "--ff-only", "origin/main")
    assert "U051" not in codes(gate(case.candidate, asked(case)))


def test_other_work_of_a_colleague_does_not_stop_once_it_is_fetched(case: Case, tmp_path: Path) -> None:
    clone = upstream(case, tmp_path)
    (clone / "notes.txt").write_bytes(b"")
    commit(clone, case.environ)
    git(clone, case.environ, "push", "--quiet")
    assert codes(gate(case.candidate, asked(case))) == ["U051"]
    git(case.root, case.environ, "fetch", "--quiet")
    assert gate(case.candidate, asked(case)) == ()


def test_a_silent_upstream_is_told(case: Case, tmp_path: Path) -> None:
    upstream(case, tmp_path)
    (tmp_path / "bare.git").rename(tmp_path / "gone.git")
    (told,) = gate(case.candidate, asked(case))
    assert (told.code, told.fatal) == ("U052", False)


def test_a_remote_that_hangs_is_given_up(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upstream(case, tmp_path)
    monkeypatch.setattr(repository, "_PATIENCE", 0.3)
    git(case.root, case.environ, "config", "protocol.ext.allow", "always")
    git(case.root, case.environ, "remote", "set-url", "origin", "ext::sleep 5")
    told = case.site.repository.upstream()
    assert told is not None
    assert not told.answered
    assert told.known


# --- withdrawn ---


def test_what_is_withdrawn_is_not_sent_until_that_is_lifted(case: Case) -> None:
    word = Withdrawal("withdrawn", "wrong patient", "a@example.org", NOW)
    withdrawn = Receipt().withdrew(word)
    assert codes(gate(replace(case.candidate, receipt=withdrawn), case.site)) == ["U054"]
    lifted = withdrawn.withdrew(replace(word, word="lifted"))
    assert gate(replace(case.candidate, receipt=lifted), case.site) == ()


def test_all_that_is_wrong_is_told_in_one_run(case: Case, tmp_path: Path) -> None:
    upstream(case, tmp_path)
    (tmp_path / "bare.git").rename(tmp_path / "gone.git")
    edit(case)
    received = sent(OutcomeKind.UNKNOWN).withdrew(Withdrawal("withdrawn", "r", "a@example.org", NOW))
    path = tmp_path / "ledger.yaml"
    ledger.write(path, Receipt().begun(ELSEWHERE))
    bad = replace(case.candidate, approvals=(), basis=replace(BASIS, key="9"), receipt=received, ledger=path)
    told = gate(bad, asked(case))
    assert sorted(codes(told)) == ["M404", "U005", "U006", "U020", "U050", "U052", "U054"]
    assert all(one.hint for one in told)
    assert len({one.hint for one in told}) == len(told)

"""After the hand-over: the e-mail goes out once, whatever server and process do; the revision is frozen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from submit_case import NOW, Case, codes, make_case

from rttqa_build.mail import Posted, Posting
from rttqa_build.records import ledger
from rttqa_build.records.receipt import About, Sent, Withdrawal
from rttqa_build.submit import Ending, Order, Result, Steps, submit

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.mail import Letter

FAILED, UNKNOWN, SENT = (Posting(one, "why") for one in (Posted.FAILED, Posted.UNKNOWN, Posted.SENT))


class Server:
    """A mail server that answers as it is told, dies when told to, and remembers what it was given."""

    def __init__(self, *answers: Posting | BaseException) -> None:
        self.answers, self.given = list(answers), 0

    def __call__(self, letter: Letter) -> Posting:
        self.given += 1
        assert letter.message_id
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return make_case(tmp_path)


def run(case: Case, server: Server | None) -> Result:
    candidate = replace(case.candidate, receipt=case.receipt)
    return submit(candidate, case.site, Steps(case.rebuild, case.verify, case.email, server), Order(NOW))


def fate(case: Case) -> Sent | None:
    notice = case.receipt.notice(1, About.ANNOUNCEMENT)
    return notice.fate if notice else None


def drafted(case: Case) -> bool:
    return (case.candidate.output / "email.eml").exists()


def test_an_email_is_sent_once_and_recorded(case: Case) -> None:
    server = Server(SENT)
    assert (run(case, server).ending, fate(case), drafted(case)) == (Ending.RECEIVED, Sent.SENT, False)
    notice = case.receipt.notice(1, About.ANNOUNCEMENT)
    assert notice is not None
    assert (notice.message_id, notice.date) == ("<1@example.org>", NOW)
    assert run(case, server).ending is Ending.ALREADY
    assert server.given == 1
    frozen = case.candidate.folder / "history" / "r1" / "receipt.yaml"
    assert frozen.read_bytes() == (case.candidate.folder / "receipt.yaml").read_bytes()


def test_an_email_that_failed_is_sent_by_the_next_run(case: Case) -> None:
    server = Server(FAILED, SENT)
    first = run(case, server)
    assert (first.ending, codes(first.diagnostics), first.exit_code) == (Ending.RECEIVED, ["U056"], 0)
    assert (case.receipt.received, fate(case), drafted(case)) == (1, Sent.FAILED, False)
    second = run(case, server)
    assert (second.ending, codes(second.diagnostics), fate(case)) == (Ending.ALREADY, ["U030"], Sent.SENT)
    assert (server.given, len(case.outbox), case.rebuilds) == (2, 1, 1)


def test_an_email_that_failed_becomes_a_draft_without_a_server(case: Case) -> None:
    run(case, Server(FAILED))
    run(case, None)
    assert (fate(case), drafted(case)) == (Sent.DRAFTED, True)


def test_a_lost_answer_is_told_and_never_sent_again(case: Case) -> None:
    server = Server(UNKNOWN)
    first = run(case, server)
    assert (codes(first.diagnostics), fate(case), drafted(case)) == (["U055"], Sent.UNKNOWN, True)
    again = run(case, server)
    assert codes(again.diagnostics) == ["U030", "U055"]
    assert server.given == 1


@pytest.mark.parametrize("death", [KeyboardInterrupt(), SystemExit(1), MemoryError()])
def test_a_run_that_dies_while_it_sends_is_told_and_never_sent_again(
    death: BaseException, case: Case
) -> None:
    with pytest.raises(type(death)):
        run(case, Server(death))
    assert (case.receipt.received, fate(case)) == (1, Sent.UNKNOWN)
    server = Server()
    told = run(case, server)
    assert codes(told.diagnostics) == ["U030", "U055"]
    assert (server.given, drafted(case)) == (0, True)
    assert (case.candidate.folder / "history" / "r1").is_dir()


def test_a_draft_is_not_sent_as_well(case: Case) -> None:
    run(case, None)
    server = Server()
    run(case, server)
    assert (server.given, fate(case)) == (0, Sent.DRAFTED)


def test_a_draft_that_was_deleted_is_made_again(case: Case) -> None:
    run(case, None)
    (case.candidate.output / "email.eml").unlink()
    before = case.receipt
    run(case, None)
    assert (drafted(case), case.receipt) == (True, before)


def test_what_was_withdrawn_is_not_announced(case: Case) -> None:
    run(case, Server(FAILED))
    path = case.candidate.folder / "receipt.yaml"
    ledger.write(path, case.receipt.withdrew(Withdrawal("withdrawn", "r", "a@example.org", NOW)))
    server = Server()
    assert run(case, server).ending is Ending.ALREADY
    assert server.given == 0

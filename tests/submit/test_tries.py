"""Every sequence of what tries may lead to: no doubt is forgotten, nothing goes twice unasked."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO
from unittest.mock import patch

import pytest
from submit_case import LOCK, NOW, RESEND, SHA, TREAT, Case, codes, make_case

from rttqa_build.diagnostic import RttqaError
from rttqa_build.portal import answers
from rttqa_build.portal.contract import Cause
from rttqa_build.records import ledger
from rttqa_build.records.receipt import Decision, Outcome, OutcomeKind, Receipt
from rttqa_build.status import Facts, State, status
from rttqa_build.submit import Ending, Order, Steps, submit
from rttqa_build.submit import journal as journals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rttqa_build.submit import Result

# A letter each: what a try may lead to. After an upper one, no other try follows; P stops the pause after it.
OUTCOMES = {
    "V": Outcome(OutcomeKind.VERIFIED, SHA),
    "U": Outcome(OutcomeKind.UNVERIFIED),
    "N": answers.lost(Cause.NO_ANSWER),
    "F": answers.refused(Cause.QUOTA),
    "W": answers.refused(Cause.PASSWORD),
    "I": answers.refused(Cause.INTERRUPTED),
    "c": Outcome(OutcomeKind.CORRUPT, "b" * 64, {"cause": Cause.CORRUPT, "reason": "other bytes"}),
    "l": answers.lost(Cause.GATEWAY_LATE),
    "r": answers.refused(Cause.LOCKED),
}
FINAL, AGAIN = "VUNFWIK", "clr"
EXITS = {Ending.RECEIVED: 0, Ending.UNVERIFIED: 1}
DOUBTFUL = set("UNlK")
BEGUN = ["".join(one) for count in range(4) for one in itertools.product(AGAIN, repeat=count)]
SEQUENCES = [
    *(begun + last for begun in BEGUN for last in FINAL),
    *(f"{begun}P" for begun in BEGUN if begun),
    *("".join(one) for one in itertools.product(AGAIN, repeat=4)),
]


@dataclass
class Scripted:
    """A portal that does what its letters say; ``K``: Ctrl-C while the answer is awaited."""

    letters: str
    sent: list[str] = field(default_factory=list)
    host: str = "portal.example.org"
    local: bool = False

    def preflight(self, need: int) -> None:
        """Take everything."""

    def put(self, handle: BinaryIO, name: str, size: int, sha256: str) -> Outcome:
        handle.seek(0)
        assert (len(handle.read()), sha256) == (size, SHA)
        letter = self.letters[len(self.sent)]
        self.sent.append(name)
        if letter == "K":
            raise KeyboardInterrupt
        return OUTCOMES[letter]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Case:
    made = make_case(tmp_path_factory.mktemp("tries"))
    made.candidate = replace(made.candidate, files=())  # whether they are committed is another test's
    return made


@pytest.fixture
def case(shared: Case) -> Iterator[Case]:
    yield shared
    (shared.candidate.folder / "receipt.yaml").unlink(missing_ok=True)
    shutil.rmtree(shared.candidate.folder / "history", ignore_errors=True)


def run(case: Case, portal: Scripted, order: Order) -> Result | None:
    """Submit; None when Ctrl-C ended it."""

    def pause(tries: int, _: str) -> str:
        if portal.letters[tries : tries + 1] == "P":
            raise KeyboardInterrupt
        return NOW

    candidate = replace(case.candidate, receipt=case.receipt)
    steps = Steps(case.rebuild, case.verify, case.email, pause=pause)
    try:
        return submit(candidate, replace(case.site, portal=portal), steps, order)
    except KeyboardInterrupt:
        return None


def state(case: Case) -> State:
    return status(Facts(1, lock=LOCK, approvals=case.candidate.approvals, receipt=case.receipt)).state


def gravest(letters: str) -> tuple[Ending, str]:
    """Return how a run must end, and the finding that says so."""
    if letters.endswith("V"):
        return Ending.RECEIVED, ""
    if set("Nl") & set(letters):
        return Ending.UNKNOWN, "U033"
    if "U" in letters:
        return Ending.UNVERIFIED, "U031"
    return (Ending.CORRUPT, "U032") if "c" in letters else (Ending.REFUSED, "U034")


@pytest.mark.parametrize("letters", SEQUENCES)
def test_whatever_the_tries_lead_to(letters: str, case: Case) -> None:
    portal, again = Scripted(letters), Scripted("V")
    result = run(case, portal, Order(NOW))
    received = letters.endswith("V")
    doubt = not received and bool(DOUBTFUL & set(letters))
    kept = case.receipt

    assert len(portal.sent) == len(letters.rstrip("P"))
    assert (bool(kept.received), bool(kept.undecided)) == (received, doubt)
    assert kept.doubts_since(Receipt()) == doubt
    assert (result is None) == (letters[-1] in "KIP")
    if result is not None:
        ending, code = gravest(letters)
        told = codes(result.diagnostics)
        possible = sum(letter not in "FrW" for letter in letters)
        assert result.ending is ending
        assert [one for one in told if one in {"U031", "U032", "U033", "U034"}] == ([code] if code else [])
        assert ("U035" in told) == (possible > 1)
        password = ending is Ending.REFUSED and letters.endswith("W")
        assert result.exit_code == EXITS.get(ending, 2 if password else 3)
    expected = (
        {State.RECEIVED} if received else {State.UNKNOWN, State.SUBMITTED} if doubt else {State.APPROVED}
    )
    assert state(case) in expected

    next_ = run(case, again, Order(NOW))
    assert next_ is not None
    if received:
        assert (next_.ending, again.sent) == (Ending.ALREADY, [])
    elif doubt:
        assert (next_.ending, codes(next_.diagnostics), again.sent) == (Ending.STOPPED, ["U020"], [])
    else:
        assert (next_.ending, len(again.sent)) == (Ending.RECEIVED, 1)
        assert not set(again.sent) & set(portal.sent)
    assert bool(case.receipt.undecided) == doubt


@pytest.mark.parametrize("word", [RESEND, TREAT], ids=lambda word: word.word.value)
@pytest.mark.parametrize("letters", ["lF", "lW", "lrF", "clP", "lK", "lN", "llll", "lU", "lI", "rlcF"])
def test_a_word_covers_every_doubt(letters: str, word: Decision, case: Case) -> None:
    run(case, Scripted(letters), Order(NOW))
    portal = Scripted("V")
    result = run(case, portal, Order(NOW, word))
    assert result is not None
    kept = case.receipt
    assert (kept.undecided, kept.received) == ((), 1)
    decided = {letter for letter, one in zip(letters, kept.attempts, strict=False) if one.decision == word}
    assert decided == DOUBTFUL & set(letters)
    if word is RESEND:
        assert (result.ending, len(portal.sent)) == (Ending.RECEIVED, 1)
        assert "U035" in codes(result.diagnostics)
    else:
        assert (result.ending, portal.sent) == (Ending.ALREADY, [])


def test_stopping_a_second_sending_leaves_a_new_doubt(case: Case) -> None:
    run(case, Scripted("N"), Order(NOW))
    before = case.receipt
    assert run(case, Scripted("K"), Order(NOW, RESEND)) is None
    assert len(case.receipt.undecided) == len(before.undecided) == 1
    assert case.receipt.doubts_since(before)


# --- the disk, at each time that the receipt is written ---


@contextlib.contextmanager
def full_disk(number: int, of: Path) -> Iterator[None]:
    """Have one file not be written the n-th time."""
    write, count = ledger.write, [0]

    def full(path: Path, journal: Receipt) -> None:
        count[0] += path == of
        if path == of and count[0] == number:
            raise RttqaError("receipt.yaml: the disk is full", "free some space")
        write(path, journal)

    with patch.object(ledger, "write", full):
        yield


@pytest.mark.parametrize("beside_the_key", [False, True])
@pytest.mark.parametrize("letters", ["V", "U", "F", "lV", "lF", "cF", "rV", "lK", "rI"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_the_disk_fills_at_any_time(
    number: int, letters: str, case: Case, monkeypatch: pytest.MonkeyPatch, *, beside_the_key: bool
) -> None:
    shared, receipt = case.root.parent / "key" / "ledger.yaml", case.candidate.folder / "receipt.yaml"
    shared.unlink(missing_ok=True)
    monkeypatch.setattr(case, "candidate", replace(case.candidate, ledger=shared))
    portal, again = Scripted(letters), Scripted("V")
    with full_disk(number, shared if beside_the_key else receipt):
        if number == 1:
            with pytest.raises(RttqaError):
                run(case, portal, Order(NOW))
            assert (portal.sent, case.receipt.attempts) == ([], ())
        else:
            result = run(case, portal, Order(NOW))
            assert result is None or result.exit_code == EXITS.get(result.ending, 3)
    possible = set(letters[: len(portal.sent)]) & {"V", *DOUBTFUL}
    assert not possible or case.receipt.received or case.receipt.undecided
    assert run(case, again, Order(NOW)) is not None
    assert not (again.sent and possible), "sent twice, and nobody was asked"


def test_a_disk_that_is_full_says_what_is_known_and_what_comes_next(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = journals.write

    def full(candidate: object, journal: Receipt) -> None:
        if journal.attempts[-1].outcome is not None:
            raise RttqaError("receipt.yaml: the disk is full", "free some space")
        write(case.candidate, journal)

    for letter, words, word in (
        ("V", "has received", "treat-as-received"),
        ("F", "nothing", "resend"),
        ("U", "without proof", "Find out"),
    ):
        monkeypatch.setattr(journals, "write", full)
        result = run(case, Scripted(letter), Order(NOW))
        assert result is not None
        (told,) = result.diagnostics
        assert (result.ending, told.code, result.exit_code) == (Ending.UNKNOWN, "U036", 3)
        assert words in told.message
        assert word in told.hint
        monkeypatch.setattr(journals, "write", write)
        assert len(case.receipt.undecided) == 1
        (case.candidate.folder / "receipt.yaml").unlink()


def test_an_attempt_that_cannot_be_taken_back_is_told(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    write = ledger.write
    shared = case.root.parent / "key" / "other.yaml"
    monkeypatch.setattr(case, "candidate", replace(case.candidate, ledger=shared))

    def full(path: Path, journal: Receipt) -> None:
        if path == shared or not journal.attempts:
            raise RttqaError("the disk is full", "free some space")
        write(path, journal)

    monkeypatch.setattr(ledger, "write", full)
    with pytest.raises(RttqaError, match="nothing was sent, but") as told:
        run(case, Scripted("V"), Order(NOW))
    assert (told.value.code, "--resend" in told.value.hint) == ("U036", True)

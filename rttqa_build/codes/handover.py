"""Codes of family U from 050 on: other clones, the e-mail, and what comes after the hand-over."""

from __future__ import annotations

from rttqa_build.codes.entry import Code

_GATE = "README.md, A submission of your own"
_RECEIPT = "schemas/receipt.schema.json"
_SETTINGS = "schemas/settings.schema.json"

CODES: dict[str, Code] = {
    "U050": Code(
        "Another clone handed this submission over",
        "The journal beside the centre's key holds attempts that receipt.yaml of this clone does not.",
        "Two clones that don't know of each other would send the same case twice.",
        "Bring the other clone's receipt.yaml here: commit and push it there, `git pull` here. Where that clone "
        "is lost, copy the journal over receipt.yaml; it lies in the folder rttqa-receipts beside the key.",
        source=_RECEIPT,
    ),
    "U051": Code(
        "The upstream branch knows more",
        "The branch that this one follows holds commits that this clone does not have, or another receipt.",
        "A colleague may have handed the case over already: the receipt is shared through Git.",
        "Run `git pull`, look at `rttqa-build status`, then run submit again if need be.",
        source=_GATE,
    ),
    "U052": Code(
        "The upstream repository did not answer",
        "Git could not ask the remote what colleagues have committed meanwhile.",
        "A colleague who submits the same case at another computer would not be noticed.",
        "Make sure that nobody else submits this case, or run `git fetch` where the remote can be reached.",
        severity="warning",
        source=_GATE,
    ),
    "U053": Code(
        "No journal beside the key",
        "The folder of the centre's key cannot be written to, so that no journal is kept there.",
        "Another clone that uses the same key would not notice what this one hands over.",
        "Commit and push receipt.yaml at once, or ask for write access to the key's folder.",
        severity="warning",
        source=_RECEIPT,
    ),
    "U054": Code(
        "The submission was withdrawn",
        "The receipt says that this submission was withdrawn.",
        "What was recalled must not be sent again by mistake.",
        "Leave it. If it may go after all: `rttqa-build withdraw NAME --lift --reason …`, and commit.",
        source=_RECEIPT,
    ),
    "U055": Code(
        "It is not known whether the e-mail went out",
        "The connection to the mail server broke off when the whole message had been given to it.",
        "Sending it again without a word may announce the case twice.",
        "Ask the trial group. If nothing came, open the draft and send it by hand.",
        severity="warning",
        source=_RECEIPT,
    ),
    "U056": Code(
        "The e-mail was not sent",
        "The mail server did not take the message; the package itself was received.",
        "The trial group may not notice the package without an e-mail.",
        "Mend what the message says, then run submit again: only the e-mail is sent.",
        severity="warning",
        source=_SETTINGS,
    ),
    "U057": Code(
        "Not the package of the receipt",
        "No attempt in the receipt has this package's SHA-256.",
        "It is another package than the one that was handed over, or it was changed since.",
        "Compare the name and the date. Only the file whose SHA-256 the receipt lists was handed over.",
        source=_RECEIPT,
    ),
    "U058": Code(
        "The receipt does not say that it arrived",
        "The receipt lists this package, but no attempt by which the portal received it.",
        "It was begun or refused, or its outcome is not known.",
        "Look at `rttqa-build status`; ask the trial group whether they have it.",
        source=_RECEIPT,
    ),
}

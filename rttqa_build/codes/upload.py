"""Codes of family U: the gate before the upload, and the upload itself."""

from __future__ import annotations

from rttqa_build.codes.entry import Code

_GATE = "README.md, A submission of your own"
_RECEIPT = "schemas/receipt.schema.json"
_SETTINGS = "schemas/settings.schema.json"

CODES: dict[str, Code] = {
    "U001": Code(
        "The check is not clean",
        "The manifest, its trial or its settings have findings that are errors.",
        "A submission with known faults costs the reviewers time and comes back.",
        "Mend the errors listed, or waive those that the trial lets you waive, then build again.",
        source=_GATE,
    ),
    "U002": Code(
        "There is no lock",
        "The submission was never built, so nobody could look at what would leave.",
        "What leaves must be what a person looked at; the lock is the record of it.",
        "Run `rttqa-build build` for this submission, look at its report, approve it and commit.",
        source=_GATE,
    ),
    "U003": Code(
        "The lock must be rebuilt",
        "The lock was built with other versions of the programs that shape a package.",
        "Other versions may pack or render other bytes than those that were approved.",
        "Run `rttqa-build build`; if the content stays the same, the approvals stand. Commit the new lock.",
        source="schemas/lock.schema.json",
    ),
    "U004": Code(
        "The build found errors",
        "The lock lists errors that nobody has waived.",
        "Reviewers would find the same faults and send the case back.",
        "Mend what the report lists, or waive it with a reason in the manifest, then build again.",
        source=_GATE,
    ),
    "U005": Code(
        "Approvals are missing",
        "Fewer people than the settings ask for have approved this content.",
        "A person must have seen that it is the right patient and that nothing identifying leaves.",
        "Run `rttqa-build approve` on a terminal, then commit approval.yaml. Two approvals mean two people.",
        source=_GATE,
    ),
    "U006": Code(
        "A file that counts is not committed as it is",
        "A file that decides what leaves differs from the last commit, or is not in Git.",
        "The commit is the record of what was reviewed; what is sent must be exactly that.",
        "Look at it with `git diff`, then `git add` it and `git commit`.",
        source=_GATE,
    ),
    "U007": Code(
        "The commit is not on the required branch",
        "The settings name a branch, and the present commit cannot be reached from it.",
        "The branch is where your centre reviews; what is not on it was not reviewed.",
        "Merge the commit into the branch (and fetch it, if the merge was made elsewhere).",
        source=_GATE,
    ),
    "U008": Code(
        "A Git remote is not allowed",
        "The repository has a remote that `allowed_remotes` in the settings does not list.",
        "A manifest is pseudonymised health data and belongs on hosting that the trust controls.",
        "Remove the remote, or have it added to `allowed_remotes` in rttqa.yaml.",
        source=_SETTINGS,
    ),
    "U010": Code(
        "No portal is set",
        "The settings have no `portal:`.",
        "Without it there is nowhere to hand the package over to.",
        "Add `portal: {kind: folder, path: outbox}` to rttqa.yaml, or your trial group's portal.",
        source=_SETTINGS,
    ),
    "U011": Code(
        "This kind of portal is not supported yet",
        "The settings name a portal that this version cannot upload to.",
        "Nothing is sent by a way that is not fully checked.",
        "Set `portal: {kind: folder, path: outbox}`, submit, and upload the file from there in your browser.",
        source=_SETTINGS,
    ),
    "U012": Code(
        "The portal's folder is missing",
        "The folder named in the settings is not there.",
        "A share that is not mounted would otherwise be replaced by a local folder that nobody reads.",
        "Connect the share, or make the folder, then run submit again.",
    ),
    "U013": Code(
        "The portal's folder takes no files",
        "A test file could not be written to the folder.",
        "The hand-over would fail half way.",
        "Ask for write access to the folder, then run submit again.",
    ),
    "U014": Code(
        "The portal's folder is full",
        "There is less free space than the packages need.",
        "The hand-over would fail half way.",
        "Free some space there, then run submit again.",
    ),
    "U015": Code(
        "An example trial is not sent to a real portal",
        "The trial is an example for practice, and the portal is not on this computer or network folder.",
        "A reviewer at the other end would take practice data for a patient's.",
        "Practise with `portal: {kind: folder, path: outbox}`, or use the real trial's definition.",
        source=_GATE,
    ),
    "U016": Code(
        "The package is larger than the portal takes",
        "The package exceeds `portal.max_bytes` of the settings.",
        "The portal would refuse it after the whole upload.",
        "Select fewer objects, or ask the trial group for another way of sending large packages.",
        source=_SETTINGS,
    ),
    "U020": Code(
        "An earlier attempt has no certain outcome",
        "A hand-over was begun and its end is not known: it may have arrived or not.",
        "Sending again without a word may leave two copies at the reviewers; not sending may leave none.",
        "Ask the trial group or look at the portal, then run submit with `--resend` or `--treat-as-received` "
        "and `--reason`.",
        source=_RECEIPT,
    ),
    "U021": Code(
        "This revision was already received with other content",
        "The portal received this revision, and what the lock describes now is something else.",
        "Two different packages under one revision cannot be told apart.",
        "Give the manifest the next revision, with kind and reason, then build, approve and commit.",
        source=_RECEIPT,
    ),
    "U022": Code(
        "The receipt changed meanwhile",
        "While this run was preparing, another one wrote to receipt.yaml.",
        "Two people, or two terminals, are submitting the same case.",
        "Wait for the other run to end, look at `rttqa-build status`, then run submit again if need be.",
        source=_GATE,
    ),
    "U023": Code(
        "The package is not the one in the lock",
        "The file that was verified has another digest or size than the lock says.",
        "Only what was reviewed may leave.",
        "Run `rttqa-build build`, look at what changed, approve and commit.",
        source=_GATE,
    ),
    "U024": Code(
        "The word does not fit",
        "`--resend` or `--treat-as-received` was given, but no attempt waits for a decision.",
        "A word that is recorded for nothing would mislead whoever reads the receipt.",
        "Run submit without it.",
        source=_RECEIPT,
    ),
    "U025": Code(
        "The receipt has lost what it held",
        "receipt.yaml is missing or older than what history/ or the last commit hold.",
        "Without it the same package could be sent a second time.",
        "Bring receipt.yaml back with `git restore` or from the copy in history/, then run submit again.",
        source=_RECEIPT,
    ),
    "U030": Code(
        "Already received",
        "The portal has received this package before; nothing was sent.",
        "Sending it again would leave two copies.",
        "Nothing to do. For changed content give the manifest the next revision.",
        severity="info",
        source=_GATE,
    ),
    "U031": Code(
        "Accepted, unverified",
        "The portal accepted the file but gave no proof of what it stored.",
        "Only an equal digest proves that the reviewers can get exactly these bytes.",
        "Ask the trial group to confirm it, then run submit with `--treat-as-received` and `--reason`.",
        source=_RECEIPT,
    ),
    "U032": Code(
        "A corrupt copy lies at the portal",
        "The portal stored other bytes than were sent.",
        "The reviewers may open a damaged package.",
        "Run submit again; it takes a new name. Tell the trial group to disregard the damaged copy.",
        source=_RECEIPT,
    ),
    "U033": Code(
        "The outcome is unknown",
        "The hand-over broke off when everything may have arrived already.",
        "It must be known whether the reviewers have it before it is sent again.",
        "Ask the trial group or look at the portal, then run submit with `--resend` or `--treat-as-received` "
        "and `--reason`.",
        source=_RECEIPT,
    ),
    "U034": Code(
        "The portal did not take the package",
        "The hand-over failed, and nothing of it is at the portal.",
        "The reviewers have nothing yet.",
        "Mend what the message says, then run submit again.",
        source=_RECEIPT,
    ),
    "U040": Code(
        "The e-mail draft could not be written",
        "The package was received, but the draft of the e-mail could not be made.",
        "The trial group may not notice the package without an e-mail.",
        "Mend what the message says, then run submit again: nothing is sent twice, only the draft is made.",
        severity="warning",
    ),
}

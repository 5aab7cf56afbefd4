"""Codes of family M: M4 freshness of lock, approval and receipt, and the files beside a manifest."""

from __future__ import annotations

from rttqa_build.codes.entry import Code

_LOCK = "schemas/lock.schema.json"
_APPROVAL = "schemas/approval.schema.json"
_RECEIPT = "schemas/receipt.schema.json"

CODES: dict[str, Code] = {
    "M401": Code(
        "The manifest changed after the build",
        "The lock was built from another text of the manifest; comments and spacing don't count.",
        "The package and its approvals stand for the earlier manifest.",
        "Run `rttqa-build build`, look at the report, approve and commit.",
        source=_LOCK,
    ),
    "M402": Code(
        "The trial definition changed after the build",
        "The lock was built with another text of the trial's definition, schema or templates.",
        "What the trial asks for, or what is retained, may have changed.",
        "Run `rttqa-build build`, look at the report, approve and commit.",
        source=_LOCK,
    ),
    "M403": Code(
        "The settings changed after the build",
        "The centre or the identifier patterns in rttqa.yaml are not those of the build.",
        "They enter the package and decide what counts as identifying.",
        "Run `rttqa-build build`, look at the report, approve and commit.",
        source=_LOCK,
    ),
    "M404": Code(
        "The lock was built with another key",
        "The key's fingerprint is not the one that the lock records.",
        "Another key gives other pseudonyms: the reviewers could not match revisions of one patient.",
        "Use the centre's key again. Only if the key was replaced on purpose, build again.",
        source=_LOCK,
    ),
    "M405": Code(
        "A rebuild is needed",
        "Only the versions of the programs have changed since the lock was built.",
        "Other versions may give other bytes; submit refuses until the lock is rebuilt.",
        "Run `rttqa-build build`; if the content stays the same, the approvals stand.",
        severity="warning",
        source=_LOCK,
    ),
    "M406": Code(
        "A received revision was edited",
        "The portal received this revision, and its manifest is another one now.",
        "What was sent cannot be changed any more; the record must show what the reviewers have.",
        "Undo the edit, or raise `submission.revision` and add kind and reason.",
        source=_RECEIPT,
    ),
    "M407": Code(
        "Approvals or releases are void",
        "The content changed after it was approved, or after a find in it was released.",
        "A person must see what leaves now.",
        "Look at the new report and run `rttqa-build approve` again.",
        severity="warning",
        source=_APPROVAL,
    ),
    "M408": Code(
        "The lock is damaged",
        "lock.yaml does not have the form in which the tool writes it.",
        "Without it nobody can tell whether a package is the one that was reviewed.",
        "Bring it back with `git restore lock.yaml` in its folder, or run `rttqa-build build` again.",
        source=_LOCK,
    ),
    "M409": Code(
        "The approvals are damaged",
        "approval.yaml does not have the form in which the tool writes it.",
        "An approval that cannot be read cannot count.",
        "Bring it back with `git restore approval.yaml` in its folder, or approve again.",
        source=_APPROVAL,
    ),
    "M410": Code(
        "The receipt is damaged",
        "receipt.yaml does not have the form in which the tool writes it.",
        "It says what was sent; without it a package might be sent twice.",
        "Bring it back with `git restore receipt.yaml` in its folder. Never delete it to get on.",
        source=_RECEIPT,
    ),
    "M411": Code(
        "The record of the review is damaged",
        "outcome.yaml does not have the form in which the tool writes it.",
        "What the reviewers said, and whether they wait for another revision, cannot be told.",
        "Bring it back with `git restore outcome.yaml` in its folder, or record it again.",
        source="schemas/outcome.schema.json",
    ),
    "M412": Code(
        "The memory of structure names is damaged",
        "mappings.yaml does not have the form in which the tool writes it.",
        "`new` cannot propose what was accepted before; nothing that is sent depends on it.",
        "Bring it back with `git restore mappings.yaml`, or delete it: it grows again with each receipt.",
        severity="warning",
        source="schemas/mappings.schema.json",
    ),
    "M420": Code(
        "A file was there already",
        "`init` found a file of this name and left it as it was.",
        "Nothing of yours is overwritten; but the repository may lack what the file would have held.",
        "Run `rttqa-build init` in an empty folder, compare the two files, and add what is missing by hand.",
        severity="warning",
    ),
}

"""A supplement to what was received: what it may refer to without holding it, and what it need not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.diagnostic import Location, finding
from rttqa_build.records.tokens import EXEMPT, planning_of, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.lock import Lock
    from rttqa_build.manifest import Manifest
    from rttqa_build.pseudonym import Pseudonyms
    from rttqa_build.resolve import Earlier, Selected
    from rttqa_build.trial import Trial


def earlier(manifest: Manifest, before: Lock | None, names: Pseudonyms) -> Earlier:
    """Return what was received before a supplement; nothing for any other submission.

    ``before``: what stands of all received revisions, as one lock.
    """
    from rttqa_build.resolve import NOTHING, Earlier  # not for `check`, which resolves nothing

    if before is None or not manifest.submission.supplement:
        return NOTHING
    sent = {kind: frozenset(row.base for row in rows) for kind, rows in before.uids.items()}
    return Earlier(_roles(before), sent, names.base_uid)


def _roles(before: Lock) -> frozenset[str]:
    return frozenset(role.partition(":")[0] for role in before.inputs)


def still_asked(
    found: Iterable[Diagnostic],
    manifest: Manifest,
    trial: Trial,
    before: Lock | None,
    *,
    withdrawn: bool = False,
) -> tuple[Diagnostic, ...]:
    """Return findings about a supplement's manifest but those that ask for what was received before it.

    ``withdrawn``: there was something, and its recipients were asked to delete it.
    """
    if before is None:
        return (*found, _alone(manifest, withdrawn=withdrawn))
    documents, roles = before.documents, _roles(before)
    groups = {group.roles[0]: frozenset(group.roles) for group in trial.one_of}

    def held(one: Diagnostic) -> bool:
        match one.code:
            case "M209":
                return one.subject in documents
            case "M223":
                most = min(
                    (r.maximum for r in trial.objects if r.role == one.subject and r.maximum), default=0
                )
                few = not most or len(manifest.data.get(one.subject, ())) <= most
                return few and one.subject in roles
            case "M224":
                return bool(groups.get(one.subject, frozenset()) & roles)
        return False

    return tuple(one for one in found if not held(one))


def _alone(manifest: Manifest, *, withdrawn: bool) -> Diagnostic:
    where = manifest.document.at(("submission", "kind"))
    if not withdrawn:
        return finding("M225", "no earlier revision was received that this could stand beside", where)
    hint = "Write `kind: replacement`: it is whole by itself, whatever has become of what was withdrawn."
    return finding(
        "M225", "what was received before was withdrawn: this stands beside nothing", where, hint=hint
    )


def same_patient(
    roles: Sequence[Selected], before: Lock | None, manifest: Manifest, names: Pseudonyms
) -> Iterator[Diagnostic]:
    """Yield where a further revision is another patient's than what was received, or nobody can tell.

    ``roles``: the objects that are sent now. Diagnostic images alone may carry another hospital's number.
    """
    submission = manifest.submission
    if before is None or submission.purpose in EXEMPT or not submission.patient or not roles:
        return
    planning = planning_of(roles)
    tokens = tokens_of(planning or roles, submission, names)
    shared = tokens.keys() & before.patient_tokens.keys()
    where = Location("lock.yaml", item="patient_tokens")
    if any(tokens[kind] == before.patient_tokens[kind] for kind in shared):
        return
    if shared and planning:
        message = "it was made from another patient's objects than the revision that was received"
        yield finding("R310", message, where)
    elif (tokens or before.patient_tokens) and not any(one.same_patient for one in roles):
        yield finding("R312", "no patient number agrees with those of the revision that was received", where)

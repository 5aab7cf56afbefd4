"""Two versions of a trial definition, or of the settings → what now retains more or checks less, in words.

What a reviewer of a merge request must not miss. Only what loosens is told: a stricter rule needs no guard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rttqa_build.settings import Settings
    from rttqa_build.trial import Constraint, Trial

_WEIGHT = {"error": 2, "warning": 1, "info": 0}
_RULES = ("objects", "documents", "structures")
FORM_TOLERANCES = ("dose_percent", "points", "volume_percent")


def of_trial(then: Trial | None, now: Trial) -> tuple[str, ...]:
    """Return what a trial definition allows that its earlier version, if there was one, did not."""
    if then is None:
        new = f"a new trial definition ({now.status})"
        return (new, *(f"it retains {name.replace('_', ' ')}" for name in now.retain))
    return (*_retained(then, now), *_dropped(then, now), *_lowered(then, now), *_widened(then, now))


def _retained(then: Trial, now: Trial) -> Iterator[str]:
    for name in sorted(set(now.retain) - set(then.retain)):
        yield f"it now retains {name.replace('_', ' ')}"
    if (then.dates, now.dates) == ("remove", "shift"):
        yield "dates are now shifted instead of removed"
    if now.unmapped_structures == "keep" != then.unmapped_structures:
        yield "names of structures that the manifest does not map are now kept"
    if now.staff_in_documents and not then.staff_in_documents:
        yield "names of staff may now stand in documents"
    for macro in sorted(set(now.allowed_macros) - set(then.allowed_macros)):
        yield f"documents may now hold the macros {macro[:12]}…"
    if now.pseudonym_scope != then.pseudonym_scope:
        yield "its pseudonym scope is another: earlier submissions are no longer matched"


def _dropped(then: Trial, now: Trial) -> Iterator[str]:
    """Yield what was asked for and is no longer."""
    for kind in _RULES:
        before, after = _required(getattr(then, kind)), _required(getattr(now, kind))
        for name in sorted(before - after):
            yield f"{kind}: {name} is no longer required"
    yield from _compared(then, now)
    after_limits = {_limit(one) for one in now.constraints}
    for one in then.constraints:
        if _limit(one) not in after_limits:
            yield f"constraint {one.structure} {one.metric}: changed or no longer there"


def _compared(then: Trial, now: Trial) -> Iterator[str]:
    """Yield the forms whose values are compared no longer, or less strictly."""
    after = {rule.name: rule.values for rule in now.documents}
    for rule in then.documents:
        values = after.get(rule.name)
        if rule.values and not values:
            yield f"documents: the values in {rule.name} are no longer compared"
        for name in FORM_TOLERANCES if rule.values and values else ():
            old, new = getattr(rule.values, name), getattr(values, name)
            if new > old:
                yield f"documents: {name} of the values in {rule.name}: {old} before, {new} now"


def _required(rules: Iterable[object]) -> set[str]:
    """Return the names of required rules, each with its condition."""
    found = set()
    for rule in rules:
        if getattr(rule, "required", False):
            name = getattr(rule, "role", "") or getattr(rule, "name", "")
            when = str(getattr(rule, "when", ""))
            found.add(f"{name} (when {when})" if when else name)
    return found


def _limit(one: Constraint) -> tuple[str, ...]:
    limits = (one.optimal, one.mandatory)
    return (one.structure, one.metric, one.op, *map(str, limits), str(one.when), one.dose)


def _lowered(then: Trial, now: Trial) -> Iterator[str]:
    """Yield the findings that weigh less than before, by code and purpose."""
    for code in sorted(then.severities.keys() | now.severities.keys()):
        before, after = then.severities.get(code, {}), now.severities.get(code, {})
        for purpose in sorted(before.keys() | after.keys()):
            old, new = _weight(before, purpose), _weight(after, purpose)
            if new is not None and (old is None or new < old) and new < _WEIGHT["error"]:
                named = "any purpose that is not named" if purpose == "default" else purpose
                yield f"finding {code} is now {_name(new)} for {named}"


def _weight(severities: Mapping[str, str], purpose: str) -> int | None:
    return _WEIGHT.get(severities.get(purpose, ""))


def _name(weight: int) -> str:
    return {0: "a note", 1: "a warning"}.get(weight, "an error")


def _widened(then: Trial, now: Trial) -> Iterator[str]:
    for name in sorted(then.tolerances.keys() | now.tolerances.keys()):
        old, new = then.tolerances.get(name), now.tolerances.get(name)
        if old is not None and (new is None or new > old):
            yield f"tolerance {name}: {old} before, {'none' if new is None else new} now"
    for name in sorted(then.permitted):
        added = set(now.permitted.get(name, ())) - set(then.permitted[name])
        if name not in now.permitted:
            yield f"any {name.replace('_', ' ')} is now permitted"
        elif added:
            yield f"{name.replace('_', ' ')} now permitted: {', '.join(sorted(added))}"


def of_settings(then: Settings | None, now: Settings) -> tuple[str, ...]:
    """Return what the settings allow that they did not before; nothing for a repository's first settings."""
    if then is None:
        return ()
    return (*_gate(then, now), *_searched(then, now), *_accepted(then, now), *_guarded(then, now))


def _gate(then: Settings, now: Settings) -> Iterator[str]:
    before, wanted = (1 if gate.approvals is None else gate.approvals for gate in (then.gate, now.gate))
    if wanted < before:
        yield f"approvals wanted: {before} before, {wanted} now"
    if then.gate.branch and then.gate.branch != now.gate.branch:
        yield f"submissions no longer need to be on the branch {then.gate.branch}"
    if then.allowed_remotes and set(now.allowed_remotes) != set(then.allowed_remotes):
        yield "the remotes to which this repository may be pushed are others"
    if then.portal != now.portal:
        yield "packages go to another portal"


def _searched(then: Settings, now: Settings) -> Iterator[str]:
    before, after = ({one.name: one.pattern for one in each.identifiers} for each in (then, now))
    for name in sorted(before):
        if name not in after:
            yield f"the identifier pattern '{name}' is no longer searched for"
        elif after[name] != before[name]:
            yield f"the identifier pattern '{name}' is another"


def _accepted(then: Settings, now: Settings) -> Iterator[str]:
    known = {(one.trial, one.digest) for one in then.accept_unofficial}
    for one in now.accept_unofficial:
        if (one.trial, one.digest) not in known:
            yield f"the unofficial trial definition {one.trial} is accepted"


def _guarded(then: Settings, now: Settings) -> Iterator[str]:
    if then.key_fingerprint and then.key_fingerprint != now.key_fingerprint:
        yield "another key is pinned, or none"
    if (then.key_access, now.key_access) == ("owner", "group"):
        yield "the key may now be read by a group"
    if now.allow_synced_folders and not then.allow_synced_folders:
        yield "data may now lie in folders that a cloud client copies"

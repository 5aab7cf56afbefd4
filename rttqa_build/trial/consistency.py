"""Manifest × trial → findings that a schema cannot make (M2xx): what one field says about another.

No patient data is read. Every finding has its place in the manifest.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING

from rttqa_build.codes import CATALOGUE
from rttqa_build.diagnostic import bounded, finding, ordered
from rttqa_build.disk import is_portable
from rttqa_build.schema import did_you_mean, matches, unfinished
from rttqa_build.source import number_text
from rttqa_build.trial import folded, plan_library
from rttqa_build.trial.slips import slips

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rttqa_build.diagnostic import Diagnostic, Location
    from rttqa_build.manifest import Manifest, Prescription
    from rttqa_build.source import Document, Path
    from rttqa_build.trial import Trial, TrialPrescription

# Identity, links between objects, integrity, upload and the manifest itself are no matter of judgement.
_NEVER_WAIVED = ("A", "K", "M", "U", "R2", "R3", "R5")


def waivable(code: str) -> bool:
    """Return whether a manifest may accept findings of this code, and a trial change their severity."""
    return not code.startswith(_NEVER_WAIVED)


def check(manifest: Manifest, trial: Trial) -> tuple[Diagnostic, ...]:
    """Return every contradiction within a valid manifest, and between it and its trial."""
    found = (
        todo(manifest.document),
        _submission(manifest, trial),
        _protocol(manifest, trial),
        _reviews(manifest, trial),
        _roles(manifest, trial),
        _counts(manifest, trial),
        _ids(manifest),
        _paths(manifest),
        _documents(manifest, trial),
        _structures(manifest, trial),
        _required_structures(manifest, trial),
        _targets(manifest, trial),
        _prescribed(manifest, trial),
        _waivers(manifest),
        slips(manifest),
    )
    return ordered(chain.from_iterable(map(bounded, found)))


def todo(document: Document) -> tuple[Diagnostic, ...]:
    """Return a finding for every value, and every name of a field, that still says TODO."""
    values = (document.at(path) for path, value in document.texts() if unfinished(value))
    names = (document.key(path) for path in document.keys if unfinished(path[-1]))
    places = chain(values, names)
    return tuple(bounded(finding("M201", f"{where.item} still says TODO", where) for where in places))


def _submission(manifest: Manifest, trial: Trial) -> Iterator[Diagnostic]:
    submission, at = manifest.submission, manifest.document.at
    for name, listed in (("purpose", trial.purposes), ("arm", trial.arms), ("stratum", trial.strata)):
        value = getattr(submission, name)
        if value and listed and value not in listed:
            hint = did_you_mean(value, listed)
            message = f"the trial does not list this {name}; it has {', '.join(listed)}"
            yield finding("M220", message, at(("submission", name)), hint=hint)
    if submission.patient and not matches(trial.patient_id_pattern, submission.patient):
        hint = f"for example {trial.patient_id_template}" if trial.patient_id_template else ""
        message = "submission.patient does not have the form of this trial's IDs"
        yield finding("M215", message, at(("submission", "patient")), hint=hint)
    yield from _revision(manifest)


def _revision(manifest: Manifest) -> Iterator[Diagnostic]:
    submission, at = manifest.submission, manifest.document.at
    for name in ("kind", "reason") if submission.revision > 1 else ():
        if not getattr(submission, name):
            message = f"revision {submission.revision} needs submission.{name}"
            yield finding("M211", message, at(("submission", "revision")))
    if submission.radiotherapy_start and not _is_date(submission.radiotherapy_start):
        message = "submission.radiotherapy_start is no date of the calendar"
        yield finding("M219", message, at(("submission", "radiotherapy_start")))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _protocol(manifest: Manifest, trial: Trial) -> Iterator[Diagnostic]:
    versions = trial.protocol_versions
    if versions and manifest.protocol not in versions:
        fault = "is not one that the trial lists" if manifest.protocol else "is missing"
        message = f"the protocol version {fault}; it lists {', '.join(versions)}"
        yield finding("M216", message, manifest.document.at(("protocol",)))


def _reviews(manifest: Manifest, trial: Trial) -> Iterator[Diagnostic]:
    """Compare the purpose with the reviews that the trial asks for here."""
    submission = manifest.submission
    for rule in trial.reviews:
        if rule.purpose == submission.purpose and not rule.when.holds(submission):
            note = f" ({rule.note})" if rule.note else ""
            message = f"the trial asks for a {rule.purpose} only when {rule.when}{note}"
            yield finding("M222", message, manifest.document.at(("submission", "purpose")))


def _counts(manifest: Manifest, trial: Trial) -> Iterator[Diagnostic]:
    """Compare how many objects are listed with what the trial takes, and which of several it wants one."""
    for role, selectors in manifest.data.items():
        rules = [r for r in trial.objects if r.role == role and r.when.holds(manifest.submission)]
        least = max((rule.minimum for rule in rules), default=0)
        most = min((rule.maximum for rule in rules if rule.maximum), default=len(selectors))
        if not least <= len(selectors) <= most:
            number = least if len(selectors) < least else most
            bound = "" if least == most else "at least " if len(selectors) < least else "at most "
            message = f"the trial asks for {bound}{number} of the role {role}; {len(selectors)} listed"
            yield finding("M223", message, manifest.document.key(("data", role)), subject=role)
    for group in trial.one_of:
        if group.when.holds(manifest.submission) and not manifest.data.keys() & set(group.roles):
            message = f"the trial asks for one of {', '.join(group.roles)} for this submission"
            yield finding("M224", message, manifest.document.key(("data",)), subject=group.roles[0])


def _roles(manifest: Manifest, trial: Trial) -> Iterator[Diagnostic]:
    known = {rule.role for rule in trial.objects}
    for role in manifest.data.keys() - known if known else ():
        where = _nameless(manifest, "data", role)
        yield finding("M218", "the trial takes no object of this role", where, hint=did_you_mean(role, known))


def _ids(manifest: Manifest) -> Iterator[Diagnostic]:
    """Ids must be unique over all roles; ``of`` and ``plan`` name plans."""
    seen: set[str] = set()
    for role, selectors in manifest.data.items():
        for n, selector in enumerate(selectors):
            if selector.id and selector.id in seen:
                where = manifest.document.at((*_entry(manifest, role, n), "id"))
                yield finding("M202", "this id is already used for another object", where)
            seen.add(selector.id)
    plans = {selector.id for selector in manifest.data.get("plan", ()) if selector.id}
    for name, path in _plan_references(manifest):
        if name not in plans:
            where = manifest.document.at(path)
            yield finding("M203", "no plan under data: has this id", where, hint=did_you_mean(name, plans))


def ambiguous(manifest: Manifest) -> bool:
    """Return whether two objects of one role have one id: the lock would have one row for both."""
    ids = ([selector.id for selector in selectors] for selectors in manifest.data.values())
    return any(len(set(of_role)) < len(of_role) for of_role in ids)


def _plan_references(manifest: Manifest) -> Iterator[tuple[str, Path]]:
    for role, selectors in manifest.data.items():
        for n, selector in enumerate(selectors):
            start = _entry(manifest, role, n)
            yield from ((name, (*start, "of", k)) for k, name in enumerate(selector.of))
    for n, prescribed in enumerate(manifest.prescription):
        if prescribed.plan:
            yield prescribed.plan, ("prescription", n, "plan")


def _entry(manifest: Manifest, role: str, n: int) -> Path:
    """Return where a selector stands: alone under its role, or in a list."""
    in_list: Path = ("data", role, n)
    return in_list if in_list in manifest.document.values else ("data", role)


def _paths(manifest: Manifest) -> Iterator[Diagnostic]:
    places: list[tuple[str, Path]] = [(manifest.source, ("source",))]
    places += [(entry.path, ("documents", name, "path")) for name, entry in manifest.documents.items()]
    for role, selectors in manifest.data.items():
        places += [(s.path, (*_entry(manifest, role, n), "path")) for n, s in enumerate(selectors)]
    places.append((manifest.clinical_file, ("clinical", "file")))
    for text, path in places:
        if fault := path_fault(text):
            where = manifest.document.at(path)
            yield finding("M214", f"this path {fault}", where)


def path_fault(text: str) -> str:
    """Return what makes a path of a manifest unsafe, or an empty text."""
    if "\\" in text:
        return "is written with a backslash"
    if text.startswith("/") or re.match(r"[A-Za-z]:", text):
        return "is absolute"
    parts = text.split("/")
    if ".." in parts:
        return "leads upwards with '..'"
    if "." in parts:
        return "has a '.' that leads nowhere"
    return "" if all(map(is_portable, parts)) else "has a part that cannot be a name on Windows"


def _documents(manifest: Manifest, trial: Trial) -> Iterator[Diagnostic]:
    rules = {rule.name: rule for rule in trial.documents}
    for name, entry in manifest.documents.items():
        if name not in rules:
            where = _nameless(manifest, "documents", name)
            message = "the trial takes no document of this name"
            yield finding("M210", message, where, hint=did_you_mean(name, rules))
        elif rules[name].types and entry.path.rpartition(".")[2].lower() not in rules[name].types:
            where = manifest.document.at(("documents", name, "path"))
            yield finding("M210", f"the trial takes {name} as {' or '.join(rules[name].types)} only", where)
    for rule in trial.documents:
        if rule.required and rule.name not in manifest.documents and rule.when.holds(manifest.submission):
            where = manifest.document.key(("documents",))
            hint = f"add under documents: {rule.name}: {{path: …}}"
            message = f"the trial requires the document {rule.name} for this submission"
            yield finding("M209", message, where, hint=hint, subject=rule.name)


def _structures(manifest: Manifest, trial: Trial) -> Iterator[Diagnostic]:
    known = {rule.name for rule in trial.structures}
    strange = manifest.structures.keys() - known if known else set()
    spellings = {
        folded(spelling): rule.name
        for rule in (trial.structures if strange else ())
        for spelling in (*rule.aliases, rule.name)
    }
    cases = Counter(name.casefold() for name in manifest.structures)
    origins = Counter(choice.name.strip() for choice in manifest.structures.values() if choice.name)
    for name, choice in manifest.structures.items():
        alias = spellings.get(folded(name), "") if name in strange else ""
        if name in strange and (alias or trial.structures_complete):
            hint = f"did you mean '{alias}'?" if alias else did_you_mean(name, known)
            where = _nameless(manifest, "structures", name)
            yield finding("M204", "this is not a structure of the trial", where, hint=hint)
        if cases[name.casefold()] > 1:
            message = "another name differs from this one only in upper and lower case"
            yield finding("M206", message, _nameless(manifest, "structures", name))
        if choice.name and origins[choice.name.strip()] > 1:
            others = [n for n, c in manifest.structures.items() if c.name.strip() == choice.name.strip()]
            what = " and ".join(others) if known.issuperset(others) else "several names"
            message = f"one structure of the planning system is mapped to {what}"
            where = manifest.document.at(("structures", name))
            yield finding("M205", message, where if name in known else replace(where, item="structures"))


def _nameless(manifest: Manifest, group: str, name: str) -> Location:
    """Return where a name stands that is not the trial's; whoever typed it may have typed a patient's."""
    return replace(manifest.document.key((group, name)), item=group)


def _required_structures(manifest: Manifest, trial: Trial) -> Iterator[Diagnostic]:
    for rule in trial.structures:
        if rule.required and rule.name not in manifest.structures and rule.when.holds(manifest.submission):
            hint = (
                f"add under structures: {rule.name}: its name in the planning system, or {{absent: reason}}"
            )
            message = f"the trial requires the structure {rule.name} for this submission"
            yield finding("M208", message, manifest.document.key(("structures",)), hint=hint)


def _targets(manifest: Manifest, trial: Trial) -> Iterator[Diagnostic]:
    known = {rule.name for rule in trial.structures} | manifest.structures.keys()
    absent = {name for name, choice in manifest.structures.items() if choice.absent}
    for n, entry in enumerate(manifest.prescription):
        where = manifest.document.at(("prescription", n, "target"))
        if known and entry.target not in known:
            hint = did_you_mean(entry.target, known)
            yield finding("M207", "this target is not a structure of the trial", where, hint=hint)
        elif entry.target in absent:
            yield finding("M207", "this target is marked as absent under structures:", where)
        if entry.dose_min > entry.dose_max:
            where = manifest.document.at(("prescription", n, "dose_gy"))
            yield finding("M221", "min is larger than max", where)


def _prescribed(manifest: Manifest, trial: Trial) -> Iterator[Diagnostic]:
    """Compare with the protocol; phases of one target count together, plans of a library each alone."""
    if not manifest.prescription:
        return
    library = plan_library(trial, manifest.submission)
    for rule in trial.prescriptions:
        if not rule.when.holds(manifest.submission):
            continue
        courses: dict[tuple[str, str], list[Prescription]] = defaultdict(list)
        for entry in manifest.prescription:
            if rule.target in ("", entry.target):
                courses[entry.target, entry.plan if library else ""].append(entry)
        # without a name, any one target may be meant; every plan of a library is to deliver it
        enough = all if library or rule.target else any
        if not courses or not enough(_fulfils(course, rule) for course in courses.values()):
            target = rule.target or rule.to
            first = next((n for n, e in enumerate(manifest.prescription) if e.target == rule.target), None)
            path: Path = ("prescription",) if first is None else ("prescription", first)
            message = f"the protocol prescribes {_in_words(rule)} to {target} for this submission"
            yield finding("M217", message, manifest.document.at(path), subject=target)


def _fulfils(entries: Iterable[Prescription], rule: TrialPrescription) -> bool:
    entries = list(entries)
    low, high = sum(e.dose_min for e in entries), sum(e.dose_max for e in entries)
    inside = (rule.dose_min is None or rule.dose_min <= low) and (
        rule.dose_max is None or high <= rule.dose_max
    )
    return inside and sum(e.fractions for e in entries) == rule.fractions


def _in_words(rule: TrialPrescription) -> str:
    doses = [number_text(dose) for dose in (rule.dose_min, rule.dose_max) if dose is not None]
    dose = " to ".join(dict.fromkeys(doses)) + " Gy in " if doses else ""
    return f"{dose}{rule.fractions} fractions"


def _waivers(manifest: Manifest) -> Iterator[Diagnostic]:
    for n, waiver in enumerate(manifest.waivers):
        where = manifest.document.at(("waivers", n, "code"))
        if waiver.code not in CATALOGUE:
            yield finding(
                "M213", "no finding has this code", where, hint=did_you_mean(waiver.code, CATALOGUE)
            )
        elif not waivable(waiver.code):
            yield finding("M212", f"{waiver.code} cannot be waived", where)

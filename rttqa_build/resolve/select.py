"""Selectors × study → the objects that they name, and findings where they name none or several."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.diagnostic import finding
from rttqa_build.resolve.roles import (
    Candidate,
    Selected,
    candidates,
    describe,
    is_series,
    modalities_of,
    modalities_taken,
    rules_for,
    short_digest,
)
from rttqa_build.study import REFUSAL_CODES, Kind, Reason

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.manifest import Manifest, Selector
    from rttqa_build.source import Path
    from rttqa_build.study import Instance, Study
    from rttqa_build.trial import Trial


class Choice(NamedTuple):
    """What was chosen so far, and the findings on the way.

    ``unsettled`` are roles that some object could play, if a finding were mended first; ``broken`` is the
    role that a link leads to, where it leads to nothing in the source.
    """

    selected: tuple[Selected, ...] = ()
    unsettled: frozenset[str] = frozenset()
    diagnostics: tuple[Diagnostic, ...] = ()
    broken: frozenset[str] = frozenset()


def choose(study: Study, manifest: Manifest, trial: Trial) -> Choice:
    """Return what every selector below ``data:`` names."""
    selected: list[Selected] = []
    unsettled: set[str] = set()
    diagnostics: list[Diagnostic] = []
    for role, selectors in manifest.data.items():
        modalities = modalities_of(role, rules_for(role, trial, manifest.submission))
        for index, selector in enumerate(selectors):
            path: Path = ("data", role, index)
            found = _named_by(selector, study, role, modalities)
            if len(found) == 1:
                instances = found[0].instances
                same = selector.same_patient
                selected.append(Selected(role, selector.id, instances, path, selector.of, same))
            else:
                unsettled.add(role)
                taken = modalities_taken(trial, manifest.submission)
                diagnostics.append(_failure(found, selector, study, manifest, path, taken))
    return Choice(tuple(selected), frozenset(unsettled), (*diagnostics, *_twice(selected, manifest)))


def _named_by(
    selector: Selector, study: Study, role: str, modalities: frozenset[str]
) -> tuple[Candidate, ...]:
    """Return the candidates that a selector names; one slice names its whole series."""
    possible = candidates(study.instances, role, modalities)
    if selector.label:
        label = _same_spelling(selector.label)
        return tuple(c for c in possible if label in map(_same_spelling, _labels(c.first)))
    if not (selector.path or selector.sha256):
        return possible
    digests = _digests(selector, study)
    return tuple(c for c in possible if any(i.file.sha256 in digests for i in c.instances))


def _digests(selector: Selector, study: Study) -> frozenset[str]:
    """Return the digests of files below a path or with a digest prefix; a duplicate counts as its twin."""
    twins = (fate.file for fate in study.others if fate.reason is Reason.DUPLICATE)
    files = (*(instance.file for instance in study.instances), *twins)
    if selector.sha256:
        return frozenset(f.sha256 for f in files if f.sha256.startswith(selector.sha256.lower()))
    path = _same_spelling(selector.path).removeprefix("./").rstrip("/")
    inside = "" if path == "." else path + "/"
    spelled = ((_same_spelling(f.path), f.sha256) for f in files)
    return frozenset(digest for name, digest in spelled if name == path or name.startswith(inside))


def _labels(instance: Instance) -> tuple[str, ...]:
    return tuple(text for text in (instance.label, instance.series_description) if text)


def _same_spelling(text: str) -> str:
    """Return text in one Unicode form: file systems and keyboards differ in how they write accents."""
    return unicodedata.normalize("NFC", text.strip())


def _failure(
    found: tuple[Candidate, ...],
    selector: Selector,
    study: Study,
    manifest: Manifest,
    path: Path,
    taken: Container[str],
) -> Diagnostic:
    """Return why a selector does not name exactly one object; ``taken`` are the trial's modalities."""
    role = str(path[1])
    where = manifest.document.at(path)
    subject = selector.id or role
    what = "image series" if is_series(role) else "objects"
    if found:
        message = f"this selector for {role} matches {len(found)} {what}; it must match one"
        return finding("R103", message, where, subject=subject, local=listing(found, study))
    others = _digests(selector, study) if selector.path or selector.sha256 else frozenset()
    of_other_kind = [i for i in study.instances if i.file.sha256 in others]
    if any(instance.refusal for instance in of_other_kind):
        reason = min(i.refusal for i in of_other_kind if i.refusal)
        message = f"what is selected for {role} is {reason}"
        return finding(REFUSAL_CODES[reason], message, where, subject=subject)
    if of_other_kind and not any(i.modality in taken for i in of_other_kind if i.kind is not Kind.OTHER):
        message = f"what is selected for {role} is of a class or modality that the trial does not take"
        return finding("R407", message, where, subject=subject)
    if of_other_kind:
        return finding("R104", f"what is selected is nothing that {role} can be", where, subject=subject)
    return finding("R102", f"this selector for {role} matches nothing in the source", where, subject=subject)


def listing(found: Iterable[Candidate], study: Study) -> str:
    """Return candidates in words, one a line, with the digest that selects each: for the terminal only."""
    return "\n".join(f"  {short_digest(c, study)}  {describe(c, study)}" for c in found)


def _twice(selected: Iterable[Selected], manifest: Manifest) -> Iterator[Diagnostic]:
    """Yield a finding for each selector that names what an earlier one has named."""
    taken: dict[str, str] = {}
    for item in selected:
        digest = item.instances[0].file.sha256
        if digest in taken:
            message = f"what is selected for {item.place} is selected for {taken[digest]} already"
            yield finding("R105", message, manifest.document.at(item.selector_path), subject=item.name)
        taken.setdefault(digest, item.place)

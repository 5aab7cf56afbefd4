"""What belongs to a trial's definition beyond its dataclass: digest, titles, and faults no schema finds."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from rttqa_build.codes import CATALOGUE
from rttqa_build.diagnostic import NOWHERE, Location, finding, ordered
from rttqa_build.schema import did_you_mean, fields, matches
from rttqa_build.source import canonical
from rttqa_build.trial import TABLES, Acceptance, folded, metric
from rttqa_build.trial.consistency import waivable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.schema import Schema
    from rttqa_build.source import Document, Json, Path
    from rttqa_build.trial import Trial

TEMPLATES = ("summary.typ.j2", "email.txt.j2", "recall.txt.j2")
"""What a trial may replace; never the report's."""


def digest(document: Document, schema: Schema, templates: Mapping[str, bytes]) -> str:
    """Return the SHA-256 over definition, bundled schema and templates, line endings as LF."""
    parts: dict[str, Json] = {
        "definition": document.data,
        "schema": schema,
        "templates": {name: text.decode("utf-8", "replace") for name, text in templates.items()},
    }
    return hashlib.sha256(canonical(parts)).hexdigest()


def clinical_titles(schema: Schema) -> dict[str, str]:
    """Return the titles of the clinical fields that a bundled schema knows."""
    known = fields(schema, fields(schema, schema).get("clinical", {}))
    return {name: str(inner.get("title", name)) for name, inner in known.items() if name != "file"}


def acceptance(
    trial: Trial, accepted: Iterable[Acceptance], where: Location = NOWHERE
) -> tuple[Diagnostic, ...]:
    """Return a finding when an unofficial trial is not accepted in its present form."""
    entries = [entry for entry in accepted if entry.trial == trial.id]
    if trial.status != "unofficial" or any(entry.digest == trial.digest for entry in entries):
        return ()
    fault = "changed after it was accepted" if entries else "is unofficial and not accepted"
    hint = f"compare it with the trial's documents, then accept digest {trial.digest} in rttqa.yaml"
    return (finding("M314", f"the definition of {trial.id} {fault}", where, hint=hint),)


def check(trial: Trial, document: Document) -> tuple[Diagnostic, ...]:
    """Return every contradiction within a valid definition."""
    found = (*_names(trial, document), *_conditions(trial, document.data, (), document))
    return ordered(
        (
            *found,
            *_aliases(trial, document),
            *_texts(trial, document),
            *_limits(trial, document),
            *_counts(trial, document),
            *_retained(trial, document),
            *_severities(trial, document),
            *_templates(trial),
        )
    )


def _templates(trial: Trial) -> Iterator[Diagnostic]:
    """Every template has a name that something renders: a misspelt one would be passed over in silence."""
    for name in trial.templates:
        if name not in TEMPLATES:
            where = Location(f"trials/{trial.id}/templates/{name}")
            hint = did_you_mean(name, TEMPLATES) or f"a trial may bring {', '.join(TEMPLATES)}"
            yield finding("M332", f"nothing renders {name}", where, hint=hint)


def _names(trial: Trial, document: Document) -> Iterator[Diagnostic]:
    """Constraints and prescriptions name structures of the trial, groups its roles, reviews its purposes."""
    known = {rule.name for rule in trial.structures}
    named: list[tuple[str, Path]] = [
        *((rule.structure, ("constraints", n, "structure")) for n, rule in enumerate(trial.constraints)),
        *(
            (rule.target, ("prescriptions", n, "target"))
            for n, rule in enumerate(trial.prescriptions)
            if rule.target
        ),
    ]
    for name, path in named:
        if name not in known:
            yield finding(
                "M321", f"{name} is not a structure", document.at(path), hint=did_you_mean(name, known)
            )
    roles = {rule.role for rule in trial.objects}
    for n, group in enumerate(trial.one_of):
        for k, role in enumerate(group.roles):
            if role not in roles:
                where = document.at(("one_of", n, "roles", k))
                yield finding("M321", f"{role} is not under objects:", where, hint=did_you_mean(role, roles))
    for rule in trial.reviews:
        if rule.purpose not in trial.purposes:
            where = document.key(("reviews", rule.purpose))
            yield finding("M321", f"the trial has no purpose {rule.purpose}", where)


def _conditions(trial: Trial, data: Json, path: Path, document: Document) -> Iterator[Diagnostic]:
    """Conditions compare with purposes, arms and strata that the trial has."""
    if not isinstance(data, dict | list):
        return
    for step, value in data.items() if isinstance(data, dict) else enumerate(data):
        if step == "when" and isinstance(value, dict):
            yield from _condition(trial, value, (*path, "when"), document)
        else:
            yield from _conditions(trial, value, (*path, step), document)


def _condition(trial: Trial, when: dict[str, Json], path: Path, document: Document) -> Iterator[Diagnostic]:
    known = {"purpose": trial.purposes, "arm": trial.arms, "stratum": trial.strata}
    for name in known.keys() & when.keys():
        value: Any = when[name]
        for wanted in value if isinstance(value, list) else [value]:
            if wanted not in known[name]:
                hint = did_you_mean(wanted, known[name])
                message = f"the trial has no {name} {wanted}"
                yield finding("M321", message, document.at((*path, name)), hint=hint)


def _aliases(trial: Trial, document: Document) -> Iterator[Diagnostic]:
    """No spelling stands for two structures."""
    owner: dict[str, str] = {}
    for rule in trial.structures:
        for spelling in (rule.name, *rule.aliases):
            first = owner.setdefault(folded(spelling), rule.name)
            if first != rule.name:
                message = f"'{spelling}' stands for {first} and for {rule.name}"
                yield finding("M322", message, document.key(("structures", rule.name)))


def _texts(trial: Trial, document: Document) -> Iterator[Diagnostic]:
    for n, rule in enumerate(trial.constraints):
        try:
            metric.parse(rule.metric)
        except metric.MetricSyntaxError as error:
            where = document.at(("constraints", n, "metric"))
            yield finding("M323", str(error), where)
    yield from _forms(trial, document)
    where = document.at(("patient_id", "pattern"))
    try:
        fits = matches(trial.patient_id_pattern, trial.patient_id_template or "")
    except re.error:
        yield finding("M323", "patient_id.pattern is no valid expression", where)
        return
    if trial.patient_id_template and not fits:
        where = document.at(("patient_id", "template"))
        yield finding("M321", "patient_id.template does not have the form of patient_id.pattern", where)


def _forms(trial: Trial, document: Document) -> Iterator[Diagnostic]:
    """Values are read from forms that have a table, and the words for metrics stand for metrics."""
    for rule in trial.documents:
        path: Path = ("documents", rule.name)
        if rule.values and not TABLES & {*rule.types}:
            message = (
                f"values are read from {', '.join(sorted(TABLES))} only, and {rule.name} is none of them"
            )
            yield finding("M321", message, document.key((*path, "values")))
        for words, meant in (rule.values.metrics if rule.values else {}).items():
            try:
                metric.parse(meant)
            except metric.MetricSyntaxError as error:
                yield finding("M323", str(error), document.at((*path, "values", "metrics", words)))


def _limits(trial: Trial, document: Document) -> Iterator[Diagnostic]:
    """No range is reversed, and what is optimal is not laxer than what is mandatory."""
    for n, one in enumerate(trial.prescriptions):
        if one.dose_min is not None and one.dose_max is not None and one.dose_min > one.dose_max:
            where = document.at(("prescriptions", n, "dose_gy"))
            yield finding("M221", "min is larger than max", where)
    for n, rule in enumerate(trial.constraints):
        if rule.optimal is None or rule.mandatory is None:
            continue
        laxer = rule.optimal > rule.mandatory if rule.op in ("<", "<=") else rule.optimal < rule.mandatory
        if laxer:
            message = "the optimal limit is laxer than the mandatory one"
            yield finding("M325", message, document.at(("constraints", n, "optimal")))


def _counts(trial: Trial, document: Document) -> Iterator[Diagnostic]:
    """No role is asked for more often than it may be."""
    for role in dict.fromkeys(rule.role for rule in trial.objects):
        for n, rule in enumerate(rule for rule in trial.objects if rule.role == role):
            if rule.maximum and rule.minimum > rule.maximum:
                listed: Path = ("objects", role, n, "minimum")
                path = listed if listed in document.values else ("objects", role, "minimum")
                yield finding("M325", "minimum is larger than maximum", document.at(path))


def _retained(trial: Trial, document: Document) -> Iterator[Diagnostic]:
    """Retain sex, size, weight and scale factors only for PET, whose dates are then shifted."""
    if not trial.retain:
        return
    has_pet = any("PT" in rule.modalities or rule.role == "diagnostic_pt" for rule in trial.objects)
    where = document.key(("retain",))
    if not has_pet:
        yield finding("M326", "retain: is for PET, and the trial takes no PET images", where)
    if trial.dates == "remove":
        message = "retain: needs dates: shift; without dates no uptake value can be computed"
        yield finding("M326", message, where)
    if "patient_characteristics" not in trial.retain:
        message = "safe_private is retained for uptake values, which need patient_characteristics as well"
        yield finding("M326", message, where)


def _severities(trial: Trial, document: Document) -> Iterator[Diagnostic]:
    for code, wanted in trial.severities.items():
        where = document.key(("severity", code))
        if code not in CATALOGUE:
            yield finding(
                "M324", f"no finding has the code {code}", where, hint=did_you_mean(code, CATALOGUE)
            )
        elif not waivable(code):
            yield finding("M324", f"the severity of {code} cannot be changed", where)
        for purpose in wanted.keys() - {"default", *trial.purposes}:
            where = document.key(("severity", code, purpose))
            hint = did_you_mean(purpose, ("default", *trial.purposes))
            yield finding("M321", f"the trial has no purpose {purpose}", where, hint=hint)

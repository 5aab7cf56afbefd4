"""A valid trial definition → a frozen :class:`Trial` (``schemas/trial.schema.json``). A trial is data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rttqa_build.manifest import Submission
    from rttqa_build.source import Document, Json

Status = Literal["example", "unofficial", "confirmed"]


@dataclass(frozen=True, slots=True)
class When:
    """A condition on submission fields: every named field must have one of the listed values.

    Empty: always. Fields: purpose, arm, stratum, kind, clinician_approved, centre_patient_number.
    """

    fields: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)

    def holds(self, submission: Submission) -> bool:
        """Return whether the submission fulfils the condition."""
        return all(getattr(submission, name) in allowed for name, allowed in self.fields.items())

    def __str__(self) -> str:
        """Return ``arm is a or b and purpose is c``; nothing where it always holds."""
        parts = (f"{name} is {' or '.join(map(_in_yaml, allowed))}" for name, allowed in self.fields.items())
        return " and ".join(parts)


def _in_yaml(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Conditional(Protocol):
    @property
    def when(self) -> When: ...


@dataclass(frozen=True, slots=True)
class Review:
    """When the trial asks for submissions of a purpose, and what the condition does not say."""

    purpose: str
    when: When
    note: str = ""


@dataclass(frozen=True, slots=True)
class ObjectRule:
    """Which objects a role takes: modalities and kinds of plan allowed, whether required, how many.

    ``minimum`` and ``maximum`` of 0: any number. ``library``: the plans are alternatives, one of which is
    chosen for each fraction, and do not add up. A role may have several rules, under different conditions.
    """

    role: str
    modalities: tuple[str, ...] = ()
    required: bool = False
    when: When = field(default_factory=When)
    maximum: int = 0
    minimum: int = 0
    kinds: tuple[str, ...] = ()
    library: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """Roles of which a submission holds at least one."""

    roles: tuple[str, ...]
    when: When = field(default_factory=When)


WORKBOOKS = frozenset({"xlsx", "xlsm"})
TABLES = WORKBOOKS | {"csv"}
"""The types of documents whose values can be read."""


@dataclass(frozen=True, slots=True)
class FormValues:
    """Where the trial's form keeps achieved values, and how far they may be from ours.

    ``structure``, ``metric`` and ``achieved`` are column titles; ``sheet`` is the sheet's name, any sheet
    with these titles where it is empty; ``metrics`` maps the form's words for a metric to TG-263 notation.
    Tolerances: doses and volumes (cm³) in per cent of the form's value, percentages in points.
    """

    structure: str
    metric: str
    achieved: str
    sheet: str = ""
    metrics: Mapping[str, str] = field(default_factory=dict)
    dose_percent: Decimal = Decimal(3)
    points: Decimal = Decimal(3)
    volume_percent: Decimal = Decimal(10)


@dataclass(frozen=True, slots=True)
class DocumentRule:
    """A document the trial asks for, and the file types it takes (``xlsx``, ``pdf``, …)."""

    name: str
    title: str
    types: tuple[str, ...]
    required: bool = False
    when: When = field(default_factory=When)
    values: FormValues | None = None


@dataclass(frozen=True, slots=True)
class StructureRule:
    """A structure of the trial: name of at most 16 characters, RT ROI Interpreted Type, known aliases."""

    name: str
    type: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    when: When = field(default_factory=When)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A dose-volume constraint in TG-263 notation, with an optimal and a mandatory limit (one may lack)."""

    structure: str
    metric: str
    op: Literal["<", "<=", ">", ">="]
    optimal: Decimal | None = None
    mandatory: Decimal | None = None
    when: When = field(default_factory=When)
    dose: str = ""


@dataclass(frozen=True, slots=True)
class TrialPrescription:
    """What an arm prescribes; ``dose_min`` equals ``dose_max`` unless isotoxic. Gray.

    Without ``target`` the trial's name for it is not known: ``to`` says in words what some target has.
    Without doses only the number of fractions is known.
    """

    target: str
    dose_min: Decimal | None
    dose_max: Decimal | None
    fractions: int
    when: When = field(default_factory=When)
    to: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to write to."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A person's acceptance of an unofficial trial definition, by digest."""

    trial: str
    digest: str
    by: str
    checked_with: str
    date: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial definition. ``digest`` covers definition, schema with every ``$ref``, and templates."""

    id: str
    title: str
    status: Status
    digest: str
    contact: Contact
    pseudonym_scope: str
    protocol_versions: tuple[str, ...] = ()
    guidance: str = ""
    sponsor: str = ""
    full_name: str = ""
    purposes: tuple[str, ...] = ()
    reviews: tuple[Review, ...] = ()
    arms: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    patient_id_pattern: str = ""
    patient_id_template: str = ""
    dates: Literal["shift", "remove"] = "shift"
    retain: tuple[str, ...] = ()
    unmapped_structures: Literal["keep", "rename", "drop"] = "keep"
    objects: tuple[ObjectRule, ...] = ()
    one_of: tuple[OneOf, ...] = ()
    documents: tuple[DocumentRule, ...] = ()
    structures: tuple[StructureRule, ...] = ()
    structures_complete: bool = True
    constraints: tuple[Constraint, ...] = ()
    prescriptions: tuple[TrialPrescription, ...] = ()
    tolerances: Mapping[str, Decimal] = field(default_factory=dict)
    permitted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rbe: Decimal | None = None
    phases_4d: tuple[str, ...] = ()
    separate_series: bool = False
    severities: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    staff_in_documents: bool = False
    allowed_macros: tuple[str, ...] = ()
    deadline_working_days: int | None = None
    supplied_cases: Mapping[str, Json] = field(default_factory=dict)
    templates: Mapping[str, bytes] = field(default_factory=dict)
    layout: Mapping[str, str] = field(default_factory=dict)
    clinical_titles: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @classmethod
    def from_document(
        cls,
        document: Document,
        digest: str = "",
        templates: Mapping[str, bytes] | None = None,
        clinical_titles: Mapping[str, str] | None = None,
    ) -> Trial:
        """Return what a valid definition says; digest, templates and titles come from the files beside it."""
        data: Any = document.data
        protocol, patient = data.get("protocol", {}), data.get("patient_id", {})
        return cls(
            id=data["id"],
            title=data["title"],
            status=data["status"],
            digest=digest,
            contact=Contact(**data["contact"]),
            pseudonym_scope=data.get("pseudonym_scope", data["id"]),
            protocol_versions=tuple(protocol.get("versions", [])),
            guidance=protocol.get("guidance", ""),
            sponsor=data.get("sponsor", ""),
            reviews=tuple(
                Review(purpose, _when(rule), rule.get("note", ""))
                for purpose, rule in data.get("reviews", {}).items()
            ),
            patient_id_pattern=patient.get("pattern", ""),
            patient_id_template=patient.get("template", ""),
            objects=tuple(
                ObjectRule(role, **_rule(rule))
                for role, rules in data.get("objects", {}).items()
                for rule in (rules if isinstance(rules, list) else [rules])
            ),
            one_of=tuple(OneOf(**_rule(rule)) for rule in data.get("one_of", [])),
            documents=tuple(_document(name, rule) for name, rule in data.get("documents", {}).items()),
            structures=tuple(
                StructureRule(name, **_rule(rule)) for name, rule in data.get("structures", {}).items()
            ),
            constraints=tuple(_constraint(rule) for rule in data.get("constraints", [])),
            prescriptions=tuple(_prescribed(rule) for rule in data.get("prescriptions", [])),
            tolerances={name: Decimal(value) for name, value in data.get("tolerances", {}).items()},
            permitted={name: tuple(values) for name, values in data.get("permitted", {}).items()},
            rbe=Decimal(data["rbe"]) if "rbe" in data else None,
            severities=data.get("severity", {}),
            deadline_working_days=data.get("deadline", {}).get("working_days"),
            templates=templates or {},
            clinical_titles=clinical_titles or {},
            **_as_written(data),
        )


def _as_written(data: Any) -> dict[str, Any]:
    """Return the fields that are called the same in file and dataclass."""
    lists = ("purposes", "arms", "strata", "retain", "allowed_macros", "sources", "unknown", "phases_4d")
    others = (
        *("dates", "unmapped_structures", "staff_in_documents", "supplied_cases", "layout"),
        *("separate_series", "full_name", "structures_complete"),
    )
    return {
        **{name: tuple(data[name]) for name in lists if name in data},
        **{name: data[name] for name in others if name in data},
    }


def folded(name: str) -> str:
    """Return a structure's name as aliases are compared: without case, spaces and separators."""
    return re.sub(r"[\s_.-]+", "", name).casefold()


def structure_called(trial: Trial, name: str) -> StructureRule | None:
    """Return the structure that a planning system's name stands for, by the trial's name or an alias."""
    spellings = {folded(alias): rule for rule in trial.structures for alias in (*rule.aliases, rule.name)}
    return spellings.get(folded(name))


def plan_library(trial: Trial, submission: Submission) -> bool:
    """Return whether the plans of a submission are alternatives: their doses and fractions don't add up."""
    return any(rule.library and rule.when.holds(submission) for rule in trial.objects)


def conditions(trial: Trial) -> tuple[When, ...]:
    """Return every condition of the definition, of whatever it is the condition."""
    groups: tuple[tuple[_Conditional, ...], ...] = (
        *(trial.reviews, trial.objects, trial.one_of, trial.documents),
        *(trial.structures, trial.constraints, trial.prescriptions),
    )
    return tuple(rule.when for rules in groups for rule in rules if rule.when.fields)


def _rule(entry: Any) -> dict[str, Any]:
    """Return the fields of an entry with lists as tuples and its condition."""
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return {**fields, "when": _when(entry)}


def _document(name: str, entry: Any) -> DocumentRule:
    values = entry.get("values")
    return DocumentRule(name, **{**_rule(entry), "values": values and _form_values(values)})


def _form_values(entry: Any) -> FormValues:
    tolerances: Any = {key: Decimal(value) for key, value in entry.get("tolerance", {}).items()}
    return FormValues(
        **entry["columns"], sheet=entry.get("sheet", ""), metrics=entry.get("metrics", {}), **tolerances
    )


def _when(entry: Any) -> When:
    conditions = entry.get("when", {})
    return When({key: tuple(v) if isinstance(v, list) else (v,) for key, v in conditions.items()})


def _constraint(entry: Any) -> Constraint:
    limits = {key: Decimal(entry[key]) for key in ("optimal", "mandatory") if key in entry}
    return Constraint(
        entry["structure"],
        entry["metric"],
        entry["op"],
        **limits,
        when=_when(entry),
        dose=entry.get("dose", ""),
    )


def _prescribed(entry: Any) -> TrialPrescription:
    dose = entry.get("dose_gy")
    doses = (dose["min"], dose["max"]) if isinstance(dose, dict) else (dose, dose)
    low, high = (None if one is None else Decimal(one) for one in doses)
    target, to = entry.get("target", ""), entry.get("to", "")
    return TrialPrescription(target, low, high, entry["fractions"], _when(entry), to)

"""``trials`` and ``explain``: what can be looked up."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from rttqa_build.cli.formats import to_json
from rttqa_build.cli.output import WIDTH, show_json, show_text
from rttqa_build.cli.session import demand_known, term
from rttqa_build.codes import CATALOGUE, FAMILIES
from rttqa_build.diagnostic import UsageError, exit_code
from rttqa_build.library import Library
from rttqa_build.schema import did_you_mean
from rttqa_build.settings import find_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.cli.output import Terminal
    from rttqa_build.trial import Constraint, ObjectRule, Trial, TrialPrescription, When


def trials(name: str | None, *, as_json: bool) -> int:
    """List the trials, or show one."""
    out, here = term(), Path.cwd()
    library = Library(find_root(here) or here)
    if name:
        demand_known(library, name)
    found = [library.trial(name)] if name else list(library.trials())
    told = tuple(diagnostic for one in found for diagnostic in one.diagnostics)
    known = [one.trial for one in found if one.trial is not None]
    if as_json:
        rows = [_row(trial) for trial in known]
        show_json({"trials": rows, "findings": [to_json(one) for one in told]}, out)
        return exit_code(told)
    show_text(told, out)
    if name:
        for trial in known:
            _show(trial, out)
    else:
        width = max((len(trial.id) for trial in known), default=0)
        for trial in known:
            name = trial.full_name or trial.title
            room = max(min(WIDTH, out.columns or WIDTH) - width - len("  unofficial  "), 8)
            out.say(
                f"{trial.id:<{width}}  {trial.status:<10}  {textwrap.shorten(name, room, placeholder=' …')}"
            )
        out.say("")
        out.say("Show one whole: `rttqa-build trials ID`")
    return exit_code(told)


def _row(trial: Trial) -> dict[str, object]:
    return {
        "id": trial.id,
        "title": trial.title,
        "full_name": trial.full_name,
        "status": trial.status,
        "digest": trial.digest,
        "purposes": list(trial.purposes),
        "arms": list(trial.arms),
        "protocol_versions": list(trial.protocol_versions),
    }


def _show(trial: Trial, out: Terminal) -> None:
    out.say(out.strong(f"{trial.title} ({trial.id})"))
    facts = {
        "full name": trial.full_name,
        "status": trial.status,
        "digest": trial.digest,
        "protocol": ", ".join(trial.protocol_versions),
        "purposes": ", ".join(trial.purposes),
        "arms": ", ".join(trial.arms),
        "strata": ", ".join(trial.strata),
        "patient ID": trial.patient_id_template,
        "dates": {"shift": "moved into the past by whole weeks", "remove": "removed"}[trial.dates],
        "contact": f"{trial.contact.name} <{trial.contact.email}>",
    }
    for label, value in facts.items():
        if value:
            out.wrapped(f"  {label:<11} {value}", indent=14)
    for title, rows in _parts(trial):
        for when in dict.fromkeys(when for _, when in rows):
            out.wrapped(f"  {title}{when}", indent=4)
            for text in (text for text, condition in rows if condition == when):
                out.wrapped(f"    {text}", indent=6 if title in ("sources", "unknown") else 25)


def _parts(trial: Trial) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield each part of a trial: its title, its lines, each with the condition under which it holds."""
    need = {True: "required", False: "optional"}
    notes = {r.purpose: f" ({r.note})" if r.note else "" for r in trial.reviews}
    yield "reviews asked for", [(f"{r.purpose}{notes[r.purpose]}", _when(r.when)) for r in trial.reviews]
    yield (
        "objects",
        [
            *((f"{o.role:<20} {need[o.required]}{_how_many(o)}", _when(o.when)) for o in trial.objects),
            *((f"one of {', '.join(group.roles)}", _when(group.when)) for group in trial.one_of),
        ],
    )
    yield (
        "documents",
        [(f"{d.name:<20} {need[d.required]} ({', '.join(d.types)})", _when(d.when)) for d in trial.documents],
    )
    yield "structures", [(f"{s.name:<20} {need[s.required]}", _when(s.when)) for s in trial.structures]
    yield (
        "prescriptions",
        [
            (f"{p.target:<20} {_dose(p)}" if p.target else f"{_dose(p)} to {p.to}", _when(p.when))
            for p in trial.prescriptions
        ],
    )
    yield "constraints", [(f"{c.structure:<20} {_limits(c)}", _when(c.when)) for c in trial.constraints]
    yield "sources", [(text, "") for text in trial.sources]
    yield "unknown", [(text, "") for text in trial.unknown]


def _how_many(rule: ObjectRule) -> str:
    """Return number and kind in words, after a comma; nothing where any will do."""
    least, most = rule.minimum, rule.maximum
    number = f", {least}" if least == most and most > 1 else f", at most {most}" if most else ""
    number = number or (f", at least {least}" if least else "")
    kinds = f", {' or '.join(rule.kinds)}" if rule.kinds else ""
    return f"{number}{kinds}{', a plan library' if rule.library else ''}"


def _dose(prescribed: TrialPrescription) -> str:
    low, high = prescribed.dose_min, prescribed.dose_max
    doses = [f"{dose:g}" for dose in (low, high) if dose is not None]
    dose = " to ".join(dict.fromkeys(doses)) + " Gy in " if doses else ""
    return f"{dose}{prescribed.fractions} fractions"


def _limits(constraint: Constraint) -> str:
    limits = {"optimal": constraint.optimal, "mandatory": constraint.mandatory}
    words = ", ".join(
        f"{name} {constraint.op} {value}" for name, value in limits.items() if value is not None
    )
    return f"{constraint.metric:<12} {words}"


def _when(when: When) -> str:
    return f", when {when}" if when.fields else ""


def explain(code: str) -> int:
    """Explain a finding's code."""
    out, wanted = term(), code.strip().upper()
    entry = CATALOGUE.get(wanted)
    if entry is None:
        raise UsageError(
            f"there is no finding {wanted}",
            did_you_mean(wanted, CATALOGUE) or "a code is a letter and three digits, such as D204",
        )
    out.say(out.strong(f"{wanted}: {entry.title}"))
    out.say(f"{entry.severity}, family {wanted[0]} ({FAMILIES[wanted[0]]})")
    for title, text in (
        ("What it means", entry.meaning),
        ("Why it matters", entry.why),
        ("What to do", entry.mend),
    ):
        out.say("")
        out.say(out.strong(title))
        out.wrapped(text)
    if entry.source:
        out.say("")
        out.wrapped(f"Source: {entry.source}", indent=8)
    return 0

"""The assessment form × our histograms → whether each constraint's value is there, and as we find it.

Nothing is read where the trial does not say where its form keeps values.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.diagnostic import Diagnostic, Location, RttqaError, finding, ordered
from rttqa_build.trial import TABLES, folded, form, structure_called
from rttqa_build.trial.metric import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from rttqa_build.checks import Case
    from rttqa_build.evidence import Achieved, Histograms
    from rttqa_build.manifest import DocumentEntry
    from rttqa_build.trial import FormValues
    from rttqa_build.trial.form import Row

LARGEST = 1 << 26
LEAST_GY, LEAST_CC = 0.3, 0.5
"""Differences below these are rounding."""

ROUNDING = 1e-9

HIGHEST = {"Gy": 1000.0, "%": 1000.0, "cc": 100_000.0}
"""What no value of a form exceeds: a longer number in its place is something else."""


def compared(case: Case, dose: Histograms, folder: Path) -> Histograms:
    """Return the histograms with the forms' values beside ours, and with what is wrong in the forms."""
    found, reported = list(dose.diagnostics), [one.reported for one in dose.outcomes]
    for rule in case.trial.documents:
        entry = case.manifest.documents.get(rule.name)
        if rule.values is None or entry is None or not dose.achieved:
            continue
        where = Location(f"document:{rule.name}")
        rows = _rows(folder, entry, rule.values, where)
        if isinstance(rows, Diagnostic):
            found.append(rows)
        elif rows is not None:
            for number, one in _comparable(dose.achieved):
                value, told = _compared(one, _about(case, one, rows), rule.values, where)
                found.extend(told)
                reported[number] = reported[number] if value is None else f"{value:.1f}"
    outcomes = (replace(one, reported=said) for one, said in zip(dose.outcomes, reported, strict=True))
    return replace(dose, outcomes=tuple(outcomes), diagnostics=ordered(found))


def _kind(extension: str) -> str:
    return f"a {extension.upper()} file" if extension else "a file whose name has no ending"


def _rows(
    folder: Path, entry: DocumentEntry, layout: FormValues, where: Location
) -> tuple[Row, ...] | Diagnostic | None:
    """Return the form's rows; None where the file cannot be read, which is told elsewhere (R005)."""
    extension = PurePosixPath(entry.path).suffix.lstrip(".").lower()
    if extension not in TABLES:
        message = f"values cannot be read from {_kind(extension)}"
        return finding("D605", message, where, subject=where.file)
    if not (folder / entry.path).resolve().is_relative_to(folder.resolve()):
        return None
    try:
        data = disk.head(folder / entry.path, LARGEST, "the form")
    except RttqaError:
        return None
    rows = form.read(data, extension, layout)
    if rows is None:
        titles = ", ".join((layout.structure, layout.metric, layout.achieved))
        sheet = f" on a sheet {layout.sheet}" if layout.sheet else ""
        message = f"the form has no table with the columns {titles}{sheet}"
        return finding("D604", message, where, subject=where.file)
    return rows


def _comparable(achieved: Sequence[Achieved]) -> Iterator[tuple[int, Achieved]]:
    """Yield the constraints that a row can be about, numbered: not those that differ in their dose alone."""
    named = Counter((one.rule.structure, one.rule.metric) for one in achieved)
    return (
        (number, one)
        for number, one in enumerate(achieved)
        if named[one.rule.structure, one.rule.metric] == 1
    )


def _about(case: Case, one: Achieved, rows: Iterable[Row]) -> list[Row]:
    """Return the rows about a constraint: by the trial's name, an alias, or the planning system's name."""
    ours = {folded(choice.name): name for name, choice in case.manifest.structures.items() if choice.name}
    metric = parse(one.rule.metric)

    def called(text: str) -> str:
        rule = structure_called(case.trial, text)
        return ours.get(folded(text), rule.name if rule else "")

    asked = [row for row in rows if row.metric and row.metric.is_of(metric)]
    found = [row for row in asked if called(row.structure) == one.rule.structure]
    return [row for row in found if row.value(metric.result) is not None] or found


def _compared(
    one: Achieved, rows: Sequence[Row], layout: FormValues, where: Location
) -> tuple[float | None, list[Diagnostic]]:
    """Return the form's value for a constraint, where it has one, and what is wrong with it."""
    about, unit = f"{one.rule.structure} {one.rule.metric}", parse(one.rule.metric).result

    def told(code: str, message: str, local: str = "") -> list[Diagnostic]:
        place = replace(where, item=one.rule.structure)
        return [finding(code, message, place, subject=about, local=local)]

    if not rows:
        return None, told("D601", f"the form has no row for {about}")
    values = {value: row.place for row in rows if (value := _plausible(row, unit)) is not None}
    if not values:
        return None, told("D601", f"the form's value for {about} in {rows[0].place} {_wrong(rows[0], unit)}")
    if len(values) > 1:
        places = " and ".join(values.values())
        return None, told("D606", f"the form has different values for {about} in {places}")
    ((value, place),) = values.items()
    gap, allowed = abs(value - one.value), _allowed(value, unit, layout) + ROUNDING
    if gap <= allowed:
        return value, []
    local = f"form {value:.2f} {unit}, ours {one.value:.2f} {unit}"
    if gap <= allowed + one.error:
        return value, told(
            "D603", f"the form's value for {about} in {place} is at the edge of the tolerance", local
        )
    return value, told("D602", f"the form's value for {about} in {place} differs from ours", local)


def _plausible(row: Row, unit: str) -> float | None:
    value = row.value(unit)
    return value if value is not None and 0 <= value <= HIGHEST[unit] else None


def _wrong(row: Row, unit: str) -> str:
    if row.uncalculated:
        return "is a formula that was never calculated"
    return "is blank" if row.achieved.blank else f"is no number in {unit.replace('cc', 'cm³')}"


def _allowed(value: float, unit: str, layout: FormValues) -> float:
    """Return how far ours may be from the form's value."""
    if unit == "%":
        return float(layout.points)
    percent, least = (layout.dose_percent, LEAST_GY) if unit == "Gy" else (layout.volume_percent, LEAST_CC)
    return max(value * float(percent) / 100, least)

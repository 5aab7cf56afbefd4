"""``dvh``: histograms of any structure set in any dose, for the eyes of whoever has both."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build import disk
from rttqa_build.cli import session
from rttqa_build.cli.formats import Layout
from rttqa_build.cli.output import WIDTH, Terminal, show_text, terminal
from rttqa_build.diagnostic import UsageError, exit_code
from rttqa_build.trial.metric import MetricSyntaxError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rttqa_build.dose.dvh import Dvh
    from rttqa_build.trial.metric import Metric

LARGEST = 1 << 32
USUAL = ("D98%[Gy]", "D95%[Gy]", "D50%[Gy]", "D2%[Gy]", "Mean[Gy]")
_NAME, _NUMBER = 17, 8


def dvh(
    structure_set: Path,
    dose: Path,
    wanted: Sequence[str],
    prescription: float | None,
    layout: Layout,
    jobs: int,
) -> int:
    """Write the histograms to standard output and the findings to standard error."""
    if prescription is not None and not math.isfinite(prescription):
        raise UsageError("--prescription is no dose in gray", "give a number: --prescription 60")
    metrics = [_metric(text, prescription) for text in wanted or USUAL]
    files = (disk.read(path, LARGEST, str(path)) for path in (structure_set, dose))

    from rttqa_build.dose import pair
    from rttqa_build.dose.metrics import evaluate

    read = pair.read(*files)
    curves: tuple[Dvh, ...] = ()
    if isinstance(read, pair.Pair):
        with ThreadPoolExecutor(jobs) as pool:
            curves, found = pair.histograms(read, pool.map)
    else:
        found = read
    err = replace(terminal(session.environ(), sys.stderr), local=True)
    # the names of structures are for the person who gave the files, wherever the output goes
    show_text((replace(one, local=_shown(one.local)) for one in found), err)
    rows = [_Row(curve, [evaluate(metric, curve, prescription) for metric in metrics]) for curve in curves]
    {Layout.TABLE: _table, Layout.JSON: _json, Layout.CSV: _csv}[layout](rows, metrics, session.term())
    return exit_code(found)


def _metric(text: str, prescription: float | None) -> Metric:
    try:
        metric = parse(text)
    except MetricSyntaxError as error:
        hint = "examples: 'D95%[Gy]', 'D0.1cc[Gy]', 'V20Gy[%]', 'Mean[Gy]', in quotes"
        raise UsageError(f"--metric {text}: {error}", hint) from None
    if metric.relative and prescription is None:
        raise UsageError(
            f"--metric {text} is relative to the prescribed dose", "give it in gray: --prescription 60"
        )
    return metric


class _Row(NamedTuple):
    """A structure's histogram and the values of the metrics in it."""

    curve: Dvh
    values: list[float | None]


def _shown(name: str) -> str:
    """Return a structure's name without characters that would steer a terminal."""
    return "".join(one if one.isprintable() else "?" for one in name)


def _table(rows: Sequence[_Row], metrics: Sequence[Metric], out: Terminal) -> None:
    """Write a table as wide as a terminal; metrics that do not fit follow in further tables."""
    if not rows:
        return
    for number, (heads, cells) in enumerate(_blocks(rows, metrics)):
        if number:
            out.say()
        widths = [max(_NUMBER, len(head)) for head in heads]
        out.say(out.strong(_line("structure", heads, widths)))
        for row, values in zip(rows, cells, strict=True):
            out.say(_line(_shown(row.curve.structure), values, widths))


def _blocks(rows: Sequence[_Row], metrics: Sequence[Metric]) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Yield the tables: the heads of their columns, and the cells of each row."""
    columns = [
        ("cc", [f"{row.curve.volume_cc:.2f}" for row in rows]),
        ("covered", [f"{100 * row.curve.covered_fraction:.1f} %" for row in rows]),
        *((str(metric), [_number(row.values[n]) for row in rows]) for n, metric in enumerate(metrics)),
    ]
    while columns:
        fitting, room = 0, WIDTH - _NAME
        while fitting < len(columns) and (room := room - max(_NUMBER, len(columns[fitting][0])) - 1) >= 0:
            fitting += 1
        block, columns = columns[: max(fitting, 1)], columns[max(fitting, 1) :]
        yield [head for head, _ in block], [list(cells) for cells in zip(*(c for _, c in block), strict=True)]


def _line(name: str, cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
    padded = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    return " ".join((f"{shown:<{_NAME}}", *padded))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _json(rows: Sequence[_Row], metrics: Sequence[Metric], out: Terminal) -> None:
    """Write a list, one structure on a line: gray and cm³, rounded to what histograms are good for."""
    lines = (json.dumps(_data(row, metrics)) for row in rows)
    out.say("[\n" + ",\n".join(lines) + "\n]" if rows else "[]")


def _data(row: _Row, metrics: Sequence[Metric]) -> dict[str, object]:
    curve = row.curve
    return {
        "structure": curve.structure,
        "number": curve.number,
        "volume_cc": round(curve.volume_cc, 6),
        "covered_fraction": round(curve.covered_fraction, 6),
        "metrics": {
            str(metric): None if value is None else round(value, 6)
            for metric, value in zip(metrics, row.values, strict=True)
        },
        "dvh": {
            "dose_gy": [round(value, 6) for value in curve.dose_gy.tolist()],
            "volume_cc": [round(value, 6) for value in curve.cumulative_cc.tolist()],
        },
    }


def _csv(rows: Sequence[_Row], metrics: Sequence[Metric], out: Terminal) -> None:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["structure", "number", "volume_cc", "covered_fraction", *map(str, metrics)])
    for row in rows:
        curve = row.curve
        numbers = (curve.volume_cc, curve.covered_fraction, *row.values)
        writer.writerow(
            [
                _shown(curve.structure),
                curve.number,
                *("" if value is None else f"{value:.6g}" for value in numbers),
            ]
        )
    out.say(file.getvalue().rstrip("\n"))

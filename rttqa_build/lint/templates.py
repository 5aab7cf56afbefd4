"""A trial's templates → findings where one does not render, with everything said or with the least."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import Diagnostic, Location
from rttqa_build.summary import email, pdf
from rttqa_build.summary.specimen import specimens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.trial import Trial

_ABSENT = re.compile(r"'[\w.]+ object' has no attribute")


def templates(trial: Trial) -> Iterator[Diagnostic]:
    """Yield a finding for each template that does not render."""
    for context in specimens(trial) if trial.templates else ():
        for name in sorted({email.TEMPLATE, email.RECALL} & trial.templates.keys()):
            yield from _told(trial, email.render(context, trial.templates, name))
        if pdf.TEMPLATE in trial.templates:
            with tempfile.TemporaryDirectory() as empty:
                yield from _told(trial, pdf.render(context.summary, Path(empty), trial.templates))


def _told(trial: Trial, result: object) -> Iterator[Diagnostic]:
    """Yield the finding where there is one; all values were invented, so what was wrong may be said."""
    if not isinstance(result, Diagnostic):
        return
    detail = _ABSENT.sub("there is no field", result.local.partition("\n")[0])
    message = f"{result.message.rstrip('.')}: {detail}" if detail else result.message
    where = Location(_label(trial, result.where.file), result.where.line, 1 if result.where.line else 0)
    yield replace(result, message=message, where=where, local="")


def _label(trial: Trial, name: str) -> str:
    return f"trials/{trial.id}/templates/{name}"

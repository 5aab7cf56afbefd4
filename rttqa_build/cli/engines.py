"""``pseudonymise``: the engine on its own, on a folder, under the centre's key."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rttqa_build.centre.repository import inside_work_tree
from rttqa_build.cli import session
from rttqa_build.cli.formats import Format, Row
from rttqa_build.cli.output import show_text, tally
from rttqa_build.diagnostic import UsageError, exit_code
from rttqa_build.lock import Basis
from rttqa_build.manifest import Manifest, Submission
from rttqa_build.records.release import ACCOUNT
from rttqa_build.schema import matches
from rttqa_build.source import Document
from rttqa_build.stages.order import Order
from rttqa_build.workspace import versions

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.cli.output import Terminal
    from rttqa_build.cli.workers import Workers
    from rttqa_build.export import Exported
    from rttqa_build.trial import Trial
    from rttqa_build.workspace import Workspace


def pseudonymise(folder: Path, out: Path, trial: str, patient: str, crew: Workers, *, output: Format) -> int:
    """Pseudonymise a folder, of which the crew may be at the survey already, and say what was done."""
    here, term = session.workspace(), session.term()
    chosen = trial_called(here, trial, term)
    if chosen is None:
        return 1
    demand_patient(patient, chosen)
    _demand_places(folder, out)
    here.demand_unsynced(out.absolute(), "the output folder")
    key = here.key()
    manifest = Manifest(Document("", {}), trial, Submission("dummy-run", 1, patient), "")
    basis = Basis("", chosen.digest, here.settings.subset_digest, key.fingerprint, versions())
    order = Order(
        manifest,
        chosen,
        here.settings,
        key,
        basis,
        folder.absolute(),
        out.resolve(),
        jobs=crew.jobs,
        beside=crew.beside,
        survey=crew.survey,
    )
    from rttqa_build.export import export  # while the source is being surveyed

    made = export(order, term.progress)
    found = made.diagnostics
    term.progress("")
    if output is not Format.TEXT:
        session.write(
            [Row("pseudonymise", found, {"objects": made.count, "left_out": _reasons(made)})], output, term
        )
        return exit_code(found)
    show_text(found, term)
    written = f"{made.count} objects in {out}" if made.count else "nothing was written"
    term.tell(f"{tally(found)}: {written}")
    for reason, number in _reasons(made).items():
        term.tell(f"  left out, {reason}: {number}")
    if made.count:
        term.say(f"  account {out}.{ACCOUNT}")
    return exit_code(found)


def _demand_places(folder: Path, out: Path) -> None:
    """Raise UsageError where patient data may not lie, or the result not be written."""
    for place in (folder, out):
        if inside_work_tree(place.absolute()):
            raise UsageError("a folder with patient data lies inside a Git repository", "keep it outside")
    if not out.resolve().name:
        raise UsageError("the output folder is a whole drive", "give a folder on it")
    if out.resolve().is_relative_to(folder.resolve()):
        raise UsageError("the output folder lies inside the source folder", "give a folder beside it")


def _reasons(made: Exported) -> dict[str, int]:
    """Return why files were left out, and how many for each reason."""
    reasons = Counter(f"{fate.reason}: {fate.detail}".removesuffix(": ") for fate in made.left_out)
    return dict(sorted(reasons.items()))


def trial_called(here: Workspace, name: str, out: Terminal) -> Trial | None:
    """Return a trial, or None after saying what is wrong with it; raise UsageError for an unknown id."""
    session.demand_known(here.library, name)
    found = here.library.trial(name)
    show_text(found.diagnostics, out)
    return found.trial


def demand_patient(patient: str, trial: Trial) -> None:
    """Raise UsageError when a trial ID is not one of the trial's."""
    if not matches(trial.patient_id_pattern or r"^[A-Za-z0-9][A-Za-z0-9-]{0,31}$", patient):
        hint = f"IDs of {trial.id} look like {trial.patient_id_template}" if trial.patient_id_template else ""
        raise UsageError("--patient is not an ID of this trial", hint)

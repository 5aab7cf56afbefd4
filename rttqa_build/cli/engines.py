"""``pseudonymise``: the engine on its own, on a folder, under the centre's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.cli import session
from rttqa_build.cli.output import show_json, show_text, tally, to_json
from rttqa_build.diagnostic import UsageError, exit_code
from rttqa_build.export import export
from rttqa_build.lock import Basis
from rttqa_build.manifest import Manifest, Submission
from rttqa_build.order import Order
from rttqa_build.repository import inside_work_tree
from rttqa_build.schema import matches
from rttqa_build.source import Document
from rttqa_build.workspace import versions

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.cli.output import Terminal
    from rttqa_build.trial import Trial
    from rttqa_build.workspace import Workspace


def pseudonymise(folder: Path, out: Path, trial: str, patient: str, *, jobs: int, as_json: bool) -> int:
    """Pseudonymise a folder and say what was done."""
    here, term = session.workspace(), session.term()
    chosen = trial_called(here, trial, term)
    if chosen is None:
        return 1
    demand_patient(patient, chosen)
    for place in (folder, out):
        if inside_work_tree(place.absolute()):
            raise UsageError("a folder with patient data lies inside a Git repository", "keep it outside")
    if out.resolve().is_relative_to(folder.resolve()):
        raise UsageError("the output folder lies inside the source folder", "give a folder beside it")
    key = here.key()
    manifest = Manifest(Document("", {}), trial, Submission("dummy-run", 1, patient), "")
    basis = Basis("", chosen.digest, here.settings.subset_digest, key.fingerprint, versions())
    order = Order(manifest, chosen, here.settings, key, basis, folder.absolute(), out.absolute(), jobs=jobs)
    count, found = export(order, term.progress)
    term.progress("")
    if as_json:
        show_json({"objects": count, "findings": [to_json(one) for one in found]}, term)
        return exit_code(found)
    show_text(found, term)
    written = "nothing was written" if exit_code(found) else f"{count} objects in {out}"
    term.say(f"{tally(found)}: {written}")
    return exit_code(found)


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

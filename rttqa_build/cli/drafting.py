"""``new``: from an export folder to a drafted manifest. Patients are listed on a terminal only."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from rttqa_build import disk, draft
from rttqa_build.centre.scaffold import place_schema
from rttqa_build.cli import session
from rttqa_build.cli.engines import demand_patient, trial_called
from rttqa_build.cli.lines import visible
from rttqa_build.cli.output import show_text
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.deidentify.subject import check_subject
from rttqa_build.diagnostic import Location, UsageError, exit_code
from rttqa_build.manifest import Submission
from rttqa_build.stages.intake import take_in
from rttqa_build.workspace import MANIFEST, SUBMISSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path, PurePath

    from rttqa_build.cli.output import Terminal
    from rttqa_build.cli.workers import Workers
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.study import PatientIdentity, Study
    from rttqa_build.trial import Trial
    from rttqa_build.workspace import Workspace


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def new(folder: Path, trial: str, patient: str, purpose: str | None, name: str | None, crew: Workers) -> int:
    """Draft a manifest and say what is left to decide."""
    here, out = session.workspace(), session.term()
    chosen = trial_called(here, trial, out)
    if chosen is None:
        return 1
    demand_patient(patient, chosen)
    target = _target(here, name or patient)
    if purpose is not None and purpose not in chosen.purposes:
        raise UsageError(f"{trial} has no purpose of that name", f"it has: {', '.join(chosen.purposes)}")
    relative = _below_data_root(here, folder)
    source = folder.absolute()
    intake = take_in(source, crew.jobs, out.progress, crew.survey)
    out.progress("")
    scanner = Scanner(intake.harvest, (patient, chosen.id))
    _demand_anonymous(scanner, relative, name or "")
    who = _patient(draft.patients(intake.study), out)
    study = draft.of_patient(intake.study, who)
    whose = tuple(check_subject(patient, [who], chosen, Location("--patient")))
    _demand_trial_id(whose)
    submission = Submission(purpose or "TODO", 1, patient)
    remembered, told = here.mappings()
    made = draft.draft(
        study,
        chosen,
        submission,
        relative,
        _clinical(here, chosen),
        scanner.is_personal,
        remembered.get(chosen.id),
    )
    _target(here, name or patient)  # looked at anew: reading takes a while, and so do people who choose
    disk.write(target, made.text.encode())
    schema = f"{chosen.id}.schema.json"
    placed = place_schema(here.root, schema, here.library.bundled_text(chosen.id).encode())
    show_text(
        [*told, *whose, *(replace(one, local=scanner.masked(one.local)) for one in intake.diagnostics)], out
    )
    _tell(here, target, made, study, out)
    if placed:
        out.tell(f"the editor's schema of this trial is new: {placed} (commit it)")
    return exit_code(intake.diagnostics)


def _demand_trial_id(found: Iterable[Diagnostic]) -> None:
    """Raise UsageError when the trial ID gives the patient away."""
    for one in found:
        if one.fatal:
            raise UsageError(one.message, one.hint)


def _target(here: Workspace, name: str) -> Path:
    """Return where the manifest will be; raise UsageError when there is one already."""
    target = here.root / SUBMISSIONS / _folder_name(name) / MANIFEST
    if target.exists():
        raise UsageError(
            f"there is a manifest already: {here.shown(target)}", "give another --name, or edit it"
        )
    return target


def _folder_name(name: str) -> str:
    """Return the name of a submission's folder; raise UsageError when it cannot be one everywhere."""
    if not _NAME.fullmatch(name) or not disk.is_portable(name):
        raise UsageError(
            "the submission's name cannot be a folder's everywhere",
            "give a --name of letters, digits, '.', '_' and '-', not a device's as CON is on Windows",
        )
    return name


def _demand_anonymous(scanner: Scanner, source: str, name: str) -> None:
    """Raise UsageError when the source folder, or the submission's name, gives the patient away."""
    for what, text in (("the source folder", source), ("--name", name)):
        if scanner.identifies(text.replace("/", "\n")):
            raise UsageError(
                f"{what} is named after the patient, and the name would go into Git",
                "choose a name without identity, for example the trial ID",
            )


def _below_data_root(here: Workspace, folder: Path) -> str:
    """Return the export folder's path below ``data_root``, which is how manifests name it."""
    return below(here.data_root().resolve(), folder.resolve())


def below(root: PurePath, place: PurePath) -> str:
    """Return a path below another as manifests write it, with ``/``; raise UsageError where it is not."""
    if not place.is_relative_to(root) or place == root:
        raise UsageError(
            "the export folder does not lie below data_root",
            "move it there, named without identity, or correct `data_root` in rttqa.yaml",
        )
    return place.relative_to(root).as_posix()


def _patient(patients: tuple[PatientIdentity, ...], out: Terminal) -> PatientIdentity:
    """Return the patient of an export; where there are several, a person on a terminal chooses."""
    if not patients:
        raise UsageError(
            "the folder holds no DICOM object that can be read", "export into it, or give another one"
        )
    if out.local:
        for number, who in enumerate(patients, 1):
            line = f"{who.name}, born {who.birth_date or 'unknown'}, ID {who.patient_id}"
            out.say(f"  {number}  {visible(line)}")
    if len(patients) == 1:
        return patients[0]
    if not out.local:
        raise UsageError(
            f"the folder holds objects of {len(patients)} patients",
            "run this in a terminal to choose one, or give each patient a folder",
        )
    number = int(typer.prompt("Which patient", type=int))
    if not 1 <= number <= len(patients):
        raise UsageError(f"there is no patient {number} in this list", f"give one from 1 to {len(patients)}")
    return patients[number - 1]


def _clinical(here: Workspace, trial: Trial) -> Mapping[str, bool]:
    """Return the clinical fields of the trial's schema, and whether it always asks for them."""
    definitions: Any = here.library.bundled_schema(trial.id).get("$defs", {})
    required = definitions.get("clinical", {}).get("required", [])
    return {name: name in required for name in trial.clinical_titles}


def _tell(here: Workspace, target: Path, made: draft.Draft, study: Study, out: Terminal) -> None:
    out.tell(f"drafted {here.shown(target)} from {len(study.instances)} objects")
    todo = sum("TODO" in line.partition("#")[0] for line in made.text.splitlines())
    if todo:
        lines = "1 line says TODO: fill it in" if todo == 1 else f"{todo} lines say TODO: fill them in"
        out.say(f"  {lines}")
    for role in made.ambiguous:
        out.tell(f"  several objects could be the {role}: choose below `data:`")
    for name in made.unmatched:
        out.tell(f"  it is not sure which structure is {name}: see what is proposed below `structures:`")
    out.say("Next: edit it, then `rttqa-build check`")

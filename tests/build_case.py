"""One submission of the synthetic patient, as an :class:`Order` for the build: the tests' starting point."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rttqa_build import synthetic
from rttqa_build.build import build
from rttqa_build.library import Library
from rttqa_build.lock import Basis
from rttqa_build.pseudonym import CentreKey, Pseudonyms
from rttqa_build.settings import Settings
from rttqa_build.source import canonical, parse
from rttqa_build.stages.order import Clinical, Order
from rttqa_build.workspace import versions

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.stages.order import Built
    from rttqa_build.synthetic import SyntheticPatient

KEY = CentreKey(bytes(range(32)))
SETTINGS = """\
settings: 1
centre:
  code: RXX
  name: Example Cancer Centre
  contact: {name: Radiotherapy Physics, email: rt.physics@example.org}
data_root: exports
key_file: centre.key
"""
HEAD = """\
manifest: 1
trial: example-prostate
protocol: "2.0"
submission:
  {patient: EP-0123, purpose: prospective-review, arm: hypofractionated, revision: 1,
   radiotherapy_start: 2026-12-14}
source: EP-0123
documents:
  plan_assessment_form: {path: forms/PAF.xlsx}
structures: {External: BODY, PTV_6000: PTV 60 final, PTV_4600: PTV 46, Rectum: rectum, Bladder: bladder}
clinical:
  history: Low-volume disease on biopsy.
  psa: 8.4
  gleason: 3+4
  t_stage: T2b
"""
SINGLE = """\
data:
  plan: {label: Prostate60}
  diagnostic_mr: {label: T2 TSE axial}
  registration: {label: REGISTRATION}
prescription:
  - {target: PTV_6000, dose_gy: 60, fractions: 20}
"""
PHASES = """\
data:
  plan:
    - {id: phase1, label: Pelvis46}
    - {id: phase2, label: Boost14}
  dose:
    - {id: phase1, sha256: @phase1@}
    - {id: phase2, sha256: @phase2@}
    - {id: sum, sha256: @sum@}
prescription:
  - {target: PTV_4600, dose_gy: 46, fractions: 23, plan: phase1}
  - {target: PTV_6000, dose_gy: 14, fractions: 7, plan: phase2}
"""
PHANTOM = """\
manifest: 1
trial: example-phantom
submission: {patient: PHANTOM-1, purpose: dummy-run, revision: 1}
source: PHANTOM-1
"""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to send the synthetic patient: what is built of it, and the manifest."""

    name: str
    manifest: str
    options: dict[str, Any]

    def patient(self, **more: Any) -> SyntheticPatient:
        """Return the patient in memory, small, with everything that real folders also hold."""
        given: dict[str, Any] = {"extent": synthetic.SMALL, "clutter": True, "form_for": "EP-0123"}
        return synthetic.build(**(given | self.options | more))

    def order(self, saved: SyntheticPatient, source: Path, output: Path, **changes: Any) -> Order:
        """Return the order to build the saved patient."""
        text = self.manifest
        for phase in ("phase1", "phase2", "sum"):
            if f"dose/{phase}" in saved.paths:
                digest = hashlib.sha256(saved.paths[f"dose/{phase}"].read_bytes()).hexdigest()
                text = text.replace(f"@{phase}@", digest[:12])
        return order(text, source, output, **changes)


NAMES = ("prostate", "two-phases", "referred-mr", "phantom")
VARIANTS = (
    Variant("prostate", HEAD + SINGLE, {}),
    Variant("two-phases", HEAD + PHASES, {"variant": "two-phase"}),
    Variant("referred-mr", HEAD + SINGLE, {"referred_mr": True}),
    Variant("phantom", PHANTOM + "data: {plan: {label: Prostate60}}\n", {}),
)


def named(name: str) -> Variant:
    """Return a variant by its name."""
    return next(variant for variant in VARIANTS if variant.name == name)


def settings(text: str = SETTINGS, root: Path | None = None) -> Settings:
    """Return centre settings."""
    from pathlib import Path

    document, found = parse(text.encode(), "rttqa.yaml")
    assert document is not None
    assert not found
    return Settings.from_document(document, root or Path())


def order(manifest: str, source: Path, output: Path, *, key: CentreKey = KEY, **changes: Any) -> Order:
    """Return the order that a manifest's text stands for; ``changes`` are fields of Order."""
    reading = Library().read_manifest(manifest.encode(), "manifest.yaml")
    assert reading.manifest is not None, reading.diagnostics
    assert reading.trial is not None
    assert reading.document is not None
    centre = settings()
    digest = hashlib.sha256(canonical(reading.document.data)).hexdigest()
    basis = Basis(digest, reading.trial.digest, centre.subset_digest, key.fingerprint, versions())
    made = Order(
        reading.manifest,
        reading.trial,
        centre,
        key,
        basis,
        source,
        output,
        Clinical(reading.manifest.clinical),
        committed={"manifest.yaml": manifest.encode()},
    )
    return replace(made, **changes)


@dataclass(frozen=True, slots=True)
class Run:
    """A finished build: the patient as it was saved, the order, what came of it."""

    variant: Variant
    patient: SyntheticPatient
    order: Order
    built: Built

    @property
    def package(self) -> Path:
        """Return the finished package."""
        assert self.built.package is not None, self.built.diagnostics
        return self.built.package

    @property
    def members(self) -> dict[str, bytes]:
        """Return the package's files by path below the bag's folder."""
        return members(self.package)

    @property
    def names(self) -> Pseudonyms:
        """Return the pseudonyms of this submission."""
        return Pseudonyms.derive(self.order.key, self.order.trial.pseudonym_scope)


def run(variant: Variant, folder: Path, patient: SyntheticPatient | None = None, **changes: Any) -> Run:
    """Save a variant's patient below ``folder`` and build it."""
    source = folder / "exports" / "EP-0123"
    saved = synthetic.save(patient or variant.patient(), source)
    wanted = variant.order(saved, source, folder / "build", **changes)
    return Run(variant, saved, wanted, build(wanted))


def members(package: Path) -> dict[str, bytes]:
    """Return the files of a package by path below the bag's folder."""
    with zipfile.ZipFile(package) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}

"""Whoever types a patient's name where a field's name belongs finds it in no finding and in no format."""

from __future__ import annotations

import pytest

from rttqa_build.centre.identifiers import identifiers
from rttqa_build.cli.formats import Format, Row, written
from rttqa_build.library import Library
from rttqa_build.trial.consistency import check, todo

LIBRARY = Library()
MANIFEST = """\
manifest: 1
trial: example-prostate
protocol: "2.0"
submission:
  patient: EP-0456
  purpose: data-collection
  arm: hypofractionated
  revision: 1
source: EP-0456
data:
  plan: [{id: phase1, label: Phase 1}, {id: phase2, label: Phase 2}]
documents:
  plan_assessment_form: {path: a.xlsx}
structures:
  PTV_6000: PTV 60 final
  Rectum: rectum
prescription:
  - {target: PTV_6000, dose_gy: 46, fractions: 15, plan: phase1}
  - {target: PTV_6000, dose_gy: 14, fractions: 5, plan: phase2}
clinical: {file: clinical.yaml}
"""
TYPED = {
    "at the top": ("source:", "Hargreaves Wilhelmina: 1\nsource:"),
    "like a field": ("source:", "sourceHargreaves: x\nsource:"),
    "in a group": ("  arm:", "  hargreaves: J483920\n  arm:"),
    "in snake case": ("  arm:", "  hargreaves_wilhelmina: 1\n  arm:"),
    "in foreign letters": ("  arm:", "  h\u00e4rgreaves: 1\n  arm:"),
    "over a group": ("source:", "hargreaves:\n  hargreaves: [TODO, TODO]\nsource:"),
    "with TODO": ("source:", "TODO Hargreaves: 1\nsource:"),
    "as a structure": ("  Rectum:", "  Hargreaves_L: x\n  Rectum:"),
    "as a structure of the wrong form": ("  Rectum:", '  "Hargreaves, Wilhelmina": x\n  Rectum:'),
    "as two structures": ("  Rectum:", "  Hargreaves: a\n  HARGREAVES: a\n  Rectum:"),
    "as a document": ("structures:", "  hargreaves: {path: a.pdf}\nstructures:"),
    "as a document of the wrong form": ("structures:", "  Hargreaves: {path: a.pdf}\nstructures:"),
    "as a role": ("documents:", "  diagnostic_hargreaves: {label: x}\ndocuments:"),
    "as no role": ("documents:", "  hargreaves: {label: x}\ndocuments:"),
    "in a selector": ("label: Phase 1", "labelHargreaves: Phase 1"),
    "as a choice": ("arm: hypofractionated", "arm: hargreaves"),
    "as a value of the wrong kind": ("revision: 1", "revision: Hargreaves"),
}


@pytest.mark.parametrize("where", TYPED)
def test_a_name_where_a_field_belongs_is_not_repeated(where: str) -> None:
    old, new = TYPED[where]
    assert MANIFEST.count(old) == 1
    reading = LIBRARY.read_manifest(MANIFEST.replace(old, new).encode(), "manifest.yaml")
    assert reading.document is not None
    found = [*reading.diagnostics, *todo(reading.document), *identifiers(reading.document, (), ())]
    if reading.manifest is not None and reading.trial is not None:
        found += check(reading.manifest, reading.trial)
    line = MANIFEST[: MANIFEST.index(old)].count("\n") + 1
    assert any(abs(one.where.line - line) < 2 for one in found)
    told = repr([(d.message, d.hint, d.where, d.subject, d.related) for d in found]).lower()
    assert "argreaves" not in told
    for output in Format:
        assert "argreaves" not in written([Row("EP-0456", tuple(found))], output, "1").lower()

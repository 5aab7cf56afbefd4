"""Common mistakes in a manifest: what the author reads, whole, in a golden file each."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from rttqa_build.cli.output import Terminal, show_text
from rttqa_build.cli.snippet import Sources
from rttqa_build.library import Library

if TYPE_CHECKING:
    from collections.abc import Callable

    from rttqa_build.diagnostic import Diagnostic

MANIFEST = """\
manifest: 1
trial: example-prostate
protocol: "2.0"
submission:
  patient: EP-0123
  purpose: prospective-review
  arm: hypofractionated
  revision: 1
  radiotherapy_start: 2026-12-14
source: EP-0123
documents:
  plan_assessment_form: {path: forms/PAF.xlsx}
structures:
  External: BODY
  PTV_6000: PTV 60 final
  PTV_4600: PTV 46
  CTVp: prostate
  CTVsv: seminal ves
  Rectum: rectum
  Bladder: bladder
  FemoralHead_L: Fem Head L
  FemoralHead_R: Fem Head R
  PenileBulb: penile bulb
  Bowel: bowel
  Kidney_L: {absent: outside the scanned volume}
prescription:
  - {target: PTV_6000, dose_gy: 60, fractions: 20}
clinical:
  history: |
    Low-volume disease on biopsy. No previous pelvic radiotherapy.
  psa: 8.4
  gleason: 3+4
  t_stage: T2b
"""
MISTAKES: dict[str, list[tuple[str, str]]] = {
    "misspelt field": [("radiotherapy_start:", "radiotherapy_strat:")],
    "misspelt choice": [("purpose: prospective-review", "purpose: propsective-review")],
    "other case": [("arm: hypofractionated", "arm: Hypofractionated")],
    "wrong arm": [("arm: hypofractionated", "arm: conventional")],
    "wrong indentation": [("  purpose: prospective-review", "   purpose: prospective-review")],
    "field in the wrong group": [("source: EP-0123", "source: EP-0123\nrevision: 1")],
    "tab": [("  patient: EP-0123", "\tpatient: EP-0123")],
    "two fields in a line": [("  revision: 1", "  revision: 1 arm: standard")],
    "same field twice": [("source: EP-0123", "source: EP-0123\nsource: EP-0124")],
    "number as text": [("dose_gy: 60", 'dose_gy: "60"')],
    "number with a unit": [("dose_gy: 60", "dose_gy: 60 Gy")],
    "zero before a number": [("revision: 1", "revision: 01")],
    "whole number with a point": [("fractions: 20", "fractions: 20.0")],
    "exponent": [("dose_gy: 60", "dose_gy: 6e1")],
    "sign before a number": [("dose_gy: 60", "dose_gy: +60")],
    "nothing behind the point": [("psa: 8.4", "psa: 8.")],
    "number sign in a name": [("PTV_4600: PTV 46", "PTV_4600: PTV #46")],
    "number sign in brackets": [("forms/PAF.xlsx}", "forms/PAF #2.xlsx}")],
    "absent for a name": [("{absent: outside the scanned volume}", "absent")],
    "decimal comma": [("psa: 8.4", "psa: 8,4")],
    "text instead of a group": [("form: {path: forms/PAF.xlsx}", "form: forms/PAF.xlsx")],
    "date the British way": [("2026-12-14", "14/12/2026")],
    "yes": [("path: forms/PAF.xlsx}", "path: forms/PAF.xlsx, reviewed: yes}")],
    "missing by condition": [("  radiotherapy_start: 2026-12-14\n", "")],
    "missing in this arm": [("arm: hypofractionated", "arm: standard"), ("  psa: 8.4\n", "")],
    "missing field": [("source: EP-0123\n", "")],
    "unclosed quotation mark": [('protocol: "2.0"', 'protocol: "2.0')],
    "unclosed brace": [("fractions: 20}", "fractions: 20")],
    "look-alike letter": [("arm: hypofractionated", "\u0430rm: hypofractionated")],
    "non-breaking space": [("arm: hypofractionated", "arm:\u00a0hypofractionated")],
    "misspelt structure": [("  Rectum: rectum", "  Rectm: rectum")],
    "path outside": [("path: forms/PAF.xlsx", "path: ../forms/PAF.xlsx")],
    "no space after a colon": [("psa: 8.4", "psa:8.4")],
    "text at the margin": [("    Low-volume", "Low-volume")],
    "merge conflict": [
        ("  arm:", "<<<<<<< HEAD\n  arm: standard\n=======\n  arm:"),
        ("source:", ">>>>>>> main\nsource:"),
    ],
    "entry without a dash": [("  - {target: PTV_6000, dose_gy: 60, fractions: 20}", "  target: PTV_6000")],
    "group with dashes": [("documents:\n  plan", "documents:\n  - clinic_letter: {path: a.pdf}\n  - plan")],
    "label instead of a group": [("documents:", "data:\n  plan: Prostate60\ndocuments:")],
    "number below a limit": [("psa: 8.4", "psa: -1")],
    "left to do": [("purpose: prospective-review", "purpose: TODO")],
    "not a trial": [("trial: example-prostate", "trial: example-prostrate")],
    "space in the trial ID": [("patient: EP-0123", "patient: EP 0123")],
    "list of one": [("revision: 1", "revision: [1]")],
}  # fmt: skip
JARGON = ("oneOf", "anyOf", "unevaluated", "additionalProperties", "schema", "instance", "regex")


def shown(text: str, findings: tuple[Diagnostic, ...]) -> str:
    out = io.StringIO()
    show_text(findings, Terminal(out), Sources({"manifest.yaml": text}.__getitem__, lambda _: False))
    return out.getvalue()


def test_the_manifest_without_a_mistake() -> None:
    assert Library().read_manifest(MANIFEST.encode(), "manifest.yaml").diagnostics == ()


@pytest.mark.parametrize("name", MISTAKES)
def test_what_the_author_reads(name: str, golden: Callable[[str, str], None]) -> None:
    text = MANIFEST
    for old, new in MISTAKES[name]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    found = Library().read_manifest(text.encode(), "manifest.yaml").diagnostics
    assert found
    said = shown(text, found)
    assert not [word for word in JARGON if word in said]
    golden(f"mistakes/{name.replace(' ', '_')}.txt", said)

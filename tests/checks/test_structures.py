from __future__ import annotations

import pytest
from case_builder import case, codes, mapped, selected, structure_set

from rttqa_build.checks import structures
from rttqa_build.study import Roi, StructureFacts
from rttqa_build.trial import StructureRule

PTV = (StructureRule("PTV", "PTV"), StructureRule("Rectum", "ORGAN"))


@pytest.mark.parametrize(
    ("names", "mapping", "expected"),
    [
        (["ptv", "rectum"], {"PTV": "ptv", "Rectum": "rectum"}, []),
        (["ptv ", "rectum"], {"PTV": "ptv"}, []),
        (["ptv"], {"PTV": "ptv", "Rectum": "-nothing drawn"}, []),
        (["ptv"], {"PTV": "PTV final"}, ["S101"]),
        (["PTV"], {"PTV": "ptv"}, ["S101"]),  # another case is another name
        (["ptv", "ptv"], {"PTV": "ptv"}, ["S102"]),
    ],
)
def test_mapping(names: list[str], mapping: dict[str, str], expected: list[str]) -> None:
    one = case(structure_set(*names), manifest_fields=mapped(**mapping))
    assert codes(structures.mapping, one) == expected


def test_the_names_that_exist_are_told_locally_only() -> None:
    one = case(structure_set("Mrs Smith"), manifest_fields=mapped(PTV="ptv"))
    (found,) = structures.mapping(one)
    assert "Mrs Smith" in found.local
    assert "Smith" not in found.message + found.hint
    assert found.where.line == 2


@pytest.mark.parametrize(
    ("contours", "mapping", "expected"),
    [
        (1, {"PTV": "ptv"}, []),
        (0, {"PTV": "ptv"}, ["S104"]),
        (0, {"Rectum": "-not drawn"}, []),
        (1, {"Rectum": "-not drawn"}, ["S105"]),
    ],
)
def test_contours(contours: int, mapping: dict[str, str], expected: list[str]) -> None:
    one = case(structure_set("ptv", "rectum", contours=contours), manifest_fields=mapped(**mapping))
    assert codes(structures.contours, one) == expected


def test_a_structure_found_by_the_trials_name_needs_contours_too() -> None:
    assert codes(structures.contours, case(structure_set("PTV", contours=0), structures=PTV)) == ["S104"]


@pytest.mark.parametrize(
    ("names", "mapping", "unmapped", "expected"),
    [
        (["ptv", "rectum"], {"PTV": "ptv"}, "keep", []),
        (["ptv final", "ptv"], {"PTV": "ptv final"}, "keep", ["S106"]),
        (["ptv final", "PTV"], {"PTV": "ptv final"}, "keep", ["S106"]),
        (["ptv final", "PTV"], {"PTV": "ptv final"}, "rename", []),
        (["ptv final", "PTV"], {"PTV": "ptv final"}, "drop", []),
        (["ptv", "z1", "Z1"], {"PTV": "ptv"}, "keep", ["S107"]),
        (["ptv", "z1", "Z1"], {"PTV": "ptv"}, "drop", []),
        (["PTV", "ptv"], {"PTV": "PTV"}, "keep", ["S106"]),
    ],
)
def test_names(names: list[str], mapping: dict[str, str], unmapped: str, expected: list[str]) -> None:
    one = case(structure_set(*names), manifest_fields=mapped(**mapping), unmapped_structures=unmapped)
    assert codes(structures.names, one) == expected


@pytest.mark.parametrize(
    ("trial_name", "name", "expected"),
    [
        ("Kidney_L", "left kidney", []),
        ("Kidney_L", "Kidney Right", ["S108"]),
        ("Kidney_L", "Kidney_R", ["S108"]),
        ("Kidney_R", "Kidney L", ["S108"]),
        ("Kidney_R", "kidney rt", []),
        ("Kidney_L", "kidney", []),
        ("Kidney_L", "lt of rt kidney", []),  # both sides: nobody can tell
        ("Kidney_L", "Brt", []),  # a side is a word of its own
        *(("Kidney_L", name, ["S108"]) for name in ("kidney (R)", "KidneyR", "kidneyRT old", "KidneyRight")),
        *(("Kidney_L", name, ["S108"]) for name in ("RKidney", "RtKidney", "RightKidney", "Rt.Kidney")),
        *(("Kidney_L", name, []) for name in ("kidney (L)", "KidneyL", "LKidney", "LtKidney", "KIDNEYR")),
        *(("Kidney_L", name, []) for name in ("Kidney L (from R)", "Renal", "Ring", "BRT", "KidneyLR")),
        *(("Kidney_L", name, ["S108"]) for name in ("Niere re", "Niere rechts")),
        *(("Kidney_L", name, []) for name in ("Niere li", "Kidney_L re", "Reniform")),
        ("Rectum", "rectum R", []),
        ("Kidney_L", "-removed on the right", []),
    ],
)
def test_laterality(trial_name: str, name: str, expected: list[str]) -> None:
    one = case(structure_set("x"), manifest_fields=mapped(**{trial_name: name}))
    assert codes(structures.laterality, one) == expected


@pytest.mark.parametrize(
    ("types", "kind", "expected"),
    [
        (("CLOSED_PLANAR",), "PTV", []),
        (("CLOSEDPLANAR_XOR",), "PTV", []),
        (("CLOSED_PLANAR", "POINT"), "PTV", []),
        (("POINT",), "PTV", ["S109"]),
        (("OPEN_PLANAR",), "ORGAN", ["S109"]),
        (("POINT",), "MARKER", []),
        ((), "PTV", []),
    ],
)
def test_closed(types: tuple[str, ...], kind: str, expected: list[str]) -> None:
    one = case(structure_set("PTV", geometric_types=types), structures=(StructureRule("PTV", kind),))
    assert codes(structures.closed, one) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("couch", []),
        ("z_ring", []),
        ("_temp", []),  # marked as not for review (TG-263)
        ("Contralateral", []),
        ("Template", []),
        ("PTV test", ["S110"]),
        ("temp1", ["S110"]),
        ("Lung copy", ["S110"]),
        ("old_PTV", ["S110"]),
        ("Structure3", ["S110"]),
        ("ROI", ["S110"]),
        ("Threshold", []),
    ],
)
def test_leftovers(name: str, expected: list[str]) -> None:
    one = case(structure_set("ptv", name), manifest_fields=mapped(PTV="ptv"))
    assert codes(structures.further, one) == expected
    for found in structures.further(one):
        assert name in found.local
        assert name not in found.message + found.hint
    dropped = case(structure_set("ptv", name), manifest_fields=mapped(PTV="ptv"), unmapped_structures="drop")
    assert codes(structures.further, dropped) == []


def test_further_structures_without_contours() -> None:
    assert codes(structures.further, case(structure_set("couch", contours=0))) == ["S111"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["PTV 60 final", "couch"], []),
        (["PTV 60 final", "PTV60"], ["S112"]),
        (["PTV 60 final", "PTV"], []),  # told as S106
    ],
)
def test_rivals(names: list[str], expected: list[str]) -> None:
    rules = (StructureRule("PTV", "PTV", aliases=("PTV60", "PTV 60 final")),)
    one = case(structure_set(*names), manifest_fields=mapped(PTV="PTV 60 final"), structures=rules)
    assert codes(structures.further, one) == expected


@pytest.mark.parametrize(("status", "expected"), [("APPROVED", []), ("UNAPPROVED", ["S113"]), ("", ["S113"])])
def test_approval(status: str, expected: list[str]) -> None:
    one = case(selected("structure_set", StructureFacts("RS", (), approval=status)))
    assert codes(structures.approval, one) == expected


@pytest.mark.parametrize(
    ("numbers", "mapping", "unmapped", "expected"),
    [
        ((1, 2, 3), {"PTV": "ptv"}, "keep", []),
        ((1, 1, 3), {"PTV": "ptv"}, "keep", ["S106"]),
        ((1, 1, 3), {"PTV": "ptv"}, "drop", ["S106"]),
        ((1, 1, 3), {"PTV": "ptv"}, "rename", ["S106"]),
        ((1, 1, 1), {"PTV": "ptv"}, "keep", ["S106"]),
        ((1, 2, 2), {"PTV": "ptv"}, "keep", ["S107"]),
        ((1, 2, 2), {"PTV": "ptv"}, "rename", ["S107"]),
        ((1, 1, 1), {}, "keep", ["S107"]),
    ],
)
def test_one_number_is_never_two_structures(
    numbers: tuple[int, ...], mapping: dict[str, str], unmapped: str, expected: list[str]
) -> None:
    rois = tuple(Roi(n, name, contours=3) for n, name in zip(numbers, ("ptv", "Mrs Smith", "z"), strict=True))
    one = case(
        selected("structure_set", StructureFacts("RS", rois)),
        manifest_fields=mapped(**mapping),
        unmapped_structures=unmapped,
    )
    assert codes(structures.names, one) == expected
    for found in structures.names(one):
        assert "one number" in found.message
        assert "Smith" in found.local
        assert "Smith" not in found.message + found.hint


RULES = (
    StructureRule("Rectum", "ORGAN", ("rectal volume",)),
    StructureRule("Bladder", "ORGAN", ("urinary bladder",)),
    StructureRule("Kidney_L", "ORGAN", ("left kidney",)),
    StructureRule("Kidney_R", "ORGAN", ("right kidney",)),
)


@pytest.mark.parametrize(
    ("name", "label", "expected"),
    [
        ("Rectum", "Urinary_Bladder", ["S114"]),
        ("Rectum", "BLADDER", ["S114"]),
        ("Rectum", "rectal volume", []),
        ("Rectum", "rectum 2", []),
        ("Kidney_L", "KIDNEYR", ["S114"]),
        ("Kidney_L", "Right kidney", []),  # told as S108
        ("Rectum", "-not drawn", []),
    ],
)
def test_no_structure_is_mapped_to_anothers_usual_name(name: str, label: str, expected: list[str]) -> None:
    one = case(structure_set("x"), manifest_fields=mapped(**{name: label}), structures=RULES)
    assert codes(structures.usual_names, one) == expected


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ({"Rectum": "-resected"}, ["S105"]),
        ({"Rectum": "-resected", "Bladder": "Rectal Volume"}, []),  # it plays another part: S114
        ({"Bladder": "-resected"}, []),
    ],
)
def test_what_is_absent_has_no_usual_name_either(mapping: dict[str, str], expected: list[str]) -> None:
    one = case(structure_set("Rectal Volume"), manifest_fields=mapped(**mapping), structures=RULES)
    assert codes(structures.contours, one) == expected

"""Names that are run together or stand where a title belongs (PS3.5 6.2.1)."""

from __future__ import annotations

import pytest

from rttqa_build.deidentify.affixes import in_affixes, run_together
from rttqa_build.deidentify.identity import Fact, Harvest, Kind, Who
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.deidentify.spelling import patterns
from rttqa_build.diagnostic import Location


def found(name: str, text: str, who: Who = Who.PATIENT, allowed: tuple[str, ...] = ()) -> bool:
    search = Scanner(Harvest(frozenset({Fact(who, Kind.NAME, name.encode())})), allowed)
    return bool(search.scan_text(text, Location("text")))


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("HargreavesMargaret", ("Hargreaves", "Margaret")),
        ("HARGREAVESMargaret", ("HARGREAVES", "Margaret")),
        ("hargreavesMargaretAnne", ("hargreaves", "Margaret", "Anne")),
        ("HargreavesMJ", ("Hargreaves",)),
        ("McDonaldIan", ("McDonald", "Ian")),
        ("IanMacDonald", ("Ian", "MacDonald")),
        ("DeSouzaMaria", ("DeSouza", "Maria")),
        ("PatONeill", ("Pat", "ONeill")),
        ("VanDerBergJo", ("VanDerBerg",)),
        ("HargreavesGrace", ("Hargreaves",)),
        ("ŁukasiewiczŻaneta", ("Łukasiewicz", "Żaneta")),
        ("McDonald", ()),
        ("VanDerBerg", ()),
        ("ONeill", ()),
        ("Hargreaves", ()),
        ("HARGREAVES", ()),
        ("HeadPhantom", ()),
        ("ThoraxTestPatient", ()),
        ("WhiteGrace", ()),
        ("TestHFS", ()),
        ("QAPhantom", ()),
    ],
)
def test_names_that_are_run_together(part: str, names: tuple[str, ...]) -> None:
    assert run_together(part) == names


FOUND = {
    "HargreavesMargaret": (
        "Hargreaves|seen with Margaret|Margaret Hargreaves|mhargreaves|MargaretHargreaves|PTV_Hargreaves"
    ),
    "McDonaldIan": "McDonald|Mc Donald|MacDonald|Ian McDonald|mcdonald, ian|imcdonald|IanMcDonald",
    "DeSouzaMaria": "De Souza|DESOUZA|maria",
    "PatONeill": "O'Neill|o\u2019neill|oneill",
    "HARGREAVES^^^WILHELMINA": "Wilhelmina|see Wilhelmina",
    "HARGREAVES^W^^^OKONKWO": "Okonkwo|née Okonkwo",
    "LOWE^A^^Anna": "Anna|Anna Lowe|Lowe, Anna",
}


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, texts in FOUND.items() for t in texts.split("|")])
def test_parts_are_found(name: str, text: str) -> None:
    assert found(name, text)


NOT_FOUND = {
    "LOWE^A^^Dr^FRCR": "FRCR|Dr|the dr said",
    "LOWE^A^^Captain^Jr III OBE": "Captain|Jr|III|Stage III|OBE",
    "LOWE^A^^Professor^MBChB MRCP": "Professor|MBChB|MRCP",
    "LOWE^A^^Anna": "see Anna now",  # four letters may be a degree
    "HargreavesGrace": "Grace|grace of god",
    "HeadPhantom": "Head|Phantom|head and phantom",
    "ThoraxTestPatient": "Thorax|Test|patient: x",
    "McDonaldIan": "as Ian had|Donald|mac",
}


@pytest.mark.parametrize(
    ("name", "text"), [(n, t) for n, texts in NOT_FOUND.items() for t in texts.split("|")]
)
def test_titles_and_ordinary_words_raise_no_alarm(name: str, text: str) -> None:
    assert not found(name, text)


def test_degrees_of_staff_are_no_names() -> None:
    for text in ("FFRRCSI2", "Hospitaller", "Radiographerin"):
        assert not found(f"Pemberton^J^^Dr^{text}", text, Who.STAFF)
    assert list(in_affixes(["Dr", "FRCR Okonkwo PhD"])) == ["Okonkwo"]


def test_what_is_ours_is_no_affix() -> None:
    assert not found("LOWE^A^^Velindre", "Velindre", allowed=("Velindre",))


def test_usual_names_give_no_more_patterns() -> None:
    for name in ("HARGREAVES^WILHELMINA^ANN^MRS^OBE", "McDonald^Ian^^Dr", "Smith-Jones^Anna-Maria"):
        bare = "^".join(name.split("^")[:3])
        one, two = (
            patterns(Harvest(frozenset({Fact(Who.PATIENT, Kind.NAME, text.encode())})))
            for text in (name, bare)
        )
        assert one == two

"""Every row of PS3.15 Table E.1-1 × top level and nested × explicit and implicit, and the default denial."""

from __future__ import annotations

import csv
import datetime as dt
import functools
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from rttqa_build.deidentify import encode
from rttqa_build.deidentify.elements import Element, Encoding, Stream
from rttqa_build.deidentify.engine import Job, ObjectPlan, pseudonymise, registered_uids
from rttqa_build.deidentify.marks import Marks
from rttqa_build.deidentify.policy import Action, compile_policy
from rttqa_build.deidentify.stream import parse
from rttqa_build.pseudonym import CentreKey, Pseudonyms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rttqa_build.deidentify.policy import Dates

DATA = Path(__file__).resolve().parents[2] / "rttqa_build" / "data"
NAMES = Pseudonyms.derive(CentreKey(bytes(range(32))), "example-prostate")
MARKS = Marks("EP-0123", "example-prostate", "Example", "", "RXX", "Example Cancer Centre")
WEEKS = 353
EXPLICIT, IMPLICIT = Encoding(True, True), Encoding(False, True)
SYNTAX = {EXPLICIT: b"1.2.840.10008.1.2.1", IMPLICIT: b"1.2.840.10008.1.2"}
# sequences around the planted elements: one of Table E.1-1's neighbours that is entered, and one within it
OUTER, INNER = 0x00081115, 0x00081199
TOKEN = b"PLANTED"


class Fact(NamedTuple):
    """A row as the standard states it, read here without the project's own reader."""

    tag: int
    keyword: str
    vr: str
    basic: str
    dates: str

    @property
    def number(self) -> int:
        return FACTS.index(self)


def rows(name: str) -> Iterator[dict[str, str]]:
    lines = (DATA / name).read_text("utf-8").splitlines()
    return csv.DictReader(line for line in lines if not line.startswith("#"))


def _vr(row: dict[str, str]) -> str:
    """Return the row's VR; the edition leaves it out in places, where the keyword tells dates."""
    return row["vr"] or ("DT" if row["modified_dates"] == "C" else "LO")


KEPT = {int(row["tag"], 16): row for row in rows("keep.csv")}
FACTS = [
    Fact(int(row["tag"], 16), row["keyword"], _vr(row), row["basic"], row["modified_dates"])
    for row in rows("ps3_15_e1_1.csv")
    if "x" not in row["tag"] and "g" not in row["tag"]
]
PLANTED: Mapping[str, bytes] = {
    "DA": b"19510307", "DT": b"19510307043000.25+0100", "TM": b"043000", "AS": b"074Y", "DS": b"83.5",
    "US": b"\x4d\x50", "UR": b"http://planted.example/",
}  # fmt: skip


def planted(fact: Fact) -> bytes:
    """Return a value that tells the row, of a kind that the row's VR can hold."""
    number = f"{fact.number:03}".encode()
    if fact.vr == "UI":
        return b"1.2.826.77." + str(fact.number + 1).encode()
    if fact.vr == "IS":
        return b"77" + number
    if fact.vr == "UN":
        return TOKEN + number
    return PLANTED.get(fact.vr, TOKEN + number)


def element(fact: Fact, encoding: Encoding) -> bytes:
    if fact.vr == "SQ":
        inner = encode.element(encoding, 0x00104000, "LT", planted(fact))
        return encode.sequence(encoding, fact.tag, [encode.item(encoding, inner)])
    return encode.element(encoding, fact.tag, fact.vr, planted(fact))


def dataset(encoding: Encoding, *, nested: bool) -> bytes:
    """Return a file with every row of the table: at the top, or two sequences deep."""
    identity = {
        0x00080016: encode.element(encoding, 0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.481.3"),
        0x00080018: encode.element(encoding, 0x00080018, "UI", planted(by_tag()[0x00080018])),
    }
    every = {fact.tag: element(fact, encoding) for fact in sorted(FACTS)}
    if nested:
        content = b"".join(every[tag] for tag in sorted(every))
        inner = encode.sequence(encoding, INNER, [encode.item(encoding, content)])
        body = identity | {
            OUTER: encode.sequence(encoding, OUTER, [encode.item(encoding, inner, undefined=True)])
        }
    else:
        body = identity | {tag: data for tag, data in every.items() if tag > 0x00080000}
    meta = encode.element(EXPLICIT, 0x00020010, "UI", SYNTAX[encoding])
    return bytes(128) + b"DICM" + meta + b"".join(body[tag] for tag in sorted(body))


@functools.cache
def by_tag() -> Mapping[int, Fact]:
    return {fact.tag: fact for fact in FACTS}


@functools.cache
def after(
    encoding: Encoding, *, nested: bool, dates: Dates = "shift"
) -> tuple[Stream, Mapping[int, Element]]:
    """Return the pseudonymised file and its elements at the level where the rows were planted."""
    job = Job(
        compile_policy(dates),
        MARKS,
        WEEKS,
        NAMES.base_uid,
        registered_uids(),
        lambda text: TOKEN.decode() in text,
    )
    stream = parse(pseudonymise(parse(dataset(encoding, nested=nested)), job, ObjectPlan()).data)
    elements = stream.elements
    if nested:
        for tag in (OUTER, INNER):
            (item,) = next(e.items or () for e in elements if e.tag == tag)
            elements = item.elements
    return stream, {e.tag: e for e in elements}


def expected_to_go(fact: Fact) -> bool:
    """Whether the basic profile removes the row, and no option that we use stands over it."""
    shifted = fact.dates == "C" and fact.vr in ("DA", "DT", "TM")
    return fact.basic == "X" and not shifted and fact.tag not in KEPT and fact.tag != 0x00100020


def check(fact: Fact, encoding: Encoding, *, nested: bool, dates: Dates = "shift") -> None:
    stream, elements = after(encoding, nested=nested, dates=dates)
    value = planted(fact)
    found = elements.get(fact.tag)
    if dates == "shift" and expected_to_go(fact):
        assert found is None
    if found is None:
        return
    new = stream.value(found).rstrip(b"\0 ")
    if fact.vr == "SQ":
        assert value not in new
    elif fact.vr == "UI":
        assert new == NAMES.base_uid(value.decode()).encode() or not new
    elif fact.vr == "TM" and fact.dates == "C" and dates == "shift":
        assert new == value  # time of day stays with 113107
    elif fact.vr in ("DA", "DT") and fact.dates == "C" and dates == "shift" and new:
        moved = dt.date(1951, 3, 7) - dt.timedelta(weeks=WEEKS)
        assert new == f"{moved:%Y%m%d}".encode() + value[8:]
    else:
        assert new != value
        assert TOKEN not in new
    dummy = fact.tag not in KEPT and fact.basic in ("D", "X/D", "Z/D", "X/Z/D")
    if dummy and fact.vr not in ("SQ", "DA", "DT", "TM") and new == b"":
        # bulk dummies may be empty, and what a real VR could not tell in implicit VR
        assert fact.vr in ("OB", "UN", "UI") or not known(fact)


def known(fact: Fact) -> bool:
    from pydicom.datadict import dictionary_has_tag

    return dictionary_has_tag(fact.tag)


@pytest.mark.parametrize("fact", FACTS, ids=lambda f: f.keyword)
def test_every_row_loses_what_was_planted(fact: Fact) -> None:
    for encoding in (EXPLICIT, IMPLICIT):
        for dates in ("shift", "remove"):
            if fact.tag > 0x00080000:
                check(fact, encoding, nested=False, dates=dates)
            check(fact, encoding, nested=True, dates=dates)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("encoding", [EXPLICIT, IMPLICIT], ids=["explicit", "implicit"])
@pytest.mark.parametrize("dates", ["shift", "remove"])
def test_nothing_planted_is_anywhere_in_the_file(encoding: Encoding, dates: Dates, *, nested: bool) -> None:
    stream, _ = after(encoding, nested=nested, dates=dates)
    assert TOKEN not in stream.data
    assert TOKEN.lower() not in stream.data
    assert b"1.2.826.77." not in stream.data
    assert b"19510307" not in stream.data


def test_the_test_plants_every_row() -> None:
    assert len(FACTS) > 640
    data = dataset(EXPLICIT, nested=True)
    assert all(planted(fact) in data for fact in FACTS)


# --- beyond the table --------------------------------------------------------------------------------------

POLICY = compile_policy()
UNLISTED = 0x00189999  # an even group, no row, no keyword


@pytest.mark.parametrize(
    ("tag", "vr", "action"),
    [
        *((UNLISTED, vr, Action.EMPTY) for vr in ("LO", "SH", "LT", "ST", "UT", "UC", "UR", "AE")),
        *((UNLISTED, vr, Action.EMPTY) for vr in ("OB", "OW", "OF", "OD", "OL", "OV", "UN")),
        *((UNLISTED, vr, Action.FITTING) for vr in ("CS", "AS", "TM")),
        *((UNLISTED, vr, Action.NUMERIC) for vr in ("DS", "IS")),
        *((UNLISTED, vr, Action.KEEP) for vr in ("US", "UL", "SS", "SL", "FL", "FD", "UV", "SV", "AT")),
        (UNLISTED, "DA", Action.DATE),
        (UNLISTED, "DT", Action.DATE),
        (UNLISTED, "PN", Action.DUMMY),
        (UNLISTED, "UI", Action.UID),
        (UNLISTED, "SQ", Action.ENTER),
        (0x00190010, "LO", Action.REMOVE),
        (0x00191001, "US", Action.REMOVE),
        (0x00180000, "UL", Action.REMOVE),
        (0x50003000, "OW", Action.REMOVE),
        (0x60020010, "US", Action.REMOVE),
        (0x60003000, "OW", Action.REMOVE),
        (0x00100010, "PN", Action.SUBJECT),
        (0x00100020, "LO", Action.SUBJECT),
        (0x7FE00010, "OW", Action.KEEP),
        (0x30060050, "DS", Action.NUMERIC),
        (0x00280030, "DS", Action.NUMERIC),
        (0x00280030, "LO", Action.EMPTY),
        (0x7FE00010, "SQ", Action.ENTER),
        (0x7FE00010, "LT", Action.EMPTY),
        (0x00080016, "UI", Action.CLASS),
        (0x00080016, "SQ", Action.ENTER),
        (0x00080016, "LO", Action.EMPTY),
    ],
)
def test_default_denial(tag: int, vr: str, action: Action) -> None:
    assert POLICY.action(tag, vr) is action


def test_dates_are_emptied_where_the_trial_removes_them() -> None:
    assert compile_policy("remove").action(UNLISTED, "DA") is Action.EMPTY


def test_patient_characteristics_stay_only_where_a_trial_retains_them() -> None:
    kept = compile_policy(retain=frozenset({"patient_characteristics"}))
    for tag, vr in ((0x00100040, "CS"), (0x00101020, "DS"), (0x00101030, "DS")):
        assert POLICY.action(tag, vr) in (Action.EMPTY, Action.REMOVE)
        assert kept.action(tag, vr) in (Action.FITTING, Action.NUMERIC)

"""Random data sets, any tag under any VR at any depth in any encoding, with identities planted throughout.

Whatever goes in: no planted value comes out, pydicom can read the result, and what is kept is kept as bytes.
"""

from __future__ import annotations

import io
import itertools
import re
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import pydicom
import pytest
from dicom_builder import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    SYNTAXES,
    VRS,
    Syntax,
    element,
    ordered,
    part10,
    sequence,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom._dicom_dict import DicomDictionary

from rttqa_build.deidentify.dictionary import registered_uids
from rttqa_build.deidentify.elements import walk
from rttqa_build.deidentify.engine import pseudonymise
from rttqa_build.deidentify.identity import harvest
from rttqa_build.deidentify.job import Job, ObjectPlan
from rttqa_build.deidentify.marks import Marks
from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.deidentify.reader import StreamError
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.deidentify.stream import parse
from rttqa_build.deidentify.table import read_keep_list, read_table
from rttqa_build.pseudonym import CentreKey, Pseudonyms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

NAMES = Pseudonyms.derive(CentreKey(bytes(range(32))), "example-prostate")
MARKS = Marks("EP-0123", "example", "Example", "", "RXX", "Example Cancer Centre")
FAMILY, GIVEN, NUMBER, BORN = b"VLYFREMGITH", b"ZWIVACKDORF", b"7310048113", b"19510307"
UID_ROOT = b"1.2.826.77.88"
PLANTED = (
    FAMILY,
    FAMILY.title(),
    FAMILY.lower(),
    GIVEN,
    NUMBER,
    UID_ROOT,
    FAMILY.decode().encode("utf-16-le"),
)
NUMERIC = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "AT": 4, "FL": 4, "FD": 8, "UV": 8, "SV": 8}
# pixels and what counts them: a random one makes another object than the encoding says
LEFT_OUT = frozenset({0x0000, 0x0002, 0x0004, 0x7FE0, 0xFFFE})
COUNTS = frozenset({0x00280002, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00080005})
KEPT = {line.tag for line in read_keep_list()}
# UIDs that say what something is, not whose: kept whoever registered them
CLASSES = re.compile("SOPClass|TransferSyntax|CodingScheme|ContextUID|MappingResource|ContextGroup|MAC.*UID")
CLASS_TAGS = {tag for tag, entry in DicomDictionary.items() if entry[0] == "UI" and CLASSES.search(entry[4])}
OPAQUE = {line.tag for line in read_keep_list() if line.action == "keep" and line.tag != 0x0008010C}
ROWS = {row.number for row in read_table() if row.number is not None}
PUBLIC = sorted(
    tag
    for tag in DicomDictionary
    if tag >> 16 not in LEFT_OUT and tag not in COUNTS | OPAQUE | CLASS_TAGS and tag > 0x00080018
)


class Node(NamedTuple):
    """One element to write; ``items`` holds the nodes of each item of a sequence."""

    tag: int
    vr: str
    value: bytes
    items: tuple[tuple[Node, ...], ...]
    undefined: bool


tags = st.one_of(
    st.sampled_from(PUBLIC),
    st.sampled_from(sorted(KEPT - OPAQUE - CLASS_TAGS)),
    st.sampled_from(sorted(tag for tag in ROWS if tag > 0x00080018)),
    st.builds(
        lambda group, number: group << 16 | number,
        st.sampled_from([0x0019, 0x3253, 0x5000, 0x6002, 0x300B, 0x3002]),
        st.integers(0x10, 0xFFFF),
    ).filter(lambda tag: tag not in COUNTS | OPAQUE),
)
texts = [
    FAMILY, FAMILY.title() + b"^" + GIVEN, b"Dr " + GIVEN, b"zz_" + FAMILY, NUMBER, b"id " + NUMBER + b".",
    b"07/03/1951 " + FAMILY, UID_ROOT + b".9", b"harmless", b"", BORN, b"043000", b"1.5\\-2e0\\7", b"12",
    b"CURATIVE", FAMILY.decode().encode("utf-16-le"),
]  # fmt: skip
MORE = {
    "UI": [UID_ROOT + b".1", UID_ROOT + b".2\\" + UID_ROOT + b".3"],
    "DT": [BORN + b"043000.25+0100"],
}


def plain(vr: str) -> st.SearchStrategy[bytes]:
    """Return values of a VR: planted, harmless, foreign; random ones where they are binary numbers."""
    if vr in NUMERIC:
        return st.binary(max_size=3).map(lambda raw: raw * NUMERIC[vr])
    return st.sampled_from([*texts, *MORE.get(vr, [])])


@st.composite
def nodes(draw: st.DrawFn, depth: int = 0) -> tuple[Node, ...]:
    """Return the elements of one level: distinct tags, some of them sequences of further levels."""
    found = {}
    for tag in draw(st.lists(tags, max_size=8 if depth == 0 else 4, unique=True)):
        is_sequence = depth < 4 and draw(st.integers(0, 3)) == 0
        own = DicomDictionary.get(tag, ("LO",))[0]
        vr = draw(st.sampled_from(VRS)) if draw(st.booleans()) or own not in VRS else own
        if is_sequence:
            vr = "SQ"
        elif vr == "SQ" or (own == "SQ" and vr == "UN"):
            vr = "LO"
        items = tuple(draw(st.lists(nodes(depth + 1), max_size=2))) if is_sequence else ()
        found[tag] = Node(tag, vr, b"" if is_sequence else draw(plain(vr)), items, draw(st.booleans()))
    return tuple(found[tag] for tag in sorted(found))


def encoded(syntax: Syntax, level: tuple[Node, ...]) -> bytes:
    return b"".join(
        sequence(syntax, node.tag, *(encoded(syntax, item) for item in node.items), undefined=node.undefined)
        if node.vr == "SQ"
        else element(syntax, node.tag, node.vr, node.value)
        for node in level
    )


def told_by_implicit(level: tuple[Node, ...]) -> tuple[Node, ...]:
    """Return what implicit VR can say: an element has its dictionary's VR, and only sequences are such."""
    found = []
    for node in level:
        own = DicomDictionary.get(node.tag, ("UN",))[0] if not node.tag >> 16 & 1 else "UN"
        if (own == "SQ") == (node.vr == "SQ"):
            vr = own if own in VRS else "US"
            value = node.value[: len(node.value) // 8 * 8] if vr in NUMERIC else node.value
            found.append(node._replace(vr=vr, value=value, items=tuple(map(told_by_implicit, node.items))))
    return tuple(found)


def a_file(syntax: Syntax, level: tuple[Node, ...]) -> bytes:
    own = {
        0x00080016: element(syntax, 0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.481.5"),
        0x00080018: element(syntax, 0x00080018, "UI", UID_ROOT + b".9"),
    }
    identity = {
        0x00100010: element(syntax, 0x00100010, "PN", FAMILY + b"^" + GIVEN),
        0x00100020: element(syntax, 0x00100020, "LO", NUMBER),
        0x00100030: element(syntax, 0x00100030, "DA", BORN),
    }
    body = {node.tag: encoded(syntax, (node,)) for node in level}
    return part10(syntax, ordered(body | own | identity), preamble=(FAMILY * 16)[:128])


def leaves(level: Dataset, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    for raw in list(level.values()):
        if raw.VR == "SQ" or (
            raw.VR in (None, "UN") and not raw.tag.is_private and level[raw.tag].VR == "SQ"
        ):
            for number, item in enumerate(level[raw.tag].value):
                yield from leaves(item, (*path, int(raw.tag), number))
        else:
            yield (*path, int(raw.tag)), raw.value


def kept_numbers(
    level: tuple[Node, ...], path: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """Yield binary numbers that no rule names, where every sequence around them is entered."""
    for node in level:
        if node.tag >> 16 & 1 or node.tag >> 24 in (0x50, 0x60) or node.tag in ROWS or node.tag in KEPT:
            continue
        for number, item in enumerate(node.items):
            yield from kept_numbers(item, (*path, node.tag, number))
        if node.vr in NUMERIC and node.tag & 0xFFFF:
            yield (*path, node.tag), node.value


@given(nodes(), st.sampled_from(SYNTAXES), st.booleans())
@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_planted_value_comes_out_of_any_data_set(
    level: tuple[Node, ...], syntax: Syntax, shift: bool
) -> None:
    if syntax is IMPLICIT:
        level = told_by_implicit(level)
    data = a_file(syntax, level)
    stream = parse(data)
    scanner = Scanner(harvest(walk(stream)), ["EP-0123"])
    job = Job(
        compile_policy("shift" if shift else "remove"),
        MARKS,
        353,
        NAMES.base_uid,
        registered_uids(),
        scanner.identifies,
    )
    after = pseudonymise(stream, job, ObjectPlan()).data
    assert not [needle for needle in PLANTED if needle in after]
    assert after.count(BORN) == 0
    assert scanner.scan_dicom(parse(after), "plan") == ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = dict(leaves(pydicom.dcmread(io.BytesIO(after))))
    for path, value in kept_numbers(level):
        assert (read[path] or b"") == value
    again = pseudonymise(parse(after), job, ObjectPlan())
    assert parse(again.data).elements


@pytest.mark.parametrize("tag", sorted(OPAQUE))
def test_what_is_kept_unseen_is_searched(tag: int) -> None:
    """Pixels and lookup tables are copied; an identity in their bytes forbids the package."""
    planted = Node(tag, "OW", FAMILY.title() + b"^" + GIVEN + bytes(3), (), False)
    data = a_file(EXPLICIT._replace(uid="1.2.840.10008.1.2.4.50"), (planted,))
    job = Job(compile_policy(), MARKS, 353, NAMES.base_uid, registered_uids(), lambda _: False)
    scanner = Scanner(harvest(walk(parse(data))), ["EP-0123"])
    after = pseudonymise(parse(data), job, ObjectPlan()).data
    assert FAMILY.title() in after
    assert "A100" in {one.code for one in scanner.scan_dicom(parse(after), "ct")}


@given(
    nodes(),
    st.sampled_from((EXPLICIT, BIG, DEFLATED)),
    st.integers(0, 1 << 16),
    st.binary(min_size=1, max_size=4),
)
@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_data_set_is_refused_or_still_gives_nothing_away(
    level: tuple[Node, ...], syntax: Syntax, place: int, noise: bytes
) -> None:
    """Bytes overwritten anywhere behind the identity: either a refusal, or the same guarantee."""
    data = bytearray(a_file(syntax, level))
    start = place % len(data)
    data[start : start + len(noise)] = noise
    try:
        stream = parse(bytes(data))
        scanner = Scanner(
            harvest(itertools.chain(walk(parse(a_file(syntax, level))), walk(stream))), ["EP-0123"]
        )
        job = Job(compile_policy(), MARKS, 353, NAMES.base_uid, registered_uids(), scanner.identifies)
        after = pseudonymise(stream, job, ObjectPlan()).data
    except StreamError:
        return
    if any(needle in after for needle in (FAMILY, NUMBER)):
        assert scanner.scan_dicom(parse(after), "plan")

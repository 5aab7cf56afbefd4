"""Twenty thousand damaged inputs, and one case for each fault that more of them found."""

from __future__ import annotations

import resource
import zlib

import fuzzing
import pytest
from dicom_builder import BIG, DEFLATED, EXPLICIT, IMPLICIT, UNDEFINED, element, header, part10, sequence

from rttqa_build.deidentify.reader import StreamError
from rttqa_build.deidentify.stream import parse
from rttqa_build.study import Instance, SourceFile, read

INPUTS, PARTS = 20_000, 8
MOST_MEMORY = 400 << 10  # kilobytes that a part may add to what the process took before


@pytest.mark.parametrize("part", range(PARTS))
def test_no_damaged_input_does_more_than_be_refused(part: int) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = INPUTS // PARTS
    outcome = fuzzing.campaign(part * count, count)
    assert sum(outcome.values()) == count
    assert outcome["refused"] > count // 4
    assert outcome["study written"] > count // 50, "inputs that come through are searched too"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MEMORY


def test_the_same_number_gives_the_same_input() -> None:
    assert fuzzing.mutated(4711) == fuzzing.mutated(4711)
    assert len({fuzzing.mutated(number) for number in range(200)}) > 190
    assert {fuzzing.attempt(seed) for seed in fuzzing.seeds()[:16]} == {"study written"}


def _identity() -> bytes:
    return element(BIG, 0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.481.3") + element(
        BIG, 0x00080018, "UI", b"1.2.3.4"
    )


# what mutations found, as small as it gets
FOUND = {
    "a sequence of undefined length behind UN, in big endian": (
        part10(
            BIG,
            _identity()
            + sequence(
                BIG, 0x00081140, element(IMPLICIT, 0x00081155, "UI", b"1.2.3"), vr="UN", undefined=True
            )
            + sequence(BIG, 0x30060080, b""),
        ),
        "study written",
    ),
    "a sequence in the file meta information that is cut": (
        bytes(128) + b"DICM" + header(EXPLICIT, 0x00020003, "SQ", UNDEFINED),
        "refused",
    ),
    "a number of frames under a VR as which it would be emptied": (
        part10(
            BIG,
            _identity()
            + element(BIG, 0x00280008, "AS", b"2 ")
            + b"".join(element(BIG, tag, "US", b"\0\x08") for tag in (0x00280010, 0x00280011, 0x00280100))
            + sequence(BIG, 0x30060080, b"")
            + element(BIG, 0x7FE00010, "OW", bytes(128)),
        ),
        "study refused",
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_what_fuzzing_found(case: str) -> None:
    data, outcome = FOUND[case]
    assert fuzzing.attempt(data) == outcome


def test_a_deflated_bomb_is_refused_before_it_takes_memory() -> None:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    nothing = bytes(1 << 20)
    parts = [deflater.compress(nothing) for _ in range(200)]
    body = b"".join([*parts, deflater.flush()])
    start = part10(EXPLICIT._replace(uid=DEFLATED.uid), b"")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(StreamError, match="too large"):
        parse(start + body)
    assert not isinstance(read(SourceFile("a.dcm", 1, "", 0), start + body), Instance)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MEMORY

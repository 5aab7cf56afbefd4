"""A seeded mutator of DICOM files, and what none may do to readers and engine: raise, hang, take memory.

The same number gives the same bytes on every machine. ``python tests/fuzzing.py COUNT [FIRST]`` goes over
many.
"""

from __future__ import annotations

import faulthandler
import functools
import io
import random
import sys
import time
from typing import TYPE_CHECKING

import modalities
import pydicom
from dicom_builder import BIG, DEFLATED, EXPLICIT, IMPLICIT, element, item, part10, sequence
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from rttqa_build import synthetic
from rttqa_build.deidentify.dictionary import registered_uids
from rttqa_build.deidentify.elements import walk
from rttqa_build.deidentify.engine import pseudonymise
from rttqa_build.deidentify.identity import harvest
from rttqa_build.deidentify.job import Job, ObjectPlan
from rttqa_build.deidentify.marks import Marks
from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.deidentify.reader import StreamError
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.deidentify.stream import demand_whole, parse
from rttqa_build.pseudonym import CentreKey, Pseudonyms
from rttqa_build.study import Instance, SourceFile, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicom_builder import Syntax

    Mutation = Callable[[random.Random, bytearray], None]

SLOWEST = 5.0  # seconds for one input of a few kilobytes: a hang, not a slow machine
_MARKERS = (
    b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0",
    b"\xfe\xff\xdd\xe0", b"SQ\0\0", b"UN\0\0", b"OB\0\0", b"UI", b"\xe0\x7f\x10\x00", b"\x02\0\x10\0",
    b"\x28\0\x08\0", b"\xfe\xff\x00\xe0\xff\xff\xff\xff", b"\\" * 9, b"9" * 40, b"-", b"\x1b$B", b"\r\n",
    b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.2", b"\x08\0\x05\0CS",
)  # fmt: skip


@functools.cache
def seeds() -> tuple[bytes, ...]:
    """Return small whole objects: every kind, every encoding, nested and hidden sequences, a bomb."""
    extent = synthetic.Extent(4, 2, 4, 1, 2, 2, 80, 4)
    objects = modalities.patient(extent=extent).objects
    found = [_written(objects[key], ExplicitVRLittleEndian) for key in _KEYS]
    found += [_written(objects[key], ImplicitVRLittleEndian) for key in _KEYS]
    for syntax in (EXPLICIT, IMPLICIT, BIG, DEFLATED):
        found += [part10(syntax, _small(syntax, undefined)) for undefined in (False, True)]
    bomb = b""
    for _ in range(31):
        bomb = sequence(EXPLICIT, 0x00081115, bomb, undefined=True)
    found.append(part10(EXPLICIT, _identity(EXPLICIT) + bomb))
    found.append(part10(DEFLATED, _identity(EXPLICIT) + element(EXPLICIT, 0x00204000, "LT", b"A" * 60000)))
    return tuple(found)


_KEYS = ("ct/001", "mr/001", "pt/001", "structure_set", "plan", "ion", "dose", "registration")


def _written(dataset: pydicom.Dataset, syntax: str) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    out = io.BytesIO()
    pydicom.dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


def _identity(syntax: Syntax) -> bytes:
    return element(syntax, 0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.481.3") + element(
        syntax, 0x00080018, "UI", b"1.2.3.4"
    )


def _small(syntax: Syntax, undefined: bool) -> bytes:
    inner = element(syntax, 0x30060026, "LO", b"PTV") + element(syntax, 0x30060036, "CS", b"MANUAL")
    hidden = sequence(
        syntax, 0x00081140, element(IMPLICIT, 0x00081155, "UI", b"1.2.3"), vr="UN", undefined=undefined
    )
    return b"".join(
        [
            element(syntax, 0x00080005, "CS", b"ISO 2022 IR 6\\ISO 2022 IR 87"),
            _identity(syntax),
            element(syntax, 0x00080020, "DA", b"20260202"),
            element(syntax, 0x00080060, "CS", b"RTSTRUCT"),
            hidden if syntax.explicit else b"",
            element(syntax, 0x00100010, "PN", b"HARGREAVES^Wilfred=\x1b$B;3\x1b(B"),
            element(syntax, 0x00100030, "DA", b"19510307"),
            element(syntax, 0x00190010, "LO", b"VENDOR"),
            element(
                syntax, 0x00191001, "UN", item(IMPLICIT, element(IMPLICIT, 0x00100010, "PN", b"HARGREAVES"))
            ),
            element(syntax, 0x0020000E, "UI", b"1.2.3.5"),
            sequence(syntax, 0x30060010, element(syntax, 0x00200052, "UI", b"1.2.3.6"), undefined=undefined),
            sequence(syntax, 0x30060020, inner, inner, undefined=undefined),
            sequence(syntax, 0x30060080, sequence(syntax, 0x300600B0, inner), undefined=not undefined),
        ]
    )


# --- mutations ---------------------------------------------------------------------------------------------


def _flip(chance: random.Random, data: bytearray) -> None:
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _overwrite(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data))
    noise = chance.choice(_MARKERS) if chance.random() < 0.7 else chance.randbytes(chance.randint(1, 8))
    data[at : at + len(noise)] = noise


def _insert(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = (
        chance.choice(_MARKERS) if chance.random() < 0.7 else chance.randbytes(chance.randint(1, 40))
    )


def _length(chance: random.Random, data: bytearray) -> None:
    """Change a number of two or four bytes by little, or to an extreme."""
    at = chance.randrange(max(1, len(data) - 4))
    width = chance.choice((2, 4))
    number = int.from_bytes(data[at : at + width], "little")
    changed = chance.choice((number + 1, number - 1, number + 2, number * 2, 0, (1 << 8 * width) - 1))
    data[at : at + width] = (changed % (1 << 8 * width)).to_bytes(width, "little")


def _truncate(chance: random.Random, data: bytearray) -> None:
    del data[chance.randrange(len(data)) :]


def _remove(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.randint(1, 64)]


def _repeat(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data))
    data[at:at] = data[at : at + chance.randint(1, 200)] * chance.randint(1, 4)


def _splice(chance: random.Random, data: bytearray) -> None:
    other = chance.choice(seeds())
    data[chance.randrange(len(data)) :] = other[chance.randrange(len(other)) :]


def _nest(chance: random.Random, data: bytearray) -> None:
    """Put a run of sequences of undefined length somewhere, deeper than any reader should follow."""
    start = b"\x08\0\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    at = chance.randrange(len(data))
    data[at:at] = start * chance.choice((3, 33, 400))


_MUTATIONS: tuple[Mutation, ...] = (
    _flip, _overwrite, _insert, _length, _length, _truncate, _remove, _repeat, _splice, _nest
)  # fmt: skip


def mutated(number: int) -> bytes:
    """Return the input of a number: a seed, mutated once to five times, behind its preamble as a rule."""
    chance = random.Random(number)  # noqa: S311 - the same bytes at every run are what is wanted
    seed = chance.choice(seeds())
    start = 132 if chance.random() < 0.9 else 0
    data = bytearray(seed[start:])
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        if data:
            chance.choice(_MUTATIONS)(chance, data)
    return seed[:start] + bytes(data)


# --- what is asked of the readers --------------------------------------------------------------------------

_NAMES = Pseudonyms.derive(CentreKey(bytes(range(32))), "example-prostate")


@functools.cache
def _scanner() -> Scanner:
    return Scanner(harvest(leaf for seed in seeds()[:16] for leaf in walk(parse(seed))), ["EP-0123"])


@functools.cache
def _job() -> Job:
    marks = Marks("EP-0123", "example", "Example", "", "RXX", "Example Cancer Centre")
    return Job(compile_policy(), marks, 353, _NAMES.base_uid, registered_uids(), _scanner().identifies)


def attempt(data: bytes) -> str:
    """Put an input through both readers, the engine and the scan; return how far it came.

    Raises whatever a reader raises that is no refusal, and AssertionError where a promise is broken.
    """
    came = "study " if isinstance(read(SourceFile("a.dcm", len(data), "", 0), data), Instance) else ""
    try:
        stream = parse(data)
        harvest(walk(stream, pixels=False))
        demand_whole(stream)
        after = pseudonymise(stream, _job(), ObjectPlan(rois={1: "PTV", 2: None})).data
    except StreamError:
        return came + "refused"
    _scanner().scan_dicom(parse(after), "plan")
    assert len(after) < 4 * len(stream.data) + 4096
    assert after[:128] == bytes(128)
    return came + "written"


def campaign(first: int, count: int) -> dict[str, int]:
    """Put ``count`` inputs through; return how many came how far. A failure names the input's number."""
    outcome: dict[str, int] = {}
    for number in range(first, first + count):
        began = time.monotonic()
        try:
            came = attempt(mutated(number))
        except Exception as error:
            error.add_note(f"input {number}: python tests/fuzzing.py 1 {number}")
            raise
        took = time.monotonic() - began
        if took > SLOWEST:
            raise TimeoutError(f"input {number} took {took:.1f} s")
        outcome[came] = outcome.get(came, 0) + 1
    return outcome


def main(arguments: list[str]) -> None:
    """Go over COUNT inputs from FIRST on, telling how far it is; stop at the first failure."""
    count, first = int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 0
    faulthandler.enable()
    step = 20_000
    total: dict[str, int] = {}
    for start in range(first, first + count, step):
        faulthandler.dump_traceback_later(600, exit=True)  # a hang that no clock inside it notices
        for came, number in campaign(start, min(step, first + count - start)).items():
            total[came] = total.get(came, 0) + number
        faulthandler.cancel_dump_traceback_later()
        sys.stdout.write(
            f"{min(start + step, first + count) - first} inputs: {dict(sorted(total.items()))}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])

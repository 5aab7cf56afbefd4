from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rttqa_build.deidentify import encode
from rttqa_build.deidentify.elements import Encoding
from rttqa_build.deidentify.stream import parse

ENCODINGS = {
    Encoding(True, True): b"1.2.840.10008.1.2.1",
    Encoding(False, True): b"1.2.840.10008.1.2",
    Encoding(True, False): b"1.2.840.10008.1.2.2",
}
META = Encoding(True, True)


def file(encoding: Encoding, body: bytes) -> bytes:
    syntax = encode.element(META, 0x00020010, "UI", ENCODINGS[encoding])
    return bytes(128) + b"DICM" + syntax + body


@pytest.mark.parametrize(
    ("value", "vr", "padded"),
    [
        (b"", "LO", b""),
        (b"ab", "LO", b"ab"),
        (b"a", "LO", b"a "),
        (b"1", "UI", b"1\0"),
        (b"\1", "OB", b"\1\0"),
        (b"\1", "UN", b"\1\0"),
        (b"1", "DS", b"1 "),
    ],
)
def test_padding(value: bytes, vr: str, padded: bytes) -> None:
    assert encode.pad(value, vr) == padded


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
@pytest.mark.parametrize("undefined", [False, True])
@given(values=st.lists(st.binary(max_size=70), max_size=3))
def test_what_is_written_is_read_back(encoding: Encoding, values: list[bytes], *, undefined: bool) -> None:
    items = [
        encode.item(encoding, encode.element(encoding, 0x00104000, "LT", value), undefined=undefined)
        for value in values
    ]
    written = encode.sequence(encoding, 0x00081115, items, undefined=undefined)
    stream = parse(file(encoding, written + encode.element(encoding, 0x00104000, "LT", b"end!")))
    sequence, end = stream.elements
    assert stream.value(end) == b"end!"
    assert [stream.value(i.elements[0]) for i in sequence.items or ()] == [
        encode.pad(v, "LT") for v in values
    ]

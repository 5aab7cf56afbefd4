from __future__ import annotations

import contextlib
import io
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rttqa_build.deidentify import encode
from rttqa_build.deidentify.elements import (
    DEFLATED_LITTLE,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Encoding,
    walk,
)
from rttqa_build.deidentify.marks import file_meta
from rttqa_build.deidentify.reader import StreamError
from rttqa_build.deidentify.stream import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPLICIT, IMPLICIT, BIG = Encoding(True, True), Encoding(False, True), Encoding(True, False)
SYNTAX = {EXPLICIT: EXPLICIT_LITTLE, IMPLICIT: IMPLICIT_LITTLE, BIG: EXPLICIT_BIG}
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def body(encoding: Encoding, *, undefined: bool = False) -> bytes:
    inner = encode.element(encoding, 0x30060022, "IS", b"7") + encode.element(
        encoding, 0x30060026, "LO", b"PTV"
    )
    item = encode.item(encoding, inner, undefined=undefined)
    return (
        encode.element(encoding, 0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.481.3")
        + encode.element(encoding, 0x00080018, "UI", b"1.2.3")
        + encode.sequence(encoding, 0x30060020, [item, item], undefined=undefined)
    )


def whole(encoding: Encoding, content: bytes) -> bytes:
    return file_meta(b"1.2.840.10008.5.1.4.1.1.481.3", b"1.2.3", SYNTAX[encoding]) + content


@pytest.mark.parametrize("encoding", [EXPLICIT, IMPLICIT, BIG])
@pytest.mark.parametrize("undefined", [True, False])
def test_all_encodings_give_the_same_leaves(encoding: Encoding, undefined: bool) -> None:
    stream = parse(whole(encoding, body(encoding, undefined=undefined)))
    leaves = [(leaf.tag, leaf.value, leaf.path) for leaf in walk(stream) if leaf.tag >> 16 != 2]
    assert leaves == [
        (0x00080016, b"1.2.840.10008.5.1.4.1.1.481.3\0", ()),
        (0x00080018, b"1.2.3\0", ()),
        (0x30060022, b"7 ", (0x30060020,)),
        (0x30060026, b"PTV ", (0x30060020,)),
        (0x30060022, b"7 ", (0x30060020,)),
        (0x30060026, b"PTV ", (0x30060020,)),
    ]


@pytest.mark.parametrize("encoding", [EXPLICIT, IMPLICIT, BIG])
def test_without_meta_the_encoding_is_recognised(encoding: Encoding) -> None:
    stream = parse(body(encoding))
    assert stream.encoding == encoding
    assert stream.transfer_syntax == SYNTAX[encoding]


def test_deflated_is_read_as_explicit() -> None:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = deflater.compress(body(EXPLICIT)) + deflater.flush()
    data = file_meta(b"1.2", b"1.2.3", DEFLATED_LITTLE) + deflated
    stream = parse(data)
    assert stream.transfer_syntax == EXPLICIT_LITTLE
    assert stream.find(0x00080018) == b"1.2.3\0"
    with pytest.raises(StreamError, match="deflated"):
        parse(data[:-4])


def test_unknown_vr_that_hides_a_sequence_is_entered() -> None:
    hidden = encode.item(IMPLICIT, encode.element(IMPLICIT, 0x00081150, "UI", b"1.2"))
    raw = encode.header(EXPLICIT, 0x00081115, "UN", len(hidden)) + hidden
    stream = parse(whole(EXPLICIT, encode.element(EXPLICIT, 0x00080018, "UI", b"1.2.3") + raw))
    assert (0x00081150, (0x00081115,)) in [(leaf.tag, leaf.path) for leaf in walk(stream)]


def test_zero_padding_behind_the_data_set_is_noticed() -> None:
    data = whole(IMPLICIT, body(IMPLICIT))
    stream = parse(data + bytes(40))
    assert stream.padding == 40
    assert len(stream.elements) == 3


@pytest.mark.parametrize("encoding", [EXPLICIT, IMPLICIT, BIG])
@pytest.mark.parametrize("undefined", [True, False])
def test_every_cut_is_noticed(encoding: Encoding, undefined: bool) -> None:
    data = whole(encoding, body(encoding, undefined=undefined))
    complete = parse(data)
    boundaries = {element.end for element in complete.elements}
    for cut in range(complete.elements[0].start + 1, len(data)):
        if cut in boundaries:
            continue  # a shorter, yet whole data set: only its content can tell
        with pytest.raises(StreamError):
            parse(data[:cut])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no data set"),
        (b"hello, this is a letter and no image", "an element"),
        (encode.element(EXPLICIT, 0x00080018, "UI", b"1") * 2, "ascending"),
        (
            encode.element(EXPLICIT, 0x00100010, "PN", b"A") + encode.element(EXPLICIT, 8, "UI", b"1"),
            "ascending",
        ),
        (b"\x08\0\x18\0ZZ\x02\0ab", "value representation"),
        (encode.header(EXPLICIT, 0x00081115, "SQ", 4) + b"abcd", "item header"),
        (encode.header(EXPLICIT, 0x00081115, "SQ", 8) + b"abcdefgh", "no item"),
        (encode.delimiter(EXPLICIT, 0xFFFEE0DD), "delimiter"),
        (encode.header(EXPLICIT, 0x00080018, "UI", 500) + b"1", "longer"),
        (b"\xfe\xff\x0d\xe0\0\0\0\0" * 2, "delimiter"),
    ],
)
def test_what_is_no_object_is_refused_with_a_reason(content: bytes, words: str) -> None:
    with pytest.raises(StreamError, match=words):
        parse(whole(EXPLICIT, content))


def test_nesting_has_a_limit() -> None:
    content = b""
    for _ in range(40):
        content = encode.sequence(EXPLICIT, 0x00081115, [encode.item(EXPLICIT, content)])
    with pytest.raises(StreamError, match="32 levels"):
        parse(whole(EXPLICIT, content))


@pytest.mark.parametrize(
    ("length", "accepted"), [(8, True), (7, False), (6, False), (10, False), (16, False)]
)
def test_pixel_data_has_the_size_the_image_says(length: int, accepted: bool) -> None:
    facts = [(0x00280002, 1), (0x00280010, 2), (0x00280011, 2), (0x00280100, 16)]
    content = encode.element(EXPLICIT, 0x00080018, "UI", b"1.2") + b"".join(
        encode.element(EXPLICIT, tag, "US", number.to_bytes(2, "little")) for tag, number in facts
    )
    content += encode.header(EXPLICIT, 0x7FE00010, "OW", length) + bytes([1]) * length
    if accepted:
        assert parse(whole(EXPLICIT, content)).elements[-1].tag == 0x7FE00010
    else:
        with pytest.raises(StreamError, match="pixel data"):
            parse(whole(EXPLICIT, content))


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_input_gives_anything_but_a_refusal(noise: bytes) -> None:
    for data in (noise, whole(EXPLICIT, noise), whole(IMPLICIT, noise), whole(BIG, body(BIG) + noise)):
        with contextlib.suppress(StreamError):
            list(walk(parse(data)))


def pydicom_leaves(data: bytes) -> Iterator[tuple[int, bytes | None]]:
    dataset = pydicom.dcmread(io.BytesIO(data), force=True)
    yield from ((int(e.tag), None) for e in dataset.iterall() if e.VR != "SQ" and not e.tag.is_private)


def test_agrees_with_pydicom_on_its_own_files() -> None:
    """Where both readers accept a file, they see the same public elements in the same number."""
    root = Path(pydicom.__file__).parent / "data" / "test_files"
    compared = 0
    for path in sorted(root.rglob("*.dcm")):
        data = path.read_bytes()
        try:
            stream = parse(data)
        except StreamError:
            continue
        ours = sorted(
            leaf.tag
            for leaf in walk(stream)
            if leaf.tag >> 16 != 2 and not any(tag >> 16 & 1 for tag in (leaf.tag, *leaf.path))
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                theirs = sorted(tag for tag, _ in pydicom_leaves(data))
            except Exception:  # noqa: BLE001, S112 - pydicom gives up on a file that we read: nothing to compare
                continue
        theirs = [tag for tag in theirs if tag >> 16 != 2]
        private_sequences = any(tag >> 16 & 1 for leaf in walk(stream) for tag in leaf.path)
        if not private_sequences:
            assert ours == theirs, path.name
            compared += 1
    assert compared >= 50


@pytest.mark.skipif(not SHARED.is_dir(), reason="real exports are not here")
def test_real_exports_are_read() -> None:
    for path in sorted(SHARED.rglob("*.dcm")):
        assert parse(path.read_bytes()).find(0x00080018), "a real object has no SOP instance UID"

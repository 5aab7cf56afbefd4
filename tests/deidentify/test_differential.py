"""The element stream and pydicom agree: tags, VRs, lengths, values and nesting, on all files both accept."""

from __future__ import annotations

import functools
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_sequence

from rttqa_build.deidentify.reader import StreamError
from rttqa_build.deidentify.stream import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    from rttqa_build.deidentify.elements import Element, Item, Stream

PYDICOM = Path(pydicom.__file__).parent / "data"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
OWN = sorted(
    path
    for folder in ("test_files", "charset_files", "palettes")
    for path in (PYDICOM / folder).rglob("*")
    if path.is_file() and path.suffix not in (".py", ".txt", ".md", ".json")
)
REAL = sorted(SHARED.rglob("*.dcm"))
UNDEFINED = 0xFFFFFFFF
AMBIGUOUS = {"US or SS": "US", "US or SS or OW": "OW", "OB or OW": "OW", "US or OW": "OW"}


def accepted_by_pydicom(data: bytes) -> Dataset | None:
    """Return what pydicom reads, raw, if it can decode every element of it; None where it gives up."""
    try:
        found: Dataset = pydicom.dcmread(io.BytesIO(data), force=True)
        decoded = [element.tag for element in found.iterall()]
        raw: Dataset = pydicom.dcmread(io.BytesIO(data), force=True)
    except Exception:  # noqa: BLE001 - whatever it stumbles over: there is nothing to compare
        return None
    return raw if decoded and (data[128:132] == b"DICM" or 0x00080016 in decoded) else None


def differences(stream: Stream, theirs: Dataset) -> Iterator[str]:
    """Yield where the two readers differ; paths of tags only."""
    yield from _elements(stream, stream.elements, list(theirs.values()), "")
    yield from _elements(stream, stream.meta, list(theirs.file_meta.values()), "meta ")


def _elements(
    stream: Stream, ours: list[Element], theirs: Iterable[DataElement | RawDataElement], path: str
) -> Iterator[str]:
    by_tag = {int(element.tag): element for element in theirs}
    tags = [element.tag for element in ours]
    if tags != sorted(by_tag):
        yield f"{path}: other elements {sorted(set(tags) ^ by_tag.keys())}"
    for element in ours:
        if element.tag in by_tag:
            yield from _element(stream, element, by_tag[element.tag], f"{path}{element.tag:08X}")


def _element(stream: Stream, ours: Element, theirs: DataElement | RawDataElement, path: str) -> Iterator[str]:
    if ours.items is not None:
        yield from _items(stream, ours.items, _sequence(theirs, ours.items), path)
        return
    if not isinstance(theirs, RawDataElement):
        # pydicom makes these while it reads: it decodes the character set, and file meta information
        encoded = str(theirs.value).encode() if isinstance(theirs.value, str) else None
        if encoded is not None and encoded != stream.value(ours).rstrip(b"\0 "):
            yield f"{path}: value"
        return
    if theirs.VR is not None and ours.vr != _told(theirs):
        yield f"{path}: VR {ours.vr} {theirs.VR}"
    value = stream.value(ours)
    if theirs.length == UNDEFINED:  # encapsulated pixel data: pydicom leaves out the delimiter at its end
        value = value[:-8]
    elif theirs.length != len(value):
        yield f"{path}: length"
    if (theirs.value or b"") != value:
        yield f"{path}: value"


def _told(theirs: RawDataElement) -> str:
    """Return the VR that is meant: behind ``UN`` the dictionary's."""
    if theirs.VR == "UN" and dictionary_has_tag(theirs.tag):
        vr = dictionary_VR(theirs.tag)
        return AMBIGUOUS.get(vr, vr)
    return str(theirs.VR)


def _sequence(theirs: DataElement | RawDataElement, items: tuple[Item, ...]) -> list[Dataset]:
    if not isinstance(theirs, RawDataElement):
        return list(theirs.value)
    if not theirs.value:
        return []
    explicit = items[0].encoding.explicit if items else not theirs.is_implicit_VR
    little = items[0].encoding.little if items else theirs.is_little_endian
    return list(read_sequence(io.BytesIO(theirs.value), not explicit, little, len(theirs.value), "iso8859"))


def _items(stream: Stream, ours: tuple[Item, ...], theirs: list[Dataset], path: str) -> Iterator[str]:
    if len(ours) != len(theirs):
        yield f"{path}: {len(ours)} and {len(theirs)} items"
    for number, (item, other) in enumerate(zip(ours, theirs, strict=False)):
        yield from _elements(stream, item.elements, list(other.values()), f"{path}[{number}].")


@functools.cache
def compared(path: Path) -> list[str] | str:
    """Return the differences in one file, or who refused it."""
    data = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = accepted_by_pydicom(data)
        try:
            stream = parse(data)
        except StreamError as error:
            return f"we: {error}" if theirs is not None else "both"
        if theirs is None:
            return "pydicom"
        return list(differences(stream, theirs))


# files of pydicom's that it reads and we refuse, and why that is right
REFUSED = {
    "MR_truncated.dcm": "cut in its pixels",
    "rtplan_truncated.dcm": "cut within a sequence",
    "MR_small_padded.dcm": "more pixels than the image has",
    "meta_missing_tsyntax.dcm": "pixels of an image without rows and columns",
    "nested_priv_SQ.dcm": "pixels of an image without rows and columns",
    "SC_ybr_full_422_uncompressed.dcm": "a secondary capture with subsampled colours, which is never sent",
    "SC_rgb_jpeg.dcm": "a data set in another syntax than its file meta information says",
    "image_dfl.dcm": "bytes behind the deflated data set of a secondary capture",
    "badVR.dcm": "a number of frames that is none",
    "winter.dcm": "elements out of order",
    "DICOMDIR-nooffset": "an item beyond its sequence",
}


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_both_readers_agree_on_the_files_of_pydicom(path: Path) -> None:
    result = compared(path)
    if isinstance(result, str):
        assert result in ("both", "pydicom") or path.name in REFUSED, result
    else:
        assert result == []


def test_enough_was_compared() -> None:
    assert sum(isinstance(compared(path), list) for path in OWN) >= 150


@pytest.mark.skipif(not REAL, reason="real exports are not here")
def test_both_readers_agree_on_real_exports() -> None:
    assert {path.name: result for path in REAL if (result := compared(path))} == {}

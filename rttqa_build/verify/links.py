"""Every object of the package → the references that must resolve and do not (PS3.3 C.8.8, C.20)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.verify.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set

    from rttqa_build.verify.dicom import DicomObject, Reference

_RT = "1.2.840.10008.5.1.4.1.1.481."
_DOSES = frozenset({_RT + "2"})
_STRUCTURE_SETS = frozenset({_RT + "3"})
_PLANS = frozenset({_RT + "5", _RT + "7", _RT + "8"})  # photon and electron, brachytherapy, ion
_REGISTRATIONS = frozenset({"1.2.840.10008.5.1.4.1.1.66.1", "1.2.840.10008.5.1.4.1.1.66.3"})

_SOP_UID, _SERIES_UID, _FRAME_UID, _SOURCE_FRAME_UID = 0x00081155, 0x0020000E, 0x00200052, 0x00640003
_PLAN_SEQUENCE, _STRUCTURE_SET_SEQUENCE = 0x300C0002, 0x300C0060
_CONTOUR_IMAGES, _SERIES_SEQUENCE = 0x30060016, 0x30060014
_NO_OBJECTS = frozenset({0x30060012, 0x00081110, 0x00081120})
_RIGID, _DEFORMABLE = 0x00700308, 0x00640002


class Linked(NamedTuple):
    """Faults, and how many objects outside the package are referred to."""

    faults: tuple[Fault, ...]
    dangling: int


class Sent(NamedTuple):
    """What a supplement says was sent before it: UIDs of RT objects, and whether there were images."""

    uids: frozenset[str] = frozenset()
    images: bool = False


def check(objects: Iterable[DicomObject], sent: Sent = Sent()) -> Linked:  # noqa: B008 - immutable
    """Follow dose → plan → structure set → images, and registration → frames of reference.

    What was ``sent`` before may be referred to; that it was received is not for a package to prove.
    """
    objects = tuple(objects)
    referred = {ref.uid for item in objects for ref in item.references if _is_object(ref)}
    dangling = referred - {item.sop_uid for item in objects}
    return Linked((*_twice(objects), *_broken(objects, sent)), len(dangling))


def _is_object(ref: Reference) -> bool:
    """Return whether a reference is to an object, and not to a study or a patient."""
    return ref.tag == _SOP_UID and ref.path[-1][0] not in _NO_OBJECTS


def _twice(objects: Iterable[DicomObject]) -> Iterator[Fault]:
    seen: set[str] = set()
    for item in objects:
        if item.sop_uid in seen:
            message = "Two objects of the package have the same SOP Instance UID."
            yield Fault("K051", message, item.member, "SOPInstanceUID")
        seen.add(item.sop_uid)


def _broken(objects: tuple[DicomObject, ...], sent: Sent) -> Iterator[Fault]:
    plans = sent.uids | {item.sop_uid for item in objects if item.sop_class in _PLANS}
    structure_sets = sent.uids | {item.sop_uid for item in objects if item.sop_class in _STRUCTURE_SETS}
    for item in objects:
        if item.sop_class in _DOSES:
            yield from _top_level(item, _PLAN_SEQUENCE, plans, "dose", "plan")
        elif item.sop_class in _PLANS:
            yield from _top_level(item, _STRUCTURE_SET_SEQUENCE, structure_sets, "plan", "structure set")
        elif sent.images:
            continue  # nothing in a package lists the images that were sent before, nor their frames
        elif item.sop_class in _STRUCTURE_SETS:
            yield from _images(item, objects)
        elif item.sop_class in _REGISTRATIONS:
            yield from _frames(item, objects)


def _top_level(
    item: DicomObject, sequence: int, allowed: Set[str], what: str, target: str
) -> Iterator[Fault]:
    """Find references of one top-level sequence that lead nowhere."""
    wanted = {
        ref.uid
        for ref in item.references
        if ref.tag == _SOP_UID and len(ref.path) == 1 and ref.path[0][0] == sequence
    }
    if wanted - allowed:
        yield Fault("K050", f"A {what} refers to a {target} that is not in the package.", item.member)


def _images(item: DicomObject, objects: Iterable[DicomObject]) -> Iterator[Fault]:
    """Find images that a structure set is drawn on and that are missing.

    Images that it lists under another series, which is not in the package, may be missing (a fused series).
    """
    others = [other for other in objects if other is not item]
    present = {other.sop_uid for other in others}
    series = {other.series_uid for other in others}
    listed = {ref.path: ref.uid for ref in item.references if _is_series(ref)}
    drawn = [ref for ref in item.references if ref.tag == _SOP_UID and ref.path[-1][0] == _CONTOUR_IMAGES]
    fused = {ref.uid for ref in drawn if listed.get(ref.path[:-1], next(iter(series), "")) not in series}
    if listed and not series & set(listed.values()):
        yield Fault("K050", "A structure set's images are not in the package.", item.member)
    elif {ref.uid for ref in drawn} - present - fused:
        yield Fault("K050", "A structure set refers to an image that is not in the package.", item.member)


def _is_series(ref: Reference) -> bool:
    return ref.tag == _SERIES_UID and ref.path[-1][0] == _SERIES_SEQUENCE


def _frames(item: DicomObject, objects: Iterable[DicomObject]) -> Iterator[Fault]:
    """Find frames of reference that a registration joins and that no other object has."""
    present = {other.frame_uid for other in objects if other is not item}
    joined = {
        ref.uid
        for ref in item.references
        if (ref.tag, ref.path[-1][0]) in {(_FRAME_UID, _RIGID), (_SOURCE_FRAME_UID, _DEFORMABLE)}
    }
    if joined - present:
        message = "A registration joins a frame of reference of which no image is in the package."
        yield Fault("K050", message, item.member)

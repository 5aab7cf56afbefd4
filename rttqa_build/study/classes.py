"""SOP classes (PS3.4 B.5, PS3.6 A): which kind an object is of, and which kinds may never be sent."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from rttqa_build.study.facts import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

DICOMDIR = "1.2.840.10008.1.3.10"
ION_PLAN = "1.2.840.10008.5.1.4.1.1.481.8"

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        **{
            _STORAGE + suffix: Kind.IMAGE
            for suffix in ("2", "2.1", "2.2", "4", "4.1", "4.4", "128", "130", "128.1")
        },
        _STORAGE + "481.3": Kind.STRUCTURE_SET,
        _STORAGE + "481.5": Kind.PLAN,
        ION_PLAN: Kind.PLAN,
        _STORAGE + "481.2": Kind.DOSE,
        _STORAGE + "66.1": Kind.REGISTRATION,
        _STORAGE + "66.3": Kind.REGISTRATION,
    }
)
BURNED_IN = "an image with text burned into it"
_CAPTURE, _DOCUMENT, _REPORT, _SIGNAL, _STATE, _PHOTOGRAPH = (
    "a secondary capture: a picture that may show names",
    "an encapsulated document",
    "a structured report",
    "a waveform or other signal",
    "a presentation state",
    "a photograph or other visible-light picture",
)
_REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "7": _CAPTURE,
        "104": _DOCUMENT,
        "88": _REPORT,
        "9": _SIGNAL,
        "11": _STATE,
        "77": _PHOTOGRAPH,
    }
)
REFUSAL_CODES: Mapping[str, str] = MappingProxyType(
    {
        _CAPTURE: "R401",
        _DOCUMENT: "R402",
        _REPORT: "R403",
        _SIGNAL: "R404",
        BURNED_IN: "R405",
        _STATE: "R406",
        _PHOTOGRAPH: "R406",
    }
)
"""Why an object may never be sent → the code of the finding when it is selected."""


def kind_of(sop_class: str, modality: str) -> Kind:
    """Return the kind by SOP class; plans under a planning system's private class are known by modality."""
    if sop_class in _KINDS:
        return _KINDS[sop_class]
    return Kind.PLAN if is_private_plan(sop_class, modality) else Kind.OTHER


def is_private_plan(sop_class: str, modality: str) -> bool:
    """Vendor oddity: a plan under the planning system's own SOP class (Halcyon), known by its modality."""
    return modality == "RTPLAN" and not sop_class.startswith("1.2.840.10008.")


def refusal_of(sop_class: str) -> str:
    """Return why objects of this class may never be sent, or nothing."""
    if sop_class in _KINDS or not sop_class.startswith(_STORAGE):
        return ""
    return _REFUSED.get(sop_class.removeprefix(_STORAGE).partition(".")[0], "")

"""Headers of RT Plan and RT Ion Plan, brachytherapy too → what they prescribe (PS3.3 C.8.8.9 to C.8.8.25)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rttqa_build.study.facts import Beam, DoseTarget, PlanFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rttqa_build.study.header import Header

_PARTICLES = frozenset({"PROTON", "ION"})
_SCANS = {"NONE": "passive", "UNIFORM": "passive", "MODULATED": "PBS", "MODULATED_SPEC": "PBS"}
_TECHNIQUES = {
    (False, False): "3DCRT",
    (False, True): "arc",
    (True, False): "IMRT",
    (True, True): "VMAT",
}
"""Whether leaves or jaws move during the beam, and whether the gantry does → technique."""


def plan_facts(header: Header) -> PlanFacts:
    """Return label, fraction groups, beams with their metersets, dose targets and approval."""
    beams = _beams(header)
    return PlanFacts(
        label=header.text("RTPlanLabel"),
        name=header.text("RTPlanName"),
        kind=_kind(header, beams),
        intent=header.text("PlanIntent"),
        geometry=header.text("RTPlanGeometry"),
        approval=header.text("ApprovalStatus"),
        date=header.text("RTPlanDate"),
        fractions=tuple(
            group.integer("NumberOfFractionsPlanned") or 0 for group in header.items("FractionGroupSequence")
        ),
        beams=beams,
        targets=tuple(_target(item) for item in header.items("DoseReferenceSequence")),
        setup_dose_gy=_setup_dose(header),
    )


def _kind(header: Header, beams: tuple[Beam, ...]) -> Literal["photon", "electron", "ion", "brachytherapy"]:
    radiation = {beam.radiation for beam in beams if beam.radiation}
    if header.has("ApplicationSetupSequence"):
        return "brachytherapy"
    if header.has("IonBeamSequence") or radiation & _PARTICLES:
        return "ion"
    return "electron" if radiation == {"ELECTRON"} else "photon"


def _beams(header: Header) -> tuple[Beam, ...]:
    metersets = _metersets(header)
    positions = {
        setup.integer("PatientSetupNumber"): setup.text("PatientPosition")
        for setup in header.items("PatientSetupSequence")
    }
    beams = [
        _beam(item, control_points, metersets, positions)
        for beams, control_points in (
            ("BeamSequence", "ControlPointSequence"),
            ("IonBeamSequence", "IonControlPointSequence"),
        )
        for item in header.items(beams)
    ]
    return (*beams, *(_setup(item, header) for item in header.items("ApplicationSetupSequence")))


def _metersets(header: Header) -> Mapping[int | None, float | None]:
    """Return the meterset of each beam, from the first fraction group that gives one."""
    found: dict[int | None, float | None] = {}
    for group in header.items("FractionGroupSequence"):
        for beam in group.items("ReferencedBeamSequence"):
            if (meterset := beam.number("BeamMeterset")) is not None:
                found.setdefault(beam.integer("ReferencedBeamNumber"), meterset)
    return found


def _beam(
    item: Header,
    control_points: str,
    metersets: Mapping[int | None, float | None],
    positions: Mapping[int | None, str],
) -> Beam:
    number = item.integer("BeamNumber")
    first = next(item.items(control_points), None)
    return Beam(
        number=number or 0,
        name=item.text("BeamName"),
        machine=item.text("TreatmentMachineName"),
        radiation=item.text("RadiationType"),
        delivery=item.text("TreatmentDeliveryType"),
        energy=_energy(item, first),
        control_points=item.integer("NumberOfControlPoints") or 0,
        meterset=metersets.get(number),
        patient_position=positions.get(item.integer("ReferencedPatientSetupNumber"), ""),
        technique=_technique(item, first),
    )


def _energy(item: Header, first: Header | None) -> str:
    """Return the energy of the first control point: ``6 MV``, ``6 MV FFF``, ``150.2 MeV``."""
    energy = first.number("NominalBeamEnergy") if first else None
    if energy is None:
        return ""
    unit = "MV" if item.text("RadiationType") == "PHOTON" else "MeV"
    return " ".join(part for part in (f"{energy:g}", unit, _fluence_mode(item)) if part)


def _technique(item: Header, first: Header | None) -> str:
    """Return how a beam is delivered, in a planner's words; nothing where it does not say.

    Dynamic wedges make a beam dynamic too (Beam Type), but no intensity modulation.
    """
    if item.text("RadiationType") in _PARTICLES:
        return _SCANS.get(item.text("ScanMode"), "")
    if item.text("RadiationType") == "ELECTRON":
        return "electrons"
    dynamic = item.text("BeamType") == "DYNAMIC" and not item.integer("NumberOfWedges")
    rotates = first is not None and first.text("GantryRotationDirection") in ("CW", "CC")
    return _TECHNIQUES[dynamic, rotates] if item.text("BeamType") else ""


def _fluence_mode(item: Header) -> str:
    """Return the identifier of a non-standard fluence (flattening filter free), or nothing."""
    modes = item.items("PrimaryFluenceModeSequence")
    return next((m.text("FluenceModeID") for m in modes if m.text("FluenceMode") == "NON_STANDARD"), "")


def _setup(item: Header, header: Header) -> Beam:
    """Return one application setup as a beam: machine and source come from the plan as a whole."""
    machine = next((m.text("TreatmentMachineName") for m in header.items("TreatmentMachineSequence")), "")
    source = next((s.text("SourceIsotopeName") for s in header.items("SourceSequence")), "")
    return Beam(
        number=item.integer("ApplicationSetupNumber") or 0,
        name=item.text("ApplicationSetupName") or item.text("ApplicationSetupType"),
        machine=machine,
        radiation=header.text("BrachyTreatmentType"),
        delivery="TREATMENT",
        energy=source,
        technique="brachytherapy",
    )


def _setup_dose(header: Header) -> float | None:
    """Return the dose of the application setups, times the fractions of their group (PS3.3 C.8.8.13)."""
    given = [
        dose * (group.integer("NumberOfFractionsPlanned") or 0)
        for group in header.items("FractionGroupSequence")
        for setup in group.items("ReferencedBrachyApplicationSetupSequence")
        if (dose := setup.number("BrachyApplicationSetupDose")) is not None
    ]
    return sum(given) if given else None


def _target(item: Header) -> DoseTarget:
    return DoseTarget(
        description=item.text("DoseReferenceDescription"),
        type=item.text("DoseReferenceType"),
        prescription_gy=item.number("TargetPrescriptionDose"),
        roi_number=item.integer("ReferencedROINumber"),
    )

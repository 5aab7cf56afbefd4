"""What centres get wrong, one fault at a time, and the findings that say so; the clean patient has none.

A row is a fault, the codes it must give and no others (the intended one first, then what cannot but follow
from it), and a function that plants it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import build_case
import numpy as np
import pytest
from fault_case import ONE, TWO, Submission, alter
from pydicom.uid import PositronEmissionTomographyImageStorage, RTIonPlanStorage

from rttqa_build.dose import dvh
from rttqa_build.synthetic.elements import dataset, uid
from rttqa_build.trial import Constraint

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

    from rttqa_build import synthetic

Plant = Callable[[Submission], object]

PHANTOM = build_case.PHANTOM + "data: {plan: {label: Prostate60}}\n"
STRANGER = {"PatientName": "STRANGER^SAM", "PatientID": "X000001", "PatientBirthDate": "19300101"}


class Fault(NamedTuple):
    name: str
    codes: str
    plant: Plant
    variant: synthetic.Variant = "single-phase"
    manifest: str = ONE
    trial: dict[str, Any] = {}  # noqa: RUF012  (rows of a table, never altered)


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Histograms by few samples: exact enough to tell one plan's dose from another's."""
    monkeypatch.setattr(dvh, "FEWEST_SAMPLES", 1000)
    monkeypatch.setattr(dvh, "REFINEMENTS", 0)


def change(key: str, **elements: Any) -> Plant:
    """Set elements of one object; None removes one."""

    def plant(one: Submission) -> None:
        alter(one.edit(key), elements)

    return plant


def change_all(prefix: str = "ct", **elements: Any) -> Plant:
    """Set elements of every image of a series."""

    def plant(one: Submission) -> None:
        for item in one.series(prefix):
            alter(item, elements)

    return plant


def gone(key: str) -> Plant:
    return lambda one: one.objects.update({key: None})


def say(*pairs: tuple[str, str]) -> Plant:
    """Change texts of the manifest."""

    def plant(one: Submission) -> None:
        for old, new in pairs:
            one.say(old, new)

    return plant


def both(*plants: Plant) -> Plant:
    return lambda one: [plant(one) for plant in plants]


def twin(key: str, name: str, **elements: Any) -> Plant:
    """Add a copy of an object under a UID of its own."""

    def plant(one: Submission) -> None:
        item = copy.deepcopy(one.edit(key))
        alter(item, {"SOPInstanceUID": uid("twin of", key), **elements})
        one.objects[name] = item

    return plant


def moved(key: str, x: float = 0, y: float = 0, z: float = 0) -> Plant:
    """Shift an image or a dose grid, mm."""

    def plant(one: Submission) -> None:
        item = one.edit(key)
        item.ImagePositionPatient = [
            float(at) + by for at, by in zip(item.ImagePositionPatient, (x, y, z), strict=True)
        ]

    return plant


def sheared(one: Submission) -> None:
    for number, item in enumerate(one.series()):
        x, y, z = item.ImagePositionPatient
        item.ImagePositionPatient = [float(x) + 0.2 * number, y, z]


def extra_series(one: Submission, key: str, **elements: Any) -> None:
    """Add a series of two slices on the planning CT's frame."""
    for number in (1, 2):
        item = copy.deepcopy(one.edit(f"ct/{number:03}"))
        alter(item, {"SOPInstanceUID": uid(key, number), "SeriesInstanceUID": uid(key), **elements})
        one.objects[f"{key}/{number:03}"] = item
    for number in (1, 2):
        del one.objects[f"ct/{number:03}"]


def four_d(**elements: Any) -> Plant:
    return lambda one: extra_series(one, "phase", SeriesDescription="Thorax", **elements)


def pet(one: Submission) -> None:
    tracer = dataset(RadionuclideTotalDose="370000000", RadiopharmaceuticalStartTime="0900")
    extra_series(
        one,
        "pet",
        SOPClassUID=PositronEmissionTomographyImageStorage,
        Modality="PT",
        PatientWeight=None,
        AcquisitionTime="1000",
        RadiopharmaceuticalInformationSequence=[tracer],
    )


def points(name: str, alter_points: Callable[[np.ndarray], np.ndarray]) -> Plant:
    """Change the points of an ROI's contours, shape (n, 3), mm."""

    def plant(one: Submission) -> None:
        for contour in one.contours(name):
            old = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
            contour.ContourData = [round(float(value), 3) for value in alter_points(old).ravel()]

    return plant


def renamed(old: str, new: str) -> Plant:
    def plant(one: Submission) -> None:
        one.roi(old)[0].ROIName = new

    return plant


def swapped_names(one: Submission) -> None:
    left, right = one.roi("Fem Head L")[0], one.roi("Fem Head R")[0]
    left.ROIName, right.ROIName = "Fem Head R", "Fem Head L"


def without_contours(name: str, *which: int) -> Plant:
    """Remove some contours of an ROI, or all."""

    def plant(one: Submission) -> None:
        contours = one.contours(name)
        kept = [item for n, item in enumerate(contours) if which and n not in which]
        one.roi(name)[1].ContourSequence = kept

    return plant


def island(one: Submission) -> None:
    contours = one.contours("rectum")
    item = copy.deepcopy(contours[10])
    z = float(item.ContourData[2])
    item.ContourData = [60, 60, z, 62, 60, z, 62, 62, z, 60, 62, z]
    item.NumberOfContourPoints = 4
    contours.append(item)


def empty_twin(name: str) -> Plant:
    """Add a second item for an ROI, without contours."""

    def plant(one: Submission) -> None:
        item = copy.deepcopy(one.roi(name)[1])
        item.ContourSequence = []
        one.edit("structure_set").ROIContourSequence.append(item)

    return plant


def twice(name: str, count: int) -> Plant:
    """Repeat the first contours of an ROI."""

    def plant(one: Submission) -> None:
        contours = one.contours(name)
        contours.extend(copy.deepcopy(item) for item in list(contours)[:count])

    return plant


def another_frame(frame_uid: str) -> Plant:
    """Let every ROI name another frame of reference, or none."""

    def plant(one: Submission) -> None:
        for roi in one.edit("structure_set").StructureSetROISequence:
            roi.ReferencedFrameOfReferenceUID = frame_uid

    return plant


def drawn_as(name: str, geometric_type: str) -> Plant:
    def plant(one: Submission) -> None:
        for contour in one.contours(name):
            contour.ContourGeometricType = geometric_type

    return plant


def beams(**elements: Any) -> Plant:
    def plant(one: Submission) -> None:
        for beam in one.edit("plan").BeamSequence:
            alter(beam, elements)

    return plant


def control_points(**elements: Any) -> Plant:
    def plant(one: Submission) -> None:
        for beam in one.edit("plan").BeamSequence:
            alter(beam.ControlPointSequence[0], elements)

    return plant


def group(**elements: Any) -> Plant:
    return lambda one: alter(one.edit("plan").FractionGroupSequence[0], elements)


def no_monitor_units(one: Submission) -> None:
    del one.edit("plan").FractionGroupSequence[0].ReferencedBeamSequence[0].BeamMeterset


def target(**elements: Any) -> Plant:
    return lambda one: alter(one.edit("plan").DoseReferenceSequence[0], elements)


def planes(key: str, kept: slice) -> Plant:
    """Keep some planes of a dose."""

    def plant(one: Submission) -> None:
        item = one.edit(key)
        stored = voxels(item)[kept]
        offsets = [float(value) for value in item.GridFrameOffsetVector][kept]
        x, y, z = item.ImagePositionPatient
        item.ImagePositionPatient = [x, y, float(z) + offsets[0]]
        item.GridFrameOffsetVector = [offset - offsets[0] for offset in offsets]
        item.NumberOfFrames = len(stored)
        item.PixelData = stored.tobytes()

    return plant


def voxels(item: Dataset) -> np.ndarray:
    return np.frombuffer(item.PixelData, "<u4").reshape(-1, item.Rows, item.Columns)


def uneven_planes(one: Submission) -> None:
    item = one.edit("dose")
    item.GridFrameOffsetVector[5] = float(item.GridFrameOffsetVector[5]) + 0.3


def hot_corner(one: Submission) -> None:
    item = one.edit("dose")
    stored = voxels(item).copy()
    stored[3, 0, 0] = stored.max() + 1000
    item.PixelData = stored.tobytes()


def scaled(key: str, factor: float) -> Plant:
    def plant(one: Submission) -> None:
        item = one.edit(key)
        item.DoseGridScaling = float(item.DoseGridScaling) * factor

    return plant


def other_dose(one: Submission) -> None:
    """Put the dose of the first phase in the place of the second's."""
    one.edit("dose/phase2").PixelData = one.edit("dose/phase1").PixelData


def refers(key: str, sequence: str) -> Plant:
    """Let a reference lead to an object that is not there."""

    def plant(one: Submission) -> None:
        one.edit(key)[sequence].value[0].ReferencedSOPInstanceUID = uid("elsewhere")

    return plant


def lost_image(one: Submission) -> None:
    item = one.edit("structure_set")
    study = item.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    images = study.RTReferencedSeriesSequence[0].ContourImageSequence
    images[0].ReferencedSOPInstanceUID = uid("elsewhere")


def registered_elsewhere(one: Submission) -> None:
    one.edit("registration").RegistrationSequence[1].FrameOfReferenceUID = uid("elsewhere")


def protons(one: Submission) -> None:
    beams(RadiationType="PROTON")(one)


IONS = both(protons, change("plan", SOPClassUID=RTIonPlanStorage))
PERMITTED: dict[str, Any] = {"permitted": {}}
NO_LIMITS: dict[str, Any] = {"constraints": ()}
NO_REGISTRATION = ("  registration: {label: REGISTRATION}\n", "")
WITH_DOSE = ("  plan: {label: Prostate60}\n", "  plan: {label: Prostate60}\n  dose: {path: dose.dcm}\n")
PHASE_1 = "  - {target: PTV_4600, dose_gy: 46, fractions: 23, plan: phase1}\n"
SUM = "    - {id: sum, path: dose-sum.dcm}\n"
CT_4D = "data:\n  plan: {label: Prostate60}\n  ct_4d: {path: phase-001.dcm}\n"
CT_4D_NAMED = "data:\n  plan: {label: Prostate60}\n  ct_4d: [{id: average, path: phase-001.dcm}]\n"
PET = "data:\n  plan: {label: Prostate60}\n  diagnostic_pt: {path: pet-001.dcm}\n"

FAULTS = (
    # images
    Fault("a slice is missing", "C102 R203 S201", gone("ct/027")),
    Fault("a slice is there twice", "C101", twin("ct/010", "ct/extra")),
    Fault("a slice lies a little off", "C103", moved("ct/030", z=0.2)),
    Fault("a slice is oblique", "C104", change("ct/040", ImageOrientationPatient=[1, 0, 0, 0, 0.8, 0.6])),
    Fault("a slice has no position", "C105", change("ct/040", ImagePositionPatient=None)),
    Fault("a slice has larger pixels", "C106", change("ct/040", PixelSpacing=[20, 20])),
    Fault("slices of 5 mm", "C107", change_all(SliceThickness=5)),
    Fault("a tilted gantry", "C108", sheared),
    Fault(
        "a scout among the slices", "C109", change("ct/001", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    ),
    Fault("planned on a MIP", "C110", change_all(ImageType=["DERIVED", "SECONDARY", "MIP"])),
    Fault("a slice in another frame", "C111 R204", change("ct/040", FrameOfReferenceUID=uid("elsewhere"))),
    Fault("the head is shown", "A008", change_all(BodyPartExamined="HEAD")),
    Fault("text is burned in", "R405", change("ct/040", BurnedInAnnotation="YES")),
    Fault(
        "a saved screen", "R405", change("ct/040", ImageType=["DERIVED", "SECONDARY", "OTHER", "SCREEN SAVE"])
    ),
    Fault("no registration with the MR", "C201", say(NO_REGISTRATION)),
    Fault("a registration of other images", "R205 C201", registered_elsewhere),
    Fault("a 4D series without a label", "C202", four_d(), manifest=build_case.PHANTOM + CT_4D),
    Fault(
        "a phase of the 4D CT is missing",
        "C203",
        four_d(),
        manifest=build_case.PHANTOM + CT_4D_NAMED,
        trial={"phases_4d": ("average", "phase50")},
    ),
    Fault("a PET without the weight", "C204", pet, manifest=build_case.PHANTOM + PET),
    # links and identity
    Fault("a dose in another frame", "R204", change("dose", FrameOfReferenceUID=uid("elsewhere"))),
    Fault("another patient's dose", "R301", change("dose", **STRANGER, OtherPatientIDsSequence=None)),
    Fault("another patient's CT", "R301", change_all(**STRANGER, OtherPatientIDsSequence=None)),
    Fault("another patient's MR", "R301", change_all("mr", **STRANGER, OtherPatientIDsSequence=None)),
    Fault(
        "a dose that refers to another plan",
        "R201 D106",
        both(refers("dose", "ReferencedRTPlanSequence"), say(WITH_DOSE)),
    ),
    Fault("a plan on another structure set", "R202", refers("plan", "ReferencedStructureSetSequence")),
    Fault("a structure set on further images", "R203", lost_image),
    Fault("a plan in another study", "R206", change("plan", StudyInstanceUID=uid("another study"))),
    Fault("no dose", "R001 D301", gone("dose")),
    Fault("two doses of the plan", "R101 D301", twin("dose", "dose/again", ContentTime="160000")),
    Fault("a label that no plan has", "R102 D301", say(("Prostate60", "Prostate66"))),
    Fault(
        "two slices with one UID",
        "R501",
        both(
            twin("ct/054", "ct/extra", SOPInstanceUID=uid(uid("planning CT"), 54)), moved("ct/extra", z=2.963)
        ),
    ),
    Fault(
        "structures in the CT's series", "R020", change("structure_set", SeriesInstanceUID=uid("planning CT"))
    ),
    Fault("two plans in one series", "R021", say(), "two-phase", TWO, {"separate_series": True}),
    # structures
    Fault("a mapped structure is not there", "S101", renamed("seminal ves", "sem ves 2")),
    Fault("two structures of the mapped name", "S102", renamed("couch", "seminal ves")),
    Fault("an ROI of two items, one of them empty, and no fault", "", empty_twin("rectum")),
    Fault("a structure without contours", "S104", without_contours("seminal ves")),
    Fault(
        "absent, they say",
        "S105",
        both(renamed("seminal ves", "CTVsv"), say(("CTVsv: seminal ves", "CTVsv: {absent: resected}"))),
    ),
    Fault(
        "absent, they say, but drawn under a usual name",
        "S105",
        say(("PenileBulb: penile bulb", "PenileBulb: {absent: resected}")),
    ),
    Fault(
        "two lines of the mapping exchanged",
        "S114",
        say(("Rectum: rectum", "Rectum: bladder"), ("Bladder: bladder", "Bladder: rectum")),
    ),
    Fault("a name that is given already", "S106", renamed("couch", "ctvsv")),
    Fault("two names that differ in case", "S107", renamed("z_ring", "Couch")),
    Fault(
        "left mapped to right",
        "S108 S205",
        say(
            ("_L: Fem Head L", "_L: Fem Head x"),
            ("_R: Fem Head R", "_R: Fem Head L"),
            ("_L: Fem Head x", "_L: Fem Head R"),
        ),
    ),
    Fault("left called right in the planning system", "S205", swapped_names),
    Fault("the right one drawn twice", "S205", points("Fem Head L", lambda p: p * np.array([-1, 1, 1]))),
    Fault("structures drawn in another frame", "R204", another_frame("1.2.3.4")),
    Fault(
        "structures that do not name their frame are checked no less",
        "S202",
        both(another_frame(""), without_contours("rectum", 12, 13, 14)),
    ),
    Fault("drawn with points only", "S109", drawn_as("seminal ves", "POINT")),
    Fault("a leftover of planning", "S110", renamed("couch", "PTV test")),
    Fault("an empty structure", "S111", without_contours("couch")),
    Fault("an older target beside the target", "S112", renamed("couch", "PTV60")),
    Fault("structures not approved", "S113", change("structure_set", ApprovalStatus="UNAPPROVED")),
    Fault("contours between slices", "S201", points("seminal ves", lambda p: p + np.array([0, 0, 1.2]))),
    Fault("slices forgotten", "S202", without_contours("rectum", 12, 13, 14)),
    Fault("a speck beside the organ", "S203", island),
    Fault("contours drawn twice", "S206", twice("PTV 60 final", 8)),
    Fault("organs outside the body", "S204", points("BODY", lambda p: p * np.array([0.5, 1, 1]))),
    # plan
    Fault("19 fractions for 20", "P101", group(NumberOfFractionsPlanned=19)),
    Fault("no fractions", "P102", group(NumberOfFractionsPlanned=0)),
    Fault("another prescribed dose", "P103", target(TargetPrescriptionDose=57)),
    Fault("a dose per fraction", "P103", target(TargetPrescriptionDose=3)),
    Fault("no prescribed dose", "P104", target(TargetPrescriptionDose=None)),
    Fault("an unapproved plan", "P105", change("plan", ApprovalStatus="UNAPPROVED")),
    Fault("a rejected plan", "P105", change("plan", ApprovalStatus="REJECTED")),
    Fault("a phase not named", "P106", say((", plan: phase2}", "}")), "two-phase", TWO),
    Fault("a phase not prescribed", "P107", say((PHASE_1, "")), "two-phase", TWO),
    Fault(
        "phases exchanged",
        "P101 P103 D501",
        say(("plan: phase1}", "plan: x}"), ("plan: phase2}", "plan: phase1}"), ("plan: x}", "plan: phase2}")),
        "two-phase",
        TWO,
    ),
    Fault("protons in an ordinary plan", "P108 D110", protons, trial=PERMITTED),
    Fault("another planning system", "P109", say(), trial={"permitted": {"planning_systems": ("Eclipse",)}}),
    Fault("a static technique", "P110", beams(BeamType="STATIC")),
    Fault("18 MV", "P111", control_points(NominalBeamEnergy=18)),
    Fault("no monitor units", "P112", no_monitor_units),
    Fault("a verification plan", "P113", change("plan", PlanIntent="VERIFICATION")),
    Fault("a plan before its scan", "P114", change("plan", RTPlanDate="20260101")),
    Fault(
        "planned feet first",
        "P115",
        lambda one: alter(one.edit("plan").PatientSetupSequence[0], {"PatientPosition": "FFS"}),
    ),
    # dose
    Fault("a relative dose", "D101 D401 D301", change("dose", DoseUnits="RELATIVE")),
    Fault("the dose of a beam", "D102", change("dose", DoseSummationType="BEAM")),
    Fault("a dose without scaling", "D103", change("dose", DoseGridScaling=0), manifest=PHANTOM),
    Fault("a difference of doses", "D104", change("dose", DoseType="ERROR"), manifest=PHANTOM),
    Fault(
        "a phase without its dose",
        "D106 D107",
        say((SUM, ""), ("    - {id: dose2, path: dose-phase2.dcm}\n", "")),
        "two-phase",
        TWO,
    ),
    Fault("no sum of the phases", "D107", say((SUM, "")), "two-phase", TWO),
    Fault(
        "two doses of a phase",
        "D108",
        both(twin("dose/phase1", "dose/old"), say((SUM, SUM + "    - {id: old, path: dose-old.dcm}\n"))),
        "two-phase",
        TWO,
    ),
    Fault("a dose beside the image", "D109", moved("dose", z=500), manifest=PHANTOM),
    Fault("effective dose of photons", "D110", change("dose", DoseType="EFFECTIVE")),
    Fault("the RBE is not stated", "D111", both(IONS, change("dose", DoseType="EFFECTIVE")), trial=PERMITTED),
    Fault(
        "another kind of sum", "D112", say(), "two-phase", TWO, {"permitted": {"dose_summations": ("PLAN",)}}
    ),
    Fault("no correction for heterogeneity", "D113", change("dose", TissueHeterogeneityCorrection="WATER")),
    Fault("planes unevenly spaced", "D203", uneven_planes),
    Fault("a coarse grid", "D204", planes("dose", slice(None, None, 2))),
    Fault("a grid that ends too early", "D205", planes("dose", slice(14, None))),
    Fault("an organ beyond the dose grid", "D415", planes("dose", slice(0, 53)), trial=NO_LIMITS),
    Fault(
        "relative limits of a boost whose line leaves out the first phase",
        "D301",
        say(),
        "two-phase",
        TWO,
        {"constraints": (Constraint("PTV_6000", "V95%[%]", ">=", mandatory=Decimal(95)),)},
    ),
    Fault("half the dose", "D501", scaled("dose", 0.5), trial=NO_LIMITS),
    Fault(
        "the lowest dose of an isotoxic range, but not the plan's",
        "D501 M217",
        both(scaled("dose", 0.85), say(("dose_gy: 60,", "dose_gy: {min: 50, max: 66},"))),
        trial=NO_LIMITS,
    ),
    Fault("another dose under the right reference", "D501", other_dose, "two-phase", TWO),
    Fault("a sum that lacks a phase", "D501", scaled("dose/sum", 0.7), "two-phase", TWO),
    Fault("a sum that holds all twice", "D501", scaled("dose/sum", 2), "two-phase", TWO),
    Fault("a maximum in the air", "D502", hot_corner),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_is_told_by_its_code(fault: Fault, tmp_path: Path) -> None:
    one = Submission(fault.variant, fault.manifest, dict(fault.trial))
    fault.plant(one)
    assert one.codes(tmp_path) == sorted(fault.codes.split())


@pytest.mark.parametrize(
    ("variant", "manifest"),
    [("single-phase", ONE), ("two-phase", TWO), ("single-phase", PHANTOM)],
    ids=["prostate", "two phases", "phantom"],
)
def test_the_clean_patient_gives_no_finding(
    variant: synthetic.Variant, manifest: str, tmp_path: Path
) -> None:
    assert Submission(variant, manifest).codes(tmp_path) == []


def test_the_corpus_is_large_and_its_names_are_distinct() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 60

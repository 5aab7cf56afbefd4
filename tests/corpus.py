"""A patient with identities at every place where exports hold them: what is planted, and how it is searched.

The strings are made up, distinct, and of a kind that no other text holds by chance. :func:`corpus` plants
them in CT, MR, PT, RTSTRUCT, RTPLAN, RT Ion Plan, RTDOSE and REG, in file names, and around the data sets.
"""

from __future__ import annotations

import functools
import io
import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import modalities
import pydicom
from ahocorasick_rs import BytesAhoCorasick
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from rttqa_build import synthetic
from rttqa_build.deidentify.table import read_keep_list
from rttqa_build.synthetic.elements import ROOT, dataset, uid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydicom.dataset import Dataset

    from rttqa_build.synthetic import SyntheticPatient

_ONSETS = ("Br", "Dr", "Fl", "Gr", "Kl", "Pr", "Sk", "Tr", "Vl", "Zw", "Qu", "Xh")
_MIDDLES = ("aum", "ezol", "ivack", "oxund", "uzib", "yfrem", "ajok", "ewydd", "ikuv", "oqual")
_ENDS = (
    "bix",
    "dorf",
    "gith",
    "kwen",
    "lund",
    "mox",
    "nyk",
    "pesh",
    "rav",
    "sutz",
    "tov",
    "vesk",
    "wyx",
    "zhun",
)


def word(number: int) -> str:
    """Return a word that no language has, a different one for every number."""
    rest, end = divmod(number, len(_ENDS))
    rest, middle = divmod(rest, len(_MIDDLES))
    more, onset = divmod(rest, len(_ONSETS))
    return _ONSETS[onset] + _MIDDLES[middle] + (_MIDDLES[more - 1] if more else "") + _ENDS[end]


@dataclass
class Corpus:
    """The patient, the planted strings with where they are, the encodings in which they are searched."""

    patient: SyntheticPatient
    planted: dict[str, str] = field(default_factory=dict)
    codecs: tuple[str, ...] = ("utf-8", "latin-1", "utf-16-le", "utf-16-be")
    behind: dict[str, bytes] = field(default_factory=dict)
    _words: Iterator[str] = field(default_factory=lambda: map(word, itertools.count()))
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(7310048113, 104729))

    def plant(self, text: str, where: str) -> str:
        """Note a string as planted; every word and number of it that is long enough is noted by itself."""
        for part in {text, *text.replace("^", " ").replace("=", " ").split()}:
            if len(part) > 7 or (len(part) > 1 and not part.isascii()):
                self.planted.setdefault(part, where)
        return text

    def word(self, where: str) -> str:
        return self.plant(next(self._words), where)

    def number(self, where: str) -> str:
        return self.plant(str(next(self._numbers)), where)

    def name(self, where: str) -> str:
        return self.plant(f"{next(self._words)}^{next(self._words)}", where)

    def value(self, vr: str, where: str) -> Any:
        """Return a planted value that a VR can hold."""
        if vr == "PN":
            return self.name(where)
        if vr == "UR":
            return f"http://{self.word(where).lower()}.example/"
        if vr in ("OB", "OW", "UN", "OF", "OL", "OD", "OV"):
            return (self.word(where) * 8).encode()
        return self.word(where)

    # --- searching -------------------------------------------------------------------------------------

    @functools.cached_property
    def needles(self) -> list[tuple[bytes, str]]:
        """Every planted string in every encoding, lower and upper case, and the root of all original UIDs."""
        found = {ROOT.encode(): "an original UID", ROOT.encode("utf-16-le"): "an original UID"}
        for text, where in self.planted.items():
            for form, codec in itertools.product({text, text.lower(), text.upper()}, self.codecs):
                found[form.encode(codec, "ignore")] = where
        return [pair for pair in found.items() if len(pair[0]) > 5 or not pair[0].isascii()]

    @functools.cached_property
    def _find(self) -> BytesAhoCorasick:
        return BytesAhoCorasick([needle for needle, _ in self.needles if len(needle) > 3])

    def found(self, data: bytes) -> set[tuple[str, bytes]]:
        """Return which planted strings stand in some bytes: where they came from, and what was found."""
        kept = [pair for pair in self.needles if len(pair[0]) > 3]
        return {
            (kept[i][1], kept[i][0]) for i, _, _ in self._find.find_matches_as_indexes(data, overlapping=True)
        }


# --- the identities that are harvested ---------------------------------------------------------------------


def identity(made: Corpus) -> synthetic.Identity:
    """Return an identity of planted strings for the synthetic patient."""
    name = functools.partial(made.name)
    return synthetic.Identity(
        name=name("PatientName") + f"^{made.word('middle name')}^Mr",
        birth_name=name("PatientBirthName"),
        mother=name("PatientMotherBirthName"),
        hospital_number=made.plant("J" + made.number("PatientID"), "PatientID"),
        referrer_number=made.plant("Q" + made.number("other PatientID"), "other PatientID"),
        nhs_number=made.plant("9990000018", "NHS number"),
        trial_office_number=made.plant(
            f"RT-2026-{made.number('trial office number')}", "trial office number"
        ),
        birth_date=made.plant("19510307", "PatientBirthDate"),
        address=", ".join(
            (f"17 {made.word('street')} Terrace", made.word("town"), made.plant("ZZ99 3VZ", "postcode"))
        ),
        phone=made.plant("01632 960417", "PatientTelephoneNumbers"),
        relative_phone=made.plant("07700 900417", "a relative's telephone"),
        accession=made.plant("RA" + made.number("AccessionNumber"), "AccessionNumber"),
        study_id=made.plant("S" + made.number("StudyID"), "StudyID"),
        oncologist=name("ReferringPhysicianName") + "^^Dr",
        physicist=name("OperatorsName, physicist"),
        planner=name("ContentCreatorName"),
        radiographer=name("OperatorsName, radiographer"),
        login=made.word("login").lower(),
        hospital=f"{made.word('InstitutionName')} Cancer Centre",
        hospital_address=f"{made.word('InstitutionAddress')} Lane, {made.word('hospital town')}, ZZ99 3WZ",
        referring_hospital=f"{made.word('referring hospital')} General",
        department=f"{made.word('InstitutionalDepartmentName')} Physics",
        station=made.word("StationName").upper(),
        scanner=made.word("StationName of the scanner").upper(),
        machine=f"LA_{made.word('TreatmentMachineName')}"[:16],
        serial=made.number("DeviceSerialNumber"),
        application_entity=made.word("SourceApplicationEntityTitle").upper()[:16],
    )


# elements beyond those of the synthetic patient that are harvested: keyword and kind
_FACTS = {
    "OtherPatientNames": "name", "ResponsiblePerson": "name", "MedicalRecordLocator": "number",
    "InsurancePlanIdentification": "number", "ServiceEpisodeID": "number",
    "PatientInstitutionResidence": "word",
    "PlacerOrderNumberImagingServiceRequest": "number",
    "FillerOrderNumberImagingServiceRequest": "number",
    "RegionOfResidence": "word", "RequestingPhysician": "name", "ConsultingPhysicianName": "name",
    "NameOfPhysiciansReadingStudy": "name", "NamesOfIntendedRecipientsOfResults": "name",
    "OrderEnteredBy": "name",
    "ScheduledPerformingPhysicianName": "name", "RequestingService": "word", "CurrentPatientLocation": "word",
    "PerformedStationName": "word", "PerformedLocation": "word", "ScheduledStationName": "word",
    "StationAETitle": "word", "RetrieveAETitle": "word", "GantryID": "number", "DetectorID": "number",
    "ReviewerName": "name", "VerifyingOrganization": "word", "PersonName": "name",
    "ReferringPhysicianTelephoneNumbers": "number", "PersonAddress": "word",
    "OrderCallbackPhoneNumber": "number", "IssuerOfPatientID": "word", "ClinicalTrialSiteName": "word",
}  # fmt: skip


def _harvested(made: Corpus) -> None:
    for number, (keyword, kind) in enumerate(_FACTS.items()):
        item = made.patient.objects[("ct/001", "plan", "dose", "structure_set")[number % 4]]
        setattr(item, keyword, getattr(made, kind)(keyword))
    alias = dataset(PatientID=made.number("OtherPatientIDsSequence"), IssuerOfPatientID=made.word("issuer"))
    made.patient.objects["ct/001"].OtherPatientIDsSequence.append(alias)
    person = dataset(
        CodeValue=made.word("code of a person"),
        CodingSchemeDesignator="99LOCAL",
        CodeMeaning=made.word("meaning"),
    )
    made.patient.objects["plan"].OperatorIdentificationSequence = [
        dataset(
            PersonIdentificationCodeSequence=[person], InstitutionName=made.word("institution of a person")
        )
    ]


# --- labels that stay unless they identify -----------------------------------------------------------------


def _labels(made: Corpus) -> None:
    """Write identities into the labels that are kept: of structures, beams, plan, registration, scans."""
    who, objects = made.patient.identity, made.patient.objects
    family, given, middle = who.name.split("^")[:3]
    spelt = [
        family, f"PTV {given}", f"{given[0]}. {family}", f"zz_{middle}", who.hospital_number, who.nhs_number,
        "999 000 0018", f"{who.accession} ptv", "07/03/1951", "born 7 March 1951", "19510307", who.phone,
        "+44 1632 960417", who.address.split(", ")[2], who.physicist.split("^")[0],
        f"by {who.planner.split('^')[0]}", who.hospital.split(" ", maxsplit=1)[0], who.station,
        f"{family.upper()}{given.upper()}", f"{family}_{given[0]}",
    ]  # fmt: skip
    for form in ("999 000 0018", "07/03/1951", "7 March 1951", "+44 1632 960417"):
        made.plant(form, "a label")
    for number, text in enumerate(spelt, start=101):
        _roi(objects["structure_set"], number, text, made)
    objects["plan"].BeamSequence[0].BeamName = f"{family[:12]} a"
    objects["plan"].BeamSequence[1].BeamName = who.physicist.split("^")[0][:16]
    objects["structure_set"].StructureSetLabel = who.hospital_number[:16]
    objects["registration"].ContentLabel = "REGISTRATION"
    objects["ct/001"].ProtocolName = f"Pelvis {family}"
    objects["ct/001"].ConvolutionKernel = who.radiographer.split("^")[0][:16]
    objects["mr/001"].SequenceName = who.study_id[:16]
    objects["pt/001"].ReconstructionMethod = who.oncologist.split("^")[0][:16]
    objects["dose"].SoftwareVersions = ["1.0", who.nhs_number]


def _roi(structures: Dataset, number: int, name: str, made: Corpus) -> None:
    frame = structures.StructureSetROISequence[0].ReferencedFrameOfReferenceUID
    structures.StructureSetROISequence.append(
        dataset(
            ROINumber=number,
            ReferencedFrameOfReferenceUID=frame,
            ROIName=name,
            ROIDescription=made.word("ROIDescription"),
            ROIGenerationAlgorithm="MANUAL",
        )
    )
    structures.RTROIObservationsSequence.append(
        dataset(
            ObservationNumber=number,
            ReferencedROINumber=number,
            ROIObservationLabel=made.word("ROIObservationLabel")[:16],
            RTROIInterpretedType="",
            ROIInterpreter=made.name("ROIInterpreter"),
        )
    )


# --- text that no rule needs to know -----------------------------------------------------------------------

_TEXT_VRS = frozenset(
    {"LO", "SH", "LT", "ST", "UT", "UC", "UR", "AE", "PN", "OB", "OW", "OF", "OL", "OD", "OV", "UN"}
)
# groups of commands, file meta information, directories, of pixels and of what describes them
_LEFT_OUT = frozenset({0x0000, 0x0002, 0x0004, 0x0028, 0x5400, 0x5600, 0x7FE0, 0xFFFC, 0xFFFE})


def texts() -> list[tuple[int, str, str]]:
    """Return tag, VR and keyword of every public element that holds text or bytes and is on no keep list."""
    kept = {line.tag for line in read_keep_list()}
    return [
        (tag, entry[0], entry[4])
        for tag, entry in sorted(DicomDictionary.items())
        if entry[0] in _TEXT_VRS and tag >> 16 not in _LEFT_OUT and tag not in kept and tag & 0xFFFF
    ]


def _flood(made: Corpus) -> None:
    """Plant in every public text element of the dictionary, shared out over the kinds, and in a beam."""
    objects = made.patient.objects
    keys = ("ct/001", "mr/001", "pt/001", "structure_set", "plan", "dose", "registration", "ion")
    beam = objects["plan"].BeamSequence[0]
    for number, (tag, vr, keyword) in enumerate(texts()):
        item = objects[keys[number % len(keys)]]
        if tag not in item:
            item.add_new(tag, vr, made.value(vr, keyword))
        if number % 5 == 0 and tag not in beam:
            beam.add_new(tag, vr, made.value(vr, f"BeamSequence.{keyword}"))


def _private(made: Corpus) -> None:
    """Plant in private elements, in private sequences within sequences, and behind UN."""
    for number, key in enumerate(
        ("ct/002", "mr/002", "structure_set", "plan", "dose", "registration", "ion")
    ):
        item = made.patient.objects[key]
        block = item.private_block(0x0041 + 2 * number, made.word("private creator"), create=True)
        for offset, vr in enumerate(("LO", "SH", "LT", "PN", "UT", "OB", "UN", "AE")):
            block.add_new(offset, vr, made.value(vr, f"private {vr}"))
        inner = dataset(
            PatientName=made.name("private sequence"), PatientComments=made.word("private sequence")
        )
        inner.private_block(0x0071, made.word("nested creator"), create=True).add_new(
            1, "LT", made.word("nested")
        )
        block.add_new(0x20, "SQ", [dataset(ReferencedSeriesSequence=[inner])])
        _behind_unknown(made, item, block.get_tag(0x30))
        _behind_unknown(made, item, Tag(0x00401012))


def _behind_unknown(made: Corpus, item: Dataset, tag: Any) -> None:
    """Hide a sequence with a name under UN, as an archive does that knows neither tag nor VR."""
    name = made.name("a sequence behind UN").encode()
    name += b" " * (len(name) % 2)
    element = b"\x10\0\x10\0" + len(name).to_bytes(4, "little") + name
    value = b"\xfe\xff\x00\xe0" + len(element).to_bytes(4, "little") + element
    item[tag] = RawDataElement(Tag(tag), "UN", len(value), value, 0, False, True)


def _curves_and_overlays(made: Corpus) -> None:
    for key in ("ct/001", "mr/001"):
        item = made.patient.objects[key]
        item.add_new(0x60000010, "US", 8)
        item.add_new(0x60000011, "US", 64)
        item.add_new(0x60000022, "LO", made.word("OverlayDescription"))
        item.add_new(0x60003000, "OW", (made.word("OverlayData") * 8).encode())
        item.add_new(0x60004000, "LT", made.word("OverlayComments"))
        item.add_new(0x50000022, "LO", made.word("CurveDescription"))
        item.add_new(0x50003000, "OW", (made.word("CurveData") * 8).encode())


def _uids(made: Corpus) -> None:
    """Plant UIDs where no link needs them, and inside text."""
    plan = made.patient.objects["plan"]
    plan.add_new(0x00083010, "UI", uid("irradiation event"))
    plan.add_new(0x00200200, "UI", uid("synchronisation"))
    plan.BeamSequence[0].add_new(0x00189999, "UI", uid("unlisted"))
    plan.RTPlanDescription = f"{made.word('RTPlanDescription')} {plan.SOPInstanceUID}"
    made.patient.objects["structure_set"].StructureSetROISequence[-1].ROIDescription = str(uid("in a text"))
    made.patient.objects["dose"].add_new(0x0040A124, "UI", uid("observation"))


def _files(made: Corpus) -> None:
    """Plant in folder and file names, in other files, and behind the data sets."""
    for ending in ("txt", "log", "xml", "bin"):
        folder, name = made.word("a folder's name"), made.word("a file's name")
        path = f"{folder} export/{name}-{made.number('a file name')}.{ending}"
        made.patient.extras[path] = f"{made.name('a text file')} {made.number('a text file')}\r\n".encode()
    made.behind["plan"] = bytes(16)
    made.behind["ct/002"] = b"\0" + f"{made.word('behind the data set')} ".encode() * 4


ALPHABETS = {
    "ISO_IR 100": ("Müßigänger^Jürgen", "latin-1"),
    "ISO_IR 192": ("Łukasiewiczówna^Żanetaż", "utf-8"),
    "ISO_IR 144": ("Люксембургова^Розалинда", "iso8859_5"),
    "ISO_IR 126": ("Διονυσίουλας^Σοφιανός", "iso8859_7"),
}


def corpus(charset: str = "ISO_IR 100", *, flood: bool = True) -> Corpus:
    """Return the patient with everything planted; his name is of the alphabet of ``charset``."""
    made = Corpus(patient=modalities.patient())
    who = replace(identity(made), character_set=charset)
    alias, codec = ALPHABETS[charset]
    made.codecs = (*dict.fromkeys((*made.codecs, codec)),)
    made.patient = modalities.patient(identity=who, clutter=True, form_for="EP-0123")
    family, given = made.plant(alias, f"OtherPatientNames in {charset}").split("^")
    for item in made.patient.objects.values():
        item.OtherPatientNames = alias
    _harvested(made)
    _labels(made)
    _roi(made.patient.objects["structure_set"], 91, family, made)
    _roi(made.patient.objects["structure_set"], 92, f"x {given} {family}", made)
    _private(made)
    _curves_and_overlays(made)
    _uids(made)
    _files(made)
    if flood:
        _flood(made)
    return made


def save(made: Corpus, folder: Path) -> SyntheticPatient:
    """Write the export; afterwards put some files into other encodings, and bytes around the data sets."""
    saved = synthetic.save(made.patient, folder)
    made.patient = saved
    for key, syntax in (("ct/003", "1.2.840.10008.1.2"), ("ct/004", "1.2.840.10008.1.2.1.99")):
        item = pydicom.dcmread(saved.paths[key])
        item.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
        out = io.BytesIO()
        item.save_as(out, implicit_vr=syntax.endswith("1.2"), little_endian=True, enforce_file_format=True)
        saved.paths[key].write_bytes(out.getvalue())
    for key, more in made.behind.items():
        path = saved.paths[key]
        data = path.read_bytes()
        preamble = made.name("preamble").encode().ljust(128, b"\0")
        path.write_bytes(preamble + data[128:] + more)
    return saved

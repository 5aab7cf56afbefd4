"""An invented patient, staff and hospital, and the attributes in which real systems store them.

Names are invented; the NHS number lies in the range kept for tests (999…), the telephone numbers in those
kept for drama, the postcodes are NHS pseudo-postcodes. So no value here can be a person's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rttqa_build.synthetic.elements import code, dataset, uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the synthetic patient is; names in DICOM's PN form, dates YYYYMMDD."""

    name: str = "HARGREAVES^Wilfred^Octavian^Mr"
    birth_name: str = "QUILLFEATHER^Wilfred"
    mother: str = "THISTLEDOWN^Euphemia"
    hospital_number: str = "J483920"
    referrer_number: str = "Q7719043"
    nhs_number: str = "9990000018"
    trial_office_number: str = "RT-2026-00417"
    birth_date: str = "19510307"
    address: str = "17 Quillmere Terrace, Ashby Wold, ZZ99 3VZ"
    phone: str = "01632 960417"
    relative_phone: str = "07700 900417"
    accession: str = "RA264091755"
    study_id: str = "S20260417"
    oncologist: str = "OKONJO-BRENNAN^Adaeze^^Dr"
    physicist: str = "WINTERBOURNE^Cuthbert"
    planner: str = "VASQUEZ-LINDQVIST^Marisol"
    radiographer: str = "PELLINGTON^Rosamund"
    login: str = "cwinterbourne"
    hospital: str = "St Ethelburga's Cancer Centre"
    hospital_address: str = "Gallowmere Lane, Ashby Wold, ZZ99 3WZ"
    referring_hospital: str = "Northshire General"
    department: str = "Ethelburga Radiotherapy Physics"
    station: str = "ETHELWS07"
    scanner: str = "ETHELCT01"
    machine: str = "LA7_ETHEL"
    serial: str = "771034826655"
    application_entity: str = "ETHEL_ARIA"
    character_set: str = "ISO_IR 100"

    @property
    def surname(self) -> str:
        """The family name as stored."""
        return self.name.split("^")[0]

    @property
    def in_text(self) -> str:
        """How staff write the patient's name in a comment."""
        return f"Mr {self.surname.title()}"

    @property
    def birthday(self) -> str:
        """The birth date as staff write it."""
        return f"{self.birth_date[6:]}/{self.birth_date[4:6]}/{self.birth_date[:4]}"

    @property
    def folder(self) -> str:
        """How a planning system names the patient's export folder."""
        return f"{self.surname}_{self.name.split('^')[1][:1]}"

    def planted(self) -> dict[str, tuple[str, ...]]:
        """Return every string that must not survive pseudonymisation, by class."""
        patient = (
            *_parts(self.name), self.surname.title(), *_parts(self.birth_name), *_parts(self.mother),
            self.hospital_number, self.referrer_number, self.nhs_number, self.trial_office_number,
            self.birth_date, self.birthday, *self.address.split(", "), self.phone, self.relative_phone,
            self.accession, self.study_id, self.folder,
        )  # fmt: skip
        staff = (self.oncologist, self.physicist, self.planner, self.radiographer)
        institution = (
            self.hospital, self.referring_hospital, *self.hospital_address.split(", "), self.department,
            self.station, self.scanner, self.machine, self.serial, self.application_entity,
        )  # fmt: skip
        return {
            "patient": tuple(dict.fromkeys(patient)),
            "staff": (*(part for name in staff for part in _parts(name)), self.login),
            "institution": tuple(dict.fromkeys(institution)),
        }


INVENTED = Identity()


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part for part in name.split("^") if len(part) > 3)


def _identifier(value: str, issuer: str) -> Dataset:
    return dataset(PatientID=value, IssuerOfPatientID=issuer, TypeOfPatientID="TEXT")


def patient_module(who: Identity) -> dict[str, Any]:
    """Return the Patient, Patient Study and Patient Identification attributes."""
    return {
        "SpecificCharacterSet": who.character_set,
        "PatientName": who.name,
        "PatientID": who.hospital_number,
        "IssuerOfPatientID": who.hospital,
        "PatientBirthDate": who.birth_date,
        "PatientBirthTime": "043000",
        "PatientSex": "M",
        "OtherPatientIDsSequence": [
            _identifier(who.nhs_number, "NHS"),
            _identifier(who.trial_office_number, who.department),
        ],
        "OtherPatientIDs": who.nhs_number,
        "OtherPatientNames": who.birth_name,
        "PatientBirthName": who.birth_name,
        "PatientMotherBirthName": who.mother,
        "PatientAge": "074Y",
        "PatientSize": "1.78",
        "PatientWeight": "83.5",
        "PatientAddress": who.address,
        "PatientTelephoneNumbers": who.phone,
        "Occupation": "Clockmaker",
        "PatientComments": f"{who.in_text}: mornings. Daughter {who.relative_phone}. NHS {who.nhs_number}",
        "AdditionalPatientHistory": f"{who.in_text}, born {who.birthday}, referred by {who.hospital}",
        "MedicalAlerts": f"Pacemaker checked for {who.surname}",
    }


def study_module(who: Identity, study: str, date: str, clock: str) -> dict[str, Any]:
    """Return the General Study attributes; ``study`` is the Study Instance UID."""
    return {
        "StudyInstanceUID": study,
        "StudyID": who.study_id,
        "StudyDate": date,
        "StudyTime": clock,
        "AccessionNumber": who.accession,
        "StudyDescription": "RT planning pelvis",
        "ReferringPhysicianName": who.oncologist,
        "ReferringPhysicianAddress": who.hospital_address,
        "ReferringPhysicianTelephoneNumbers": who.phone,
        "PhysiciansOfRecord": who.oncologist,
        "NameOfPhysiciansReadingStudy": who.oncologist,
        "AdmissionID": who.trial_office_number,
        "ReferencedStudySequence": [
            dataset(
                ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
                ReferencedSOPInstanceUID=uid(study, "referenced study"),
            )
        ],
    }


def equipment_module(who: Identity, station: str, maker: str, model: str) -> dict[str, Any]:
    """Return the General Equipment attributes and who worked at it."""
    return {
        "Manufacturer": maker,
        "ManufacturerModelName": model,
        "SoftwareVersions": "1.0",
        "InstitutionName": who.hospital,
        "InstitutionAddress": who.hospital_address,
        "InstitutionalDepartmentName": who.department,
        "StationName": station,
        "DeviceSerialNumber": who.serial,
        "OperatorsName": [who.radiographer, who.physicist],
        "PerformingPhysicianName": who.oncologist,
    }


def request_module(who: Identity) -> dict[str, Any]:
    """Return what a worklist leaves in a series: requested and performed procedure steps."""
    return {
        "RequestAttributesSequence": [
            dataset(
                AccessionNumber=who.accession,
                RequestedProcedureID=who.study_id,
                RequestedProcedureDescription=f"CT pelvis, {who.in_text}",
                ScheduledProcedureStepID=who.study_id,
                ScheduledProcedureStepDescription=f"Planning for {who.oncologist.split('^')[0]}",
                ScheduledProtocolCodeSequence=[code("RTCT", "99ETHEL", f"{who.department} pelvis")],
            )
        ],
        "PerformedProcedureStepID": who.study_id,
        "PerformedProcedureStepDescription": f"Pelvis, {who.surname}",
    }


def original_attributes(who: Identity) -> Dataset:
    """Return the item that an archive adds when it corrects a name: the old one (PS3.3 C.12.1.1.9.1)."""
    return dataset(
        ModifiedAttributesSequence=[dataset(PatientName=who.birth_name, PatientID=who.referrer_number)],
        AttributeModificationDateTime="20260127080000",
        ModifyingSystem=who.station,
        SourceOfPreviousValues=who.referring_hospital,
        ReasonForTheAttributeModification="CORRECT",
    )


def approval_module(who: Identity, status: str = "APPROVED") -> dict[str, Any]:
    """Return the Approval module (PS3.3 C.8.8.16)."""
    if status == "UNAPPROVED":
        return {"ApprovalStatus": status}
    return {
        "ApprovalStatus": status,
        "ReviewDate": "20260210",
        "ReviewTime": "161205",
        "ReviewerName": who.oncologist,
    }


def plant_planning_block(target: Dataset, who: Identity) -> None:
    """Add a private block as a treatment-management system writes it: XML about the plan, with names."""
    xml = (
        f'<?xml version="1.0" encoding="utf-8"?><ExtendedPlan><Patient id="{who.hospital_number}">'
        f"{who.surname}</Patient><User>{who.login}</User><Site>{who.hospital}</Site></ExtendedPlan>"
    ).encode()
    block = target.private_block(0x3253, "Synthetic Planning 3253", create=True)
    block.add_new(0x00, "OB", xml + b" " * (len(xml) % 2))
    block.add_new(0x01, "IS", str(len(xml)))
    block.add_new(0x02, "LO", "ExtendedPlan")


def plant_scanner_block(target: Dataset, who: Identity) -> None:
    """Add a private block as a scanner writes it: text, a name, a date, and a sequence that holds more."""
    block = target.private_block(0x0009, "SYNTHETIC_IDEN_01", create=True)
    block.add_new(0x02, "SH", who.scanner)
    block.add_new(0x03, "PN", who.name)
    block.add_new(0x04, "DA", who.birth_date)
    block.add_new(0x05, "UI", uid("private study"))
    inner = dataset(PatientID=who.hospital_number, OperatorsName=who.radiographer)
    inner.private_block(0x0011, "SYNTHETIC_INNER", create=True).add_new(0x01, "LT", f"for {who.in_text}")
    block.add_new(0x06, "SQ", [inner])


def plant_binary_header(target: Dataset, who: Identity) -> None:
    """Add a private binary header, the name in the midst of it, as MR scanners do."""
    header = b"SV10\x04\x03\x02\x01" + bytes(range(64)) + f"tPatientName={who.name}\0".encode() + bytes(33)
    block = target.private_block(0x0029, "SYNTHETIC CSA HEADER", create=True)
    block.add_new(0x10, "OB", header + bytes(len(header) % 2))

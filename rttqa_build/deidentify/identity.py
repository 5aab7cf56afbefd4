"""Original objects → the identities that must not survive in what leaves.

:func:`harvest` takes the elements of one original and gives its :class:`Harvest`; harvests of a source are
merged with ``|``. They are held in memory only: no ``repr`` shows a value, nothing here is serialised.
"""

from __future__ import annotations

import enum
import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.deidentify import dictionary
from rttqa_build.deidentify.charset import is_plain, with_terms
from rttqa_build.deidentify.dictionary import registered_uids
from rttqa_build.deidentify.reader import StreamError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rttqa_build.deidentify.elements import Leaf


class Who(enum.StrEnum):
    """Whose identity it is."""

    PATIENT = "patient"
    STAFF = "staff or institution"
    UID = "original UID"
    SOURCE = "source name"


class Kind(enum.StrEnum):
    """What sort of value it is, which decides how it may be spelt and how it is searched."""

    NAME = "name"
    NUMBER = "number"
    LABEL = "study or procedure number"
    BIRTH_DATE = "birth date"
    ADDRESS = "address"
    PHONE = "phone number"
    PLACE = "institution or station"
    UID = "UID"
    WORD = "word"


class Fact(NamedTuple):
    """One harvested value as it stood in the original, and the character sets under which it stood."""

    who: Who
    kind: Kind
    value: bytes
    charsets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return a text without the value."""
        return f"Fact({self.who}, {self.kind}, …)"


@dataclass(frozen=True, slots=True, repr=False)
class Harvest:
    """The identities of one or more originals."""

    facts: frozenset[Fact] = frozenset()

    def __or__(self, other: Harvest) -> Harvest:
        """Return the identities of both."""
        return Harvest(self.facts | other.facts)

    def __repr__(self) -> str:
        """Return a text without any value."""
        return f"Harvest({len(self.facts)} values)"


def merged(harvests: Iterable[Harvest]) -> Harvest:
    """Return the identities of all: what a source of many files holds."""
    return Harvest(frozenset().union(*(each.facts for each in harvests)))


# Every PN that is not listed here belongs to staff; every UI that is not structural is an original UID.
_KEYWORDS: Mapping[tuple[Who, Kind], str] = {
    (Who.PATIENT, Kind.NAME): """
        PatientName OtherPatientNames PatientBirthName PatientMotherBirthName ResponsiblePerson""",
    (Who.PATIENT, Kind.NUMBER): """
        PatientID OtherPatientIDs AccessionNumber MedicalRecordLocator InsurancePlanIdentification
        AdmissionID ServiceEpisodeID ResultsID InterpretationID PlacerOrderNumberImagingServiceRequest
        FillerOrderNumberImagingServiceRequest PlacerOrderNumberProcedure FillerOrderNumberProcedure
        ClinicalTrialSubjectID ClinicalTrialSubjectReadingID SpecimenIdentifier SpecimenAccessionNumber
        ContainerIdentifier PatientBirthDateInAlternativeCalendar""",
    (Who.PATIENT, Kind.LABEL): """
        StudyID RequestedProcedureID ScheduledProcedureStepID PerformedProcedureStepID
        WorklistLabel""",
    (Who.PATIENT, Kind.BIRTH_DATE): "PatientBirthDate",
    (Who.PATIENT, Kind.ADDRESS): "PatientAddress PatientTelecomInformation RegionOfResidence",
    (Who.PATIENT, Kind.PHONE): "PatientTelephoneNumbers",
    (Who.STAFF, Kind.ADDRESS): """
        InstitutionAddress PersonAddress ReferringPhysicianAddress PersonTelecomInformation
        OrderCallbackTelecomInformation""",
    (Who.STAFF, Kind.PHONE): """
        PersonTelephoneNumbers ReferringPhysicianTelephoneNumbers OrderCallbackPhoneNumber""",
    (Who.STAFF, Kind.PLACE): """
        InstitutionName InstitutionalDepartmentName StationName PerformedStationName ScheduledStationName
        PerformedStationAETitle ScheduledStationAETitle StationAETitle PerformedLocation
        RequestingService CurrentPatientLocation PatientInstitutionResidence IssuerOfPatientID
        ClinicalTrialSiteName ClinicalTrialSiteID VerifyingOrganization
        RetrieveAETitle SourceApplicationEntityTitle SendingApplicationEntityTitle
        ReceivingApplicationEntityTitle OrderEntererLocation ScheduledProcedureStepLocation""",
    (Who.STAFF, Kind.NUMBER): "DeviceSerialNumber GantryID PlateID CassetteID DetectorID",
}
# free text: looked into for what it calls a name or a number of the patient
_REMARKS = """
    PatientComments AdditionalPatientHistory StudyComments VisitComments ImageComments SpecialNeeds
    PatientState MedicalAlerts ReasonForStudy RequestedProcedureComments ImagingServiceRequestComments
    ReasonForTheRequestedProcedure CommentsOnThePerformedProcedureStep
    CommentsOnTheScheduledProcedureStep"""
_SPECIFIC_CHARACTER_SET = 0x00080005
_LONGEST = 4096  # bytes of one value: 1,024 characters of an address in UTF-8 (PS3.5 6.2, ST)
# sequences whose coded entries name a person or an institution (PS3.3 10.1, 10.9)
_PEOPLE = frozenset({0x00401101, 0x00080082, 0x00080083, 0x00081041})
_CODED = frozenset({0x00080100, 0x00080104, 0x00080119})
# name of the software that wrote the file, not of the object
_SOFTWARE_UIDS = frozenset({"ImplementationClassUID", "PrivateInformationCreatorUID"})
_STRUCTURAL = re.compile("SOPClass|TransferSyntax|CodingScheme|ContextUID|MappingResource|ContextGroup")


@functools.cache
def identifying_tags() -> Mapping[int, tuple[Who, Kind]]:
    """Return tag → whose and what, from the table of keywords; unknown keywords are left out."""
    tag_of = dictionary.tags()
    pairs = ((tag_of.get(word), what) for what, words in _KEYWORDS.items() for word in words.split())
    return {tag: what for tag, what in pairs if tag is not None}


@functools.cache
def remark_tags() -> frozenset[int]:
    """Return the tags of the attributes that hold free text on the patient."""
    return frozenset(tag for word in _REMARKS.split() if (tag := dictionary.tags().get(word)) is not None)


@functools.cache
def _structural_tags() -> frozenset[int]:
    return frozenset(
        tag
        for tag, entry in dictionary.entries().items()
        if entry[0] == "UI" and (_STRUCTURAL.search(entry[4]) or entry[4] in _SOFTWARE_UIDS)
    )


def harvest(leaves: Iterable[Leaf]) -> Harvest:
    """Return the identities in one original's elements (all depths, file meta information included).

    Raises :class:`StreamError` for one that is none: spelling it would take hours.
    """
    return Harvest(frozenset(_facts(leaves)))


@functools.lru_cache(1 << 14)  # a hostile file may hold any tag
def may_identify(tag: int, vr: str) -> bool:
    """Return whether :func:`harvest` has a use for elements of this tag and VR: most it need not be given."""
    if vr == "UI":
        return tag not in _structural_tags()
    known = identifying_tags(), _CODED, remark_tags()
    return vr == "PN" or tag == _SPECIFIC_CHARACTER_SET or any(tag in tags for tags in known)


def _facts(leaves: Iterable[Leaf]) -> Iterator[Fact]:
    tags, structural, remarks = identifying_tags(), _structural_tags(), remark_tags()
    charsets: tuple[str, ...] = ()
    for tag, vr, value, path in leaves:
        if vr == "UI":
            if tag not in structural:
                yield from _uids(value)
        elif tag == _SPECIFIC_CHARACTER_SET:
            charsets = with_terms(charsets, value)
        elif (what := tags.get(tag) or _by_surroundings(tag, vr, path)) and (text := value.rstrip(b"\0 ")):
            yield Fact(*what, _bounded(text), () if is_plain(text) else charsets)
        elif tag in remarks and value.strip(b"\0 "):
            yield from _told(value, charsets)


def _bounded(value: bytes) -> bytes:
    """Return a value whose spellings can be searched for, all of them."""
    if len(value) > _LONGEST and max(map(len, value.split(b"\\"))) > _LONGEST:
        raise StreamError("a name, number or address in it is longer than any can be")
    return value


def _told(value: bytes, charsets: tuple[str, ...]) -> Iterator[Fact]:
    """Yield what a free text calls a name or number of the patient: few exports hold any."""
    from rttqa_build.deidentify.remarks import births, told

    charsets = () if is_plain(value) else charsets
    names, numbers = told(value, charsets)
    yield from (Fact(Who.PATIENT, Kind.BIRTH_DATE, day.encode()) for day in births(value, charsets))
    yield from (Fact(Who.PATIENT, Kind.NAME, name.encode()) for name in names)
    yield from (Fact(Who.PATIENT, Kind.NUMBER, number.encode()) for number in numbers)


def _by_surroundings(tag: int, vr: str, path: tuple[int, ...]) -> tuple[Who, Kind] | None:
    """Every other person's name belongs to staff; so does a code that names a person or an institution."""
    if vr == "PN":
        return Who.STAFF, Kind.NAME
    if tag in _CODED and not _PEOPLE.isdisjoint(path):
        return Who.STAFF, Kind.PLACE
    return None


def _uids(value: bytes) -> Iterator[Fact]:
    for part in value.split(b"\\"):
        uid = part.strip(b"\0 ")
        if uid and uid not in registered_uids():
            yield Fact(Who.UID, Kind.UID, uid)


_NAME_UID = re.compile(r"(?<!\d)(?<!\d\.)\d+(?:\.\d+){3,}")
_NAME_DIGITS = re.compile(r"\d{6,}")
_NAME_WORD = re.compile(r"[^\W\d_]{4,}")


def harvest_names(paths: Iterable[str]) -> Harvest:
    """Return what folder and file names give away: UIDs, digit runs of six or more, words of four letters.

    Runs that are counters (``000123``) are no numbers; ordinary words are sorted out when the search is
    compiled. ``paths`` are relative to the source.
    """
    return Harvest(frozenset(fact for path in paths for fact in _named(path)))


def _named(path: str) -> Iterator[Fact]:
    for uid in _NAME_UID.findall(path):
        if uid.encode() not in registered_uids():
            yield Fact(Who.UID, Kind.UID, uid.encode())
    rest = _NAME_UID.sub(" ", path)
    for run in _NAME_DIGITS.findall(rest):
        if len(run.lstrip("0")) >= 4:
            yield Fact(Who.SOURCE, Kind.NUMBER, run.encode())
    for word in _NAME_WORD.findall(rest):
        yield Fact(Who.SOURCE, Kind.WORD, word.encode(errors="replace"))

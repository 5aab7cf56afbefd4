"""Identities × everything that leaves → findings that never show the value (spec: residue proof).

A :class:`Scanner` is compiled once per submission and used from several threads. Text is searched folded,
with the rule of each pattern; opaque binary for patterns of eight characters or more. Both searches run on
Aho-Corasick automata; the one over bytes releases the interpreter lock.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from typing import TYPE_CHECKING

from rttqa_build.deidentify.birth import birth_dates, birth_day
from rttqa_build.deidentify.charset import codecs, decoded, folded, is_plain, normalised, squeezed, with_terms
from rttqa_build.deidentify.dictionary import keyword
from rttqa_build.deidentify.elements import walk
from rttqa_build.deidentify.identity import Harvest, Kind, Who
from rttqa_build.deidentify.numerals import reads_as_text
from rttqa_build.deidentify.opaque import Opaque
from rttqa_build.deidentify.own import is_own, without_fields
from rttqa_build.deidentify.pattern import Pattern, Rule
from rttqa_build.deidentify.remarks import is_personal
from rttqa_build.deidentify.spelling import patterns, values
from rttqa_build.deidentify.surroundings import counts, in_digest, is_number, is_spaced, stands_alone
from rttqa_build.deidentify.terms import without_terms
from rttqa_build.diagnostic import Location, finding, ordered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from rttqa_build.deidentify.elements import Leaf, Stream
    from rttqa_build.diagnostic import Diagnostic

_TEXT_VRS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
# what a value of these VRs may consist of; deleting it must leave nothing, else the value is searched as text
_REPERTOIRE = {
    "DS": b"0123456789+-.eE\\ \0",
    "IS": b"0123456789+-\\ \0",
    "TM": b"0123456789.:\\ -\0",
    "AS": b"0123456789DWMY\\ \0",
    "DA": b"0123456789.\\ -\0",
    "DT": b"0123456789.+-\\ \0",
    "UI": b"0123456789.\\ \0",
}
HIDDEN = "[hidden]"
# where a text may be cut for hiding a part of it: never inside a UID or a number
_PARTS = re.compile(r"((?:[\s/,;:()^_\[\]='\"]|(?<=[^\W\d])[.-]|[.-](?=[^\W\d]))+)")
_SHORT_TEXT = 256  # the same labels recur in every slice and contour: what they hold is remembered
_SHORT_UID = 12  # shorter ones are searched only as a whole value: a version number looks the same
_CODES = {
    Kind.NAME: ("A100", "The patient's name, or part of it,"),
    Kind.NUMBER: ("A101", "A number of the patient"),
    Kind.LABEL: ("A101", "A study or procedure number of the patient"),
    Kind.BIRTH_DATE: ("A102", "The patient's date of birth"),
    Kind.ADDRESS: ("A103", "The patient's address"),
    Kind.PHONE: ("A103", "The patient's telephone number"),
}
_UID_RUN = re.compile(r"(?<![0-9])[0-9]+(?:\.\s?[0-9]+|\n\.[0-9]+){2,}")  # a line may end inside it
_BLANK = re.compile(r"\s")
_LETTER_OR_DIGIT, _PUNCTUATION, _NO_DIGITS = map(re.compile, (r"[^\W_]", r"[\W_]+", "[^0-9]+"))
_UID_PATTERN = Pattern("", "", Rule.VALUE, Who.UID, Kind.UID)
_BIRTH_PATTERN = Pattern("", "", Rule.DATE, Who.PATIENT, Kind.BIRTH_DATE)


class Scanner:
    """The compiled search for the identities of one submission.

    ``allowed`` is what manifest, settings and trial put into the package on purpose (trial ID, case, centre,
    contact): never residue, whether as a value or inside a text. ``kept_uids`` are original UIDs that stay
    on purpose (supplied benchmark cases).
    """

    def __init__(
        self, harvest: Harvest, allowed: Iterable[str] = (), kept_uids: Collection[str] = ()
    ) -> None:
        from ahocorasick_rs import AhoCorasick

        allowed = [text for text in allowed if text.strip()]
        found = patterns(harvest, allowed)
        uids = {f.value for f in harvest.facts if f.kind is Kind.UID} - {u.encode() for u in kept_uids}
        self._short = _unsearched(harvest, allowed)
        self._words = [p for p in found if p.rule not in (Rule.NUMBER, Rule.SPACED)]
        self._numbers = [p for p in found if p.rule is Rule.NUMBER]
        self._spaced = [p for p in found if p.rule is Rule.SPACED]
        self._allowed = sorted({folded(normalised(text)) for text in allowed} - {""})
        self._find_words = AhoCorasick([p.text for p in self._words] + self._allowed)
        self._find_numbers = AhoCorasick([p.text for p in self._numbers])
        self._find_spaced = AhoCorasick([p.text for p in self._spaced])
        self._uids = frozenset(uids)
        self._long_uids = frozenset(uid.decode("latin_1") for uid in uids if len(uid) >= _SHORT_UID)
        self._births = frozenset(
            day
            for f in harvest.facts
            if f.kind is Kind.BIRTH_DATE
            for v in values(f)
            if (day := birth_day(v))
        )
        self._opaque = Opaque(found, [uid for uid in uids if len(uid) >= _SHORT_UID], _codecs(harvest))
        # objects that name none, or another one, may hold names in these all the same
        self.charsets = tuple(sorted({charset for f in harvest.facts for charset in f.charsets}))
        self._cached_value = functools.lru_cache(1 << 16)(self._value_hits)
        self._cached_text = functools.lru_cache(1 << 16)(self._any_hit)
        self._cached_uids = functools.lru_cache(1 << 16)(self._uid_hits)

    def __repr__(self) -> str:
        """Return a text without any value."""
        return f"Scanner({len(self._words) + len(self._numbers)} patterns, {len(self._uids)} UIDs)"

    def limits(self) -> tuple[Diagnostic, ...]:
        """Return a finding for information when an identifier is too short to be searched for."""
        if not self._short:
            return ()
        those = "1 identifier of the originals is" if self._short == 1 else f"{self._short} identifiers are"
        return (finding("A107", f"{those} too short to be searched for."),)

    def identifies(self, text: str) -> bool:
        """Return whether a text that is to be kept holds any identity."""
        return self._cached_text(text) if len(text) <= _SHORT_TEXT else self._any_hit(text)

    def is_personal(self, label: str) -> bool:
        """Return whether a label holds any identity, or says itself that it is a person's."""
        return self.identifies(label) or is_personal(label.encode(), ())

    def _any_hit(self, text: str) -> bool:
        return any(self._text_hits(text))

    def masked(self, text: str) -> str:
        """Return a text for the submitter's own eyes with every part that names a person or place hidden.

        UIDs stay: a planning system names its files by them, and a person must be able to find a file.
        Bytes of a file's name that are no text in the system's encoding are shown as question marks.
        """
        text = text.encode(errors="replace").decode()
        if not self._personal(text):
            return text
        shown = "".join(HIDDEN if self._personal(part) else part for part in _PARTS.split(text))
        return HIDDEN if self._personal(shown) else shown

    def _personal(self, text: str) -> bool:
        return any(hit.who is not Who.UID for hit in self._text_hits(text))

    def scan_dicom(self, stream: Stream, role: str) -> tuple[Diagnostic, ...]:
        """Search every element of a finished object, and its preamble; ``role`` names it in the findings."""
        charsets: tuple[str, ...] = ()
        found = set(self._preamble(stream.data, role))
        for leaf in walk(stream):
            if leaf.tag == 0x00080005:
                charsets = with_terms(charsets, leaf.value)
            hits = self._leaf_hits(leaf, charsets)
            if hits and (rest := without_terms(leaf.tag, leaf.vr, leaf.value)) != leaf.value:
                hits = self._leaf_hits(leaf._replace(value=rest), charsets)
            if hits and not is_own(leaf):
                where = Location(role, item=keyword_path(leaf))
                found.update(_finding(hit, where, f"in {where.item} of {role}") for hit in hits)
        return ordered(found)

    def scan_text(self, text: str, where: Location, *, staff: bool = True) -> tuple[Diagnostic, ...]:
        """Search a text: a document's, a rendered PDF's, a file's that is about to be written into Git.

        Lines count as whole values. ``staff=False`` allows staff and institution (the trial says so).
        """
        hits = set(self._text_hits(text))
        return ordered(
            _finding(hit, where, "in this text") for hit in hits if staff or hit.who is not Who.STAFF
        )

    def scan_bytes(self, data: bytes, where: Location, *, staff: bool = True) -> tuple[Diagnostic, ...]:
        """Search a file of unknown or mixed content: as text in every reading, and as opaque binary.

        The names of the fields of our own files are no content.
        """
        hits = self._byte_hits(data)
        if hits and (rest := without_fields(data)) != data:
            hits = self._byte_hits(rest)
        return ordered(
            _finding(hit, where, "in this file") for hit in hits if staff or hit.who is not Who.STAFF
        )

    def _byte_hits(self, data: bytes) -> set[Pattern]:
        return {hit for text in decoded(data) for hit in self._text_hits(text)} | set(self._opaque.hits(data))

    def scan_opaque(self, data: bytes, where: Location) -> tuple[Diagnostic, ...]:
        """Search bytes that are no text (a picture's, say) for patterns of eight characters or more."""
        return ordered(_finding(hit, where, "in a binary part") for hit in self._opaque.hits(data))

    # --- one element -----------------------------------------------------------------------------------

    def _preamble(self, data: bytes, role: str) -> Iterator[Diagnostic]:
        if data[128:132] == b"DICM" and data[:128].strip(b"\0"):
            for hit in {*self._opaque.hits(data[:128]), *self._value_hits(data[:128], ())}:
                yield _finding(hit, Location(role, item="preamble"), f"in the preamble of {role}")

    def _leaf_hits(self, leaf: Leaf, charsets: tuple[str, ...]) -> Collection[Pattern]:
        vr, value = leaf.vr, leaf.value
        if vr in _TEXT_VRS:
            return self._text_value(value, charsets)
        if (repertoire := _REPERTOIRE.get(vr)) is None:
            return self._binary_hits(value, charsets)
        if value.translate(None, repertoire):
            return self._text_value(value, charsets)
        if vr == "UI":
            return self._cached_uids(value)
        return self._date_hits(value) if vr in ("DA", "DT") else ()

    def _binary_hits(self, value: bytes, charsets: tuple[str, ...]) -> Collection[Pattern]:
        """Search bytes of a binary VR; a short value that reads as text is searched as one."""
        if reads_as_text(value):
            return self._text_value(value, charsets)
        return frozenset(self._opaque.hits(value))

    def _text_value(self, value: bytes, charsets: tuple[str, ...]) -> frozenset[Pattern]:
        """Search a value; the same labels recur in every slice, so short values are remembered."""
        search = self._cached_value if len(value) <= _SHORT_TEXT else self._value_hits
        return search(value, () if is_plain(value) else (*charsets, *self.charsets))

    def _value_hits(self, value: bytes, charsets: tuple[str, ...]) -> frozenset[Pattern]:
        return frozenset(hit for text in decoded(value, charsets) for hit in self._text_hits(text))

    def _uid_hits(self, value: bytes) -> Collection[Pattern]:
        uids = [part.strip(b"\0 ") for part in value.split(b"\\")]
        if not self._uids.isdisjoint(uids):
            return (_UID_PATTERN,)
        derived = any(
            self._derived(uid.decode("ascii"))
            for uid in uids
            if not uid.startswith((b"2.25.", b"1.2.840.10008."))
        )
        return (_UID_PATTERN,) if derived else ()

    def _derived(self, run: str) -> bool:
        """Return whether a UID is an original one, or begins with an original one and a dot."""
        parts = run.split(".", 40)
        return any(".".join(parts[:n]) in self._long_uids for n in range(3, len(parts[:40]) + 1))

    def _date_hits(self, value: bytes) -> Collection[Pattern]:
        days = (birth_day(part) for part in value.decode("ascii").replace("\\", "-").split("-"))
        return (_BIRTH_PATTERN,) if self._births and not self._births.isdisjoint(days) else ()

    # --- one text --------------------------------------------------------------------------------------

    def _text_hits(self, text: str) -> Iterator[Pattern]:
        plain = normalised(text)
        low = folded(plain)
        matches = self._find_words.find_matches_as_indexes(low, overlapping=True)
        masked = sorted(
            (start, end)
            for index, start, end in matches
            if index >= len(self._words) and stands_alone(plain, start, end)
        )
        starts = [start for start, _ in masked]
        reach = list(itertools.accumulate((end for _, end in masked), max))
        for pattern, start, end in self._candidates(plain, low, matches):
            before = bisect.bisect(starts, start)
            ours = before > 0 and end <= reach[before - 1]
            if not ours and not in_digest(plain, start, end):
                yield pattern

    def _candidates(
        self, plain: str, low: str, matches: Iterable[tuple[int, int, int]]
    ) -> Iterator[tuple[Pattern, int, int]]:
        for index, start, end in matches:
            if index < len(self._words) and counts(self._words[index], plain, low, start, end):
                yield self._words[index], start, end
        yield from self._number_candidates(plain)
        yield from self._spaced_candidates(plain, low)
        yield from ((_BIRTH_PATTERN, start, end) for start, end in birth_dates(plain, self._births))
        if self._long_uids:
            for run in _UID_RUN.finditer(plain):
                if self._derived(_BLANK.sub("", run[0])):
                    yield _UID_PATTERN, run.start(), run.end()

    def _number_candidates(self, plain: str) -> Iterator[tuple[Pattern, int, int]]:
        """Search the digits of a text as one string, then look at what stood between them."""
        digits = _NO_DIGITS.sub("", plain) if self._numbers else ""
        found = (
            self._find_numbers.find_matches_as_indexes(digits, overlapping=True) if len(digits) > 4 else []
        )
        places = [match.start() for match in re.finditer("[0-9]", plain)] if found else []
        for index, first, stop in found:
            span = places[first:stop]
            if is_number(plain, span):
                yield self._numbers[index], span[0], span[-1] + 1

    def _spaced_candidates(self, plain: str, low: str) -> Iterator[tuple[Pattern, int, int]]:
        """Search the letters and digits of a text as one string, then look at what stood between them."""
        if not self._spaced:
            return
        found = self._find_spaced.find_matches_as_indexes(_PUNCTUATION.sub("", low), overlapping=True)
        places = [match.start() for match in _LETTER_OR_DIGIT.finditer(low)] if found else []
        for index, first, stop in found:
            span = places[first:stop]
            if is_spaced(self._spaced[index], plain, span):
                yield self._spaced[index], span[0], span[-1] + 1


def keyword_path(leaf: Leaf) -> str:
    """Return ``BeamSequence.BeamName``; private and unknown elements as ``(gggg,eeee)``."""
    return ".".join(keyword(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in (*leaf.path, leaf.tag))


def _finding(hit: Pattern, where: Location, place: str) -> Diagnostic:
    if hit.who is Who.UID:
        code, what = "A104", "A UID of the original objects"
    elif hit.who is Who.STAFF:
        article = "An" if hit.kind[0] in "aeiou" else "A"
        code, what = "A105", f"{article} {hit.kind} of staff or institution"
    elif hit.who is Who.SOURCE:
        code, what = "A106", f"A {hit.kind} from the names of the exported files"
    else:
        code, what = _CODES[hit.kind]
    return finding(code, f"{what} is still {place}.", where, subject=where.file)


def _unsearched(harvest: Harvest, allowed: list[str]) -> int:
    """Count the patient's numbers that are too short for any pattern."""
    ours = {squeezed(text) for text in allowed}
    numbers = (f for f in harvest.facts if f.who is Who.PATIENT and f.kind is Kind.NUMBER)
    return sum(
        any(squeezed(value) and squeezed(value) not in ours for value in values(fact))
        and not patterns(Harvest(frozenset({fact})), allowed)
        for fact in numbers
    )


def _codecs(harvest: Harvest) -> tuple[str, ...]:
    return tuple(sorted({c for f in harvest.facts for charset in f.charsets for c in codecs(charset)}))

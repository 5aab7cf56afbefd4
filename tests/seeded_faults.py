"""Faults that are put into the pseudonymisation, one at a time, and the test that must notice each."""

from __future__ import annotations

from typing import NamedTuple

_TESTS = "tests/deidentify/"
_CONFORMANCE = _TESTS + "test_conformance.py::"
_ROWS = _CONFORMANCE + "test_every_row_is_treated_as_the_standard_and_the_trial_say"
_NOTHING = _CONFORMANCE + "test_nothing_planted_is_left_anywhere_in_the_file"
_BEYOND = _CONFORMANCE + "test_beyond_the_table_the_representation_decides"
_META = _CONFORMANCE + "test_preamble_and_file_meta_information_are_ours"
_WILD = _CONFORMANCE + "test_curves_overlays_and_private_elements_go_at_every_level"
_RULES = _TESTS + "test_engine.py::test_rules"
_RELEASE = "tests/records/test_release.py::"


class Fault(NamedTuple):
    """What is wrong, in which module ``old`` is replaced by ``new``, and the test that fails then."""

    what: str
    module: str
    old: str
    new: str
    test: str


FAULTS = (
    Fault(
        "finds in binary data may be released, which nobody can look at",
        "finds",
        "leaf.vr not in _READABLE or ",
        "",
        _RELEASE + "test_which_elements_of_an_object",
    ),
    Fault(
        "finds in attributes that hold identities by definition may be released",
        "finds",
        " or leaf.tag in identifying_tags()",
        "",
        _RELEASE + "test_which_elements_of_an_object",
    ),
    Fault(
        "what the lines that are shown do not account for is released with them",
        "finds",
        'return {} if holds("\\n".join(rest)) else found',
        "return found",
        _RELEASE + "test_what_lines_do_not_account_for_is_not_released",
    ),
    Fault(
        "a row of the table is skipped: the birth date counts as any date",
        "policy",
        "for row in rows if row.number is not None",
        "for row in rows if row.number not in (None, 0x00100030)",
        _ROWS + "[00100030-PatientBirthDate]",
    ),
    Fault(
        "sequences are copied, not entered",
        "policy",
        'return {"SQ": Action.ENTER, "UI": Action.UID, "PN": Action.DUMMY}',
        'return {"SQ": Action.KEEP, "UI": Action.UID, "PN": Action.DUMMY}',
        _NOTHING,
    ),
    Fault(
        "a sequence that hides under UN is not entered",
        "reader",
        'if vr != "SQ":\n            return Element(tag, vr, start, value, stop, None)',
        "if vr:\n            return Element(tag, vr, start, value, stop, None)",
        _TESTS + "test_stream.py::test_unknown_vr_that_hides_a_sequence_is_entered",
    ),
    Fault(
        "dates stay as they are",
        "values",
        "shift(value, self.job.weeks) for value in values",
        "value for value in values",
        _ROWS + "[00080020-StudyDate]",
    ),
    Fault(
        "the offset is no whole number of weeks: weekdays change",
        "dates",
        "dt.timedelta(weeks=weeks)",
        "dt.timedelta(days=7 * weeks + 1)",
        _ROWS + "[00080020-StudyDate]",
    ),
    Fault(
        "date and time lose zone and fraction",
        "dates",
        "return digits[:precision].encode() + rest",
        "return digits[:precision].encode()",
        _ROWS + "[0008002A-AcquisitionDateTime]",
    ),
    Fault(
        "private elements are treated as public ones",
        "policy",
        "if tag >> 16 & 1 or not tag & 0xFFFF or any(row.covers(tag) for row in self.wildcards):",
        "if not tag & 0xFFFF:",
        _WILD,
    ),
    Fault(
        "person names beyond the table are kept",
        "policy",
        '"PN": Action.DUMMY}',
        '"PN": Action.FITTING}',
        _BEYOND,
    ),
    Fault(
        "free text beyond the table is kept unless it identifies",
        "policy",
        ".get(vr, Action.EMPTY)\n\n\n@functools.cache",
        ".get(vr, Action.CLEAN)\n\n\n@functools.cache",
        _BEYOND,
    ),
    Fault(
        "bulk data beyond the table, trailing padding among it, is kept",
        "policy",
        "        if vr in NUMERIC_VRS:\n",
        "        if vr in NUMERIC_VRS | BULK_VRS:\n",
        _BEYOND,
    ),
    Fault(
        "the file meta information keeps the original UID",
        "engine",
        "        writer.values.new_uids(_identity(stream, SOP_INSTANCE_UID)),\n",
        "        _identity(stream, SOP_INSTANCE_UID),\n",
        _META,
    ),
    Fault(
        "the preamble is kept",
        "engine",
        "[meta, *body]",
        "[stream.data[:128], meta[128:], *body]",
        _META,
    ),
    Fault(
        "descriptions of overlays (60xx) are kept",
        "policy",
        " or 0x6000 <= tag >> 16 <= 0x60FF",
        "",
        _WILD,
    ),
    Fault(
        "an overlay in unused bits of the pixels is let through",
        "engine",
        "    if _has_embedded_overlay(stream):",
        "    if False:",
        _TESTS + "test_engine.py::test_an_overlay_in_the_bits_of_the_pixels_is_refused",
    ),
    Fault(
        "a dropped structure keeps its contours",
        "rois",
        "    0x30060039: 0x30060084,\n",
        "",
        _TESTS + "test_engine.py::test_a_dropped_structure_leaves_every_module",
    ),
    Fault(
        "kept labels are not asked whether they identify",
        "values",
        "        if self._identifies(element):\n            return neutral",
        "        if False:\n            return neutral",
        _RULES,
    ),
    Fault(
        "code strings are not asked whether they identify",
        "values",
        'if element.vr == "CS" and self._identifies_code(',
        'if element.vr == "XX" and self._identifies_code(',
        _RULES,
    ),
    Fault(
        "a word that is a term of the standard somewhere is kept everywhere",
        "terms",
        "terms = _terms().get(tag, frozenset())",
        "terms = frozenset[bytes]().union(*_terms().values())",
        _TESTS + "test_terms.py::test_the_same_word_goes_from_where_it_is_no_term",
    ),
    Fault(
        "decimal strings that hold text are kept",
        "values",
        '        if not oddities.is_numeric(value):\n            return b""',
        '        if False:\n            return b""',
        _BEYOND,
    ),
    Fault(
        "codes of private schemes are kept",
        "values",
        'if scheme.strip(b"\\0 ") in PUBLIC_SCHEMES:',
        "if scheme:",
        _TESTS + "test_engine.py::test_codes_of_private_schemes_are_replaced",
    ),
    Fault(
        "of several UIDs in one element only the first is replaced",
        "values",
        'return encode.pad(b"\\\\".join(new), "UI")',
        'return encode.pad(b"\\\\".join([next(new), *value.split(b"\\\\")[1:]]), "UI")',
        _BEYOND,
    ),
    Fault(
        "registered UIDs are replaced",
        "values",
        "p if not p or p in self.job.registered else",
        "p if not p else",
        _TESTS + "test_conformance.py::test_beyond_the_table_the_representation_decides",
    ),
    Fault(
        "an RT object does not get a series of its own",
        "engine",
        "        if self.plan.series:",
        "        if False:",
        _TESTS + "test_engine.py::test_an_object_can_get_a_series_of_its_own",
    ),
    Fault(
        "the object does not say that the identity was removed",
        "marks",
        '0x00120062: ("CS", "YES")',
        '0x00120062: ("CS", "NO")',
        _TESTS + "test_marks.py::test_marks_are_read_back_in_every_encoding",
    ),
    Fault(
        "a final UID covers the object's own content only",
        "final",
        "for reached in reachable(uid, references)",
        "for reached in (uid,)",
        _TESTS + "test_final.py::test_a_change_reaches_all_that_refer_to_it_and_nothing_else",
    ),
    Fault(
        "an item that does not end is accepted",
        "reader",
        '        if delimited:\n            raise CutError("an item of undefined length does not end")\n',
        "",
        _TESTS + "test_cuts.py::test_an_item_that_does_not_end_within_its_sequence",
    ),
    Fault(
        "a sequence that does not end is accepted",
        "reader",
        '        if delimited:\n            raise CutError("a sequence of undefined length does not end")\n',
        "",
        _TESTS + "test_cuts.py::test_every_byte_of_a_nested_object",
    ),
    Fault(
        "a file without its last required elements is accepted",
        "stream",
        "    if ends_too_early(stream):",
        "    if False:",
        _TESTS + "test_cuts.py::test_every_cut_is_refused",
    ),
    Fault(
        "pixel data may have any length",
        "stream",
        "    _check_pixels(stream)\n",
        "",
        _TESTS + "test_stream.py::test_pixel_data_has_the_size_the_image_says",
    ),
    Fault(
        "the end of a sequence behind UN is written in the file's byte order",
        "encode",
        'encoding._replace(little=encoding.little or vr == "UN")',
        "encoding",
        "tests/test_fuzz.py::test_what_fuzzing_found",
    ),
    Fault(
        "names of staff are not harvested",
        "identity",
        '    if vr == "PN":\n        return Who.STAFF, Kind.NAME\n',
        "",
        _TESTS + "test_identity.py",
    ),
    Fault(
        "the residue scan leaves out bytes of unknown meaning",
        "residue",
        "            return self._binary_hits(value, charsets)\n",
        "            return frozenset()\n",
        _TESTS + "test_random_datasets.py::test_what_is_kept_unseen_is_searched",
    ),
    Fault(
        "the residue scan leaves out the preamble",
        "residue",
        "found = set(self._preamble(stream.data, role))",
        "found = set[Diagnostic]()",
        _TESTS + "test_residue.py",
    ),
)

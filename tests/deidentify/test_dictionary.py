"""PS3.6 as pydicom has it, without pydicom."""

from __future__ import annotations

import subprocess
import sys

from pydicom import datadict
from pydicom._uid_dict import UID_dictionary

from rttqa_build.deidentify import dictionary

REPEATING = [
    *(0x50000005, 0x50FE2000, 0x5002200A, 0x60000010, 0x60023000),
    *(0x00203100, 0x00204110, 0x10010010, 0x60010010),
]
NO_ATTRIBUTES = [0x00080000, 0x00091001, 0xFFFEE000, 0x12345678]


def test_every_row_is_pydicoms() -> None:
    for tag in (*dictionary.entries(), *REPEATING, *NO_ATTRIBUTES):
        assert dictionary.keyword(tag) == datadict.keyword_for_tag(tag)
        if tag in dictionary.entries():
            assert dictionary.entries()[tag][0] == datadict.dictionary_VR(tag)
    assert len(dictionary.entries()) > 5000
    assert all(datadict.tag_for_keyword(word) == tag for word, tag in dictionary.tags().items())
    assert dictionary.registered_uids() == {uid.encode() for uid in UID_dictionary}


def test_pydicom_is_not_loaded_for_it() -> None:
    program = (
        "import sys; from rttqa_build.deidentify import dictionary\n"
        "assert dictionary.keyword(0x00100010) == 'PatientName' and dictionary.registered_uids()\n"
        "assert 'pydicom' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

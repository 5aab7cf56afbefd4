from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from case_builder import manifest, trial

from rttqa_build.consistency import check

VALID: dict[str, Any] = {"purpose": "prospective-review", "patient": "EP-0123", "arm": "a", "revision": 1}
RULES: dict[str, Any] = {
    "purposes": ("prospective-review", "dummy-run"),
    "arms": ("a", "b"),
    "strata": ("high", "low"),
    "patient_id_pattern": r"^EP-\d{4}$",
    "patient_id_template": "EP-0123",
    "protocol_versions": ("1.0", "2.0"),
}


def codes(protocol: str = "2.0", **fields: Any) -> list[str]:
    base = manifest(protocol=protocol)
    one = replace(base, submission=replace(base.submission, **(VALID | fields)))
    found = check(one, trial(**RULES))
    assert all(d.message and d.hint and d.where.file == "manifest.yaml" for d in found)
    return [d.code for d in found]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"arm": ""}, []),
        ({"arm": "c"}, ["M220"]),
        ({"stratum": "middle"}, ["M220"]),
        ({"purpose": "data-collection"}, ["M220"]),
        ({"patient": "EP-12"}, ["M215"]),
        ({"patient": "XEP-0123"}, ["M215"]),
        ({"patient": "", "case": "7"}, []),
        ({"protocol": "3.0"}, ["M216"]),
        ({"protocol": ""}, ["M216"]),
    ],
)
def test_what_a_trial_lists(fields: dict[str, Any], expected: list[str]) -> None:
    assert codes(**fields) == expected

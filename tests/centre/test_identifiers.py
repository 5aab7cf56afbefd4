from __future__ import annotations

import pytest

from rttqa_build.centre.identifiers import identifiers
from rttqa_build.settings import IdentifierPattern
from rttqa_build.source import parse

HOSPITAL = (IdentifierPattern("hospital number", r"\b[A-Z]\d{6}\b"),)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Low-volume disease. No previous pelvic radiotherapy.", []),
        ("PSA 8.4, Gleason 3+4, T2b N0 M0; 60 Gy in 20 fractions over 28 days", []),
        ("NHS number 999 000 0018", ["M260"]),
        ("NHS 9990000018", ["M260"]),
        ("9990000019 is no valid NHS number", []),
        ("uid 1.2.9990000018.4", []),
        ("DOB 12/03/1949", ["M260"]),
        ("lives at AB1 2DE", ["M261"]),
        ("call 01632 960123", ["M261"]),
        ("ask jane@hospital.example", ["M261"]),
        ("ask rt.physics@example.org", []),
        ("seen by Dr Hargreaves", ["M261"]),
        ("Mrs O'Neill agreed", ["M261"]),
        ("the Dr wrote", []),
        ("MR scan, Mr 3T", []),
        ("ID H123456", ["M262"]),
    ],
)
def test_texts(text: str, codes: list[str]) -> None:
    document, _ = parse(f"clinical:\n  history: |\n    {text}\n".encode(), "m.yaml")
    assert document is not None
    found = identifiers(document, HOSPITAL, ["rt.physics@example.org", ""])
    assert [one.code for one in found] == codes
    for one in found:
        assert (one.where.line, one.where.item) == (2, "clinical.history")
        words = [word for word in text.split() if any(c.isdigit() for c in word) or word.istitle()]
        assert not any(word in one.message for word in words), "a finding shows a value"

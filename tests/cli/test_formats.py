"""Findings for other programs: valid by the rules of each format, whole, and without what stays local."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sarif_pydantic import Sarif

from rttqa_build.cli.formats import Format, Row, github, junit, sarif, to_json, written
from rttqa_build.diagnostic import Location, Related, finding

if TYPE_CHECKING:
    from cli_centre import Centre

FILE = "submissions/EP-0123/manifest.yaml"
TYPO = finding(
    "M104",
    "submission.arm must be one of: a, b",
    Location(FILE, 7, 8, "submission.arm"),
    hint="did you mean 'a'?",
)
NEEDED = finding(
    "M108",
    "arm a needs clinical.psa",
    Location(FILE, 28, 1, "clinical"),
    related=(Related(Location(FILE, 7, 8), "arm is set here"),),
)
LOCAL = finding("D204", "the dose grid is coarse", Location("dose:sum"), subject="sum", local="Plan Smith")
WAIVED = replace(LOCAL, waived="machine limit")
ROWS = [Row("EP-0123", (TYPO, NEEDED, LOCAL, WAIVED)), Row("EP-0124", ())]


@pytest.mark.parametrize("output", [f for f in Format if f is not Format.TEXT])
def test_nothing_local_is_written(output: Format) -> None:
    text = written(ROWS, output, "1.0")
    assert "Smith" not in text
    assert "Smith" in str(LOCAL.local)


@pytest.mark.parametrize("name", ["we ird, 100%name::é#?", "two\nlines", "no\udcffUTF-8", "control\x01"])
def test_odd_names_of_folders(name: str) -> None:
    where = Location(f"submissions/{name}/manifest.yaml", 7, 8)
    rows = [Row(name, (replace(TYPO, where=where), replace(LOCAL, waived="w")))]
    log: Any = sarif(rows, "1.0")
    (place,) = log["runs"][0]["results"][0]["locations"]
    uri = place["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"(?:[A-Za-z0-9_.~/-]|%[0-9A-F]{2})+", uri)  # RFC 3986
    assert unquote_to_bytes(uri) == where.file.encode("utf-8", "surrogateescape")
    (case,) = ET.fromstring(junit(rows).partition("?>")[2])  # noqa: S314  (our own output)
    assert case.attrib["name"].startswith(name[:2])
    assert json.loads(written(rows, Format.JSON, "1.0"))[0]["name"] == name
    assert len(github(rows).splitlines()) == 1


def test_sarif_is_a_valid_log() -> None:
    log: Any = sarif(ROWS, "1.0")
    Sarif.model_validate(json.loads(json.dumps(log)))
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["D204", "M104", "M108"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["locations"]
    assert [len(r.get("suppressions", [])) for r in run["results"]] == [0, 0, 0, 1]
    assert run["results"][1]["relatedLocations"][0]["message"]["text"] == "arm is set here"
    (logical,) = run["results"][2]["locations"][0]["logicalLocations"]
    assert logical == {"fullyQualifiedName": "EP-0123/dose:sum"}


def test_a_fingerprint_stands_over_lines_that_move() -> None:
    moved = replace(TYPO, where=replace(TYPO.where, line=9))
    other = replace(TYPO, where=replace(TYPO.where, item="submission.stratum"))
    logs: list[Any] = [sarif([Row("x", (one,))], "1") for one in (TYPO, moved, other)]
    first, second, third = (log["runs"][0]["results"][0]["partialFingerprints"] for log in logs)
    assert first == second != third


def test_github_commands() -> None:
    lines = github(ROWS).splitlines()
    assert lines[0] == (
        f"::error col=8,file={FILE},line=7,title=M104 value not allowed::"
        "submission.arm must be one of: a, b%0Adid you mean 'a'?"
    )
    assert len(lines) == 3  # what is waived is no annotation
    assert re.fullmatch(
        r"::(error|warning|notice) title=D204 [^:]*::EP-0123, dose:sum: the dose .*", lines[2]
    )


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=30))
def test_no_text_ends_a_github_command_early(text: str) -> None:
    odd = replace(TYPO, message=f"x{text}", hint="", where=Location(f"a{text}", 1, 1))
    (line,) = github([Row("x", (odd,))]).split("\n")
    properties, _, message = line.removeprefix("::error ").partition("::")
    unescaped = {"%25": "%", "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}
    back = re.sub("%(25|0D|0A|3A|2C)", lambda match: unescaped[match[0]], message)
    assert back == f"x{text}"
    assert dict(part.split("=", 1) for part in properties.split(",")).keys() == {
        "col",
        "file",
        "line",
        "title",
    }


def test_junit() -> None:
    suite = ET.fromstring(junit(ROWS))  # noqa: S314  (our own output)
    assert (suite.tag, suite.get("tests"), suite.get("failures")) == ("testsuite", "2", "1")
    first, second = suite.findall("testcase")
    failure = first.find("failure")
    assert failure is not None
    assert failure.text is not None
    assert "M104" in failure.text
    assert "waived[D204]" in (first.findtext("system-out") or "")
    assert (second.get("name"), list(second)) == ("EP-0124", [])


def test_json_tells_related_places() -> None:
    assert to_json(NEEDED)["related"] == [{"file": FILE, "line": 7, "column": 8, "note": "arm is set here"}]


@pytest.mark.parametrize("output", ["github", "sarif", "junit", "json"])
def test_verbs_write_them(output: str, centre: Centre) -> None:
    centre.edit("purpose: dummy-run", "purpose: dummyrun")
    ran = centre.call("check", "--format", output)
    assert ran.code == 1
    assert "M104" in ran.out
    if output == "sarif":
        Sarif.model_validate_json(ran.out)

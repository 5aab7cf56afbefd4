"""Findings → the formats that other programs read: GitHub's annotations, SARIF 2.1.0, JUnit's XML, JSON.

Each is a pure function from the findings of several submissions to text. ``local`` values and waivers' names
for patients' structures never appear: these formats end up on servers.
"""

from __future__ import annotations

import hashlib
import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from rttqa_build.codes import CATALOGUE
from rttqa_build.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rttqa_build.diagnostic import Diagnostic, Location

NAME = "rttqa-build"
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_GITHUB_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"


class Plain(StrEnum):
    """How a verb that has no findings writes what it tells."""

    TEXT = "text"
    JSON = "json"


class Layout(StrEnum):
    """How histograms are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Row(NamedTuple):
    """One submission, or one package: its name, its findings, and what else the verb tells of it."""

    name: str
    findings: tuple[Diagnostic, ...]
    facts: Mapping[str, object] = {}


def written(rows: Sequence[Row], output: Format, version: str) -> str:
    """Return the findings in a format for programs."""
    if output is Format.GITHUB:
        return github(rows)
    if output is Format.SARIF:
        return json.dumps(sarif(rows, version), indent=2, ensure_ascii=True)
    if output is Format.JUNIT:
        return junit(rows)
    return as_json(rows)


# --- JSON --------------------------------------------------------------------------------------------------


def as_json(rows: Iterable[Row]) -> str:
    """Return one object per submission; ASCII only, so that any console and any pipe carries it."""
    data = [
        {"name": row.name, **row.facts, "findings": [to_json(found) for found in row.findings]}
        for row in rows
    ]
    return json.dumps(data, indent=2, ensure_ascii=True)


def to_json(found: Diagnostic) -> dict[str, object]:
    """Return a finding as JSON data, without what is only for the terminal."""
    return {
        "code": found.code,
        "severity": found.severity.value,
        "message": found.message,
        "hint": found.hint,
        "file": found.where.file,
        "line": found.where.line,
        "column": found.where.column,
        "item": found.where.item,
        "subject": found.subject,
        "waived": found.waived,
        "related": [
            {"file": one.where.file, "line": one.where.line, "column": one.where.column, "note": one.note}
            for one in found.related
        ],
    }


# --- GitHub ------------------------------------------------------------------------------------------------


def github(rows: Iterable[Row]) -> str:
    """Return workflow commands, which GitHub shows beside the lines; without what is waived."""
    return "\n".join(_command(row.name, found) for row in rows for found in row.findings if not found.waived)


def _command(name: str, found: Diagnostic) -> str:
    where = found.where
    properties = {"title": f"{found.code} {CATALOGUE[found.code].title}"}
    if where.line:
        properties |= {"file": where.file, "line": str(where.line), "col": str(where.column or 1)}
    told = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in sorted(properties.items()))
    text = f"{found.message}\n{found.hint}" if found.hint else found.message
    prefix = "" if where.line else f"{name}, {where.file}: " if where.file else f"{name}: "
    return f"::{_GITHUB_COMMANDS[found.severity]} {told}::{_escaped(prefix + text)}"


def _escaped(text: str, more: str = "") -> str:
    """Return text in which nothing ends the command or its property early."""
    return "".join(f"%{ord(c):02X}" if c in f"%\r\n{more}" else c for c in text)


# --- SARIF -------------------------------------------------------------------------------------------------


def sarif(rows: Iterable[Row], version: str) -> dict[str, object]:
    """Return a SARIF 2.1.0 log of one run (OASIS standard); its rules are those that found something."""
    findings = [(row.name, found) for row in rows for found in row.findings]
    rules = sorted({found.code for _, found in findings})
    driver = {
        "name": NAME,
        "semanticVersion": version,
        "rules": [_rule(code) for code in rules],
    }
    results = [_result(name, found, rules.index(found.code)) for name, found in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, object]:
    entry = CATALOGUE[code]
    return {
        "id": code,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": f"{entry.meaning} {entry.why}".strip()},
        "help": {"text": entry.mend or entry.meaning},
        "defaultConfiguration": {"level": _SARIF_LEVELS[Severity(entry.severity)]},
    }


def _result(name: str, found: Diagnostic, rule: int) -> dict[str, object]:
    text = f"{found.message} ({found.hint})" if found.hint else found.message
    result: dict[str, object] = {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": _SARIF_LEVELS[found.severity],
        "message": {"text": text},
        "locations": [_location(name, found.where)],
        "partialFingerprints": {"rttqaFinding/v1": _fingerprint(name, found)},
    }
    if found.related:
        result["relatedLocations"] = [
            {**_location(name, one.where), "message": {"text": one.note}} for one in found.related
        ]
    if found.waived:
        result["suppressions"] = [{"kind": "inSource", "justification": found.waived}]
    return result


def _location(name: str, where: Location) -> dict[str, object]:
    """Return a place in a file, or else the submission and the object that it is about."""
    if where.line:
        region = {"startLine": where.line, "startColumn": where.column or 1}
        uri = quote(where.file, errors="surrogateescape")  # a name that is no UTF-8 comes as surrogates
        return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
    return {"logicalLocations": [{"fullyQualifiedName": "/".join(filter(None, (name, where.file)))}]}


def _fingerprint(name: str, found: Diagnostic) -> str:
    """Return what tells a finding from others though lines are added above it."""
    parts = (name, found.code, found.where.file, found.where.item, found.subject)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


# --- JUnit -------------------------------------------------------------------------------------------------


def junit(rows: Sequence[Row]) -> str:
    """Return a test suite with a case per submission: its errors are failures, the rest is its output."""
    from xml.etree import ElementTree as ET

    failing = sum(any(found.fatal for found in row.findings) for row in rows)
    suite = ET.Element("testsuite", name=NAME, tests=str(len(rows)), failures=str(failing), errors="0")
    for row in rows:
        case = ET.SubElement(suite, "testcase", classname=NAME, name=_xml(row.name))
        fatal = [found for found in row.findings if found.fatal]
        other = [found for found in row.findings if not found.fatal]
        if fatal:
            failure = ET.SubElement(case, "failure", message=f"{len(fatal)} of {len(row.findings)} findings")
            failure.text = _xml("\n".join(map(_line, fatal)))
        if other:
            ET.SubElement(case, "system-out").text = _xml("\n".join(map(_line, other)))
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _xml(text: str) -> str:
    """Return text without the characters that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


def _line(found: Diagnostic) -> str:
    place = f"{found.where}: " if found.where.file else ""
    severity = "waived" if found.waived else found.severity.value
    return f"{place}{severity}[{found.code}] {found.message}"

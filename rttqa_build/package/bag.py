"""Digests of the payload in, the files that make it a BagIt bag out (RFC 8493, SHA-256)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
PROVENANCE = "provenance.json"


class Record(NamedTuple):
    """SHA-256 (hex) and size in bytes of one payload file."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class BagInfo:
    """Who sends the bag, and what it is: nothing that depends on the day or the computer."""

    identifier: str
    description: str
    organisation: str
    contact_name: str
    contact_email: str


def manifest(payload: Mapping[str, Record]) -> bytes:
    """Return ``manifest-sha256.txt`` for the payload: path inside the bag → record."""
    return _digest_lines({path: record.sha256 for path, record in payload.items()})


def content_digest(payload: Mapping[str, Record]) -> str:
    """Return what the lock and the approvals stand for: the SHA-256 of the payload's manifest."""
    return hashlib.sha256(manifest(payload)).hexdigest()


def tag_files(payload: Mapping[str, Record], info: BagInfo, provenance: bytes) -> dict[str, bytes]:
    """Return every file beside the payload: path inside the bag → content, sorted by path."""
    files = {
        "bag-info.txt": _bag_info(payload, info),
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        MANIFEST: manifest(payload),
        PROVENANCE: provenance,
    }
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    return {**files, TAG_MANIFEST: _digest_lines(digests)}


def _digest_lines(digests: Mapping[str, str]) -> bytes:
    return "".join(f"{digests[path]}  {path}\n" for path in sorted(digests, key=str.encode)).encode()


def _bag_info(payload: Mapping[str, Record], info: BagInfo) -> bytes:
    octets = sum(record.size for record in payload.values())
    fields = {
        "Source-Organization": info.organisation,
        "Contact-Name": info.contact_name,
        "Contact-Email": info.contact_email,
        "External-Identifier": info.identifier,
        "External-Description": info.description,
        "Payload-Oxum": f"{octets}.{len(payload)}",
    }
    return "".join(f"{label}: {_one_line(value)}\n" for label, value in fields.items()).encode()


def _one_line(value: str) -> str:
    """Return ``value`` without line breaks, which would start a new field (RFC 8493 2.2.2)."""
    return " ".join(value.split())

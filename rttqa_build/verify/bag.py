"""The files of a package → what keeps it from being a complete BagIt bag (RFC 8493)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.verify.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rttqa_build.verify.container import Container
    from rttqa_build.verify.member import Content

_MANIFEST, _TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
_PROVENANCE = "provenance.json"
_DECLARATION = re.compile(rb"BagIt-Version: 1\.0\r?\nTag-File-Character-Encoding: UTF-8(\r?\n)?")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}\.zip")
_LINE = re.compile(r"([0-9a-f]{64})[ \t]+\*?(\S.*)")
_OXUM = re.compile(rb"(?mi)^Payload-Oxum:[ \t]*(\d{1,18})\.(\d{1,9})[ \t]*\r?$")


class Bag(NamedTuple):
    """The content digest, empty when there is no manifest, and the faults."""

    content_digest: str
    faults: tuple[Fault, ...]


def check(container: Container, contents: Mapping[str, Content]) -> Bag:
    """Hold the manifests against the archive's entries; ``contents``: those that could be read, by path."""
    if not container.entries:
        return Bag("", ())
    manifest = contents.get(_MANIFEST)
    digest = manifest.sha256 if manifest else ""
    payload = [*_manifest_faults(container, contents, _MANIFEST, payload=True)]
    faults = (
        *_declaration(contents),
        *payload,
        *_oxum(container, contents, complete=not payload),
        *_manifest_faults(container, contents, _TAG_MANIFEST, payload=False),
        *_provenance(contents, digest),
    )
    return Bag(digest, faults)


def _declaration(contents: Mapping[str, Content]) -> Iterator[Fault]:
    content = contents.get("bagit.txt")
    if content is None or not _DECLARATION.fullmatch(content.data):
        yield Fault("K030", "The bag's declaration is missing or malformed.", "bagit.txt")


def _manifest_faults(
    container: Container, contents: Mapping[str, Content], name: str, *, payload: bool
) -> Iterator[Fault]:
    """Compare one manifest with the entries that it must list: the payload, or the files beside it."""
    listed = _parse(contents[name].data) if name in contents else None
    if listed is None:
        yield Fault("K030", "A manifest is missing or malformed.", name)
        return
    shown = {
        entry.path: entry.shown
        for entry in container.entries
        if entry.path not in {"", _TAG_MANIFEST} and entry.path.startswith("data/") == payload
    }
    for path in sorted(shown.keys() - listed.keys()):
        if payload:
            yield Fault("K031", "A file of the payload is not in the bag's manifest.", shown[path])
        else:
            yield Fault("K035", "A file beside the payload is not in the tag manifest.", shown[path])
    missing = len(listed.keys() - shown.keys())
    if missing and payload:
        yield Fault("K032", f"The bag's manifest lists {missing} files that are not there.", name)
    elif missing:
        yield Fault("K035", f"The tag manifest lists {missing} files that are not there.", name)
    for path in sorted(shown.keys() & listed.keys() & contents.keys()):
        if contents[path].sha256 not in {"", listed[path]}:
            yield Fault("K033", "A file's SHA-256 is not the manifest's.", shown[path])


def _parse(data: bytes) -> dict[str, str] | None:
    """Return path → digest, or None when a line is malformed or a path stands twice (RFC 8493 2.1.3)."""
    try:
        lines = data.decode().splitlines()
    except UnicodeDecodeError:
        return None
    matches = [_LINE.fullmatch(line) for line in lines]
    listed = {_decoded(match[2]): match[1] for match in matches if match}
    return listed if len(listed) == len(lines) else None


def _decoded(path: str) -> str:
    return path.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def _oxum(container: Container, contents: Mapping[str, Content], *, complete: bool) -> Iterator[Fault]:
    """Compare Payload-Oxum with the payload, unless a manifest has already said that files are missing."""
    info = contents.get("bag-info.txt")
    said = _OXUM.findall(info.data) if info else []
    if len(said) != 1:
        yield Fault(
            "K030", "The bag's metadata are missing, or do not hold one Payload-Oxum.", "bag-info.txt"
        )
        return
    sizes = [entry.info.file_size for entry in container.entries if entry.path.startswith("data/")]
    if complete and (int(said[0][0]), int(said[0][1])) != (sum(sizes), len(sizes)):
        yield Fault("K034", "The payload is not as large as the bag's metadata say.", "bag-info.txt")


def _provenance(contents: Mapping[str, Content], digest: str) -> Iterator[Fault]:
    content = contents.get(_PROVENANCE)
    if content is None or digest not in _subjects(content.data):
        yield Fault(
            "K036", "The statement of provenance is missing, or is about another payload.", _PROVENANCE
        )


class Supplemented(NamedTuple):
    """What a supplement says of what was sent before it: the last package, UIDs of RT objects, images."""

    package: str = ""
    uids: frozenset[str] = frozenset()
    images: int = 0


def supplemented(contents: Mapping[str, Content]) -> Supplemented:
    """Return what the statement of provenance says was sent before; nothing where it says nothing sound."""
    content = contents.get(_PROVENANCE)
    try:
        said = json.loads(content.data if content else b"")["predicate"]["supplements"]
        package, uids, images = said["package"], said["objects"], said["images"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return Supplemented()
    sound = isinstance(uids, list) and all(isinstance(uid, str) for uid in uids)
    if not (sound and isinstance(images, int) and isinstance(package, str) and _NAME.fullmatch(package)):
        return Supplemented()
    return Supplemented(package, frozenset(uids), images)


def _subjects(data: bytes) -> list[str]:
    """Return the SHA-256 of each subject of an in-toto Statement; none when it is no such statement."""
    try:
        statement = json.loads(data)
        return [subject["digest"]["sha256"] for subject in statement["subject"]]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []

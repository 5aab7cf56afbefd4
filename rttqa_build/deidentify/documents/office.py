"""DOCX and XLSX (ECMA-376) → the same document without authorship, paths, links; all its text, hidden too.

A part stays, goes, or makes the document refused, by the type of the relationship that leads to it.
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import re
import zipfile
import zlib
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from rttqa_build.deidentify.documents import cells, tables
from rttqa_build.deidentify.documents.markup import Rules, local, rewrite
from rttqa_build.deidentify.documents.pictures import strip_jpeg, strip_png
from rttqa_build.deidentify.documents.scrubbed import LARGEST_UNPACKED, Content, RefusedError
from rttqa_build.deidentify.documents.serials import chart_dates, date_styles, dates

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

_TYPES = "[Content_Types].xml"
_MOST_PARTS = 5000
_HIGHEST_RATIO = 200  # from 1 MiB on
_DROPPED = frozenset(
    {
        "printerSettings",
        "thumbnail",
        "customXml",
        "attachedTemplate",
        "revisionHeaders",
        "usernames",
        "recipientData",
    }
)
_EMBEDDED = frozenset({"oleObject", "package", "control", "activeXControlBinary", "aFChunk", "ctrlProp"})
_MACRO_SHEETS = frozenset({"xlMacrosheet", "xlIntlMacrosheet"})  # macros of Excel 4
_ACTIVE = frozenset(
    {"connections", "queryTable", "subDocument", "webextension", "taskpane", "model", "frame"}
)
_PROPERTIES: Mapping[str, tuple[str, str]] = {
    "core-properties": (
        "cp:coreProperties",
        ' xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"',
    ),
    "extended-properties": (
        "Properties",
        ' xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"',
    ),
    "custom-properties": (
        "Properties",
        ' xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"',
    ),
}
_AUTHORS = {
    "author": "Author",
    "initials": "A",
    "userId": "Author",
    "providerId": "None",
    "userName": "Author",
}
_DROPPED_ELEMENTS = frozenset({"absPath", "fileSharing", "attachedTemplate", "mailMerge", "rsids", "fldData"})
_PATH = re.compile(r"(?i)^(?:file:|[a-z]:[\\/]|\\\\|/(?:home|users|mnt)/)")
_PICTURES: Mapping[str, Callable[[bytes], bytes]] = {"png": strip_png, "jpg": strip_jpeg, "jpeg": strip_jpeg}
_OTHER_PICTURES = frozenset({"gif", "bmp", "tif", "tiff", "emf", "wmf", "wdp"})
_FONTS = frozenset({"odttf", "fntdata", "ttf"})
_TOGETHER = (b"sst", b"tbl|sheetData", b"numCache|numLit|numDim")
REMOVED = "removed"


class _Link(NamedTuple):
    """One relationship: the part it starts from, its id, the last word of its type, and where it leads.

    It leads to a part of the document (``target``) or outside of it (``outside``).
    """

    source: str
    id: str
    type: str
    target: str
    outside: str


def scrub_office(
    data: bytes, rezip: Callable[[list[tuple[str, bytes]]], bytes], allowed_macros: Collection[str]
) -> Content:
    """Return the cleaned document; raise :class:`RefusedError` for what must not leave."""
    parts = _unzip(data)
    links = [link for name in parts if name.endswith(".rels") for link in _links(name, parts[name])]
    _refuse_active(links, parts, allowed_macros)
    dropped = _dropped(links)
    by_source: dict[str, list[_Link]] = {}
    for link in links:
        by_source.setdefault(link.source, []).append(link)
    properties = {_key(link.target): link.type for link in links if link.type in _PROPERTIES}
    styles = date_styles(parts.get("xl/styles.xml", b""))
    content = _Parts([], ["\n".join(parts)], [], [])
    for name, part in parts.items():
        if _key(name) in properties:
            content.members.append((name, _empty_properties(properties[_key(name)])))
        elif _key(name) not in dropped:
            content.add(name, part, _rules(name, by_source, dropped, styles))
    content.texts.extend(_together(content.members))
    unread = "The document holds a picture" if content.pictures else ""
    return Content(rezip(content.members), tuple(content.texts), tuple(content.opaque), unread)


def _key(name: str) -> str:
    """Return a part's name as it is compared (ISO 29500-2, 6.2.2.3): without case and escapes."""
    return unquote(name).casefold()


def _dropped(links: list[_Link]) -> set[str]:
    """Return the keys of the parts that go, with all that only they lead to, and of their relationships."""
    ways = [(_key(link.source), _key(link.target), link.type in _DROPPED) for link in links]
    parts = {target for _, target, dropped in ways if dropped and target}
    keeping = Counter(target for _, target, dropped in ways if not dropped)
    below: dict[str, list[str]] = {}
    for source, target, dropped in ways:
        if target and not dropped:
            below.setdefault(source, []).append(target)
    waiting = list(parts)
    while waiting:
        for target in below.get(waiting.pop(), ()):
            keeping[target] -= 1
            if not keeping[target] and target not in parts:
                parts.add(target)
                waiting.append(target)
    return parts | {_rels_of(name) for name in parts}


class _Parts(NamedTuple):
    """The cleaned parts as they gather: members of the archive, texts, parts that are no text, pictures."""

    members: list[tuple[str, bytes]]
    texts: list[str]
    opaque: list[bytes]
    pictures: list[str]

    def add(self, name: str, part: bytes, rules: Rules) -> None:
        """Clean a part by what it is."""
        extension = name.lower().rpartition(".")[2]
        if extension in ("xml", "rels", "vml"):
            clean, text = rewrite(part, rules)
            self.texts.append(text)
        else:
            clean = _binary(name, extension, part)
            self.opaque.append(clean)
            if extension in _OTHER_PICTURES:  # whose remarks and texts nothing removes
                self.texts.append("\n".join(_written(clean)))
        if extension in _PICTURES or extension in _OTHER_PICTURES:
            self.pictures.append(name)
        self.members.append((name, clean))


_STRINGS, _TABLE, _CHART = (re.compile(rb"<(?:\w+:)?(?:%b)\b" % names) for names in _TOGETHER)


def _together(members: Sequence[tuple[str, bytes]]) -> Iterator[str]:
    """Yield what several elements say together: cells of tables, numbers and formats of charts."""
    parts = [part for name, part in members if name.lower().endswith(".xml")]
    shared = next((tables.strings(part) for part in parts if _STRINGS.search(part)), [])
    for part in parts:
        if _TABLE.search(part):
            yield from cells.texts(tables.rows(part, shared))
        if _CHART.search(part):
            yield chart_dates(part)


_RUNS = re.compile(rb"[\x20-\x7e]{6,}"), re.compile(rb"(?:[\x20-\x7e\xa0-\xff]\0){4,}")


def _written(data: bytes) -> list[str]:
    """Return what bytes hold in writing: long runs of letters, of one byte or of two each."""
    single, double = (run.findall(data) for run in _RUNS)
    return [*(text.decode("ascii") for text in single), *(text.decode("utf_16_le") for text in double)]


def _unzip(data: bytes) -> dict[str, bytes]:
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise RefusedError("A201", "The document is encrypted, or in the format of Office 2003.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            _check_members(infos)
            parts = {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError):
        raise RefusedError(
            "A204", "The document is damaged, or not the Office document that its name says."
        ) from None
    if _TYPES not in parts or "_rels/.rels" not in parts:
        raise RefusedError("A204", "The file is not the Office document that its name says.")
    return parts


def _check_members(infos: list[zipfile.ZipInfo]) -> None:
    names = {info.filename.lower() for info in infos}
    if any(info.flag_bits & 1 for info in infos):
        raise RefusedError("A201", "The document is encrypted.")
    if len(names) != len(infos) or any(".." in name.split("/") or name[:1] == "/" for name in names):
        raise RefusedError("A204", "The document is packed in an unsafe way.")
    large = len(infos) > _MOST_PARTS or sum(info.file_size for info in infos) > LARGEST_UNPACKED
    dense = any(i.file_size > max(1 << 20, _HIGHEST_RATIO * i.compress_size) for i in infos)
    if large or dense:
        raise RefusedError("A205", "The document unpacks to more than a form or report would hold.")


def _links(rels: str, xml: bytes) -> list[_Link]:
    """Return the relationships of one ``.rels`` part."""
    source, folder = _source_of(rels), rels.rpartition("_rels/")[0]
    found: list[_Link] = []

    def note(element: str, attributes: Mapping[str, str]) -> bool:
        if element == "Relationship":
            kind = attributes.get("Type", "").rpartition("/")[2]
            target = attributes.get("Target", "")
            inside = attributes.get("TargetMode", "Internal") == "Internal"
            path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/") if inside else ""
            found.append(_Link(source, attributes.get("Id", ""), kind, path, "" if inside else target))
        return False

    rewrite(xml, Rules(drop=note))
    return found


def _source_of(rels: str) -> str:
    """Return the part from which the relationships of a ``.rels`` part start."""
    folder, _, name = rels.rpartition("_rels/")
    return folder + name.removesuffix(".rels")


def _rels_of(name: str) -> str:
    folder, _, last = name.rpartition("/")
    return f"{folder}/_rels/{last}.rels".lstrip("/")


def _refuse_active(links: list[_Link], parts: Mapping[str, bytes], allowed_macros: Collection[str]) -> None:
    kinds = {link.type for link in links}
    if kinds & _EMBEDDED or any("/embeddings/" in f"/{name.lower()}" for name in parts):
        raise RefusedError("A202", "The document holds embedded files or controls.")
    if kinds & _ACTIVE:
        raise RefusedError("A206", "The document holds a data connection or active content.")
    if kinds & _MACRO_SHEETS:
        raise RefusedError("A203", "The document holds macros that the trial does not list.")
    for name, part in parts.items():
        macros = name.lower().endswith("vbaproject.bin")
        if macros and hashlib.sha256(part).hexdigest() not in allowed_macros:
            raise RefusedError("A203", "The document holds macros that the trial does not list.")


def _empty_properties(kind: str) -> bytes:
    element, namespace = _PROPERTIES[kind]
    return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<{element}{namespace}/>'.encode()


def _rules(name: str, links: Mapping[str, list[_Link]], dropped: set[str], styles: frozenset[str]) -> Rules:
    """Return what changes in one part."""
    gone = {link.id for link in links.get(name, ()) if link.type in _DROPPED}

    def attribute(element: str, qualified: str, value: str) -> str | None:
        word = local(qualified)
        if qualified != word and word == "id" and value in gone:
            return None
        if word in _AUTHORS and value:
            return _AUTHORS[word]
        if element == "person" and word == "displayName":
            return _AUTHORS["author"]
        if word in ("refreshedBy", "lastModifiedBy", "dT", "gfxdata") or qualified == "w:date":
            return None  # who last changed it and when; a packed copy of a drawing
        return REMOVED if _PATH.match(value) else value

    if name == _TYPES:
        return Rules(drop=lambda _, attributes: _key(attributes.get("PartName", "")).lstrip("/") in dropped)
    if name.endswith(".rels"):
        outside = {link.outside for link in links.get(_source_of(name), ())}
        return Rules(
            attribute=lambda _, word, value: REMOVED if word == "Target" and value in outside else value,
            drop=lambda _, attributes: attributes.get("Type", "").rpartition("/")[2] in _DROPPED,
        )
    return Rules(
        attribute=attribute,
        drop=lambda element, _: element in _DROPPED_ELEMENTS,
        authors=frozenset({"author"}) if name.startswith("xl/") else frozenset(),
        date_styles=styles if name.startswith("xl/worksheets/") else frozenset(),
        dates=dates,
    )


def _binary(name: str, extension: str, part: bytes) -> bytes:
    """Return a part that is no XML, cleaned."""
    if extension in _PICTURES:
        return _PICTURES[extension](part)
    if extension in _OTHER_PICTURES or extension in _FONTS or "vbaproject" in name.lower():
        return part
    raise RefusedError("A202", "The document holds a part of unknown kind.")

"""Documents for tests: made by real programs' libraries, changed part by part, scrubbed and looked into."""

from __future__ import annotations

import io
import zipfile

from rttqa_build.deidentify.documents import Scrubbed, scrub
from rttqa_build.diagnostic import Location

RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def rezip(members: list[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def run(
    data: bytes, extension: str, *, reviewed: bool = False, allowed_macros: tuple[str, ...] = ()
) -> Scrubbed:
    return scrub(
        data,
        extension,
        rezip=rezip,
        reviewed=reviewed,
        allowed_macros=allowed_macros,
        where=Location("paf"),
    )


def codes(scrubbed: Scrubbed) -> list[str]:
    assert not (scrubbed.diagnostics and scrubbed.data)
    return [d.code for d in scrubbed.diagnostics]


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def lines(scrubbed: Scrubbed) -> set[str]:
    return {line.strip() for text in scrubbed.texts for line in text.split("\n")}


def changed(document: bytes, **new: bytes | None) -> bytes:
    members = parts(document) | {name.replace("__", "/"): data for name, data in new.items()}
    return rezip([(name, data) for name, data in members.items() if data is not None])


def with_part(document: bytes, name: str, data: bytes, kind: str, source: str = "xl/workbook.xml") -> bytes:
    folder, _, last = source.rpartition("/")
    rels = f"{folder}/_rels/{last}.rels"
    members = parts(document)
    old = members.get(rels, b'<Relationships xmlns="x"></Relationships>')
    link = f'<Relationship Id="rIdX" Type="{RELS}/{kind}" Target="/{name}"/>'.encode()
    members[rels] = old.replace(b"</Relationships>", link + b"</Relationships>")
    return rezip([*members.items(), (name, data)])

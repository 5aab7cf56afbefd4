"""A document's bytes → the bytes that may leave, and all text in it for the residue search.

Types: PDF, DOCX, XLSX (with listed macros also DOCM, XLSM), CSV, TXT, PNG, JPEG. What can be removed without
changing what the document says is removed (authorship, paths, links); what cannot be searched is refused.
Pure functions of the bytes: the same document gives the same bytes. The module of a kind is loaded when a
document of that kind is met: many submissions have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.deidentify.documents.scrubbed import LARGEST, Content, RefusedError, Scrubbed
from rttqa_build.diagnostic import NOWHERE, finding

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from rttqa_build.diagnostic import Location

    Rezip = Callable[[list[tuple[str, bytes]]], bytes]

__all__ = ["EXTENSIONS", "Scrubbed", "scrub"]

_OFFICE = frozenset({"docx", "docm", "xlsx", "xlsm"})
EXTENSIONS = frozenset({"pdf", "csv", "txt", "png", "jpg", "jpeg"} | _OFFICE)


def scrub(
    data: bytes,
    extension: str,
    *,
    rezip: Rezip,
    reviewed: bool = False,
    allowed_macros: Collection[str] = (),
    where: Location = NOWHERE,
) -> Scrubbed:
    """Return a document as it may leave, or, with empty ``data``, the findings that stop it.

    ``extension``: without dot, any case. ``rezip`` packs (name, content) members deterministically, in the
    order given. ``reviewed``: a person has looked at what cannot be read as text. ``allowed_macros``: SHA-256
    (hex) of each ``vbaProject.bin`` that the trial lists. ``where`` goes into the findings.
    """
    kind = extension.lower().lstrip(".")
    try:
        content = _content(data, kind, rezip, allowed_macros)
    except RefusedError as refused:
        return Scrubbed(diagnostics=(finding(refused.code, refused.message, where, subject=where.file),))
    if content.unread and not reviewed:
        message = f"{content.unread} and cannot be searched as text."
        return Scrubbed(diagnostics=(finding("A207", message, where, subject=where.file),))
    from rttqa_build.deidentify.documents import encoded, reading

    packed = encoded.contents(content.texts)
    texts = tuple(one for text in (*content.texts, *packed.texts) for one in reading.readings(text))
    return Scrubbed(content.data, texts, (*content.opaque, *packed.opaque))


def _content(data: bytes, kind: str, rezip: Rezip, allowed_macros: Collection[str]) -> Content:
    if kind not in EXTENSIONS:
        raise RefusedError("A200", "This type of document cannot be cleaned.")
    if len(data) > LARGEST:
        raise RefusedError("A205", "The document is larger than 64 MiB.")
    if kind in _OFFICE:
        from rttqa_build.deidentify.documents.office import scrub_office

        return scrub_office(data, rezip, allowed_macros)
    if kind == "pdf":
        from rttqa_build.deidentify.documents.pdf import scrub_pdf

        return scrub_pdf(data)
    from rttqa_build.deidentify.documents import pictures, plain

    if kind in ("csv", "txt"):
        return plain.scrub_table(data) if kind == "csv" else plain.scrub_text(data)
    return pictures.scrub_png(data) if kind == "png" else pictures.scrub_jpeg(data)

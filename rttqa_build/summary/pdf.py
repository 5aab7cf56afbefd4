"""The clinical summary: context → Jinja → Typst → PDF/UA-1, the same bytes on every machine.

Every value becomes a Typst literal in which all that could mean something to Typst is written as an
escape that is the same in markup and in strings: a value is text wherever a template puts it, even where
its author forgot the ``#``. Typst gets its sources as bytes, an empty root, no packages, no system fonts
and a fixed time. Left to itself it would read files, the network and the clock.
"""

from __future__ import annotations

import io
import math
import re
import tempfile
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from rttqa_build.diagnostic import Diagnostic
from rttqa_build.summary.figures import plot
from rttqa_build.summary.template import environment, fill, shipped, template_fault
from rttqa_build.summary.views import svg

if TYPE_CHECKING:
    from collections.abc import Callable

    from rttqa_build.summary.context import Summary

TEMPLATE = "summary.typ.j2"

_PLAIN = re.compile(r"[A-Za-z0-9 .,;:%()+\-]")
_KEYWORD = re.compile(r"\b(import|include|eval|plugin)\b")
_LIBRARY_IMPORT = re.compile(r'\bimport "lib\.typ"')
# What the fonts inside the pinned typst can show (held by a test). Anything else is shown as [U+4E2D]:
# PDF/UA forbids text without a glyph, and a summary must not fail on a name.
_SHOWN = (
    (0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x2FF), (0x370, 0x377), (0x37A, 0x37F), (0x384, 0x38A),
    (0x38E, 0x3A1), (0x3A3, 0x482), (0x48A, 0x4FF), (0x5D0, 0x5EA), (0x621, 0x63A), (0x641, 0x64A),
    (0x660, 0x669), (0x1E00, 0x1EFF), (0x2010, 0x2027), (0x2030, 0x2040), (0x2070, 0x2071),
    (0x2074, 0x208E), (0x20A0, 0x20BF), (0x2100, 0x211E), (0x2190, 0x22FF), (0x25A0, 0x25FF),
)  # fmt: skip


class Typeset(NamedTuple):
    """The PDF and the text of its pages, as a reader of it finds them."""

    data: bytes
    pages: tuple[str, ...]


def typeset(summary: Summary, scratch: Path, templates: Mapping[str, bytes]) -> Typeset | Diagnostic:
    """Return the PDF with its text, or a finding as :func:`render`; ``scratch`` is an existing folder."""
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".typst-") as empty:
        data = render(summary, Path(empty), templates)
    if isinstance(data, Diagnostic):
        return data
    from pypdf import PdfReader

    return Typeset(data, tuple(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages))


def render(summary: Summary, empty_root: Path, templates: Mapping[str, bytes]) -> bytes | Diagnostic:
    """Return the PDF, or a finding about the trial's own template (K201, K202, K203).

    ``empty_root`` is an existing folder with nothing in it; ``templates`` are the trial's.
    """
    source = typst_source(summary, templates)
    if isinstance(source, Diagnostic):
        return source
    from typst import TypstError

    try:
        return _compile(source, summary, empty_root)
    except TypstError as error:
        if TEMPLATE not in templates:
            raise
        return template_fault("K202", "cannot be typeset", TEMPLATE, error.diagnostic or error.message)


def typst_source(summary: Summary, templates: Mapping[str, bytes]) -> str | Diagnostic:
    """Return the filled Typst source, or a finding about the trial's own template."""
    values = {name: getattr(summary, name) for name in summary.__slots__}
    values |= {"summary": summary, "plot": asdict(plot(summary)), "views": _views(summary)}
    source = fill(environment(literal), TEMPLATE, templates, values)
    if isinstance(source, Diagnostic):
        return source
    forbidden = _KEYWORD.search(_LIBRARY_IMPORT.sub("", source))
    return template_fault("K203", f"uses {forbidden[1]}", TEMPLATE, "") if forbidden else source


def literal(value: object) -> str:
    """Return any value as a Typst literal: text, number, boolean, none, array or dictionary."""
    match value:
        case None | bool():
            return str(value).lower()
        case int() | float() if math.isfinite(value):
            return str(value)
        case Mapping():
            return (
                "(" + ("".join(f"{literal(str(k))}: {literal(v)}, " for k, v in value.items()) or ":") + ")"
            )
        case tuple() | list():
            return "(" + "".join(f"{literal(item)}, " for item in value) + ")"
    return f'"{_escaped(str(value))}"'


def _escaped(text: str) -> str:
    """Return text in which only letters, digits and harmless signs stand as themselves."""
    shown = "".join(map(_shown, unicodedata.normalize("NFC", text.replace("\r\n", "\n"))))
    plain = "".join(
        c if _PLAIN.match(c) or (ord(c) > 0xA0 and c.isalnum()) else f"\\u{{{ord(c):x}}}" for c in shown
    )
    return _KEYWORD.sub(lambda word: f"\\u{{{ord(word[0][0]):x}}}{word[0][1:]}", plain)


def _shown(char: str) -> str:
    """Return the character, or its code point in brackets where the fonts cannot show it."""
    code = ord(char)
    if char in "\n\t" or any(low <= code <= high for low, high in _SHOWN):
        return " " if char == "\t" else char
    return f"[U+{code:04X}]"


def _views(summary: Summary) -> list[dict[str, object]]:
    """Return the views without their pixels, which Typst finds in the file of the given name."""
    return [
        {
            "file": f"view-{number}.svg",
            "title": view.title,
            "width-mm": view.width_mm,
            "height-mm": view.height_mm,
            "edges": view.edges,
            "alt": view.alt,
        }
        for number, view in enumerate(summary.views)
    ]


def _compile(source: str, summary: Summary, empty_root: Path) -> bytes:
    import typst

    sources = {"main.typ": source.encode(), "lib.typ": shipped("lib.typ").encode()}
    sources |= {f"view-{number}.svg": svg(view).encode() for number, view in enumerate(summary.views)}
    compiled = cast("Callable[..., bytes]", typst.compile)  # its stub knows no dictionary of sources
    return compiled(
        sources,
        root=empty_root,
        font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=True),
        format="pdf",
        pdf_standards=["ua-1"],
        package_path=empty_root,
        package_cache_path=empty_root,
        timestamp=0,
    )

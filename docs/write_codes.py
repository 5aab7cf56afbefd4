"""Write docs/codes.md, the page of all finding codes, from the catalogue: ``make codes``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rttqa_build.codes import CATALOGUE, FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.codes.entry import Code

PAGE = Path(__file__).with_name("codes.md")
_HEAD = """# Findings

Every finding has a code that never changes its meaning. `rttqa-build explain CODE` shows the same text in
a terminal. An **error** stops a submission, a **warning** wants a look, **info** only tells. A trial may
set another severity for a purpose, except for the families A, K and U and for broken links. *Source* names
the clause, the paper, or the schema or page of this repository that a finding comes from.

This page is written from the catalogue in `rttqa_build/codes/` by `make codes`.
"""


def page() -> str:
    """Return the page: a table of contents, then one section a family and one entry a code."""
    return "\n".join([_HEAD, *_contents(), *_sections()])


def _of(family: str) -> list[tuple[str, Code]]:
    return sorted((code, entry) for code, entry in CATALOGUE.items() if code[0] == family)


def _contents() -> Iterator[str]:
    yield "| family | about | codes |"
    yield "|---|---|---|"
    for letter, name in FAMILIES.items():
        yield f"| [{letter}](#{letter.lower()}) | {name} | {len(_of(letter))} |"


def _sections() -> Iterator[str]:
    for letter, name in FAMILIES.items():
        yield f'\n<a id="{letter.lower()}"></a>\n\n## {letter}: {name}'
        for code, entry in _of(letter):
            yield f"\n### {code}: {entry.title[0].upper()}{entry.title[1:]}\n"
            yield f"*{entry.severity}*. {entry.meaning}\n"
            yield f"*Why*: {entry.why}\n"
            yield f"*What to do*: {entry.mend}"
            if entry.source:
                yield f"\n*Source*: {entry.source}"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")

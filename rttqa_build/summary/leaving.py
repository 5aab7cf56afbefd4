"""Every text that leaves → what a person can read through: by object, what is said again said once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rttqa_build.summary.wording import role_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rttqa_build.summary.context import FreeText

EQUIPMENT = ("Manufacturer", "ManufacturerModelName", "SoftwareVersions")
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Row:
    """What the texts are, the texts, and among which objects they stand where these are several."""

    what: str
    texts: tuple[str, ...]
    among: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The texts of one kind of object, of the summary, or (``shared``) of the makers of all objects."""

    title: str
    rows: tuple[Row, ...]
    shared: bool = False


def groups(texts: Iterable[FreeText]) -> tuple[Group, ...]:
    """Return the texts of the summary, of the makers, then of the objects, role by role."""
    texts = tuple(texts)
    ours = [text for text in texts if not text.role]
    makers = [text for text in texts if text.attribute in EQUIPMENT]
    objects = [text for text in texts if text.role and text.attribute not in EQUIPMENT]
    found = [
        Group("Clinical summary", tuple(_rows(ours))),
        Group("Makers and software", tuple(_makers(makers)), shared=True),
        *(
            Group(_title(role), tuple(_rows(text for text in objects if text.role == role)))
            for role in sorted({text.role for text in objects})
        ),
    ]
    return tuple(group for group in found if group.rows)


def _rows(texts: Iterable[FreeText]) -> Iterator[Row]:
    found: dict[str, list[str]] = {}
    for text in texts:
        found.setdefault(in_words(text.attribute) if text.role else text.where, []).append(text.text)
    return (Row(what, tuple(dict.fromkeys(said))) for what, said in found.items())


def _makers(texts: Iterable[FreeText]) -> Iterator[Row]:
    found: dict[tuple[int, str], list[str]] = {}
    for text in texts:
        found.setdefault((EQUIPMENT.index(text.attribute), text.text), []).append(text.role)
    for (index, said), roles in sorted(found.items()):
        yield Row(in_words(EQUIPMENT[index]), (said,), ", ".join(map(_words, dict.fromkeys(roles))))


def in_words(keyword: str) -> str:
    """Return a DICOM keyword in words: ``RTPlanLabel`` → ``RT Plan Label``."""
    return _WORDS.sub(" ", keyword)


def _words(role: str) -> str:
    several = role in {"planning_image", "ct_4d"} or role.startswith("diagnostic_")
    return role_words(role, 1 + several, set())


def _title(role: str) -> str:
    words = _words(role)
    return words[:1].upper() + words[1:]

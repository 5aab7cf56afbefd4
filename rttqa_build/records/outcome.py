"""``outcome.yaml``: what the reviewers said of each received revision: grade, date, resubmission asked."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rttqa_build.source import Document, Json


class Grade(enum.StrEnum):
    """How reviewers grade a case."""

    PER_PROTOCOL = "per-protocol"
    ACCEPTABLE = "acceptable-variation"
    UNACCEPTABLE = "unacceptable-variation"


@dataclass(frozen=True, slots=True)
class Review:
    """The review of one revision: grade where there is one, ISO date, Git e-mail of who recorded it."""

    revision: int
    grade: Grade | None
    resubmission: bool
    date: str
    by: str

    @property
    def words(self) -> str:
        """Return grade and what is asked, for people."""
        asked = "resubmission asked" if self.resubmission else ""
        grade = (self.grade or "").replace("-", " ")
        return ", ".join(part for part in (grade, asked) if part) or "no grade, nothing asked"


def from_document(document: Document) -> tuple[Review, ...]:
    """Return the reviews of a document that is valid against ``outcome.schema.json``."""
    rows = cast("dict[str, Any]", document.data)["outcomes"]
    return tuple(
        Review(
            int(row["revision"]),
            Grade(row["grade"]) if "grade" in row else None,
            bool(row["resubmission"]),
            str(row["date"]),
            str(row["by"]),
        )
        for row in rows
    )


def dump(reviews: Iterable[Review]) -> str:
    """Return ``outcome.yaml``."""
    from rttqa_build import source  # the verbs' options need the grades, not YAML

    rows: list[Json] = []
    for one in reviews:
        row: dict[str, Json] = {"revision": one.revision}
        if one.grade is not None:
            row["grade"] = str(one.grade)
        rows.append({**row, "resubmission": one.resubmission, "date": one.date, "by": one.by})
    return source.dump({"outcomes": rows})


def of(reviews: Iterable[Review], revision: int) -> Review | None:
    """Return the review of a revision."""
    return next((one for one in reviews if one.revision == revision), None)


def add(reviews: Iterable[Review], new: Review) -> tuple[Review, ...]:
    """Return the reviews by revision, ``new`` in the place of an earlier one of its revision."""
    kept = [one for one in reviews if one.revision != new.revision]
    return tuple(sorted([*kept, new], key=lambda one: one.revision))

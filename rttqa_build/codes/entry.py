"""The shape of one catalogue entry."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Code(NamedTuple):
    """What a finding code stands for.

    ``title`` is a short noun phrase; ``meaning`` says what was seen; ``why`` why it matters to a trial's
    QA; ``mend`` what to do, in the words of a planning system where that helps (also the default hint);
    ``source`` names the clause, the paper, or the schema or page of this repository that it comes from.
    """

    title: str
    meaning: str
    why: str
    mend: str
    severity: Literal["error", "warning", "info"] = "error"
    source: str = ""

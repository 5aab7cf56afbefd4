"""Histograms that are reckoned once a session: hundreds of builds hold the same contours in the same dose."""

from __future__ import annotations

import hashlib
import pickle
from types import SimpleNamespace
from typing import TYPE_CHECKING

from rttqa_build.dose import dvh

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.dose.contours import StructureContours
    from rttqa_build.dose.dvh import Dvh, Mapper
    from rttqa_build.dose.grid import DoseGrid


def histograms() -> SimpleNamespace:
    """Return what a build calls of :mod:`rttqa_build.dose.dvh`, with a memory."""
    known: dict[bytes, Dvh | Diagnostic] = {}

    def compute_all(
        structures: Iterable[StructureContours], grids: Sequence[DoseGrid], *, mapper: Mapper = map
    ) -> tuple[Dvh | Diagnostic, ...]:
        dose = pickle.dumps(([*grids], dvh.FEWEST_SAMPLES, dvh.REFINEMENTS))
        wanted = {hashlib.sha256(pickle.dumps(one) + dose).digest(): one for one in structures}
        new = {key: one for key, one in wanted.items() if key not in known}
        known.update(zip(new, dvh.compute_all(new.values(), grids, mapper=mapper), strict=True))
        return tuple(known[key] for key in wanted)

    return SimpleNamespace(compute_all=compute_all)

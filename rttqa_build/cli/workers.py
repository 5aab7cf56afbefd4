"""What a verb that reads an export works with: threads, and a second process that reads while it loads."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build import disk
from rttqa_build.diagnostic import UsageError
from rttqa_build.sibling import Here, Sibling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor
    from pathlib import Path

    from rttqa_build.study.survey import Survey

LOADED = ("pydicom.filereader", "rttqa_build.study.survey")
WITHOUT = ("numpy",)  # which pydicom loads for pixels: headers have none


class Workers(NamedTuple):
    """How many threads, what works beside them, and the survey of an export that it is at already."""

    jobs: int
    beside: Executor
    survey: Survey | None = None


def second() -> Sibling | None:
    """Return the second process, not begun; none on a computer that could not run it beside the first."""
    return Sibling(LOADED, WITHOUT) if (os.cpu_count() or 1) > 1 else None


@contextlib.contextmanager
def workers(sibling: Sibling | None, jobs: int) -> Iterator[Workers]:
    """Yield the workers; who asks for one job gets one, in this process, and the other one is ended."""
    if jobs == 1:
        if sibling is not None:
            sibling.shutdown(cancel_futures=True)
        yield Workers(1, Here())
    elif sibling is not None:
        yield Workers(jobs, sibling)
    else:
        with second() or Here() as beside:
            yield Workers(jobs, beside)


def surveying(folder: Path, crew: Workers) -> Workers:
    """Have an export folder read from now on; raise UsageError when there is none, or nothing in it.

    Where nobody could read it meanwhile it is left for later: a mistake in what follows is told at once.
    """
    try:
        _demand_filled(folder)
    except OSError as error:
        raise disk.failure(error, "the export folder") from None
    if isinstance(crew.beside, Here):
        return crew
    from rttqa_build.study.survey import survey

    return crew._replace(survey=survey(folder.absolute(), crew.beside, crew.jobs))


def _demand_filled(folder: Path) -> None:
    if not folder.exists():
        raise UsageError("there is no such export folder", "give its path as seen from here, or in full")
    if not folder.is_dir():
        raise UsageError("the export is a file, not a folder", "give the folder that the objects lie in")
    if not any(folder.iterdir()):
        raise UsageError("the export folder is empty", "export the objects into it, or give another one")

"""What a build did, as the submitter's report shows it: with labels and paths, which stay on the computer."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rttqa_build.stages.account import keyword
from rttqa_build.summary.assemble import finding_rows, free_texts, left_out
from rttqa_build.summary.context import FreeText, Local, RuleCount, SourceText, Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.stages.objects import Done
    from rttqa_build.study import Fate


def local_part(
    found: Iterable[Diagnostic],
    done: Iterable[Done[Any]],
    fates: Iterable[Fate],
    summary: Summary,
    masked: Callable[[str], str],
    written: Mapping[str, bytes] = MappingProxyType({}),
) -> Local:
    """Return what only the submitter's report shows.

    ``masked`` hides identities in the paths of files, and in the texts of the repository that findings point
    to: ``written``, by name.
    """
    done, found = tuple(done), tuple(found)
    rows = tuple(replace(row, path=masked(row.path)) for row in left_out(fates))
    pointed = {one.where.file for one in found if one.where.line}
    sources = tuple(
        SourceText(name, tuple(map(masked, data.decode("utf-8", "replace").splitlines())))
        for name, data in sorted(written.items())
        if name in pointed
    )
    return Local(
        finding_rows(found, sources), _counts(done), texts_that_leave(done, summary), rows, sources=sources
    )


def texts_that_leave(done: Iterable[Done[Any]], summary: Summary) -> tuple[FreeText, ...]:
    """Return every free-text string in the objects and in the summary, each once, and where it stands."""
    texts = {
        _free_text(one.task.role.partition(":")[0], keyword(tag), text)
        for one in done
        for tag, text in one.texts
    }
    return tuple(sorted({*texts, *free_texts(summary)}, key=lambda row: (row.where, row.text)))


def _free_text(role: str, attribute: str, text: str) -> FreeText:
    return FreeText(f"{role}: {attribute}", text, role, attribute)


def _counts(done: Iterable[Done[Any]]) -> tuple[RuleCount, ...]:
    elements: dict[str, Counter[str]] = {}
    files: Counter[str] = Counter()
    for rules, objects in Counter(frozenset(one.rules.items()) for one in done).items():
        for rule in {action.value for (_, action), _ in rules}:
            files[rule] += objects
        for (tag, action), count in rules:
            elements.setdefault(action.value, Counter())[keyword(tag)] += count * objects
    return tuple(
        RuleCount(rule, found.total(), files[rule], _attributes(found))
        for rule, found in sorted(elements.items())
    )


def _attributes(found: Counter[str]) -> tuple[str, ...]:
    """Return attributes with their counts, the most frequent first."""
    return tuple(
        f"{name} × {count}" for name, count in sorted(found.items(), key=lambda one: (-one[1], one[0]))
    )

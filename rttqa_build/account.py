"""What a build did, for the submitter: ``deidentification.json`` and ``report.html``, never uploaded.

The JSON holds no value: files by digest and fate, rules by attribute and count. The report may show labels
and paths; it stays on the computer.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rttqa_build.summary import report
from rttqa_build.summary.assemble import finding_rows, free_texts, left_out
from rttqa_build.summary.context import Context, FreeText, Local, RuleCount, Sending, Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rttqa_build.deidentify.policy import Action
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.objects import Done
    from rttqa_build.order import Paper
    from rttqa_build.study import Fate


def account(
    done: Iterable[Done[Any]], fates: Iterable[Fate], profile: str, papers: Iterable[Paper] = ()
) -> bytes:
    """Return ``deidentification.json``: per file what rule did what how often; each source file's fate.

    A line for each file: there are tens of thousands of rules in a large case.
    """
    done = tuple(done)
    used = [
        {
            "source": one.task.instance.file.sha256,
            "fate": "used",
            "role": one.task.role,
            "path": one.task.path,
            "rules": [_rule(tag, action, count) for (tag, action), count in _sorted(one.rules)],
        }
        for one in sorted(done, key=lambda one: one.task.path)
    ]
    documents = [
        {"source": one.original, "fate": "used", "role": f"document:{one.name}", "path": one.path}
        for one in papers
    ]
    others = sorted(
        ({"source": f.file.sha256, "fate": str(f.reason), "detail": f.detail} for f in fates),
        key=lambda row: (row["fate"], row["source"]),
    )
    lines = ",\n".join(json.dumps(row) for row in (*used, *documents, *others))
    head = json.dumps({"deidentification": 1, "profile": profile})
    return f'{head[:-1]}, "files": [\n{lines}\n]}}\n'.encode()


def _rule(tag: int, action: Action, count: int) -> dict[str, object]:
    return {"tag": f"{tag:08X}", "keyword": keyword(tag), "rule": action.value, "count": count}


def _sorted(rules: Mapping[tuple[int, Action], int]) -> list[tuple[tuple[int, Action], int]]:
    return sorted(rules.items(), key=lambda entry: (entry[0][0], entry[0][1].value))


@functools.lru_cache(maxsize=4096)
def keyword(tag: int) -> str:
    """Return the DICOM keyword of a tag; private and unknown ones have none."""
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag) or ("private" if tag >> 16 & 1 else "unknown")


def local_part(
    found: Iterable[Diagnostic],
    done: Iterable[Done[Any]],
    fates: Iterable[Fate],
    summary: Summary,
    masked: Callable[[str], str],
) -> Local:
    """Return what only the submitter's report shows; ``masked`` hides identities in the paths of files."""
    done = tuple(done)
    rows = tuple(replace(row, path=masked(row.path)) for row in left_out(fates))
    return Local(finding_rows(found), _counts(done), texts_that_leave(done, summary), rows)


def texts_that_leave(done: Iterable[Done[Any]], summary: Summary) -> tuple[FreeText, ...]:
    """Return every free-text string in the objects and in the summary, each once, and where it stands."""
    texts = {
        FreeText(f"{one.task.role.partition(':')[0]}: {keyword(tag)}", text)
        for one in done
        for tag, text in one.texts
    }
    return tuple(sorted({*texts, *free_texts(summary)}, key=lambda row: (row.where, row.text)))


def _counts(done: Iterable[Done[Any]]) -> tuple[RuleCount, ...]:
    elements: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for one in done:
        applied: Counter[str] = Counter()
        for (_, action), count in one.rules.items():
            applied[action.value] += count
        elements.update(applied)
        files.update(applied.keys())
    return tuple(RuleCount(rule, elements[rule], files[rule]) for rule in sorted(elements))


def report_html(summary: Summary, sending: Sending, local: Local) -> bytes:
    """Return ``report.html``."""
    return report.render(Context(summary, sending, local)).encode()

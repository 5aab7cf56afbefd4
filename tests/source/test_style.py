"""The house style of manifests: settled, idempotent, and nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rttqa_build.source import canonical, parse
from rttqa_build.source.style import StyleError, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rttqa_build.source import Path

ORDER: Mapping[Path, Sequence[str]] = {
    (): ("manifest", "trial", "submission", "source"),
    ("submission",): ("patient", "purpose", "arm"),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("trial: x\nmanifest: 1\n", "manifest: 1\ntrial: x\n"),
        ("trial: x\r\nmanifest:   1", "manifest: 1\ntrial: x\n"),
        ("# of the file\ntrial: x\nmanifest: 1\n", "# of the file\nmanifest: 1\ntrial: x\n"),
        (
            "# of the file\n\n# of the trial\ntrial: x   # why\nmanifest: 1\n",
            "# of the file\n\nmanifest: 1\n# of the trial\ntrial: x  # why\n",
        ),
        (
            "submission:\n    arm: a\n    # who\n    patient: P\n",
            "submission:\n  # who\n  patient: P\n  arm: a\n",
        ),
        ("submission: {arm: a,   patient: P}\n", "submission: {arm: a, patient: P}\n"),
        ("a:\n- x\n-   y\n", "a:\n  - x\n  - y\n"),
        ("a: |  # kept\n    # text\n     more\nb: 1\n", "a: |  # kept\n  # text\n   more\nb: 1\n"),
        ("a: >\n    one\n    two\n\n    three\nb: 1\n", "a: >\n  one\n  two\n\n  three\nb: 1\n"),
        ("a: >-  # why\n  one\n\n    two\n  three\n",) * 2,
        ("a: 0123\nb: '1'\nc: \"2\"\nd: 3.10\ne: 2026-12-14\n",) * 2,
        ("a: x # y\nb: 'x # y'\nc: x#y\n", "a: x  # y\nb: 'x # y'\nc: x#y\n"),
        ("a: 1\n\n\n\nb: 2\n\n", "a: 1\n\nb: 2\n"),
        ("source: s\nother: o\nmanifest: 1\n", "manifest: 1\nsource: s\nother: o\n"),
        ("source: s\n\ntrial:\n  - x\n\nmanifest: 1\n", "manifest: 1\ntrial:\n  - x\n\nsource: s\n\n"[:-1]),
        ("a:\n  b: 1\n  # of b's group\nc: 2\n", "a:\n  b: 1\n  # of b's group\nc: 2\n"),
        ("a: 'long " + "word " * 60 + "'\n",) * 2,
    ],
)
def test_style(text: str, expected: str) -> None:
    new = styled(text, ORDER)
    assert new == expected
    assert styled(new, ORDER) == new


@pytest.mark.parametrize("text", ["", "a: [", "a: 1\na: 2\n", "a: &x 1\n", "# only this\n"])
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(StyleError):
        styled(text, ORDER)


def test_what_cannot_be_kept_is_refused() -> None:
    for text in ("a:\n  - |  # why\n    one\n", "a: {b: 1, # why\n  c: 2}\n"):
        with pytest.raises(StyleError):
            styled(text, ORDER)


WORDS = st.text(alphabet="abcXYZ 0123456789.:#-'é\"{}[],&*!|>%@", min_size=0, max_size=12)
COMMENTS = st.sampled_from(["", "# one", "   # deeper", "# 'quoted'", "#: x"])


def written(word: str, style: int) -> str:
    """Return a word as a scalar: quoted one way or the other."""
    return "'" + word.replace("'", "''") + "'" if style else '"' + word.replace('"', '\\"') + '"'


@st.composite
def manifests(draw: st.DrawFn) -> str:
    names = draw(st.permutations(["source", "trial", "manifest", "submission", "zeta"]))
    lines: list[str] = []
    for name in names[: draw(st.integers(1, 5))]:
        lines += [comment for comment in [draw(COMMENTS)] if comment]
        lines += [""] * draw(st.integers(0, 2))
        if name != "submission":
            lines.append(
                f"{name}: {' ' * draw(st.integers(0, 3))}{written(draw(WORDS), draw(st.integers(0, 1)))}"
            )
            continue
        lines.append("submission:")
        for inner in draw(st.permutations(["arm", "patient", "other"])):
            lines += [f"    {comment.strip()}" for comment in [draw(COMMENTS)] if comment]
            lines.append(f"    {inner}: {written(draw(WORDS), 0)} {draw(st.sampled_from(['', '# why']))}")
    return "\n".join(lines) + "\n"


def comments(text: str) -> list[str]:
    """Return the comments on lines of their own; no scalar of these manifests begins a line."""
    return sorted(line.strip() for line in text.splitlines() if line.strip().startswith("#"))


@settings(max_examples=150, deadline=None)
@given(manifests())
def test_nothing_is_lost_and_a_second_time_changes_nothing(text: str) -> None:
    new = styled(text, ORDER)
    before, _ = parse(text.encode(), "m")
    after, found = parse(new.encode(), "m")
    assert before is not None
    assert after is not None
    assert not found
    assert canonical(before.data) == canonical(after.data)
    assert comments(new) == comments(text)
    assert styled(new, ORDER) == new
    known = [str(path[0]) for path in after.keys if len(path) == 1]
    wanted = [name for name in ORDER[()] if name in known]
    assert known[: len(wanted)] == wanted

"""The source line beneath a finding: the caret stands under the place, and no identifier is repeated."""

from __future__ import annotations

import io
import time

import pytest

from rttqa_build.cli.lines import columns
from rttqa_build.cli.output import Terminal, show_text
from rttqa_build.cli.snippet import WIDTH, Sources
from rttqa_build.diagnostic import Location, finding

LONG = "x" * 100 + "HERE" + "y" * 100


def lines(text: str, line: int, column: int) -> list[str]:
    return Sources({"m.yaml": text}.__getitem__, lambda one: "943 476" in one).lines(
        Location("m.yaml", line, column)
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("a: 1\nbc: 2\n", 2, 5, ["  2 | bc: 2", "    |     ^"]),
        ("a: 1\r\nbc: 2\r\n", 2, 1, ["  2 | bc: 2", "    | ^"]),
        ("\tx: 1", 1, 2, ["  1 | →x: 1", "    |  ^"]),
        ("a: e\u0301x", 1, 6, ["  1 | a: e\u0301x", "    |     ^"]),
        ("名: x", 1, 4, ["  1 | 名: x", "    |     ^"]),
        ("a:\x1b[31m\u202e1", 1, 1, ["  1 | a:·[31m·1", "    | ^"]),
        ("a: 1", 1, 99, ["  1 | a: 1", "    |     ^"]),
        ("a: 1", 2, 1, []),
        ("a: 1", 0, 0, []),
        ("a: 1\n\nb: 2", 2, 1, []),
        ("note: NHS 943 476 5919", 1, 7, []),
    ],
)
def test_line_and_caret(text: str, line: int, column: int, expected: list[str]) -> None:
    assert lines(text, line, column) == expected


def test_a_file_with_many_findings_is_read_line_by_line_once() -> None:
    text = "".join(f"key{n}: value\n" for n in range(20_000))
    sources = Sources({"m.yaml": text}.__getitem__, lambda _: False)
    begin = time.perf_counter()
    shown = [sources.lines(Location("m.yaml", n, 1))[0] for n in range(1, 20_001)]
    assert shown[-1] == "  20000 | key19999: value"
    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize("column", [1, 50, 101, 150, 204, 205])
def test_a_long_line_is_cut_about_the_place(column: int) -> None:
    shown, caret = lines(LONG, 1, column)
    assert len(shown) in {WIDTH, WIDTH - 1}  # room for a caret behind the last letter
    under = caret.index("^")
    if column <= len(LONG):
        assert shown[under] in {LONG[column - 1], "…"}


@pytest.mark.parametrize("width", [40, 80, 132, 300])
@pytest.mark.parametrize("text", [LONG, "名" * 200, "x" * 34])
def test_a_line_is_as_wide_as_the_terminal(text: str, width: int) -> None:
    for column in (1, len(text) // 2, len(text), len(text) + 1):
        sources = Sources({"m.yaml": text}.__getitem__, lambda _: False)
        shown, caret = sources.lines(Location("m.yaml", 1, column), width)
        whole = columns(f"  1 | {text}")
        assert columns(shown) <= width
        assert columns(shown) >= min(width, whole) - 4  # wide letters may not fit, nor a caret behind
        assert columns(caret) <= width


def test_findings_are_shown_in_the_width_of_the_window() -> None:
    sources = Sources({"m.yaml": LONG}.__getitem__, lambda _: False)
    for width, expected in ((60, 60), (120, 120), (0, WIDTH)):
        out = io.StringIO()
        show_text(
            [finding("M101", "unknown field", Location("m.yaml", 1, 1))],
            Terminal(out, columns=width),
            sources,
        )
        assert len(out.getvalue().splitlines()[1]) == expected

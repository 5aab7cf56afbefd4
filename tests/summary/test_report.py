from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import summary_example as example

from rttqa_build.summary import report
from rttqa_build.summary.context import Context, FreeText, Local

VOID = {"meta", "br", "img"}


class Page(HTMLParser):
    """Collects tags, attributes and text; fails on a tag that is not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.headings: list[str] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


@pytest.fixture(scope="module")
def page() -> str:
    return report.render(example.context(views=True))


def test_policy_covers_the_one_style(page: str) -> None:
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    policy = next(v for n, v in Page(page).attributes if n == "content" and v.startswith("default-src"))
    assert len(style) == 1
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;")


def test_nothing_comes_from_elsewhere(page: str) -> None:
    parsed = Page(page)
    assert parsed.tags.isdisjoint({"script", "link", "iframe", "object", "a", "form"})
    names = {name for name, _ in parsed.attributes}
    assert names.isdisjoint({"style", "href", "srcset"} | {name for name in names if name.startswith("on")})
    assert all(
        value.startswith("data:image/png;base64,") for name, value in parsed.attributes if name == "src"
    )
    assert "url(" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_findings_come_first_and_everything_is_there(page: str) -> None:
    parsed = Page(page)
    assert parsed.headings == [
        "Findings",
        "Text that leaves",
        "Pseudonymisation",
        "Prescription",
        "Dose constraints",
        "Dose-volume histogram",
        "Views through the target",
        "Structures",
        "Left out",
    ]
    for words in (
        "submissions/EP-0123/manifest.yaml:12:5",
        "rectum: 2 slices at z = −12 mm",
        "Accepted because: machine limit",
        "1 error",
        "1 warning",
        "date shifted",
        "14 December 2026",
        "old/RD.dcm",
        "dose of another plan",
    ):
        assert words in parsed.text


def test_the_plan_column_is_there_when_a_row_names_one() -> None:
    full = example.summary()
    bare = replace(full, prescription=tuple(replace(row, plan="") for row in full.prescription))
    assert "<th>Plan</th>" in report.render(Context(full))
    assert "<th>Plan</th>" not in report.render(Context(bare))


def test_the_views_share_one_scale_and_fit_beside_each_other(page: str) -> None:
    sizes = [(int(w), int(h)) for w, h in re.findall(r'<img [^>]*width="(\d+)" height="(\d+)"', page)]
    views = example.summary(views=True).views
    scale = 900 / (views[1].width_mm + views[2].width_mm)
    for (width, height), view in zip(sizes, views, strict=True):
        assert width == pytest.approx(view.width_mm * scale, abs=0.5)
        assert height == pytest.approx(view.height_mm * scale, abs=0.5)
    assert "57 Gy (95 %)" in Page(page).text


def test_values_are_text() -> None:
    bad = "<script>alert(1)</script>\"'&"
    context = example.context()
    local = Local(texts=(FreeText(bad, bad),))
    trial = replace(context.summary.trial, id=bad)
    parsed = Page(report.render(Context(replace(context.summary, trial=trial), context.sending, local)))
    assert "script" not in parsed.tags
    assert parsed.text.count(bad) >= 3


def test_an_empty_report_says_so() -> None:
    full = example.summary()
    text = Page(report.render(Context(type(full)(full.trial, full.centre, full.submission)))).text
    assert "None." in text
    assert "Every file of the source is in the package." in text

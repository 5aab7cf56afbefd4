from __future__ import annotations

import base64
import hashlib
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import summary_example as example
from PIL import Image

from rttqa_build.summary import report
from rttqa_build.summary.context import Context, FreeText, Local

VOID = {"meta", "br", "img", "input"}


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


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_policy_covers_the_one_style_and_the_one_script(page: str) -> None:
    (style,) = re.findall(r"<style[^>]*>(.*?)</style>", page, re.DOTALL)
    (script,) = re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    policy = next(v for n, v in Page(page).attributes if n == "content" and v.startswith("default-src"))
    own = f"style-src {digest(style)}; script-src {digest(script)}; img-src data:"
    assert policy == f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"
    assert not re.search(r"eval|Function\(|innerHTML|fetch\(|XMLHttp|Storage", script)


def test_nothing_comes_from_elsewhere(page: str) -> None:
    parsed = Page(page)
    assert parsed.tags.isdisjoint({"link", "iframe", "object", "form"})
    names = {name for name, _ in parsed.attributes}
    assert names.isdisjoint({"style", "srcset"} | {name for name in names if name.startswith("on")})
    assert all(
        value.startswith("data:image/png;base64,") for name, value in parsed.attributes if name == "src"
    )
    targets = {value for name, value in parsed.attributes if name == "id"}
    links = [value for name, value in parsed.attributes if name == "href"]
    assert links
    assert {link.removeprefix("#") for link in links} <= targets
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
        "Slices through the targets",
        "Structures",
        "Left out",
        "submissions/EP-0123/manifest.yaml",
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
        "OperatorsName × 99",
    ):
        assert words in parsed.text


def test_the_plan_column_is_there_when_a_row_names_one() -> None:
    full = example.summary()
    bare = replace(full, prescription=tuple(replace(row, plan="") for row in full.prescription))
    assert "<th>Plan</th>" in report.render(Context(full))
    assert "<th>Plan</th>" not in report.render(Context(bare))


def test_the_views_share_one_scale_and_fit_beside_each_other(page: str) -> None:
    sizes = [(int(w), int(h)) for w, h in re.findall(r'<img [^>]*width="(\d+)" height="(\d+)"', page)[:3]]
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
    assert "<script>alert" not in report.render(Context(replace(context.summary, trial=trial), local=local))
    assert parsed.text.count(bad) >= 3


def test_a_finding_leads_to_its_line(page: str) -> None:
    assert '<a href="#line-1-12">submissions/EP-0123/manifest.yaml:12:5</a>' in page
    assert '<li id="line-1-12"><code>  arm: TODO</code></li>' in page


def test_the_layers_of_a_slice_are_pictures_of_one_size(page: str) -> None:
    parts = page.split('<div class="slice"')[1:]
    assert len(parts) == 3
    for part in parts:
        uris = re.findall(r'src="data:image/png;base64,([^"]+)"', part)[:3]
        grey, doses, structures = (Image.open(io.BytesIO(base64.b64decode(uri))) for uri in uris)
        assert (grey.mode, doses.mode, structures.mode) == ("L", "P", "P")
        assert grey.size == doses.size == structures.size
    (uri,) = re.findall(r'class="structures" src="data:image/png;base64,([^"]+)"', parts[2])
    structures = Image.open(io.BytesIO(base64.b64decode(uri)))
    seen = {colour for _, colour in structures.convert("RGBA").getcolors() or ()}
    assert {(255, 60, 60, 255), (80, 170, 255, 255)} <= seen
    assert (0, 0, 0, 0) in seen
    assert (255, 220, 0, 255) not in seen


def test_an_empty_report_says_so() -> None:
    full = example.summary()
    text = Page(report.render(Context(type(full)(full.trial, full.centre, full.submission)))).text
    assert "None." in text
    assert "Every file of the source is in the package." in text

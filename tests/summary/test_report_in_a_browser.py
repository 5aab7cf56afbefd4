"""The report in headless Chromium: no complaint, the policy holds, plot and slices work, it prints."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import summary_example as example
from pypdf import PdfReader

from rttqa_build.summary import report

if TYPE_CHECKING:
    from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--virtual-time-budget=3000")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium to look at the report with"),
]

USER = """
"use strict";
const told = {};
const pick = (selector) => document.querySelector(selector);
const svg = pick("svg.dvh"), boxes = Array.from(document.querySelectorAll(".key input"));
const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
const shown = () => all("polyline", svg).map((line) => getComputedStyle(line).display !== "none");
const row = (number) => all("output", boxes[number].closest("tr")).map((one) => one.textContent);
const turn = (box) => {
  box.checked = !box.checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
};
const high = (element) => element.getBoundingClientRect().height > 0;
told.columns = getComputedStyle(pick(".key th.live-only")).display;
told.before = shown();
turn(boxes[3]);
told.without = shown();
pick("button[value=none]").click();
told.none = shown();
pick("button[value=all]").click();
told.all = shown();
const box = svg.getBoundingClientRect(), view = svg.viewBox.baseVal, scale = box.width / view.width;
const at = (dose, percent) => ({
  clientX: box.left + (dose / svg.dataset.top * svg.dataset.width - view.x) * scale,
  clientY: box.top + ((1 - percent / 100) * svg.dataset.height - view.y) * scale,
});
svg.dispatchEvent(new PointerEvent("pointermove", at(24, 50)));
told.at = [pick(".at-dose").textContent, pick(".at-volume").textContent];
told.rectum = row(3);
svg.focus();
told.focused = document.activeElement === svg;
svg.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", shiftKey: true }));
told.moved = pick(".at-dose").textContent;
const slider = pick(".viewer input[type=range]");
const slices = () => all(".slice").map(high);
told.slices = [slices()];
slider.value = 2;
slider.dispatchEvent(new Event("input"));
told.slices.push(slices());
told.slice = pick(".viewer output").textContent;
const layer = document.querySelectorAll("img.doses")[2];
told.layer = [high(layer)];
turn(pick(".viewer input[value=doses]"));
told.layer.push(high(layer));
told.drawn = Array.from(document.images).every((image) => image.complete && image.naturalWidth > 0);
document.body.dataset.told = JSON.stringify(told);
"""


def chromium(folder: Path, page: str, *flags: str) -> subprocess.CompletedProcess[str]:
    (folder / "report.html").write_text(page, "utf-8")
    command = [
        str(CHROMIUM),
        *FLAGS,
        f"--user-data-dir={folder / 'profile'}",
        "--enable-logging=stderr",
        *flags,
    ]
    return subprocess.run(
        [*command, (folder / "report.html").as_uri()], capture_output=True, text=True, timeout=90, check=True
    )


def complaints(run: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in run.stderr.splitlines() if "CONSOLE" in line or "Content Security" in line]


@pytest.fixture(scope="module")
def page() -> str:
    return report.render(example.context(views=True))


def visited(page: str, folder: Path, script: str) -> tuple[str, list[str]]:
    """Return the page after what a user does, which its policy is told to admit, and all complaints."""
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = page.replace("script-src ", f"script-src &#39;sha256-{own}&#39; ", 1)
    page = page.replace("</body>", f"<script>{script}</script></body>", 1)
    run = chromium(folder, page, "--dump-dom")
    return run.stdout, complaints(run)


def test_it_opens_without_a_complaint(page: str, tmp_path: Path) -> None:
    run = chromium(tmp_path, page, "--dump-dom")
    assert complaints(run) == []
    assert '<html lang="en-GB" class="live">' in run.stdout


def test_the_policy_admits_no_other_script(page: str, tmp_path: Path) -> None:
    foreign = page.replace("</body>", "<script>document.body.id = 'taken'</script></body>", 1)
    run = chromium(tmp_path, foreign, "--dump-dom")
    assert "Content Security Policy" in "".join(complaints(run))
    assert 'id="taken"' not in run.stdout


def test_plot_and_slices_answer(page: str, tmp_path: Path) -> None:
    document, said = visited(page, tmp_path, USER)
    assert said == []
    found = re.search(r'data-told="([^"]*)"', document)
    assert found
    told = json.loads(found[1].replace("&quot;", '"'))
    count = len(example.summary().curves)
    assert told["columns"] == "table-cell"
    assert told["before"] == told["all"] == [True] * count
    assert told["without"] == [number != 3 for number in range(count)]
    assert told["none"] == [False] * count
    assert told["at"] == ["24.0 Gy", "50 %"]
    covered, received = (float(text.split()[0]) for text in told["rectum"])
    rectum = example.summary().curves[3]
    nearest = min(range(len(rectum.dose_gy)), key=lambda i: abs(rectum.dose_gy[i] - 24))
    middle = min(range(len(rectum.dose_gy)), key=lambda i: abs(rectum.volume_percent[i] - 50))
    assert covered == pytest.approx(rectum.volume_percent[nearest], abs=1)
    assert received == pytest.approx(rectum.dose_gy[middle], abs=0.5)
    assert told["focused"]
    assert told["moved"] == "29.0 Gy"
    assert told["slices"] == [[False, True, False], [False, False, True]]
    assert told["slice"] == "z = 20.0 mm"
    assert told["layer"] == [True, False]
    assert told["drawn"]


def test_texts_that_leave_keep_their_width_on_a_narrow_page(page: str, tmp_path: Path) -> None:
    script = """
    document.body.style.width = "640px";
    const words = Array.from(document.querySelectorAll(".leaving .text"));
    const broken = words.filter((one) => one.textContent.length < 12 && one.getClientRects()[0].height > 40);
    document.body.dataset.told = [words.length > 0, broken.length].join(" ");
    """
    document, said = visited(page, tmp_path, script)
    assert said == []
    assert 'data-told="true 0"' in document


@pytest.mark.parametrize("width", [360, 683, 1366])
def test_it_fits_a_narrow_window(page: str, tmp_path: Path, width: int) -> None:
    """Nothing sticks out of the page, and names of curves stay in one piece."""
    frame = f'<iframe id="window" width="{width}" height="900" srcdoc="{html.escape(page)}"></iframe>'
    script = """
    window.onload = () => {
      const page = document.getElementById("window").contentDocument;
      const names = Array.from(page.querySelectorAll(".key label"));
      const broken = names.filter((one) => one.getBoundingClientRect().height > 30).length;
      const wide = page.documentElement.scrollWidth - page.documentElement.clientWidth;
      document.body.dataset.told = [names.length > 0, broken, wide].join(" ");
    };
    """
    run = chromium(tmp_path, f"<body>{frame}<script>{script}</script></body>", "--dump-dom")
    assert 'data-told="true 0 0"' in run.stdout


def printed(reader: PdfReader) -> str:
    """Return the text without its spaces, which depend on where lines break."""
    return "".join("".join(one.extract_text() for one in reader.pages).split())


def test_it_prints(page: str, tmp_path: Path) -> None:
    chromium(tmp_path, page, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'report.pdf'}")
    reader = PdfReader(io.BytesIO((tmp_path / "report.pdf").read_bytes()))
    text = printed(reader)
    assert 2 <= len(reader.pages) <= 8
    assert "Astructurehasagapbetweenitscontours." in text
    assert "Slicesthrough" not in text
    assert "Pointattheplot" not in text


def test_it_is_whole_without_scripts(page: str, tmp_path: Path) -> None:
    silent = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    chromium(tmp_path, silent, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'report.pdf'}")
    text = printed(PdfReader(tmp_path / "report.pdf"))
    for words in (
        "A structure has a gap between its contours.",
        "Dose-volume histogram",
        "Axial, z",
        "old/RD.dcm",
        "FemoralHead_L",
    ):
        assert "".join(words.split()) in text
    assert "Pointattheplot" not in text

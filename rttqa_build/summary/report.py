"""The submitter's report: one HTML file that needs nothing else, stays at the centre, and prints.

It may show what must not leave (``local``): relative paths, labels, slice positions. Its policy allows no
connection, and of scripts, styles and pictures only its own. Without the script it says the same, but for
the slices.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from typing import TYPE_CHECKING

from rttqa_build.summary import leaving, png
from rttqa_build.summary.figures import plot
from rttqa_build.summary.template import environment, shipped
from rttqa_build.summary.views import png_uri

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jinja2 import Template

    from rttqa_build.summary.context import Context, Slices, View

TEMPLATE, STYLE, SCRIPT = "report.html.j2", "report.css", "report.js"
_POLICY = (
    "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; base-uri 'none'; form-action 'none'"
)
_WIDTH, _HEIGHT = 640, 400
_VIEWS_WIDTH = 900


def render(context: Context) -> str:
    """Return the report as HTML5 text."""
    from markupsafe import Markup

    style, script = shipped(STYLE), shipped(SCRIPT)
    drawing = plot(context.summary)
    return template().render(
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=_POLICY.format(_hash(style), _hash(script)),
        summary=context.summary,
        sending=context.sending,
        local=context.local,
        contents=list(_contents(context)),
        leaving=leaving.groups(context.local.texts),
        plot=drawing,
        lines=[(line, _points(line.points, drawing.top)) for line in drawing.lines],
        width=_WIDTH,
        height=_HEIGHT,
        pictures=_pictures(context.summary.views),
        slices=_slices(context.local.slices),
    )


def prepare() -> None:
    """Compile the template, which takes longer than to fill it: a build does it beside packing."""
    template()


@functools.cache
def template() -> Template:
    """Return the compiled template."""
    return environment(autoescape=True).from_string(shipped(TEMPLATE))


def _hash(text: str) -> str:
    """Return what a policy calls an inline script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _contents(context: Context) -> Iterator[tuple[str, str]]:
    """Yield the sections that are there: anchor and short title."""
    summary, local = context.summary, context.local
    yield "findings", "Findings"
    yield "texts", "Text that leaves"
    yield "pseudonymisation", "Pseudonymisation"
    told = (
        ("prescription", "Prescription", summary.prescription),
        ("constraints", "Constraints", summary.constraints),
        ("dvh", "DVH", summary.curves),
        ("views", "Views", summary.views),
        ("structures", "Structures", summary.structures),
    )
    yield from ((anchor, title) for anchor, title, rows in told if rows)
    yield "left-out", "Left out"
    if local.sources:
        yield "sources", "Manifest"


def _pictures(views: Sequence[View]) -> list[tuple[View, str, int, int]]:
    """Return the views with their pixels and their size on the page: one scale, two beside each other."""
    widest = sum(view.width_mm for view in views[-2:]) or 1.0
    scale = _VIEWS_WIDTH / widest
    return [
        (view, png_uri(view), int(view.width_mm * scale + 0.5), int(view.height_mm * scale + 0.5))
        for view in views
    ]


def _slices(slices: Slices) -> list[dict[str, str | int]]:
    """Return the slices with their layers as pictures."""
    colours = [entry.colour for entry in slices.legend]
    return [
        {
            "title": one.title,
            "width": one.width,
            "height": one.height,
            "grey": png.uri(one.width, one.height, one.grey, png.GREY, level=6),
            "structures": png.indexed(one.width, one.height, one.structures, colours),
            "doses": png.indexed(one.width, one.height, one.doses, colours),
        }
        for one in slices.planes
    ]


def _points(points: tuple[tuple[float, float], ...], top: float) -> str:
    """Return an SVG polyline's points: 0 to ``top`` Gy over the width, 100 to 0 % over the height."""
    return " ".join(f"{x * _WIDTH / top:.1f},{_HEIGHT - y * _HEIGHT / 100:.1f}" for x, y in points)

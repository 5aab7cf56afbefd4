"""The submitter's report: one HTML file that needs nothing else, stays at the centre, and prints.

It may show what must not leave (``local``): relative paths, labels, slice positions. Its policy allows no
script, no connection, and of styles and pictures only its own.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from rttqa_build.summary.figures import plot
from rttqa_build.summary.template import environment, shipped
from rttqa_build.summary.views import png_uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rttqa_build.summary.context import Context, View

TEMPLATE = "report.html.j2"
_POLICY = "default-src 'none'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'"
_WIDTH, _HEIGHT = 640, 300
_VIEWS_WIDTH = 900


def render(context: Context) -> str:
    """Return the report as HTML5 text."""
    from markupsafe import Markup

    style = shipped("report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    drawing = plot(context.summary)
    return (
        environment(autoescape=True)
        .from_string(shipped(TEMPLATE))
        .render(
            style=Markup(style),  # noqa: S704 - our own file
            policy=_POLICY.format(digest),
            summary=context.summary,
            sending=context.sending,
            local=context.local,
            plot=drawing,
            lines=[(line, _points(line.points, drawing.top)) for line in drawing.lines],
            width=_WIDTH,
            height=_HEIGHT,
            pictures=_pictures(context.summary.views),
        )
    )


def _pictures(views: Sequence[View]) -> list[tuple[View, str, int, int]]:
    """Return the views with their pixels and their size on the page: one scale, two beside each other."""
    widest = sum(view.width_mm for view in views[-2:]) or 1.0
    scale = _VIEWS_WIDTH / widest
    return [
        (view, png_uri(view), int(view.width_mm * scale + 0.5), int(view.height_mm * scale + 0.5))
        for view in views
    ]


def _points(points: tuple[tuple[float, float], ...], top: float) -> str:
    """Return an SVG polyline's points: 0 to ``top`` Gy over the width, 100 to 0 % over the height."""
    return " ".join(f"{x * _WIDTH / top:.1f},{_HEIGHT - y * _HEIGHT / 100:.1f}" for x, y in points)

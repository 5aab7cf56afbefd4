"""The command line: the only place that prints, reads the environment or the clock, or exits.

Verbs live in modules of their own and import what they need when they run, so that ``check`` and ``status``
start without pydicom, numpy and typst.
"""

from __future__ import annotations

from rttqa_build.cli.app import main

__all__ = ["main"]

"""The command line: the only place that prints, reads the environment or the clock, or exits.

Verbs live in modules of their own and import what they need when they run, so that ``check`` and ``status``
start without pydicom, numpy and typst.
"""

from __future__ import annotations

import gc


def main() -> None:
    """Run the program and exit with the contract's code."""
    # Importing and parsing make objects by the hundred thousand, none of them in a cycle: seldom look.
    gc.set_threshold(1_000_000, 20, 20)
    from rttqa_build.cli.app import run

    run()

"""The command line: the only place that prints, reads the environment or the clock, or exits.

Verbs live in modules of their own and import what they need when they run, so that ``check`` and ``status``
start without pydicom, numpy and typst.
"""

from __future__ import annotations

import contextlib
import gc
import sys

# the verbs that begin with an export: a second process loads pydicom while the command line comes up
READING = frozenset({"approve", "build", "new", "pseudonymise"})


def main() -> None:
    """Run the program and exit with the contract's code."""
    # Importing and parsing make objects by the hundred thousand, none of them in a cycle: seldom look.
    gc.set_threshold(1_000_000, 20, 20)
    with contextlib.ExitStack() as stack:
        try:
            sibling = None
            if READING.intersection(sys.argv[1:2]):
                from rttqa_build.cli.workers import second

                sibling = stack.enter_context(second() or contextlib.nullcontext())
                if sibling is not None:
                    sibling.begin()
            from rttqa_build.cli.app import run
        except KeyboardInterrupt:  # what comes later is told in cli/failures.py
            sys.stderr.write("\ninterrupted; nothing was begun\n")
            sys.exit(130)
        run(sibling)

"""What the benchmark measures is there: it is run by hand, and would rot unseen."""

from __future__ import annotations

import importlib
import runpy
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1] / "bench"


def test_every_stage_that_is_timed_is_called_where_the_benchmark_says() -> None:
    stages = runpy.run_path(str(BENCH / "stages.py"))["STAGES"]
    assert stages
    for module, names in stages.items():
        place = importlib.import_module(f"rttqa_build.{module}")
        assert [name for name in names if not callable(getattr(place, name, None))] == []

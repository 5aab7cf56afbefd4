"""How long the histograms take: `python bench/histograms.py FOLDER`, an export that `bench/corpus.py` wrote.

Reads the structure set (20 structures, 1,700 contours) and the dose (200 x 200 x 150), makes every histogram
on two threads, best of five. Prints JSON: seconds of the clock and of the processor.
"""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rttqa_build.dose import pair
from rttqa_build.dose.pair import Pair

LIMIT = 2.0
THREADS = 2


def one(structures: bytes, dose: bytes) -> tuple[float, float, int, int]:
    """Return seconds of the clock and of the processor, structures and contours."""
    clock, processor = time.perf_counter(), time.process_time()
    read = pair.read(structures, dose)
    assert isinstance(read, Pair)
    with ThreadPoolExecutor(THREADS) as pool:
        curves, found = pair.histograms(read, pool.map)
    assert not found
    contours = sum(len(structure.contours) for structure in read.structures)
    return time.perf_counter() - clock, time.process_time() - processor, len(curves), contours


def main() -> int:
    """Print the figures; fail when the processor needs more than the bar allows two cores."""
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    folder = Path(sys.argv[1])
    files = [next(folder.rglob(pattern)).read_bytes() for pattern in ("RS.*", "RD.*")]
    clock, processor, structures, contours = min(one(*files) for _ in range(5))
    figures = {
        "clock, s": round(clock, 3),
        "processor, s": round(processor, 3),
        "structures": structures,
        "contours": contours,
        "cores": os.cpu_count(),
        "bar, s": LIMIT,
    }
    print(json.dumps(figures))
    return int(processor > LIMIT * THREADS)


if __name__ == "__main__":
    sys.exit(main())

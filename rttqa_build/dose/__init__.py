"""Dose-volume histograms: contours and dose grids in, curves, metrics and verdicts out.

``contours`` and ``grid`` read; ``slabs`` and ``sampling`` turn contours into a sampled volume; ``dvh`` makes
the histogram and states its conventions; ``metrics`` reads it; ``constraints`` judges.

Results are the same bits on every machine and with any number of threads: + − × ÷ √, comparison, sums in a
fixed order, interpolation and histograms only. Nothing here may call exp, log, power, arctan2, dot or matmul.
"""

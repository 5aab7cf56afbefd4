"""Submit: the gate, and the hand-over of one submission to a portal."""

from rttqa_build.submit.contract import Built, Ending, Order, Report, Result, Steps
from rttqa_build.submit.gate import Candidate, Site, gate
from rttqa_build.submit.pipeline import preflight, submit

__all__ = [
    "Built",
    "Candidate",
    "Ending",
    "Order",
    "Report",
    "Result",
    "Site",
    "Steps",
    "gate",
    "preflight",
    "submit",
]

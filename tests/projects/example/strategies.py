"""Strategies of both tasks, and a claim."""

from __future__ import annotations

import numpy as np
from selection import Indices, K, Numbers, largest, smallest, topic

from harness import Estimate, Evidence, PhaseClock, Problem, Verdict


@topic.strategy("sort", tasks=[largest, smallest])
def sort(problem: Problem, phase: PhaseClock, top: float = 1.0) -> Indices:
    """Sort all numbers."""
    numbers: Numbers = problem.data
    for _ in phase("select"):
        order = np.argsort(-numbers if top else numbers)[:K]
    return order


@topic.strategy("partition", tasks=[largest, smallest])
def partition(problem: Problem, phase: PhaseClock, top: float = 1.0) -> Indices:
    """Move the K best numbers to the front, in any order."""
    numbers: Numbers = problem.data
    for _ in phase("select"):
        chosen = np.argpartition(-numbers if top else numbers, K)[:K]
    return chosen


@topic.claim("Partial selection costs no more CPU time than sorting", source="Hoare 1961, Algorithm 65: Find")
def partition_is_cheaper(evidence: Evidence) -> Verdict:
    """Ask for the paired ratio of CPU times."""
    ratio: Estimate = evidence.ratio("select.cpu_s", "partition", "sort", task="largest")
    return ratio.at_most(1)

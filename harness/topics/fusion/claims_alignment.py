"""Claims about contrastive alignment: what it retrieves, and whether it helps a fusion."""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.fusion import topic

RADFORD = "Radford et al. 2021, Learning transferable visual models from natural language supervision, arXiv 2103.00020"
OORD = "van den Oord, Li & Vinyals 2018, Representation learning with contrastive predictive coding, arXiv 1807.03748"
WANG = "Wang & Liu 2021, Understanding the behaviour of contrastive loss, arXiv 2012.09740"
LIANG = "Liang et al. 2023, Factorized contrastive learning: going beyond multi-view redundancy, arXiv 2306.05268"
OURS = "the bound is this project's"

#: Mean reciprocal rank of 300 candidates in random order.
CHANCE = sum(1 / rank for rank in range(1, 301)) / 300
EMOJI: dict[str, Scalar] = {"task": "alignment", "dataset": "emoji", "candidates": 300}
DEBIAN: dict[str, Scalar] = {"task": "alignment", "dataset": "debian-packages", "candidates": 300, "rows": 1_000}
FEW: dict[str, Scalar] = {"task": "few-labels", "dataset": "debian-packages", "rows": 1_000}

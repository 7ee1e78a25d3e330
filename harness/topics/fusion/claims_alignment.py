"""Claims about contrastive alignment: what it retrieves, and whether it helps a fusion.

Retrieval is among 300 test examples, and mrr is the mean of both directions. Packages are 1,000 training packages of
debian-packages; their first two modalities are text and links.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.fusion import topic

RADFORD = "Radford et al. 2021, Learning transferable visual models from natural language supervision, arXiv 2103.00020"
OORD = "van den Oord, Li & Vinyals 2018, Representation learning with contrastive predictive coding, arXiv 1807.03748"
WANG = "Wang & Liu 2021, Understanding the behaviour of contrastive loss, arXiv 2012.09740"
LIANG = "Liang et al. 2023, Factorized contrastive learning: going beyond multi-view redundancy, arXiv 2306.05268"
ANDREW = "Andrew, Arora, Bilmes & Livescu 2013, Deep canonical correlation analysis, ICML"
OURS = "the bound is this project's"

#: Mean reciprocal rank of 300 candidates in random order.
CHANCE = sum(1 / rank for rank in range(1, 301)) / 300
EMOJI: dict[str, Scalar] = {"task": "alignment", "dataset": "emoji", "candidates": 300}
PACKAGES: dict[str, Scalar] = {"task": "alignment", "dataset": "debian-packages", "candidates": 300, "rows": 1_000}
FEW: dict[str, Scalar] = {"task": "few-labels", "labelled": 0.1}
ALL: dict[str, Scalar] = {"task": "few-labels", "labelled": 1.0}
FEW_PACKAGES: dict[str, Scalar] = {**FEW, "dataset": "debian-packages", "rows": 1_000}
ALL_PACKAGES: dict[str, Scalar] = {**ALL, "dataset": "debian-packages", "rows": 1_000}
BLOCKS = 25


@topic.claim(
    "trained on pairs, text and image of emoji retrieve each other at least 2 times as well (mrr) as trained on "
    "shuffled pairs",
    source=f"{RADFORD}; {OURS}",
    blocks=BLOCKS,
)
def pairs_align_emoji(evidence: Evidence) -> Verdict:
    """Judge what pairs teach."""
    return evidence.ratio("mrr", "paired", "shuffled", **EMOJI).at_least(2)


@topic.claim(
    "trained on pairs, text and links of packages retrieve each other at least 2 times as well (mrr) as trained on "
    "shuffled pairs",
    source=f"{OORD}; {OURS}",
    blocks=BLOCKS,
)
def pairs_align_packages(evidence: Evidence) -> Verdict:
    """Judge the same where both modalities name things."""
    return evidence.ratio("mrr", "paired", "shuffled", **PACKAGES).at_least(2)


@topic.claim(
    "on packages, networks trained on pairs retrieve at least as well (mrr) as canonical correlations",
    source=f"{ANDREW}: networks correlate modalities better than linear projections",
    blocks=BLOCKS,
)
def networks_beat_linear_projections(evidence: Evidence) -> Verdict:
    """Judge InfoNCE against the linear baseline, which needs a fraction of its time."""
    return evidence.difference("mrr", "paired", "canonical-correlation", **PACKAGES).at_least(0)


@topic.claim(
    "trained on shuffled pairs, the mrr of emoji is that of a random order, 0.021, within 0.005",
    source=f"a control: without pairs there is nothing to learn; {OURS}",
    blocks=BLOCKS,
)
def shuffled_pairs_are_at_chance(evidence: Evidence) -> Verdict:
    """Judge whether the evaluation leaks."""
    return evidence.mean("mrr", "shuffled", **EMOJI).within(0.005, of=CHANCE)


@topic.claim(
    "on emoji, pairs retrieve better (mrr) by at least 0.01 than pairs of different examples of one class",
    source=f"{RADFORD}, section 2.3: pairs are told from all others of a batch, those of their class too; {OURS}",
    blocks=BLOCKS,
)
def pairs_say_more_than_classes(evidence: Evidence) -> Verdict:
    """Judge what alignment knows beside the class."""
    return evidence.difference("mrr", "paired", "shuffled-in-class", **EMOJI).at_least(0.01)


@topic.claim(
    "on emoji, a temperature of 0.03 retrieves worse (mrr) by at least 0.01 than one of 0.1",
    source=f"{WANG}: a low temperature is not tolerant of similar examples; {OURS}",
    blocks=BLOCKS,
)
def low_temperatures_harm(evidence: Evidence) -> Verdict:
    """Judge the temperature where there are few pairs, many of them alike."""
    return evidence.difference("mrr", "paired[temperature=0.03]", "paired", **EMOJI).at_most(-0.01)


@topic.claim(
    "with 10 % of the labels, alignment raises the accuracy of a fusion of packages by at least 0.01",
    source=f"{RADFORD}; {OURS}",
    blocks=BLOCKS,
)
def alignment_helps_with_few_labels(evidence: Evidence) -> Verdict:
    """Judge what pairs without labels are worth, where the test set is large."""
    return evidence.difference("accuracy", "contrastive", "concatenation", **FEW_PACKAGES).at_least(0.01)


@topic.claim(
    "with all labels, alignment changes the accuracy of a fusion of packages by at most 0.015",
    source=f"{LIANG}: it adds what both modalities share, which labels teach as well; {OURS}",
    blocks=BLOCKS,
)
def alignment_ties_with_all_labels(evidence: Evidence) -> Verdict:
    """Judge whether the gain remains where nothing is hidden."""
    return evidence.tied("accuracy", "contrastive", "concatenation", 0.015, **ALL_PACKAGES)


@topic.claim(
    "with 10 % of the labels, alignment lowers the log loss of a fusion of emoji by at least 0.2",
    source=f"{RADFORD}; {OURS}",
    blocks=BLOCKS,
)
def alignment_helps_emoji(evidence: Evidence) -> Verdict:
    """Judge the small set by a metric that its test examples can decide."""
    return evidence.difference("log_loss", "contrastive", "concatenation", dataset="emoji", **FEW).at_most(-0.2)


@topic.claim(
    "with all labels, alignment raises the accuracy of a fusion of emoji by at most 0.04",
    source=f"{LIANG}; {OURS}",
    published="0.625 to 0.636 in a trial on 3 seeds",
    blocks=BLOCKS,
)
def alignment_hardly_helps_emoji_with_all_labels(evidence: Evidence) -> Verdict:
    """Judge the size of the gain where every example has a label."""
    return evidence.difference("accuracy", "contrastive", "concatenation", dataset="emoji", **ALL).at_most(0.04)

"""Claims about norms in a classifier of short texts.

All of them are judged on 10,000 descriptions of packages, with two layers at a learning rate of 0.003 that is reached
after a tenth of training. Batches of 4 and of 32 are compared at 4,800 texts seen, 1,200 or 150 steps; everything else
at 9,600, 300 steps.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.normalization import topic

WU = "Wu & He 2018, Group normalization (1803.08494), abstract and section 4.1"
POWERNORM = "Shen et al. 2020, PowerNorm: rethinking batch normalization in Transformers (2003.07845), abstract"
TAKASE = "Takase et al. 2022, On layer normalizations and residual connections in Transformers (2206.00330), abstract"
WANG = "Wang et al. 2022, DeepNet: scaling Transformers to 1,000 layers (2203.00555), abstract"
ZHANG = "Zhang & Sennrich 2019, Root mean square layer normalization (1910.07467), section 6"
LUO = "Luo et al. 2019, Towards understanding regularization in batch normalization (1809.00846), abstract"
SCHNEIDER = (
    "Schneider et al. 2020, Improving robustness against common corruptions by covariate shift adaptation "
    "(2006.16971), abstract"
)
GALKE = "Galke & Scherp 2022, Bag-of-words vs. graph vs. sequence in text classification (2109.03777), abstract"
OURS = "the bound is this project's"

ALL: dict[str, Scalar] = {"task": "classification", "dataset": "debian-descriptions"}
SHORT: dict[str, Scalar] = {**ALL, "examples": 4_800, "warmup": 480}
HERE: dict[str, Scalar] = {**ALL, "examples": 9_600, "batch": 32}
NOISY: dict[str, Scalar] = {**HERE, "scenario": "label_noise(0.4)"}
TAIL: dict[str, Scalar] = {**HERE, "scenario": "long_tail(100)"}
#: Batches of 4 take 1,200 steps; two batches of both norms are four fits a block.
BLOCKS, GROWTH = 12, 20


@topic.claim(
    "from 32 to 4 texts in a batch, batch norm's log loss rises by at least 2 % relative to layer norm's",
    source=f"{WU}; {OURS}",
    published="on ImageNet 10.6 % more errors than group norm with 2 images, and about as many with 32",
    blocks=GROWTH,
)
def small_batches_cost_batch_norm_more(evidence: Evidence) -> Verdict:
    """Judge the change of their ratio, so that what small batches do to both does not count."""
    return evidence.growth("log_loss", "pre-bn", "pre-ln", ("batch", 32, 4), **SHORT).at_least(1.02)


@topic.claim(
    "with 32 texts in a batch, batch norm's log loss is at least 0.05 above layer norm's (pre place)",
    source=f"{POWERNORM}; {OURS}",
    published="batch norm in Transformers performs significantly worse on tasks of language",
    blocks=BLOCKS,
)
def batch_norm_is_worse_on_text(evidence: Evidence) -> Verdict:
    """Judge what is said of language in general on a task that does not look ahead and has little padding."""
    return evidence.difference("log_loss", "pre-bn", "pre-ln", **HERE).at_least(0.05)


@topic.claim(
    "two layers deep and with warm-up, post-LN's log loss is at least 0.05 below pre-LN's",
    source=f"{TAKASE}; {OURS}",
    published="post-LN is consistently better with six layers or fewer",
    blocks=BLOCKS,
)
def shallow_post_ln_is_better(evidence: Evidence) -> Verdict:
    """Judge the place of the norm where both places train."""
    return evidence.difference("log_loss", "post-ln", "pre-ln", **HERE).at_most(-0.05)


@topic.claim(
    "two layers deep and with warm-up, DeepNorm's log loss is at least 0.03 below pre-LN's",
    source=f"{WANG}; {OURS}",
    published="the performance of post-LN with the stability of pre-LN",
    blocks=BLOCKS,
)
def deepnorm_is_better(evidence: Evidence) -> Verdict:
    """Judge what DeepNorm is worth where no depth asks for it."""
    return evidence.difference("log_loss", "deepnorm", "pre-ln", **HERE).at_most(-0.03)


@topic.claim(
    "the log losses of RMS norm and layer norm are within 0.05 of each other (pre place)",
    source=f"{ZHANG}; {OURS}",
    published="RMS norm performs comparably with layer norm",
    blocks=BLOCKS,
)
def rms_norm_matches(evidence: Evidence) -> Verdict:
    """Judge whether subtracting the mean is worth anything."""
    return evidence.tied("log_loss", "pre-rmsnorm", "pre-ln", 0.05, **HERE)


@topic.claim(
    "with 40 % of the training labels wrong, batch norm's log loss is at least 0.05 below layer norm's (pre place)",
    source=f"{LUO}; {OURS}",
    published="batch norm is an implicit regulariser",
    blocks=BLOCKS,
)
def batch_norm_regularises(evidence: Evidence) -> Verdict:
    """Judge the noise of batches where a model can learn noise by heart."""
    return evidence.difference("log_loss", "pre-bn", "pre-ln", **NOISY).at_most(-0.05)


@topic.claim(
    "on test texts shorter than in training, batch norm's log loss rises by at least 5 % relative to layer norm's",
    source=f"{SCHNEIDER}; {OURS}",
    published="replacing the statistics of training by those of the corrupted images improves robustness",
    blocks=BLOCKS,
)
def running_averages_do_not_shift(evidence: Evidence) -> Verdict:
    """Judge the change of their ratio from clean to shifted texts."""
    shift = ("scenario", "clean", "covariate_shift(-2)")
    return evidence.growth("log_loss", "pre-bn", "pre-ln", shift, **HERE).at_least(1.05)


@topic.claim(
    "logistic regression on counts of words is right at least 0.02 more often than a pre-LN Transformer from scratch",
    source=f"{GALKE}; {OURS}",
    published="bags of words outperform graph networks, and Transformers outperform them after pretraining",
    blocks=BLOCKS,
)
def counts_beat_transformers(evidence: Evidence) -> Verdict:
    """Judge a Transformer against the baseline that everybody should try first."""
    return evidence.difference("accuracy", "logistic-words", "pre-ln", **HERE).at_least(0.02)


@topic.claim(
    "where classes have a long tail, logistic regression on counts of words leads pre-LN by at least 0.05 in macro-F1",
    source=f"{GALKE}; {OURS}",
    blocks=BLOCKS,
)
def counts_win_on_rare_classes(evidence: Evidence) -> Verdict:
    """Judge them where rare classes count as much as frequent ones."""
    return evidence.difference("macro_f1", "logistic-words", "pre-ln", **TAIL).at_least(0.05)

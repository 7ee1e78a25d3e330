"""Claims about stability: which recipes train at high learning rates, at depth, and without warm-up.

Unless a claim says otherwise, a model of characters is 32 wide, with 4 heads and 6 layers, and is trained for 100 steps
of 8 times 32 characters of the King James Bible at each of four learning rates from 0.001 to 0.03, without warm-up and
without clipping. Losses are those of held-out text, in nats a character. "Best" means the best of the four rates.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.normalization import topic

TAKASE = "Takase et al. 2022, B2T connection, arXiv 2206.00330"
PERI = "Kim et al. 2025, Peri-LN, arXiv 2502.02732"
WORTSMAN = (
    "Wortsman et al. 2023, Small-scale proxies for large-scale Transformer training instabilities, arXiv 2309.14322"
)
DEEPNET = "Wang et al. 2022, DeepNet, arXiv 2203.00555"
KEEL = "Chen & Wei 2026, Post-LayerNorm is back, arXiv 2601.19895"
RMS = "Zhang & Sennrich 2019, Root mean square layer normalization, arXiv 1910.07467"
DYT = "Zhu et al. 2025, Transformers without normalization, arXiv 2503.10622"
DERF = "Chen et al. 2025, Stronger normalization-free Transformers, arXiv 2512.10938"
OWN = "the bound is this project's"

SIX: dict[str, Scalar] = {"task": "stability", "layers": 6, "highest": 0.03}
TWELVE: dict[str, Scalar] = {"task": "stability", "layers": 12, "highest": 0.03}
BLOCKS, DEEP = 16, 12


@topic.claim(
    "with 12 layers, post-LN at its best rate gains at most 0.1 nats over counts of characters",
    source=f"{TAKASE}, and PyTorch's issue 55270: deep post-LN models are of no use; {OWN}",
    blocks=DEEP,
)
def deep_post_ln_fails(evidence: Evidence) -> Verdict:
    """Judge that no rate trains."""
    return evidence.difference("best_loss", "post-ln", "unigram", **TWELVE).at_least(-0.1)


@topic.claim(
    "with 12 layers, pre-LN at its best rate gains at least 0.3 nats over post-LN at its best",
    source=f"{TAKASE}; {OWN}",
    blocks=DEEP,
)
def deep_pre_ln_trains(evidence: Evidence) -> Verdict:
    """Judge where depth needs another place of the norm."""
    return evidence.difference("best_loss", "pre-ln", "post-ln", **TWELVE).at_most(-0.3)


@topic.claim(
    "with 12 layers, DeepNorm at its best rate gains at least 0.3 nats over post-LN at its best",
    source=f"{DEEPNET}; {OWN}",
    blocks=DEEP,
)
def deepnorm_repairs_post_ln(evidence: Evidence) -> Verdict:
    """Judge that a weighted stream and smaller weights make post-LN trainable."""
    return evidence.difference("best_loss", "deepnorm", "post-ln", **TWELVE).at_most(-0.3)


@topic.claim(
    "with 12 layers, DeepNorm at its best rate is at least as good as pre-LN at its best",
    source=f"{DEEPNET}, abstract: the performance of post-LN with the stability of pre-LN",
    blocks=DEEP,
)
def deepnorm_matches_pre_ln(evidence: Evidence) -> Verdict:
    """Judge the quality that post-LN was given up with."""
    return evidence.difference("best_loss", "deepnorm", "pre-ln", **TWELVE).at_most(0)


@topic.claim(
    "with 12 layers, DeepNorm at a rate of 0.03 is at most 0.1 nats worse than pre-LN",
    source=f"{DEEPNET}: as stable as pre-LN; {OWN}",
    blocks=DEEP,
)
def deepnorm_is_as_stable(evidence: Evidence) -> Verdict:
    """Judge stability at a rate that is too high for post-LN."""
    return evidence.difference("highest_loss", "deepnorm", "pre-ln", **TWELVE).at_most(0.1)


@topic.claim(
    "with 12 layers, Keel at its best rate gains at least 0.3 nats over post-LN at its best",
    source=f"{KEEL}; {OWN}",
    blocks=DEEP,
)
def keel_repairs_post_ln(evidence: Evidence) -> Verdict:
    """Judge the highway path."""
    return evidence.difference("best_loss", "keel", "post-ln", **TWELVE).at_most(-0.3)


@topic.claim(
    "with 12 layers, Keel at its best rate is at least as good as pre-LN at its best",
    source=f"{KEEL}: better perplexity than pre-LN",
    blocks=DEEP,
)
def keel_beats_pre_ln(evidence: Evidence) -> Verdict:
    """Judge quality, at 12 layers rather than at hundreds."""
    return evidence.difference("best_loss", "keel", "pre-ln", **TWELVE).at_most(0)


@topic.claim(
    "with 12 layers, Keel at a rate of 0.03 is at least 0.1 nats better than pre-LN",
    source=f"{KEEL}, fig. 1a: smooth at rates at which pre-LN is unstable; {OWN}",
    blocks=DEEP,
)
def keel_is_stable(evidence: Evidence) -> Verdict:
    """Judge stability at a high rate."""
    return evidence.difference("highest_loss", "keel", "pre-ln", **TWELVE).at_most(-0.1)


@topic.claim(
    "at a rate of 0.03, peri-LN is at least 0.1 nats better than pre-LN", source=f"{PERI}; {OWN}", blocks=BLOCKS
)
def peri_ln_beats_pre_ln(evidence: Evidence) -> Verdict:
    """Judge stability at a high rate."""
    return evidence.difference("highest_loss", "peri-ln", "pre-ln", **SIX).at_most(-0.1)


@topic.claim(
    "at a rate of 0.03, peri-LN is at least 0.3 nats better than post-LN", source=f"{PERI}; {OWN}", blocks=BLOCKS
)
def peri_ln_beats_post_ln(evidence: Evidence) -> Verdict:
    """Judge stability at a high rate."""
    return evidence.difference("highest_loss", "peri-ln", "post-ln", **SIX).at_most(-0.3)


@topic.claim(
    "peri-LN is at most 0.02 nats more sensitive to the learning rate than pre-LN",
    source=f"{PERI}; {OWN}",
    blocks=BLOCKS,
)
def peri_ln_is_robust(evidence: Evidence) -> Verdict:
    """Judge the mean loss over rates above the best one."""
    return evidence.difference("sensitivity", "peri-ln", "pre-ln", **SIX).at_most(0.02)


@topic.claim(
    "QK-norm lowers the sensitivity of pre-LN to the learning rate",
    source=f"{WORTSMAN}, sec. 3.1.1",
    blocks=BLOCKS,
)
def qk_norm_lowers_sensitivity(evidence: Evidence) -> Verdict:
    """Judge the mean loss over rates above the best one; in 100 steps logits of attention have little time to grow."""
    return evidence.difference("sensitivity", "pre-ln-qk", "pre-ln", **SIX).at_most(0)


@topic.claim(
    "RMSNorm at its best rate is within 0.05 nats of layer norm, both before sublayers",
    source=f"{RMS}: comparable performance; {OWN}",
    blocks=BLOCKS,
)
def rms_norm_is_as_good(evidence: Evidence) -> Verdict:
    """Judge what subtracting the mean is worth."""
    return evidence.tied("best_loss", "pre-rmsnorm", "pre-ln", 0.05, **SIX)


@topic.claim(
    "at a rate of 0.03, DyT is at most 0.1 nats worse than layer norm",
    source=f"{DYT}, abstract: mostly without tuning; {OWN}",
    blocks=BLOCKS,
)
def dyt_is_stable(evidence: Evidence) -> Verdict:
    """Judge stability at a high rate."""
    return evidence.difference("highest_loss", "dyt", "pre-ln", **SIX).at_most(0.1)


@topic.claim(
    "at a rate of 0.03, Derf is at most 0.1 nats worse than layer norm", source=f"{DERF}; {OWN}", blocks=BLOCKS
)
def derf_is_stable(evidence: Evidence) -> Verdict:
    """Judge stability at a high rate."""
    return evidence.difference("highest_loss", "derf", "pre-ln", **SIX).at_most(0.1)

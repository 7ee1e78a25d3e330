"""Claims about language models of characters that are trained once.

Unless a claim says otherwise, a model is 32 wide, with 4 heads and 6 layers, and is trained for 150 steps of 8 times 32
characters of the King James Bible at a learning rate of 0.003, without warm-up and without clipping. Losses are those
of held-out text in evaluation mode, in nats a character.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.normalization import topic

XIONG = "Xiong et al. 2020, On layer normalization in the Transformer architecture, arXiv 2002.04745"
TAKASE = "Takase et al. 2022, B2T connection, arXiv 2206.00330"
RMS = "Zhang & Sennrich 2019, Root mean square layer normalization, arXiv 1910.07467"
POWER = "Shen et al. 2020, PowerNorm, arXiv 2003.07845"
DEHGHANI = "Dehghani et al. 2023, Scaling vision Transformers to 22 billion parameters, arXiv 2302.05442"
VERMA = "Verma 2026, When does removing LayerNorm help?, arXiv 2604.23434"
VERMA_FOUND = "64M parameters, validation loss against layer norm: -27.3 % at 1M tokens, +18.8 % at 118M"
DYT = "Zhu et al. 2025, Transformers without normalization, arXiv 2503.10622"
DERF = "Chen et al. 2025, Stronger normalization-free Transformers, arXiv 2512.10938"
OWN = "the bound is this project's"

PLAIN: dict[str, Scalar] = {"task": "language", "layers": 6, "warmup": 0, "batch": 8, "width": 32}
WARM: dict[str, Scalar] = {"task": "language", "layers": 6, "batch": 8, "width": 64}
SMALL_BATCH: dict[str, Scalar] = PLAIN | {"batch": 2}
SHALLOW: dict[str, Scalar] = {"task": "language", "layers": 2, "warmup": 0, "batch": 8, "width": 32}
#: A model of 110,000 parameters that sees 128,000 characters: a short text several times over, or a part of a long one.
WIDE: dict[str, Scalar] = {"task": "language", "layers": 2, "width": 64, "steps": 500}
#: Verses, of 133 characters: 0.12, 0.5, 2.3 and 10 characters a parameter.
FEW, MANY = 100, 8_400
VERSES = ("rows", FEW, 440, 1_900, MANY)
#: A model of 322,000 parameters that sees 3,000,000 characters, once over on average or ten times, and more test text.
LONG: dict[str, Scalar] = WIDE | {"width": 112, "steps": 1_465, "batch": 64, "windows": 1_024}
TENTH, WHOLE = 2_260, 22_600
#: Blocks; fewer where trials take long: at a width of 160, and for 3,000,000 characters.
BLOCKS, SOME, FEWEST = 16, 8, 4


@topic.claim(
    "with a width of 64 and no warm-up, the loss of post-LN is at least 1.1 times that with a warm-up of 50 steps",
    source=f"{XIONG}; {OWN}",
    blocks=BLOCKS,
)
def post_ln_needs_warm_up(evidence: Evidence) -> Verdict:
    """Judge what the first steps at the full rate cost."""
    return evidence.speedup("loss", "post-ln", ("warmup", 0, 50), **WARM).at_least(1.1)


@topic.claim(
    "with a width of 64, the loss of pre-LN without warm-up is within 5 % of that with a warm-up of 50 steps",
    source=f"{XIONG}, abstract: comparable results without warm-up; {OWN}",
    blocks=BLOCKS,
)
def pre_ln_needs_no_warm_up(evidence: Evidence) -> Verdict:
    """Judge that the warm-up may be left out."""
    return evidence.speedup("loss", "pre-ln", ("warmup", 0, 50), **WARM).within(0.05)


@topic.claim(
    "with 2 layers, post-LN has at most the loss of pre-LN",
    source=f"{TAKASE}, abstract: post-LN is better with six layers or fewer",
    blocks=BLOCKS,
)
def shallow_post_ln_is_better(evidence: Evidence) -> Verdict:
    """Judge shallow models, which train in either place."""
    return evidence.difference("loss", "post-ln", "pre-ln", **SHALLOW).at_most(0)


@topic.claim(
    "batch norm after sublayers has at least 0.1 nats more loss in evaluation mode than in training mode",
    source=f"{POWER}: batch statistics fluctuate; {OWN}",
    blocks=BLOCKS,
)
def post_batch_norm_opens_a_gap(evidence: Evidence) -> Verdict:
    """Judge running averages against statistics of the batch, which also look ahead."""
    return evidence.mean("mode_gap", "post-bn", **PLAIN).at_least(0.1)


@topic.claim(
    "batch norm before sublayers has at least 0.1 nats more loss in evaluation mode than in training mode",
    source=f"{POWER}: batch statistics fluctuate; {OWN}",
    blocks=BLOCKS,
)
def pre_batch_norm_opens_a_gap(evidence: Evidence) -> Verdict:
    """Judge the same where the residual stream is not normalised."""
    return evidence.mean("mode_gap", "pre-bn", **PLAIN).at_least(0.1)


@topic.claim(
    "with batches of 64 characters, batch norm before sublayers has a gap between its modes of at least 0.02 nats",
    source=f"{POWER}: batch statistics fluctuate; {OWN}",
    blocks=BLOCKS,
)
def small_batches_open_a_gap(evidence: Evidence) -> Verdict:
    """Judge statistics of a quarter of the characters."""
    return evidence.mean("mode_gap", "pre-bn", **SMALL_BATCH).at_least(0.02)


@topic.claim(
    "with batches of 64 characters, batch norm before sublayers has at least 0.03 nats more loss than layer norm there",
    source=f"{POWER}: batch norm performs worse than layer norm in language; {OWN}",
    blocks=BLOCKS,
)
def batch_norm_suffers_from_small_batches(evidence: Evidence) -> Verdict:
    """Judge evaluation mode, the one of use."""
    return evidence.difference("loss", "pre-bn", "pre-ln", **SMALL_BATCH).at_least(0.03)


@topic.claim(
    "batch norm before sublayers has at least the loss of layer norm there",
    source=f"{POWER}: batch norm performs worse than layer norm in language",
    blocks=BLOCKS,
)
def batch_norm_is_worse(evidence: Evidence) -> Verdict:
    """Judge evaluation mode, the one of use."""
    return evidence.difference("loss", "pre-bn", "pre-ln", **PLAIN).at_least(0)


@topic.claim(
    "batch norm after sublayers has at least the loss of layer norm there",
    source=f"{POWER}: batch norm performs worse than layer norm in language",
    blocks=BLOCKS,
)
def post_batch_norm_is_worse(evidence: Evidence) -> Verdict:
    """Judge the place in which the source has it, without warm-up."""
    return evidence.difference("loss", "post-bn", "post-ln", **PLAIN).at_least(0)


@topic.claim(
    "RMSNorm before sublayers shortens the CPU time of training by at least 7 % against layer norm there",
    source=RMS,
    published="7 to 64 % less running time, models of 2019 on GPUs and CPUs",
    blocks=BLOCKS,
)
def rms_norm_is_faster(evidence: Evidence) -> Verdict:
    """Judge PyTorch's own two norms on a CPU, in the whole of training."""
    return evidence.ratio("train.cpu_s", "pre-rmsnorm", "pre-ln", **PLAIN).at_most(0.93)


@topic.claim(
    "RMSNorm before sublayers has a loss within 0.05 nats of layer norm there", source=f"{RMS}; {OWN}", blocks=BLOCKS
)
def rms_norm_is_as_good(evidence: Evidence) -> Verdict:
    """Judge quality at equal steps."""
    return evidence.tied("loss", "pre-rmsnorm", "pre-ln", 0.05, **PLAIN)


@topic.claim(
    "QK-norm lengthens the CPU time of pre-LN's training by at most 20 %",
    source=f"{DEHGHANI}; no published figure: {OWN}",
    blocks=BLOCKS,
)
def qk_norm_is_cheap(evidence: Evidence) -> Verdict:
    """Judge two more norms in each attention."""
    return evidence.ratio("train.cpu_s", "pre-ln-qk", "pre-ln", **PLAIN).at_most(1.2)


@topic.claim(
    "after 38,400 characters, pre-LN has more loss than counts of pairs of characters",
    source=f"no published figure: {OWN}",
    blocks=BLOCKS,
)
def counts_come_first(evidence: Evidence) -> Verdict:
    """Judge a baseline that any language model should be shown with."""
    return evidence.difference("loss", "pre-ln", "bigram", **PLAIN).at_least(0)


@topic.claim(
    "after 128,000 characters of 8,400 verses, pre-LN of width 64 and 2 layers is 0.1 nats better than counts of pairs",
    source=f"no published figure: {OWN}",
    blocks=BLOCKS,
)
def training_beats_counts(evidence: Evidence) -> Verdict:
    """Judge that these models learn more than pairs."""
    return evidence.difference("loss", "pre-ln", "bigram", rows=MANY, **WIDE).at_most(-0.1)


@topic.claim(
    "with a width of 160, and so 0.02 characters of text a parameter, DyT has at most the loss of layer norm",
    source=VERMA,
    published=VERMA_FOUND,
    blocks=SOME,
)
def dyt_helps_on_least_text(evidence: Evidence) -> Verdict:
    """Judge 100 verses read nine times over; the 1M tokens of the source are 0.016 a parameter."""
    return evidence.difference("loss", "dyt", "pre-ln", rows=FEW, **WIDE | {"width": 160}).at_most(0)


@topic.claim(
    "with 0.12 characters of text a parameter, DyT has at most the loss of layer norm",
    source=VERMA,
    published=VERMA_FOUND,
    blocks=BLOCKS,
)
def dyt_helps_on_little_text(evidence: Evidence) -> Verdict:
    """Judge 100 verses read nine times over; the source has up to 1.84 tokens a parameter, of other models."""
    return evidence.difference("loss", "dyt", "pre-ln", rows=FEW, **WIDE).at_most(0)


@topic.claim(
    "with 10 characters of text a parameter, DyT has at least the loss of layer norm",
    source=VERMA,
    published=VERMA_FOUND,
    blocks=BLOCKS,
)
def dyt_hurts_on_much_text(evidence: Evidence) -> Verdict:
    """Judge 8,400 verses, of which a ninth is read."""
    return evidence.difference("loss", "dyt", "pre-ln", rows=MANY, **WIDE).at_least(0)


@topic.claim(
    "after reading 3,000,000 characters of a text of as many (9 a parameter), DyT has at least the loss of layer norm",
    source=f"{VERMA}; judged at 3M characters, not at its 118M tokens",
    published=VERMA_FOUND,
    blocks=FEWEST,
)
def dyt_hurts_on_three_million(evidence: Evidence) -> Verdict:
    """Judge 22,600 verses, each read once on average, in 1,465 steps of 64 times 32 characters."""
    return evidence.difference("loss", "dyt", "pre-ln", rows=WHOLE, **LONG).at_least(0)


@topic.claim(
    "after reading 3,000,000 characters of a text of 300,000 (0.9 a parameter), DyT has at most the loss of layer norm",
    source=f"{VERMA}; judged at 0.9 characters a parameter, between its 0.016 and 1.84 tokens",
    published=VERMA_FOUND,
    blocks=FEWEST,
)
def dyt_helps_on_a_tenth(evidence: Evidence) -> Verdict:
    """Judge 2,260 verses, each read ten times, in as many steps."""
    return evidence.difference("loss", "dyt", "pre-ln", rows=TENTH, **LONG).at_most(0)


@topic.claim(
    "from 0.12 to 10 characters of text a parameter, the loss of DyT divided by that of layer norm grows at least as "
    "the text to the power 0.02",
    source=f"{VERMA}; judged at 0.12, 0.5, 2.3 and 10 characters a parameter, not at its 118M tokens; {OWN}",
    published=f"{VERMA_FOUND}: a power of 0.10",
    blocks=5,
)
def dyt_loses_with_text(evidence: Evidence) -> Verdict:
    """Judge the slope over four sizes of the training text, at equal steps."""
    return evidence.slope("loss", "dyt", "pre-ln", over=VERSES, **WIDE).at_least(0.02)


@topic.claim(
    "with 10 characters of text a parameter, DyT is at most 0.02 nats worse than layer norm",
    source=f"{DYT}, abstract: it matches or exceeds normalised models; {OWN}",
    blocks=BLOCKS,
)
def dyt_matches(evidence: Evidence) -> Verdict:
    """Judge quality after 500 steps, with the slope that the authors begin with."""
    return evidence.difference("loss", "dyt", "pre-ln", rows=MANY, **WIDE).at_most(0.02)


@topic.claim(
    "with 10 characters of text a parameter, Derf and DyT have the same loss, within 0.03 nats",
    source=f"{DERF}, on language; {OWN}",
    blocks=BLOCKS,
)
def derf_ties_with_dyt(evidence: Evidence) -> Verdict:
    """Judge two functions without statistics."""
    return evidence.tied("loss", "derf", "dyt", 0.03, rows=MANY, **WIDE)


@topic.claim(
    "with 10 characters of text a parameter, Derf is at most 0.02 nats worse than layer norm",
    source=f"{DERF}, abstract; {OWN}",
    blocks=BLOCKS,
)
def derf_matches_layer_norm(evidence: Evidence) -> Verdict:
    """Judge quality after 500 steps."""
    return evidence.difference("loss", "derf", "pre-ln", rows=MANY, **WIDE).at_most(0.02)


@topic.claim(
    "with 10 characters of text a parameter, Derf is at most 0.02 nats worse than RMSNorm",
    source=f"{DERF}, abstract; {OWN}",
    blocks=BLOCKS,
)
def derf_matches_rms_norm(evidence: Evidence) -> Verdict:
    """Judge quality after 500 steps."""
    return evidence.difference("loss", "derf", "pre-rmsnorm", rows=MANY, **WIDE).at_most(0.02)

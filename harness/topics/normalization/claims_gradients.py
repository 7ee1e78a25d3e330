"""Claims about gradients before training, and about what norms cost.

Gradients are those of the second feed-forward matrix of a layer, in untrained networks of 6, 12, 24 and 48 layers that
are 64 wide. Costs are CPU times and bytes of norms of 1,024 tokens of 512 features with one thread; the floor is a copy
that reads and writes the same arrays. Bounds that no source gives are the project's own, as said at each claim.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.normalization import topic

XIONG = "Xiong et al. 2020, On layer normalization in the Transformer architecture, arXiv 2002.04745, theorem 1"
DEEPNET = "Wang et al. 2022, DeepNet: scaling Transformers to 1,000 layers, arXiv 2203.00555"
KEEL = "Chen & Wei 2026, Post-LayerNorm is back: stable, expressive, and deep, arXiv 2601.19895"
TAKASE = "Takase et al. 2022, B2T connection, arXiv 2206.00330, abstract"
YANG = "Yang et al. 2019, A mean field theory of batch normalization, arXiv 1902.08129"
PERI = "Kim et al. 2025, Peri-LN, arXiv 2502.02732"
RMS = "Zhang & Sennrich 2019, Root mean square layer normalization, arXiv 1910.07467, abstract"
DYT = "Zhu et al. 2025, Transformers without normalization, arXiv 2503.10622"
OWN = "; bound: this project"

Where = dict[str, Scalar]
DEEP: Where = {"task": "gradients", "dataset": "kjv", "deepest": 48, "width": 64}
KERNELS: Where = {"task": "kernels", "tokens": 1_024, "width": 512}
BLOCKS = 20


@topic.claim(
    "before training, the gradient of the last layer of post-LN does not depend on depth: exponent 0, within 0.25",
    source=XIONG + OWN,
    published="bound of order d sqrt(ln d), at any depth",
    blocks=BLOCKS,
)
def post_is_flat(evidence: Evidence) -> Verdict:
    """Judge the exponent of post-LN."""
    return evidence.mean("last_slope", "post-ln", **DEEP).within(0.25, of=0)


@topic.claim(
    "before training, the gradient of the last layer of pre-LN falls as the root of depth: exponent -1/2, within 0.2",
    source=XIONG + OWN,
    published="bound of order d sqrt(ln d / L) at L layers",
    blocks=BLOCKS,
)
def pre_falls(evidence: Evidence) -> Verdict:
    """Judge the exponent of pre-LN; the fixed share of the embeddings in the stream brings it nearer to 0."""
    return evidence.mean("last_slope", "pre-ln", **DEEP).within(0.2, of=-0.5)


@topic.claim(
    "before training, the gradient of the last layer of DeepNorm falls as the root of depth: exponent -1/2, within 0.1",
    source=DEEPNET + ", scales of figure 2; exponent derived in docs/normalization.md; bound: this project",
    blocks=BLOCKS,
)
def deepnorm_falls(evidence: Evidence) -> Verdict:
    """Judge the exponent that follows from DeepNorm's two scales."""
    return evidence.mean("last_slope", "deepnorm", **DEEP).within(0.1, of=-0.5)


@topic.claim(
    "before training, the gradient of the last layer of Keel falls as depth: exponent -1, within 0.1",
    source=KEEL + "; exponent derived in docs/normalization.md; bound: this project",
    blocks=BLOCKS,
)
def keel_falls(evidence: Evidence) -> Verdict:
    """Judge the exponent that follows from the weight of Keel's stream."""
    return evidence.mean("last_slope", "keel", **DEEP).within(0.1, of=-1)


@topic.claim(
    "before training, peri-LN lets the gradient of the last layer fall with depth as pre-LN does, within 0.25",
    source=PERI + ", section on gradients; exponent derived in docs/normalization.md; bound: this project",
    blocks=BLOCKS,
)
def peri_falls_as_pre(evidence: Evidence) -> Verdict:
    """Judge whether the norm after the sublayer changes the exponent."""
    return evidence.tied("last_slope", "peri-ln", "pre-ln", 0.25, **DEEP)


@topic.claim(
    "without statistics the gradient of the last layer does not fall: DyT's exponent is at least 0.3 above pre-LN's",
    source="derived in docs/normalization.md: tanh does not divide by the scale of the stream; bound: this project",
    blocks=BLOCKS,
)
def dyt_does_not_fall(evidence: Evidence) -> Verdict:
    """Judge what tanh takes away of the protection of pre-LN."""
    return evidence.difference("last_slope", "dyt", "pre-ln", **DEEP).at_least(0.3)


@topic.claim(
    "gradients of post-LN vanish on the way back: before training, those of the layers of the network of 48 differ by "
    "a factor of 10 or more",
    source=TAKASE + OWN,
    published="the norm of post-LN is the main source of vanishing gradients",
    blocks=BLOCKS,
)
def post_vanishes(evidence: Evidence) -> Verdict:
    """Judge the spread over layers, in decades."""
    return evidence.mean("spread", "post-ln", **DEEP).at_least(1)


@topic.claim(
    "batch norm makes gradients explode: in post place, before training, those of the layers of the network of 48 "
    "differ by a factor of 30 or more",
    source=YANG + " (without residual connections)" + OWN,
    published="gradients grow exponentially in depth",
    blocks=BLOCKS,
)
def batch_norm_explodes(evidence: Evidence) -> Verdict:
    """Judge the spread over layers, in decades; 10^1.5 is 32."""
    return evidence.mean("spread", "post-bn", **DEEP).at_least(1.5)


@topic.claim(
    "DeepNorm is even: before training, gradients of the layers of the network of 48 differ by a factor of less than "
    "1.6",
    source=DEEPNET + "; derived in docs/normalization.md; bound: this project",
    blocks=BLOCKS,
)
def deepnorm_is_even(evidence: Evidence) -> Verdict:
    """Judge the spread over layers, in decades; 10^0.2 is 1.58."""
    return evidence.mean("spread", "deepnorm", **DEEP).at_most(0.2)


@topic.claim(
    "Keel is even: before training, gradients of the layers of the network of 48 differ by a factor of less than 1.6",
    source=KEEL + "; derived in docs/normalization.md; bound: this project",
    blocks=BLOCKS,
)
def keel_is_even(evidence: Evidence) -> Verdict:
    """Judge the spread over layers, in decades; 10^0.2 is 1.58."""
    return evidence.mean("spread", "keel", **DEEP).at_most(0.2)


@topic.claim(
    "the forward pass of torch's RMS norm takes at least 7 % less CPU time than that of its layer norm",
    source=RMS,
    published="a model takes 7 to 64 % less time",
    blocks=BLOCKS,
)
def rms_norm_is_faster(evidence: Evidence) -> Verdict:
    """Judge the claim of the paper for the norm alone, where the gain should be largest."""
    return evidence.ratio("forward.cpu_s", "rms-norm", "layer-norm", **KERNELS).at_most(0.93)


@topic.claim(
    "the forward pass of torch's RMS norm needs no more memory than that of its layer norm",
    source=RMS + OWN,
    blocks=BLOCKS,
)
def rms_norm_needs_no_more_memory(evidence: Evidence) -> Verdict:
    """Judge the memory of the result and of what is kept for the backward pass."""
    return evidence.ratio("forward.peak_bytes", "rms-norm", "layer-norm", **KERNELS).at_most(1)


@topic.claim(
    "layer norm is near the floor of bandwidth: forward and backward take at most 6 times the CPU time of the copy",
    source="this project: a fused kernel reads and writes what the copy does, and allocates its result",
    blocks=BLOCKS,
)
def layer_norm_is_near(evidence: Evidence) -> Verdict:
    """Judge both passes together."""
    return evidence.ratio("cpu_s", "layer-norm", "copy", **KERNELS).at_most(6)


@topic.claim(
    "torch's RMS norm is far from the floor on a CPU: forward and backward take at least 10 times the CPU time of the "
    "copy",
    source="this project: torch composes it of elementary operations on a CPU; docs of torch.nn.RMSNorm name no kernel",
    blocks=BLOCKS,
)
def rms_norm_is_far(evidence: Evidence) -> Verdict:
    """Judge both passes together."""
    return evidence.ratio("cpu_s", "rms-norm", "copy", **KERNELS).at_least(10)


@topic.claim(
    "on a CPU torch composes RMS norm: it needs the memory of its formula in elementary operations, within 10 %",
    source="pytorch/pytorch, pull request 153666, which fuses it for devices" + OWN,
    blocks=BLOCKS,
)
def rms_norm_is_composed(evidence: Evidence) -> Verdict:
    """Judge the memory of both passes, which a fused kernel would save."""
    return evidence.ratio("peak_bytes", "rms-norm", "rms-norm-composed", **KERNELS).within(0.1)


@topic.claim(
    "DyT takes less CPU time than torch's RMS norm, forward and backward",
    source=DYT + ", section on efficiency (first version)",
    published="LLaMA 7B takes 7.8 % less time in inference than with RMS norm, on an H100",
    blocks=BLOCKS,
)
def dyt_is_faster_than_rms_norm(evidence: Evidence) -> Verdict:
    """Judge the claim of the paper on a CPU, where neither is fused."""
    return evidence.ratio("cpu_s", "dyt", "rms-norm", **KERNELS).at_most(1)


@topic.claim("DyT takes less CPU time than layer norm, forward and backward", source=DYT + OWN, blocks=BLOCKS)
def dyt_is_faster_than_layer_norm(evidence: Evidence) -> Verdict:
    """Judge what a function without statistics gains against a fused kernel with them."""
    return evidence.ratio("cpu_s", "dyt", "layer-norm", **KERNELS).at_most(1)


@topic.claim(
    "Derf takes more CPU time than DyT, forward and backward", source="this project: one operation more", blocks=BLOCKS
)
def derf_is_slower_than_dyt(evidence: Evidence) -> Verdict:
    """Judge what the shift and the error function cost."""
    return evidence.ratio("cpu_s", "derf", "dyt", **KERNELS).at_least(1)

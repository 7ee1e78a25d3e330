"""Claims about missing, noisy and shifted modalities. Each block is a random grouped holdout of a fifth."""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.fusion import topic

MA = "Ma et al. 2022, Are multimodal Transformers robust to missing modality?, arXiv 2204.05454"
MODDROP = "Neverova et al. 2015, ModDrop, arXiv 1501.00102"
EMAP = "Hessel & Lee 2020, Does my multimodal model learn cross-modal interactions?, arXiv 2010.06572"
TENSOR = "Zadeh et al. 2017, Tensor fusion network, arXiv 1707.07250"
OURS = "the bound is this project's"
ELSEWHERE = "measured elsewhere with 3 seeds: "

EMOJI: dict[str, Scalar] = {"task": "missing", "dataset": "emoji"}
XOR: dict[str, Scalar] = {"task": "missing", "dataset": "synthetic-interaction", "information": "xor"}
DEBIAN: dict[str, Scalar] = {"task": "missing", "dataset": "debian-packages"}
MANY, FEW = 25, 10


def _dropout_gains(evidence: Evidence, measure: str, least: float, where: dict[str, Scalar] = EMOJI) -> Verdict:
    return evidence.difference(measure, "concatenation-dropout", "concatenation", **where).at_least(least)


def _below_the_image(evidence: Evidence, fusion: str) -> Verdict:
    return evidence.difference("accuracy_at_no_text_100", fusion, "image-only", **EMOJI).at_most(0)


@topic.claim(
    "emoji without their text: concatenation is less accurate than a network of the image alone",
    source=MA,
    published=f"{ELSEWHERE}0.39 against 0.52",
    blocks=MANY,
)
def concatenation_falls_below_the_image(evidence: Evidence) -> Verdict:
    """Judge the paired difference with all texts missing."""
    return _below_the_image(evidence, "concatenation")


@topic.claim(
    "emoji without their text: tensor fusion is less accurate than a network of the image alone",
    source=MA,
    published=f"{ELSEWHERE}0.07 against 0.52",
    blocks=MANY,
)
def tensor_falls_below_the_image(evidence: Evidence) -> Verdict:
    """Judge the paired difference with all texts missing."""
    return _below_the_image(evidence, "full-tensor")


@topic.claim(
    "emoji without their text: cross-attention is less accurate than a network of the image alone",
    source=MA,
    published=f"{ELSEWHERE}all of 8 fusions are",
    blocks=MANY,
)
def attention_falls_below_the_image(evidence: Evidence) -> Verdict:
    """Judge the paired difference with all texts missing."""
    return _below_the_image(evidence, "cross-attention")


@topic.claim(
    "tensor fusion is right for at most 11 % of the emoji without their text",
    source=f"{TENSOR}, whose product multiplies by what is missing; {OURS}: 0.07 and 0.04",
    published=f"{ELSEWHERE}0.07",
    blocks=MANY,
)
def tensor_is_lost_without_text(evidence: Evidence) -> Verdict:
    """Judge the accuracy with all texts missing."""
    return evidence.mean("accuracy_at_no_text_100", "full-tensor", **EMOJI).at_most(0.11)


@topic.claim(
    "modality dropout raises the accuracy of concatenation on emoji without their text by 2 points or more",
    source=f"{MODDROP}; {OURS}",
    published=f"{ELSEWHERE}0.39 to 0.49",
    blocks=MANY,
)
def dropout_repairs(evidence: Evidence) -> Verdict:
    """Judge the paired difference with all texts missing."""
    return _dropout_gains(evidence, "accuracy_at_no_text_100", 0.02)


@topic.claim(
    "modality dropout costs concatenation at most 3 points of accuracy on complete emoji",
    source=f"{MODDROP}; {OURS}",
    published=f"{ELSEWHERE}0.625 to 0.627",
    blocks=MANY,
)
def dropout_is_free(evidence: Evidence) -> Verdict:
    """Judge the paired difference on complete examples."""
    return _dropout_gains(evidence, "accuracy", -0.03)


@topic.claim(
    "modality dropout raises the mean accuracy of concatenation over all rates of missing text by a point or more",
    source=f"{MODDROP}; {OURS}",
    blocks=MANY,
)
def dropout_raises_the_area(evidence: Evidence) -> Verdict:
    """Judge the area under the missing-rate curve."""
    return _dropout_gains(evidence, "accuracy_over_no_text", 0.01)


@topic.claim(
    "emoji without their text: modality dropout gains more than imputing the mean encoding",
    source=f"{MODDROP}; {OURS}",
    blocks=MANY,
)
def dropout_beats_imputation(evidence: Evidence) -> Verdict:
    """Judge the two remedies against each other."""
    measure = "accuracy_at_no_text_100"
    return evidence.difference(measure, "concatenation-dropout", "concatenation-imputed", **EMOJI).at_least(0)


@topic.claim(
    "over all rates of missing text a late product loses at most 3 points to concatenation with dropout",
    source=f"no member of a late fusion has seen another modality; {OURS}",
    blocks=MANY,
)
def late_needs_no_remedy(evidence: Evidence) -> Verdict:
    """Judge the area under the missing-rate curve."""
    return evidence.difference("accuracy_over_no_text", "late-product", "concatenation-dropout", **EMOJI).at_least(
        -0.03
    )


@topic.claim(
    "modality dropout regularises: it lowers the log loss of concatenation on complete emoji",
    source=f"{MODDROP}, section 4",
    blocks=MANY,
)
def dropout_regularises(evidence: Evidence) -> Verdict:
    """Judge the paired difference on complete examples."""
    return evidence.difference("log_loss", "concatenation-dropout", "concatenation", **EMOJI).at_most(0)


@topic.claim(
    "an additive model replaces concatenation on emoji: the projection raises the log loss by at most 0.05 nat",
    source=f"{EMAP}, section 5; {OURS}",
    published="on most of 7 tasks of image and text the projection costs little or no accuracy",
    blocks=MANY,
)
def interaction_is_not_used(evidence: Evidence) -> Verdict:
    """Judge what the additive projection of the model costs."""
    return evidence.mean("log_loss_change_emap", "concatenation", **EMOJI).at_most(0.05)


@topic.claim(
    "an additive model replaces cross-attention on emoji: the projection costs at most 5 points of accuracy",
    source=f"{EMAP}, section 5; {OURS}",
    published="on most of 7 tasks of image and text the projection costs little or no accuracy",
    blocks=MANY,
)
def attention_uses_no_interaction(evidence: Evidence) -> Verdict:
    """Judge what the additive projection of the model costs."""
    return evidence.mean("accuracy_change_emap", "cross-attention", **EMOJI).at_least(-0.05)


@topic.claim(
    "no additive model replaces concatenation on exclusive or: the projection costs 20 points of accuracy or more",
    source=f"{EMAP}, section 3; {OURS}",
    blocks=MANY,
)
def interaction_is_found_on_xor(evidence: Evidence) -> Verdict:
    """Judge what the additive projection of a model costs that needs the interaction."""
    return evidence.mean("accuracy_change_emap", "concatenation", **XOR).at_most(-0.2)


@topic.claim(
    "with random words for its text concatenation is less accurate on emoji than a network of the image alone",
    source=f"{MODDROP}, section 5, on noise; {OURS}",
    blocks=MANY,
)
def noise_is_believed(evidence: Evidence) -> Verdict:
    """Judge the accuracy with all ids replaced."""
    return evidence.difference("accuracy_at_noise_text_100", "concatenation", "image-only", **EMOJI).at_most(0)


@topic.claim(
    "modality dropout does not repair that: with random words the image alone remains more accurate",
    source=f"a wrong word is not a missing one; {OURS}",
    blocks=MANY,
)
def dropout_is_no_remedy_for_noise(evidence: Evidence) -> Verdict:
    """Judge the accuracy with all ids replaced."""
    measure = "accuracy_at_noise_text_100"
    return evidence.difference(measure, "concatenation-dropout", "image-only", **EMOJI).at_most(0)


@topic.claim(
    "images of another font cost a network of the image 5 points of accuracy or more",
    source=f"a shift of one modality; {OURS}",
    blocks=MANY,
)
def font_matters_to_the_image(evidence: Evidence) -> Verdict:
    """Judge the change from one rendering to the other."""
    return evidence.mean("accuracy_change_rendering", "image-only", **EMOJI).at_most(-0.05)


@topic.claim(
    "images of another font cost concatenation at least 10 points less than a network of the image: the text holds it",
    source=f"a shift of one modality; {OURS}",
    blocks=MANY,
)
def text_holds_the_fusion(evidence: Evidence) -> Verdict:
    """Judge the paired difference of the changes from one rendering to the other."""
    return evidence.difference("accuracy_change_rendering", "concatenation", "image-only", **EMOJI).at_least(0.1)


@topic.claim(
    "Debian packages without their text: concatenation is less accurate than a late product of the rest",
    source=f"{MA}; {OURS}",
    blocks=FEW,
)
def concatenation_falls_below_the_rest(evidence: Evidence) -> Verdict:
    """Judge the paired difference with all texts missing."""
    return evidence.difference("accuracy_at_no_text_100", "concatenation", "late-product", **DEBIAN).at_most(0)


@topic.claim(
    "Debian packages without their text: modality dropout raises the accuracy of concatenation by 3 points or more",
    source=f"{MODDROP}; {OURS}",
    blocks=FEW,
)
def dropout_repairs_packages(evidence: Evidence) -> Verdict:
    """Judge the paired difference with all texts missing."""
    return _dropout_gains(evidence, "accuracy_at_no_text_100", 0.03, DEBIAN)

"""Claims about fusions on complete data: where joint training gains, and where an ensemble does as well.

"Late" is the product of the probabilities of networks that are trained alone; the prior of a class counts once in it.
Fusions are at their defaults, unless a claim says that they are tuned. Lookups are learned from 2,000 examples, other
generated data from 4,000.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.fusion import topic

LIANG = "Liang et al. 2023, Quantifying & modeling multimodal interactions, arXiv 2302.12247 (bound: the project's)"
SIMBAMM = "SimBaMM, arXiv 2512.22991 (bound: the project's)"
MULTABENCH = "MulTaBench, arXiv 2605.10616 (bound: the project's)"
OWN = "own measurement, the project's bound"

WHERE: dict[str, Scalar] = {"task": "classification"}
EMOJI: dict[str, Scalar] = {**WHERE, "dataset": "emoji"}
DEBIAN: dict[str, Scalar] = {**WHERE, "dataset": "debian-packages"}
MADE: dict[str, Scalar] = {**WHERE, "dataset": "synthetic-interaction"}
XOR: dict[str, Scalar] = {**MADE, "information": "xor"}
REDUNDANT: dict[str, Scalar] = {**MADE, "information": "redundant"}
LOOKUP: dict[str, Scalar] = {**MADE, "information": "lookup", "rows": 2_000}
JOINT = ("concatenation", "early", "gated", "full-tensor", "low-rank", "cross-attention", "bottleneck")
#: Blocks of generated data, which are independent, and of tuned fusions, which take seven fits.
SOME, TUNED = 10, 12
#: Blocks where one modality is looked up in the other, which concatenation learns to a degree that varies.
MANY = 20


def _all(verdicts: list[Verdict]) -> Verdict:
    """Return the verdict of a sentence about several strategies, which holds if it holds of each."""
    for verdict in ("not measured", "refuted", "inconclusive"):
        if verdict in verdicts:
            return verdict
    return "supported"


@topic.claim(
    "on XOR a late ensemble is right in at most 0.53 of the cases", source=LIANG, published="0.50", blocks=SOME
)
def late_fails_on_xor(evidence: Evidence) -> Verdict:
    """Judge whether probabilities of networks trained alone carry what only both modalities tell."""
    return evidence.mean("accuracy", "late-product", **XOR).at_most(0.53)


@topic.claim("on XOR every joint fusion is right in at least 0.99 of the cases", source=LIANG, blocks=SOME)
def joint_fusions_solve_xor(evidence: Evidence) -> Verdict:
    """Judge the seven fusions that are trained as one network."""
    return _all([evidence.mean("accuracy", name, **XOR).at_least(0.99) for name in JOINT])


@topic.claim(
    "on redundant information every joint fusion has the accuracy of a late ensemble, within 0.01",
    source=LIANG,
    published="0.887 to 0.890 for all fusions",
    blocks=SOME,
)
def redundant_information_ties(evidence: Evidence) -> Verdict:
    """Judge whether joint training gains where each modality tells everything."""
    return _all([evidence.tied("accuracy", name, "late-product", 0.01, **REDUNDANT) for name in JOINT])


@topic.claim(
    "where one modality is a table and the other a key, cross-attention is more often right than concatenation, by 0.1",
    source=OWN,
    published="0.97 against 0.75",
    blocks=MANY,
)
def cross_attention_looks_up(evidence: Evidence) -> Verdict:
    """Judge attention where one modality indexes the other."""
    return evidence.difference("accuracy", "cross-attention", "concatenation", **LOOKUP).at_least(0.1)


@topic.claim(
    "where one modality is a table and the other a key, cross-attention is right in at least 0.93 of the cases",
    source=OWN,
    published="0.97",
    blocks=MANY,
)
def cross_attention_is_right(evidence: Evidence) -> Verdict:
    """Judge the level that was measured elsewhere."""
    return evidence.mean("accuracy", "cross-attention", **LOOKUP).at_least(0.93)


@topic.claim(
    "on emoji the accuracy of no joint fusion exceeds that of a late ensemble by 0.02",
    source=SIMBAMM,
    published="0.65 against 0.65",
)
def late_is_enough_on_emoji(evidence: Evidence) -> Verdict:
    """Judge whether joint training gains on small real data."""
    return _all([evidence.difference("accuracy", name, "late-product", **EMOJI).at_most(0.02) for name in JOINT])


@topic.claim(
    "on emoji the accuracy of tuned cross-attention does not exceed that of a tuned late ensemble by 0.03",
    source=SIMBAMM,
    blocks=TUNED,
)
def late_is_enough_when_tuned(evidence: Evidence) -> Verdict:
    """Judge the same with 6 tries for each."""
    return evidence.difference("accuracy", "cross-attention-tuned", "late-product-tuned", **EMOJI).at_most(0.03)


def _fact(name: str, figure: float) -> None:
    @topic.claim(f"on Debian's packages the accuracy of {name} is {figure:g}, within 0.04", source=OWN)
    def fact(evidence: Evidence) -> Verdict:
        """Judge a figure that was measured elsewhere, with logistic regressions."""
        return evidence.mean("accuracy", name, **DEBIAN).within(0.04, of=figure)


for _name, _figure in (("text-only", 0.718), ("early", 0.810), ("late-product", 0.812)):
    _fact(_name, _figure)


@topic.claim(
    "on Debian's packages concatenation is more often right than text alone, by at least 0.05",
    source=MULTABENCH,
    published="0.810 against 0.718",
)
def fusion_gains_on_packages(evidence: Evidence) -> Verdict:
    """Judge what a fusion gains over the best single modality where there is joint signal."""
    return evidence.difference("accuracy", "concatenation", "text-only", **DEBIAN).at_least(0.05)


@topic.claim(
    "on Debian's packages early and late fusion have the same accuracy, within 0.03",
    source=OWN,
    published="0.810 against 0.812",
)
def early_and_late_tie_on_packages(evidence: Evidence) -> Verdict:
    """Judge whether the place of fusion matters there."""
    return evidence.tied("accuracy", "early", "late-product", 0.03, **DEBIAN)


@topic.claim(
    "on Debian's packages a random split, which ignores groups, shows too high an accuracy of text",
    source=OWN,
    published="0.761 against 0.718: 6 % too high",
)
def random_split_flatters_text(evidence: Evidence) -> Verdict:
    """Judge the split that ignores that packages of one source have like descriptions."""
    return evidence.speedup("accuracy", "text-only", ("scenario", "random_split", "clean"), **DEBIAN).at_least(1)

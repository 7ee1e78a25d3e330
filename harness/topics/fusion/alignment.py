"""The task alignment: two encoders that find the other modality of an example, learned from pairs alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from harness import CLEAN, Chart, Curve, Generator, InvalidOutputError, Judgement, Metric, Param, Profile, Scalar, Takes
from harness.topics.fusion import ENGINE, predicting, topic
from harness.topics.fusion.examples import Divided, Examples, prepare, visible
from harness.topics.fusion.fusions import EPOCHS

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

#: Vectors of the first and of the second modality of all test examples, each of shape (n, columns).
Vectors: TypeAlias = tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]

NEEDS = (*predicting.NEEDS, f"{ENGINE}.alignment")
RANKS = (1, 5, 10)
DRAWN = 100
CANDIDATES = Param(300, low=10, summary="test examples, among which the other modality of each is to be found")


@dataclass(frozen=True, eq=False)
class Pairs:
    """Examples with two modalities.

    Attributes
    ----------
    order
        Test example whose second modality is at each row of what strategies see, shape (n,): they know no pairs.
    """

    data: Divided
    order: npt.NDArray[np.intp]


def pairs(data: Any, params: Mapping[str, Scalar], rng: Generator) -> Pairs:
    """Divide the arrays of a card, and keep the first two modalities."""
    divided = prepare(data, {**params, "tested": params["candidates"]}, rng)

    def both(part: Examples) -> Examples:
        return replace(part, modalities=dict(list(part.modalities.items())[:2]))

    kept = replace(divided, train=both(divided.train), test=both(divided.test), shifted={})
    return Pairs(kept, rng.permutation(len(kept.test)))


def view(data: Pairs) -> Divided:
    """Return what strategies see: the second modality of the test examples is in another order than the first."""
    seen = visible(data.data)
    first, second = seen.test.modalities
    modalities = {first: seen.test.modalities[first], second: seen.test.modalities[second].take(data.order)}
    return replace(seen, test=replace(seen.test, modalities=modalities, groups=np.zeros(0, np.int64)))


def judge(data: Pairs, output: Any) -> Judgement:
    """Judge in both directions how far ahead the other modality of each test example is.

    Raises
    ------
    InvalidOutputError
        When the output is not two arrays of finite vectors of equal length, one for each test example.
    """
    from harness.topics.fusion.engine import retrieval

    first, second = checked(output, len(data.order))
    scores = retrieval.similarities(first, second[np.argsort(data.order)])
    metrics: dict[str, float] = {}
    curves: dict[str, Curve] = {}
    ranks = range(1, min(len(scores), DRAWN) + 1)
    for direction, matrix in (("forward", scores), ("back", scores.T)):
        before, tied = retrieval.places(matrix)
        found = [float(retrieval.recall(before, tied, k).mean()) for k in ranks]
        metrics |= {f"recall_{k}_{direction}": found[k - 1] for k in RANKS}
        metrics[f"mrr_{direction}"] = float(retrieval.reciprocal_rank(before, tied).mean())
        curves[f"recall_{direction}"] = Curve(list(map(float, ranks)), found)
    metrics["mrr"] = (metrics["mrr_forward"] + metrics["mrr_back"]) / 2
    curves["chance"] = Curve(list(map(float, ranks)), [k / len(scores) for k in ranks])
    return Judgement(metrics, curves)


def checked(output: Any, examples: int) -> Vectors:
    """Return an output as vectors of both modalities; raises what `judge` raises."""
    try:
        first, second = (np.asarray(vectors, dtype=np.float64) for vectors in output)
    except (TypeError, ValueError):
        raise InvalidOutputError("expected two arrays of vectors, one for each modality") from None
    if first.ndim != 2 or first.shape != second.shape or len(first) != examples:
        raise InvalidOutputError(
            f"expected two arrays of {examples} vectors of equal length, not of shapes {first.shape} and {second.shape}"
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise InvalidOutputError("some numbers of the vectors are not finite")
    return first, second


def guess(data: Pairs) -> Mapping[str, float]:
    """Return the metrics of candidates in random order."""
    same = np.zeros((len(data.order), 1))
    return judge(data, (same, same)).metrics


def _recall(k: int, direction: str) -> Metric:
    ways = {"forward": "The second modality by the first", "back": "The first modality by the second"}
    summary = f"{ways[direction]}: share of the test examples whose own is among the first {k}; {k}/n by chance."
    return Metric(f"recall_{k}_{direction}", direction="higher", unit="1", margin=0.01, summary=summary)


def _rank(name: str, summary: str) -> Metric:
    return Metric(name, direction="higher", unit="1", margin=0.01, summary=summary)


task = topic.task(
    "alignment",
    title="The other modality of an example, found among many",
    datasets=["emoji", "debian-packages"],
    takes=Takes("arrays", prepare=pairs, overlap=attrgetter("data.overlap")),
    scenarios=[CLEAN],
    phases=["fit", "embed"],
    metrics=[
        _rank("mrr", "Mean reciprocal rank of the right candidate, mean of both directions; by chance (sum of 1/r)/n."),
        _rank("mrr_forward", "Mean reciprocal rank of the right second modality by the first."),
        _rank("mrr_back", "Mean reciprocal rank of the right first modality by the second."),
        *(_recall(k, direction) for direction in ("forward", "back") for k in RANKS),
    ],
    judge=judge,
    guess=guess,
    view=view,
    params={"rows": predicting.SMALL["rows"], "candidates": CANDIDATES},
    reference="shuffled",
    baseline="shuffled",
    charts=[
        Chart(
            f"recall_{direction}",
            title=title,
            x="candidates looked at",
            y="share found",
            log_x=True,
            reading="The dashed line is a random order of the candidates. Ties count as if broken by chance.",
            limit="chance",
            limit_title="chance",
        )
        for direction, title in (("forward", "Second modality by the first"), ("back", "First modality by the second"))
    ],
    quick=Profile(4, {"rows": 500}, datasets=("emoji",), strategies=("shuffled", "paired")),
    full=Profile(10, sweeps=True),
)
SWEEP: Mapping[str, Sequence[Scalar]] = {"temperature": [0.03, 0.1, 0.3, 1.0]}


def aligned(
    problem: Problem,
    phase: PhaseClock,
    partner: Callable[[Examples, Generator], npt.NDArray[np.intp]],
    temperature: float,
    **budget: Any,
) -> Vectors:
    """Fit encoders to pairs in the phase `fit`, and return the vectors of the test examples in the phase `embed`."""
    from harness.topics._shared.deep import seeded
    from harness.topics.fusion.engine.alignment import Aligner, embed, fit_pairs
    from harness.topics.fusion.engine.fitting import Budget

    data: Divided = problem.data
    seeded(problem.seed)
    with phase("fit"):
        partners = partner(data.train, np.random.default_rng(problem.seed))
        aligner = fit_pairs(Aligner(data), data, partners, Budget(**budget), temperature, problem.seed)
    with phase("embed"):
        return embed(aligner, data.test)


@task.strategy("paired", needs=NEEDS, sweep=SWEEP)
def paired(problem: Problem, phase: PhaseClock, temperature: float = 0.1, epochs: int = EPOCHS) -> Vectors:
    """Train both encoders by InfoNCE on the pairs as they are."""

    def itself(examples: Examples, _rng: Generator) -> npt.NDArray[np.intp]:
        return np.arange(len(examples))

    return aligned(problem, phase, itself, temperature, epochs=epochs)


@task.strategy("shuffled", needs=NEEDS, note="A control: it must retrieve at chance.")
def shuffled(problem: Problem, phase: PhaseClock, temperature: float = 0.1, epochs: int = EPOCHS) -> Vectors:
    """Train them on pairs whose second half is that of another example, drawn once."""

    def another(examples: Examples, rng: Generator) -> npt.NDArray[np.intp]:
        return rng.permutation(len(examples))

    return aligned(problem, phase, another, temperature, epochs=epochs)


@task.strategy("shuffled-in-class", needs=NEEDS, note="A control: it sees labels, and no pairs.")
def shuffled_in_class(problem: Problem, phase: PhaseClock, temperature: float = 0.1, epochs: int = EPOCHS) -> Vectors:
    """Train them on pairs of different examples of one class: what the class alone retrieves."""

    def of_the_class(examples: Examples, rng: Generator) -> npt.NDArray[np.intp]:
        partner = np.arange(len(examples))
        for label in np.unique(examples.labels):
            members = np.flatnonzero(examples.labels == label)
            partner[members] = rng.permutation(members)
        return partner

    return aligned(problem, phase, of_the_class, temperature, epochs=epochs)

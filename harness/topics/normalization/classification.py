"""The task classification: the class of a short text, by Transformers of each recipe and by counts of words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harness import CLEAN, Chart, Judgement, Metric, Param, Profile, Takes
from harness.topics._shared.multiclass import METRICS, RELIABILITY
from harness.topics.normalization import ENGINE, topic
from harness.topics.normalization.budget import HEADS
from harness.topics.normalization.learned import training_curve
from harness.topics.normalization.recipes import Recipe, compete
from harness.topics.normalization.scenarios import covariate_shift, label_noise, long_tail
from harness.topics.normalization.sentences import LENGTH, PARAMS, Described, Sentences, prepare, visible

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

#: Modules that every recipe needs.
NEEDS = (
    f"{ENGINE}.sentences",
    f"{ENGINE}.training",
    f"{ENGINE}.transformer",
    "harness.topics._shared.deep",
    "sklearn.metrics",
)
#: Features of a word.
WIDTH = 64
#: Test texts that are predicted in training mode, too.
COMPARED = 256
#: Most points of the curve of training.
POINTS = 20
NO_TRAINING = {"mode_gap": 0.0, "saved_bytes": 0.0, "parameters": 0.0}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Classified:
    """What a strategy returns.

    Attributes
    ----------
    probabilities
        Of each class for each test text, shape (n_test, classes).
    in_training
        The same for the first texts, by the model in training mode, shape (at most `COMPARED`, classes); empty where
        there are no modes.
    parameters
        Number of trained parameters.
    saved_bytes
        Bytes of the activations that a training step saves for its gradients.
    losses
        Training loss of each step, in nats.
    diverged
        The step at which training diverged.
    """

    probabilities: Floats
    in_training: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    parameters: int = 0
    saved_bytes: int = 0
    losses: tuple[float, ...] = ()
    diverged: int | None = None


def judge(data: Described, output: Classified) -> Judgement:
    """Judge probabilities, and what training left."""
    from harness.topics._shared import multiclass

    curves = training_curve("loss", output.losses, POINTS)
    if output.diverged is not None:
        return Judgement({}, curves, diverged=output.diverged)
    judged = multiclass.judge(data.test_labels, data.classes, output.probabilities)
    few = len(output.in_training)
    labels = data.test_labels[:few]
    modes = (multiclass.log_losses(labels, part) for part in (output.probabilities[:few], output.in_training))
    evaluation, training = (float(part.mean()) if few else 0.0 for part in modes)
    left = {"mode_gap": evaluation - training, "saved_bytes": output.saved_bytes, "parameters": output.parameters}
    return Judgement({**judged.metrics, **left}, {**judged.curves, **curves}, examples=judged.examples, n=judged.n)


def guess(data: Described) -> Mapping[str, float]:
    """Return the metrics of the rates of the classes in the training texts."""
    from harness.topics._shared.multiclass import majority

    return {**majority(data.labels, data.test_labels, data.classes), **NO_TRAINING}


task = topic.task(
    "classification",
    title="The class of a short text, such as the section of a software package from its description",
    datasets=["debian-descriptions"],
    takes=Takes("text", targets=("multiclass", "binary"), prepare=prepare, overlap=attrgetter("overlap")),
    scenarios=[CLEAN, label_noise(0.4), long_tail(100), covariate_shift(-2)],
    phases=["fit", "predict"],
    metrics=[
        *METRICS,
        Metric(
            "mode_gap",
            direction="lower",
            unit="nat",
            margin=0.02,
            summary=f"Log loss in evaluation minus that in training mode, of the first {COMPARED} test texts; "
            "only batch norm has two modes.",
        ),
        Metric(
            "saved_bytes",
            direction="lower",
            unit="byte",
            summary="Activations that a training step saves for its gradients; 0 where nothing is trained by gradients "
            "of batches.",
        ),
        Metric("parameters", direction="lower", unit="parameter", summary="Trained parameters."),
    ],
    judge=judge,
    view=visible,
    guess=guess,
    params={
        **PARAMS,
        "layers": Param(2, low=1, high=100, summary="layers of attention and two linear layers each"),
        "examples": Param(9_600, low=2, summary="training texts seen, those seen again included"),
        "batch": Param(32, low=2, high=4_096, summary="texts in a batch"),
        "rate": Param(3e-3, low=1e-7, high=10, summary="learning rate after warm-up"),
        "warmup": Param(960, low=0, summary="training texts seen until the learning rate is reached"),
    },
    sizes=lambda data: {"rows": len(data.train)},
    sweep={"batch": [4, 8]},
    reference="pre-ln",
    baseline="class-rates",
    charts=[
        RELIABILITY,
        Chart("loss", title="Training loss", x="step", y="nat", reading="Means over twentieths of training."),
    ],
    quick=Profile(
        3,
        {"rows": 2_000, "test_rows": 1_000, "examples": 1_280, "warmup": 128},
        scenarios=("clean",),
        strategies=("class-rates", "logistic-words", "pre-ln", "pre-bn"),
    ),
    full=Profile(8, sweeps=True),
)


@task.strategy("class-rates", needs="sklearn.metrics", note="Looks at no text.")
def class_rates(problem: Problem, phase: PhaseClock) -> Classified:
    """Predict the rates of the classes in the training texts, so that the likeliest is the majority."""
    data: Sentences = problem.data
    for _ in phase("fit"):
        rates = np.bincount(data.labels, minlength=data.classes) / len(data.labels)
    for _ in phase("predict"):
        probabilities = np.tile(rates, (len(data.test), 1))
    return Classified(probabilities)


@task.strategy(
    "logistic-words",
    needs=("sklearn.linear_model", "sklearn.metrics", "scipy.sparse"),
    note="No batches: it sees all training texts until it converges, whatever `examples` says.",
)
def logistic_words(problem: Problem, phase: PhaseClock, c: float = 1.0) -> Classified:
    """Fit a logistic regression to counts of words, whose order it does not see (scikit-learn)."""
    from sklearn.linear_model import LogisticRegression

    data: Sentences = problem.data
    with phase("fit"):
        model = LogisticRegression(C=c, max_iter=1_000).fit(counts(data.train, data.size), data.labels)
    with phase("predict"):
        probabilities = np.zeros((len(data.test), data.classes))
        probabilities[:, model.classes_] = model.predict_proba(counts(data.test, data.size))
    return Classified(probabilities, parameters=model.coef_.size + model.intercept_.size)


def counts(sentences: npt.NDArray[np.int32], size: int) -> Any:
    """Count the words of each sentence: a sparse matrix of shape (n, size)."""
    from scipy.sparse import csr_matrix

    rows, places = np.nonzero(sentences)
    ones = np.ones(len(rows))
    return csr_matrix((ones, (rows, sentences[rows, places])), (len(sentences), size))


def _run(problem: Problem, phase: PhaseClock, recipe: Recipe, device: str) -> Classified:
    """Train a Transformer of a recipe in the phase `fit`, and predict in the phase `predict`."""
    from harness.topics._shared.deep import parameter_count, seeded
    from harness.topics.normalization.engine.norms import has_batch_norm
    from harness.topics.normalization.engine.sentences import batches, class_loss, predict, saved_bytes
    from harness.topics.normalization.engine.training import Budget, train
    from harness.topics.normalization.engine.transformer import Transformer

    data, params, size = problem.data, problem.params, problem.params["batch"]
    budget = Budget(max(1, params["examples"] // size), params["rate"], params["warmup"] // size)
    seeded(problem.seed)
    with phase("fit"):
        model = Transformer(
            recipe,
            tokens=data.size,
            length=LENGTH,
            scores=data.classes,
            width=WIDTH,
            heads=HEADS,
            layers=params["layers"],
            pooled=True,
        ).to(device)
        trained = train(model, batches(data.train, data.labels, size, problem.seed, device), class_loss, budget)
    losses = tuple(trained.losses)
    if trained.diverged is not None:
        return Classified(np.zeros((0, 0)), losses=losses, diverged=trained.diverged)
    with phase("predict"):
        probabilities = predict(model, data.test, device)
    if not np.isfinite(probabilities).all():  # the last step's update
        return Classified(probabilities, losses=losses, diverged=budget.steps)
    saved = saved_bytes(model, data.train[:size], data.labels[:size], device)
    in_training = probabilities[:COMPARED]
    if has_batch_norm(model):
        in_training = predict(model, data.test[:COMPARED], device, size=size, training=True)
    return Classified(probabilities, in_training, parameter_count(model), saved, losses)


compete(task, _run, NEEDS)

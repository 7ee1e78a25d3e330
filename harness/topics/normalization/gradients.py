"""The task gradients: how large the gradient of each layer is before training, in networks of four depths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import (
    CannotRunError,
    Chart,
    Curve,
    Generator,
    InvalidOutputError,
    Judgement,
    Metric,
    Param,
    Profile,
    Scalar,
    Takes,
)
from harness.topics.normalization import ENGINE, topic
from harness.topics.normalization.budget import HEADS
from harness.topics.normalization.corpus import Corpus, prepare, visible
from harness.topics.normalization.recipes import Recipe, compete

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.normalization.engine.gradients import Norms

#: Depths of the networks, as parts of the deepest one.
PARTS = (8, 4, 2, 1)


def _corpus(data: Any, params: Mapping[str, Scalar], rng: Generator) -> Corpus:
    """Make a corpus; no model is tested, so one piece of test text is enough."""
    return prepare(data, {**params, "windows": 1}, rng)


def judge(_data: Corpus, output: Any) -> Judgement:
    """Fit how gradients grow with depth.

    Parameters
    ----------
    output
        Number of layers to the norms of their gradients, first layer first, of at least two networks.

    Raises
    ------
    InvalidOutputError
        When the output is something else, or a norm is not a positive number.
    """
    norms = _checked(output)
    depths = sorted(norms)
    logs = np.log(depths)
    last, first = ([float(norms[depth][at]) for depth in depths] for at in (-1, 0))
    deepest = norms[depths[-1]]
    x = [float(depth) for depth in depths]
    return Judgement(
        metrics={
            "last_slope": float(np.polyfit(logs, np.log(last), 1)[0]),
            "first_slope": float(np.polyfit(logs, np.log(first), 1)[0]),
            "spread": float(np.log10(deepest.max() / deepest.min())),
        },
        curves={
            "by_layer": Curve(np.arange(1.0, len(deepest) + 1).tolist(), deepest.tolist()),
            "last": Curve(x, last),
            "first": Curve(x, first),
        },
    )


def _checked(output: Any) -> Mapping[int, Norms]:
    if not isinstance(output, dict) or len(output) < 2:
        raise InvalidOutputError(f"expected the norms of networks of two depths or more, not a {type(output).__name__}")
    for depth, norms in output.items():
        if np.shape(norms) != (depth,):
            raise InvalidOutputError(f"expected {depth} norms of a network of {depth} layers, not {np.shape(norms)}")
        if not (np.isfinite(norms).all() and np.all(norms > 0)):
            raise InvalidOutputError(
                f"a gradient of the network of {depth} layers is 0 or overflows; choose a smaller value of deepest"
            )
    return output


task = topic.task(
    "gradients",
    title="Gradients of untrained networks, by layer and by depth",
    datasets=["kjv"],
    takes=Takes("text", prepare=_corpus, overlap=lambda _: 0.0),
    phases=["compile", "gradients"],
    setup=["compile"],
    metrics=[
        Metric(
            "last_slope",
            direction="lower",
            unit="1",
            margin=0.05,
            summary="Exponent with which the gradient of the last layer grows with depth, from four depths. Theory: 0 "
            "for post-LN, -1/2 for pre-LN. The lower, the safer are the first steps of a deep network at a rate that "
            "suits a shallow one.",
        ),
        Metric(
            "first_slope",
            direction="lower",
            unit="1",
            margin=0.05,
            summary="The same for the first layer. Well above that of the last layer: gradients explode on the way "
            "back; well below: they vanish.",
        ),
        Metric(
            "spread",
            direction="lower",
            unit="decades",
            margin=0.1,
            summary="Logarithm, base 10, of the largest gradient of a layer over the smallest one, in the deepest "
            "network: 0 where all layers learn alike.",
        ),
    ],
    judge=judge,
    view=visible,
    params={
        "deepest": Param(
            48, low=8, high=2_048, summary="layers of the deepest network; the others have 1/8, 1/4 and 1/2 of them"
        ),
        "width": Param(64, low=HEADS, high=16_384, multiple=HEADS, summary=f"features of a token, in {HEADS} heads"),
        "batch": Param(8, low=1, high=65_536, summary="pieces of text"),
        "context": Param(32, low=2, high=4_096, summary="characters of a piece"),
        "rows": Param(2_000, low=10, summary="texts, such as verses, that pieces are drawn from"),
    },
    reference="pre-ln",
    charts=[
        Chart(
            "by_layer",
            title="Gradient by layer in the deepest network",
            x="layer",
            y="norm of the gradient",
            log_y=True,
            reading="The second feed-forward matrix of each layer before training. A line that rises to the left: "
            "gradients grow on the way back.",
        ),
        Chart(
            "last",
            title="Gradient of the last layer by depth",
            x="layers",
            y="norm of the gradient",
            log_x=True,
            log_y=True,
            reading="The slope of a line is the exponent; theory says 0 for post-LN and -1/2 for pre-LN.",
        ),
        Chart(
            "first",
            title="Gradient of the first layer by depth",
            x="layers",
            y="norm of the gradient",
            log_x=True,
            log_y=True,
        ),
    ],
    quick=Profile(3, {"deepest": 16}, strategies=("post-ln", "pre-ln")),
    full=Profile(10),
)


def _run(problem: Problem, phase: PhaseClock, recipe: Recipe, device: str) -> dict[int, Norms]:
    from harness.topics.normalization.engine.batches import batches, next_token_loss
    from harness.topics.normalization.engine.devices import prepared
    from harness.topics.normalization.engine.gradients import layer_norms, networks

    if recipe.placement == "rezero":
        raise CannotRunError("before training, ReZero multiplies every sublayer by 0, so its weights have no gradients")
    data, params = problem.data, problem.params
    depths = [params["deepest"] // part for part in PARTS]
    models = networks(recipe, depths, data, params, problem.seed)
    batch = next(batches(data, params["context"], params["batch"], problem.seed, device))
    ready = prepared(models, recipe, device, phase, batch)
    with phase("gradients"):
        for model in ready:
            next_token_loss(model, *batch).backward()
    return {depth: layer_norms(model) for depth, model in zip(depths, models, strict=True)}


compete(task, _run, (f"{ENGINE}.devices", f"{ENGINE}.gradients"), on_device=True)

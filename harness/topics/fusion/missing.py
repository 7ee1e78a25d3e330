"""The task missing: what a model of complete examples predicts when a modality is missing, noisy or different."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any

from harness import CLEAN, Generator, Judgement, Profile, Stress, Takes
from harness.topics._shared.multiclass import METRICS, RELIABILITY
from harness.topics.fusion import predicting, topic
from harness.topics.fusion.alterations import noisy, rendered, without
from harness.topics.fusion.examples import MODALITIES, Divided, prepare, visible
from harness.topics.fusion.worlds import INTERACTION

RATES = (0.0, 25.0, 50.0, 75.0, 100.0)
NOISE = (0.0, 50.0, 100.0)
PARAMS = {**predicting.SMALL, "tested": replace(predicting.SMALL["tested"], default=500)}


def _judge(data: Divided, output: Any) -> Judgement:
    """Judge probabilities; those of all pairs of examples are projected on an additive model first."""
    from harness.topics._shared.multiclass import checked, judge
    from harness.topics.fusion.engine.emap import Recombined, diagonal, projected

    labels = data.test.labels
    if isinstance(data, Recombined):
        output = projected(checked(output, len(labels), data.classes))
        labels = labels[diagonal(len(labels))]
    return judge(labels, data.classes, output)


def _emap(data: Divided, level: float, _rng: Generator) -> Divided:
    from harness.topics.fusion.engine.emap import recombined, sampled

    return recombined(data) if level else sampled(data)


#: A test set that takes a modality from data without it is left out.
STRESS = (
    *(
        Stress(
            f"no_{name}",
            partial(without, name),
            RATES,
            f"test examples without {name}, %",
            f"Test examples lack the modality {name}.",
            summed=True,
        )
        for name in MODALITIES
    ),
    *(
        Stress(
            f"noise_{name}",
            partial(noisy, name),
            NOISE,
            f"noise on {name}, % of the standard deviation or of the ids",
            f"Noise is added to the modality {name}.",
            summed=True,
        )
        for name in MODALITIES
    ),
    Stress(
        "rendering", partial(rendered, "image"), (0.0, 50.0, 100.0), "images of the second rendering, %", summed=True
    ),
    Stress("emap", _emap, (0.0, 1.0), "share of the interaction of modalities that is removed", summed=True),
)

task = topic.task(
    "missing",
    title="The class of an example when a modality is missing, noisy or different",
    datasets=["emoji", "debian-packages", INTERACTION],
    takes=Takes("arrays", prepare=prepare, overlap=attrgetter("overlap")),
    scenarios=[CLEAN],
    phases=["fit", "predict"],
    metrics=METRICS,
    judge=_judge,
    guess=predicting.guess,
    view=visible,
    params=PARAMS,
    reference="concatenation",
    charts=[RELIABILITY],
    stress=STRESS,
    quick=Profile(
        3, {"rows": 300, "tested": 100}, datasets=("emoji",), strategies=("concatenation", "concatenation-dropout")
    ),
    full=Profile(25),
)

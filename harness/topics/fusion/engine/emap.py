"""How much of a model is additive in its modalities: the empirical multimodally-additive projection (EMAP).

Hessel & Lee 2020, "Does my multimodal model learn cross-modal interactions?", arXiv 2010.06572, section 3. Of all
functions g(t) + h(v), the one that is nearest in least squares to a model's scores f(t_i, v_j) over all pairs of n
examples is

    EMAP(i) = 1/n sum_j f(t_i, v_j) + 1/n sum_j f(t_j, v_i) - 1/n^2 sum_jk f(t_j, v_k).

A model whose projection is as accurate as itself needs no interaction of modalities on these examples.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harness.topics.fusion.examples import Divided

#: Examples of which all pairs are predicted.
PAIRED = 64

Floats = npt.NDArray[np.float64]


class Recombined(Divided):
    """Data whose test examples are all pairs of some others.

    Example i n + j has the first modality of example i and all other modalities of example j, and the class of i.
    """


def sampled(data: Divided) -> Divided:
    """Return the data with the first `PAIRED` of their test examples, or with all where they have fewer."""
    return replace(
        data,
        test=data.test.take(np.arange(min(PAIRED, len(data.test)))),
        shifted={name: values[:PAIRED] for name, values in data.shifted.items()},
    )


def recombined(data: Divided) -> Recombined:
    """Return the data with all pairs of the test examples of `sampled`."""
    sample = sampled(data)
    n = len(sample.test)
    first, others = sample.test.take(np.repeat(np.arange(n), n)), sample.test.take(np.tile(np.arange(n), n))
    leading = next(iter(first.modalities))
    pairs = replace(first, modalities={**others.modalities, leading: first.modalities[leading]})
    return Recombined(sample.train, pairs, sample.classes)


def diagonal(pairs: int) -> npt.NDArray[np.intp]:
    """Return which of n^2 pairs, in the order of `Recombined`, are the n examples themselves."""
    n = math.isqrt(pairs)
    return np.arange(n) * (n + 1)


def projected(probabilities: Floats) -> Floats:
    """Project predictions on additive ones.

    The scores are the logarithms of the probabilities. They differ from a network's outputs before its softmax by a
    number for each pair, the same for all classes; so do their projections, whose probabilities are thus the same.

    Parameters
    ----------
    probabilities
        Of all pairs, in the order of `Recombined`, shape (n^2, classes).

    Returns
    -------
    numpy.ndarray
        Probabilities of the n examples by the projection, shape (n, classes).
    """
    n = math.isqrt(len(probabilities))
    scores = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny)).reshape(n, n, -1)
    additive = scores.mean(axis=1) + scores.mean(axis=0) - scores.mean(axis=(0, 1))
    powers = np.exp(additive - additive.max(axis=1, keepdims=True))
    made: Floats = powers / powers.sum(axis=1, keepdims=True)
    return made

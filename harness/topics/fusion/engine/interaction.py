"""Generated examples of two modalities, a and b, of which it is known how their information interacts.

Liang et al. 2023, "Quantifying & modeling multimodal interactions", arXiv 2302.12247, split what two modalities tell of
a class into redundant, unique and synergistic information; `redundant`, `unique` and `xor` have one of these alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from harness.topics.fusion.examples import Divided, Examples, Modality

Floats: TypeAlias = npt.NDArray[np.float32]
Bits: TypeAlias = npt.NDArray[np.int64]
Rng: TypeAlias = np.random.Generator
#: Values of both modalities, and the classes that they tell.
Drawn: TypeAlias = tuple[Floats, Floats, Bits]

#: Columns without information beside those with some.
DISTRACTORS = 3
#: Standard deviation of the numbers that carry a bit, which are 1 or -1 without it.
SPREAD = 0.1
#: Share of the examples whose class differs from what redundant and unique modalities tell.
WRONG = 0.11
#: Pairs in a table, and numbers of a key.
PAIRS, KEY = 4, 4
#: Share of the examples in which a modality is reliable; the modalities are so independently of each other.
RELIABLE = 0.5


def redundant(n: int, rng: Rng) -> Drawn:
    """Draw one bit that both modalities tell; it is the class but for a share `WRONG` of the examples."""
    bit = rng.integers(0, 2, n)
    return numbers(bit, rng), numbers(bit, rng), bit ^ (rng.random(n) < WRONG)


def unique(n: int, rng: Rng) -> Drawn:
    """Draw two bits, one a modality, of a class of four, right but for a share `WRONG` of the examples."""
    first, second = rng.integers(0, 2, (2, n))
    wrong = rng.integers(1, 4, n) * (rng.random(n) < WRONG)
    return numbers(first, rng), numbers(second, rng), (2 * first + second + wrong) % 4


def xor(n: int, rng: Rng) -> Drawn:
    """Draw two bits; the class is whether they differ, so that each modality alone tells nothing."""
    first, second = rng.integers(0, 2, (2, n))
    return numbers(first, rng), numbers(second, rng), first ^ second


def lookup(n: int, rng: Rng) -> Drawn:
    """Draw a table of keys with values 1 or -1, half of each, as a, and one key as b; the class is its value."""
    keys = rng.normal(size=(n, PAIRS, KEY))
    keys /= np.linalg.norm(keys, axis=2, keepdims=True)
    values = rng.permuted(np.tile(np.repeat([-1, 1], PAIRS // 2), (n, 1)), axis=1)
    asked = rng.integers(0, PAIRS, n)
    every = np.arange(n)
    table = np.concatenate([keys * KEY**0.5, values[:, :, None]], axis=2).astype(np.float32)
    return table, table[every, asked, :KEY][:, None], (values[every, asked] + 1) // 2


def reliability(n: int, rng: Rng) -> Drawn:
    """Draw modalities that tell the class where they are reliable, else a random bit; their last column says which."""
    bit = rng.integers(0, 2, n)
    parts = []
    for _ in "ab":
        right = rng.random(n) < RELIABLE
        told = np.where(right, bit, rng.integers(0, 2, n))
        parts.append(np.concatenate([numbers(told, rng), _signs(right, rng)], axis=1))
    return parts[0], parts[1], bit


def numbers(bit: Bits, rng: Rng) -> Floats:
    """Tell a bit by the first column; the others are distractors."""
    return np.concatenate([_signs(bit, rng), rng.normal(size=(len(bit), DISTRACTORS)).astype(np.float32)], axis=1)


def _signs(bit: npt.NDArray[np.generic], rng: Rng) -> Floats:
    return (np.where(bit, 1, -1) + SPREAD * rng.normal(size=len(bit))).astype(np.float32)[:, None]


#: Kinds of information.
DRAWS: Mapping[str, Callable[[int, Rng], Drawn]] = {
    draw.__name__: draw for draw in (redundant, unique, xor, lookup, reliability)
}
CLASSES = {"unique": 4}


def generated(information: str, informative: float, rows: int, test: int, rng: Rng) -> Divided:
    """Generate training and test examples; the test examples are drawn first."""
    classes = CLASSES.get(information, 2)

    def part(n: int) -> Examples:
        first, second, labels = DRAWS[information](n, rng)
        random = rng.random(n) >= informative
        labels = np.where(random, rng.integers(0, classes, n), labels)
        modalities = {"a": _modality(first), "b": _modality(second)}
        return Examples(modalities, labels.astype(np.int64), np.arange(n))

    tested = part(test)
    return Divided(part(rows), tested, classes)


def _modality(values: Floats) -> Modality:
    kind = "numbers" if values.ndim == 2 else "set"
    return Modality(kind, values, values.shape[-1], np.ones(len(values), np.bool_))

"""Generated examples whose words and numbers say the same."""

from __future__ import annotations

import numpy as np

from harness import Arrays


def arrays(rows: int = 400, classes: int = 4, noise: float = 0.05, seed: int = 0) -> Arrays:
    """Make examples of a hidden point in the plane: words name its cell, numbers are noisy, the class is its angle."""
    rng = np.random.default_rng(seed)
    point = rng.uniform(-1, 1, (rows, 2))
    cells = np.clip(((point + 1) * 4).astype(np.int64), 0, 7)
    text = np.stack([1 + cells[:, 0], 9 + cells[:, 1]], axis=1)
    numbers = (point + rng.normal(0, noise, point.shape)).astype(np.float32)
    angle = np.arctan2(point[:, 1], point[:, 0])
    labels = np.clip(((angle / np.pi + 1) / 2 * classes).astype(np.int64), 0, classes - 1)
    return Arrays({"text": text, "numbers": numbers, "labels": labels, "groups": np.arange(rows) // 2})

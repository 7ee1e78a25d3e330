"""Examples with a text, an image and numbers, made in the tests."""

import numpy as np

from harness.topics.fusion.examples import Divided, Examples, Modality

IDS, CLASSES = 12, 3


def made(train: int = 60, test: int = 40, *, seed: int = 0) -> Divided:
    """Draw examples whose class is in the text, in the image of most of them, and not in the numbers."""
    rng = np.random.default_rng(seed)

    def part(n: int) -> Examples:
        labels = rng.integers(CLASSES, size=n)
        words = np.where(rng.random((n, 5)) < 0.7, labels[:, None] + 1, rng.integers(4, IDS, size=(n, 5)))
        words[:, 3:] *= rng.random((n, 2)) < 0.5
        shown = np.where(rng.random(n) < 0.7, labels, rng.integers(CLASSES, size=n))
        image = np.clip(rng.normal(60 + 60 * shown, 30, size=(16, 16, 3, n)), 0, 255).astype(np.uint8)
        numbers = rng.normal(size=(n, 2)).astype(np.float32)
        there = np.ones(n, dtype=np.bool_)
        modalities = {
            "text": Modality("ids", words.astype(np.uint16), IDS, there),
            "image": Modality("pixels", np.moveaxis(image, -1, 0).copy(), 3, there),
            "numbers": Modality("numbers", numbers, 2, there),
        }
        return Examples(modalities, labels.astype(np.int64), np.arange(n))

    tested = part(test)
    return Divided(part(train), tested, CLASSES, {"image": 255 - tested.modalities["image"].values})

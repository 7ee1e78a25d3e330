"""Handwritten digits as a bandit: an action is a class, and pays 1 if it is the class of the image.

The reduction of Dudik, Langford & Li 2011 ("Doubly robust policy evaluation and learning", arXiv 1103.4601) with the
settings of the example multiclass of Open Bandit Pipeline 0.5.2: a policy mixes the answer of a classifier, fitted on
30 % of the images, with random choices. Logs are drawn on the other images, and their labels give the true value.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from harness.topics._shared.digits import digits
from harness.topics.ope.engine.log import Floats, Ints
from harness.topics.ope.engine.worlds import Population

HELD_OUT = 0.7
LOGGING_SHARE, TARGET_SHARE = 0.4, 0.9  # share of rounds in which a policy takes the answer of its classifier
_SEED = 12345


def splits(seeds: Sequence[int]) -> tuple[Population, ...]:
    """Make one population for each seed; a seed splits the images into those for fitting and those for logging."""
    images, labels = digits()
    return tuple(split(images, labels, seed) for seed in seeds)


def split(images: Floats, labels: npt.NDArray[np.integer], seed: int) -> Population:
    """Make a population from the held-out images: 1,258 contexts of 64 pixels, 10 actions.

    The logging policy uses a logistic regression, the target a random forest.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split

    train, test, classes, truth = train_test_split(images, labels, test_size=HELD_OUT, random_state=seed)
    logging = LogisticRegression(max_iter=10_000, C=100, random_state=_SEED).fit(train, classes)
    target = RandomForestClassifier(n_estimators=30, max_depth=5, min_samples_leaf=10, random_state=_SEED)
    target.fit(train, classes)
    actions = int(labels.max()) + 1
    return Population(
        contexts=test,
        rewards=np.eye(actions)[truth],
        logging=softened(logging.predict(test), LOGGING_SHARE, actions),
        targets=softened(target.predict(test), TARGET_SHARE, actions)[None],
        rounds=len(test),
        embeddings=np.arange(actions, dtype=np.int64)[:, None],
        whole=True,
    )


def softened(answers: Ints, share: float, actions: int) -> Floats:
    """Return a policy that takes the answer in a share of rounds, else a random action, shape (n, actions)."""
    policy = np.full((len(answers), actions), (1 - share) / actions)
    policy[np.arange(len(answers)), answers] += share
    return policy

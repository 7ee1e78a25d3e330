"""The world of a bandit: known means of the arms, and rewards drawn around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.topics.bandits.engine.chance import Floats, Ints, normals, uniforms

ROWS = np.uint64(0xA0761D6478BD642F)  # keeps the draw of rows apart from that of rewards


@dataclass(frozen=True, eq=False)
class World:
    """Arms in many replications.

    Attributes
    ----------
    means
        Expected reward, shape (stages, rows, arms). A row is one instance of the arms; in contextual worlds it is one
        context.
    stage
        Index of the stage at each step, shape (horizon,).
    replications
        Number of independent repetitions.
    key
        Key of the random draws of rewards and rows.
    sigma
        Standard deviation of Gaussian rewards; 0 for Bernoulli rewards.
    features
        Contexts, shape (rows, d), one of which every replication draws at every step. ``None`` without contexts: then
        replication r has row ``r % rows`` at all steps.
    delay, batch
        A reward is revealed `delay` steps late, and rewards are revealed in batches of `batch` steps.
    changes
        Steps at which means change abruptly.
    """

    means: Floats
    stage: Ints
    replications: int
    key: np.uint64
    sigma: float = 0.0
    features: Floats | None = None
    delay: int = 0
    batch: int = 1
    changes: tuple[int, ...] = ()

    @property
    def arms(self) -> int:
        """Number of arms."""
        count: int = self.means.shape[2]
        return count

    @property
    def horizon(self) -> int:
        """Number of steps."""
        return len(self.stage)

    def seen(self, step: int) -> int:
        """Return the number of steps whose rewards are known before an arm is chosen."""
        return max(step - self.delay, 0) // self.batch * self.batch

    def rows(self, step: int | Ints) -> Ints:
        """Return the row of each replication at a step, shape (replications,).

        For steps of shape (n, 1) the rows may have shape (n, replications); they broadcast against it either way.
        """
        replication = np.arange(self.replications)
        if self.features is None:
            fixed: Ints = replication % self.means.shape[1]
            return fixed
        places = uniforms(self.key ^ ROWS, step, replication, 0)
        rows: Ints = (places * self.means.shape[1]).astype(np.int64)
        return rows

    def contexts(self, step: int) -> Floats:
        """Return the context of each replication at a step, shape (replications, d)."""
        assert self.features is not None
        return self.features[self.rows(step)]

    def rewards(self, step: int, arms: Ints) -> Floats:
        """Return the rewards of the arms chosen at a step, one per replication, shape (replications,)."""
        replication = np.arange(self.replications)
        means = self.means[self.stage[step], self.rows(step), arms]
        if self.sigma == 0:
            paid: Floats = (uniforms(self.key, step, replication, arms) < means).astype(np.float64)
        else:
            paid = means + self.sigma * normals(self.key, step, replication, arms)
        return paid

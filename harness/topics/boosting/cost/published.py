"""The published times of LightGBM on Criteo's click logs, and what the model says of them.

LightGBM documentation, Experiments, "Parallel Experiment": 1.7 billion rows, 67 columns, 255 leaves, data-parallel, 16
threads on each of up to 16 servers with network adapters of 54 Gbit/s and RDMA.
"""

from __future__ import annotations

import numpy as np

from harness.topics.boosting.cost.fit import Floats, Network, over
from harness.topics.boosting.cost.formulas import leaf_wise, lightgbm_data

#: Machines to seconds a tree.
CRITEO = {1: 627.8, 2: 311.0, 4: 156.0, 8: 80.0, 16: 42.0}
ROWS, COLUMNS, LEAVES, BINS = 1_700_000_000, 67, 255, 255
#: 54 Gbit/s; the source gives no latency. 5 microseconds are assumed, a cautious figure for RDMA.
ADAPTER = Network(byte_s=8 / 54e9, message_s=5e-6)


def criteo(constants: Floats) -> dict[int, float]:
    """Predict the published times of 2 to 16 machines from that of one.

    The figure of one machine scales all work, because its processors and threads are others. Nothing else is fitted.

    Parameters
    ----------
    constants
        Those of LightGBM, shape (6,).
    """
    work = np.array(constants[:4])

    def seconds(machines: int) -> tuple[float, float]:
        units = np.array(lightgbm_data(leaf_wise(ROWS, COLUMNS, machines, bins=BINS, leaves=LEAVES)))
        # Bytes between processes of another machine say nothing of this network.
        return float(units[:4] @ work), float(units[4:] @ over(np.zeros(6), ADAPTER)[4:])

    factor = CRITEO[1] / seconds(1)[0]
    return {machines: factor * seconds(machines)[0] + seconds(machines)[1] for machines in CRITEO if machines > 1}

"""What a tree costs each worker, in units: additions to histograms, bins searched, rows moved, bytes and messages.

A tree of `depth` levels has a histogram built for its root and for the smaller child of every split that is searched
again; that of the larger child is the difference (LightGBM documentation, Features, "Optimization in Speed and Memory
Usage"; XGBoost 3.2.0, src/tree/hist/histogram.h). A full tree of 2**depth leaves therefore has 2**(depth - 1)
histograms, and a leaf-wise tree of any depth one fewer than leaves. The smaller child has at most half of the rows.

Histograms have 16 bytes a bin: two doubles. What each worker sends for one tree, with W workers, n rows, F columns, B
bins, E histograms and L levels:

data-parallel, LightGBM
    Reduce-scatter: E F B 16 (W - 1) / W, in log2 W messages each (recursive halving; src/network/network.cpp). Then
    the best splits are gathered: 2 x 222 bytes from everyone (src/treelearner/split_info.hpp, parallel_tree_learner.h).
data-parallel, XGBoost
    All-reduce on a ring, once a level: E F B 16 (2 W - 1) / W, in 2 W - 1 messages. The ring that gathers the sums goes
    one step further than it must (src/collective/allreduce.cc, allgather.cc of 3.2.0), else it were 2 W - 2.
voting-parallel, LightGBM
    Everyone names `top_k` columns for both children (24 bytes each). Histograms of the `top_k` columns elected for each
    child are reduce-scattered (Meng et al. 2016, arXiv 1611.01276, abstract, which elects 2 k columns of one node;
    src/treelearner/voting_parallel_tree_learner.cpp). Here no child's histogram is a difference.
feature-parallel, LightGBM
    Only the best splits, since every worker has all rows (LightGBM documentation, Features, "Feature Parallel in
    LightGBM").
feature-parallel, XGBoost
    Two bits a row and level, whether it goes left and whether it is missing, all-reduced on a ring
    (src/tree/common_row_partitioner.h of 3.2.0; later versions have no split by columns). The best splits are
    gathered; they are taken to be as large as LightGBM's.

What is exchanged once a training, such as the sketches of quantiles, is not counted.
The collectives are described by Thakur et al. 2005, Optimization of collective communication operations in MPICH.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

BIN_BYTES = 16
SPLIT_BYTES = 222
VOTE_BYTES = 24
#: Decision and missing bit of a row.
ROW_BYTES = 2 / 8


class Training(NamedTuple):
    """What is trained, and on how many workers.

    Attributes
    ----------
    levels, histograms
        Levels at which rows are split, and histograms built, of one tree.
    top_k
        Columns that a worker votes for.
    """

    rows: float
    columns: float
    workers: int
    bins: int
    levels: float
    histograms: float
    top_k: int = 20

    @property
    def histogram_bytes(self) -> float:
        """Size of the histograms of one tree, all columns together."""
        return self.histograms * self.columns * self.bins * BIN_BYTES

    @property
    def nodes(self) -> float:
        """Nodes of one tree that are searched for a split: two for each histogram but that of the root."""
        return 2 * self.histograms - 1

    @property
    def passes(self) -> float:
        """How often a value is added to histograms for one tree: for the root, and for half of the rows below it."""
        return 1 + (self.levels - 1) / 2

    @property
    def own_columns(self) -> int:
        """Columns of the worker that has most."""
        return math.ceil(self.columns / self.workers)

    @property
    def own_rows(self) -> float:
        """Rows of a worker where rows are divided."""
        return self.rows / self.workers


def level_wise(rows: float, columns: float, workers: int, *, bins: int, depth: int, top_k: int = 20) -> Training:
    """Return a training whose trees are full: 2**depth leaves on `depth` levels."""
    return Training(rows, columns, workers, bins, depth, 2 ** (depth - 1), top_k)


def leaf_wise(rows: float, columns: float, workers: int, *, bins: int, leaves: int) -> Training:
    """Return a training whose trees have any depth; at least that of a balanced tree is assumed."""
    return Training(rows, columns, workers, bins, math.log2(leaves), leaves - 1)


class Units(NamedTuple):
    """What one worker does for one tree; the constants of the model are the seconds for one of each.

    Attributes
    ----------
    additions
        Values added to histograms.
    searches
        Bins searched for the best split.
    moves
        Rows moved to a child, or given a new gradient.
    trees
        1: what every tree costs.
    sent
        Bytes sent.
    messages
        Messages sent one after the other.
    """

    additions: float
    searches: float
    moves: float
    trees: float
    sent: float
    messages: float


def _units(training: Training, *, rows: float, columns: float, searched: float, sent: float, messages: float) -> Units:
    """Count the work on some rows and columns."""
    alone = training.workers == 1
    return Units(
        additions=rows * columns * training.passes,
        searches=training.nodes * searched * training.bins,
        moves=rows * (training.levels + 1),
        trees=1,
        sent=0 if alone else sent,
        messages=0 if alone else messages,
    )


def _gathered(training: Training, size: float) -> float:
    """Bytes that a worker sends until everyone has `size` bytes of each."""
    return size * (training.workers - 1)


def _all_reduced(training: Training, size: float) -> float:
    """Bytes that a worker sends until everyone has the sum of `size` bytes, on XGBoost's ring."""
    return size * (2 * training.workers - 1) / training.workers


def _best_splits(training: Training) -> float:
    return training.histograms * _gathered(training, 2 * SPLIT_BYTES)


def _halvings(training: Training) -> float:
    return math.ceil(math.log2(training.workers))


def lightgbm_data(training: Training) -> Units:
    """Count the units of LightGBM's data-parallel trees."""
    share = (training.workers - 1) / training.workers
    return _units(
        training,
        rows=training.own_rows,
        columns=training.columns,
        searched=training.own_columns,
        sent=training.histogram_bytes * share + _best_splits(training),
        messages=2 * training.histograms * _halvings(training),
    )


def lightgbm_voting(training: Training) -> Units:
    """Count the units of LightGBM's voting-parallel trees; every worker searches its histograms of all columns."""
    share = (training.workers - 1) / training.workers
    elected = min(training.top_k, training.columns)
    histograms = training.nodes * elected * training.bins * BIN_BYTES
    votes = training.histograms * _gathered(training, 2 * elected * VOTE_BYTES)
    return _units(
        training,
        rows=training.own_rows,
        columns=training.columns,
        searched=training.columns + elected / training.workers,
        sent=histograms * share + votes + _best_splits(training),
        messages=3 * training.histograms * _halvings(training),
    )


def lightgbm_feature(training: Training) -> Units:
    """Count the units of LightGBM's feature-parallel trees; every worker moves all rows."""
    return _units(
        training,
        rows=training.rows,
        columns=training.own_columns,
        searched=training.own_columns,
        sent=_best_splits(training),
        messages=training.histograms * _halvings(training),
    )


def xgboost_data(training: Training) -> Units:
    """Count the units of XGBoost's trees with divided rows; every worker searches the histograms of all columns."""
    return _units(
        training,
        rows=training.own_rows,
        columns=training.columns,
        searched=training.columns,
        sent=_all_reduced(training, training.histogram_bytes),
        messages=training.levels * (2 * training.workers - 1),
    )


def xgboost_feature(training: Training) -> Units:
    """Count the units of XGBoost's trees with divided columns; every worker moves all rows."""
    bits = training.levels * training.rows * ROW_BYTES
    return _units(
        training,
        rows=training.rows,
        columns=training.own_columns,
        searched=training.own_columns,
        sent=_all_reduced(training, bits) + training.nodes * _gathered(training, SPLIT_BYTES),
        # Two all-reduces, and the best splits go round the ring once.
        messages=training.levels * (5 * training.workers - 2),
    )


class Scheme(NamedTuple):
    """A way to divide a training among workers: the library that has it, and its units."""

    library: str
    units: Callable[[Training], Units]


#: By the names of strategies.
SCHEMES = {
    "xgboost-hist-data": Scheme("xgboost", xgboost_data),
    "xgboost-hist-feature": Scheme("xgboost", xgboost_feature),
    "lightgbm-data": Scheme("lightgbm", lightgbm_data),
    "lightgbm-voting": Scheme("lightgbm", lightgbm_voting),
    "lightgbm-feature": Scheme("lightgbm", lightgbm_feature),
}
#: Single processes, by the names of strategies.
ALONE = {"xgboost-hist": Scheme("xgboost", xgboost_data), "lightgbm": Scheme("lightgbm", lightgbm_data)}

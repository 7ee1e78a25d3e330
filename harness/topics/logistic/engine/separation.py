"""Separation of outcomes by the columns of a design, decided by linear programming."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.optimize import linprog

from harness.topics.logistic.engine.likelihoods import Floats

Separation = Literal["none", "quasi-complete", "complete"]


def separation(X: Floats, y: Floats) -> Separation:
    """Say whether a combination of the columns separates the outcomes of one data set.

    Where events have log odds of 0 or more and other rows 0 or less, and not all are 0, the likelihood grows for ever
    along that combination. It is complete where all log odds can be away from 0 (Albert & Anderson 1984). Both are
    found by linear programs (Konis 2007, "Linear programming algorithms for detecting separated data in binary
    logistic regression models").

    Parameters
    ----------
    X
        Design with a column of ones, shape (rows, p).
    y
        Outcomes 0 and 1, shape (rows,).
    """
    signed = np.where(y[:, None] == 1, X, -X)
    bounds = [(-1.0, 1.0)] * X.shape[1]
    furthest = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(X)), bounds=bounds)
    if -furthest.fun <= 1e-8 * np.abs(signed).sum():
        return "none"
    # The largest margin that all rows can have at the same time.
    margin = np.column_stack([-signed, np.ones(len(X))])
    widest = linprog([*np.zeros(X.shape[1]), -1.0], A_ub=margin, b_ub=np.zeros(len(X)), bounds=[*bounds, (0.0, 1.0)])
    return "complete" if -widest.fun > 1e-8 * np.abs(signed).max() else "quasi-complete"

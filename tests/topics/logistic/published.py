"""Two small data sets of the literature, with what logistf (Heinze & Ploner) makes of them.

Both are facts of published studies: `ENDOMETRIAL` of Heinze & Schemper 2002 (Statistics in Medicine 21), `SEX2` of
Foxman et al. 1997 (Epidemiology 8). Estimates and 95 % limits of the penalised profile likelihood are those that
logistf prints, to the digits it gives.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Published(NamedTuple):
    """A data set with estimates and limits by column of `features`."""

    features: Floats
    outcomes: Floats
    estimates: Floats
    intercept: float
    limits: Floats


# PI and EH of patients by neovasculation (NV) and histology (HG: 1 is high grade).
_LOW = (
    "13 1.64 16 2.26 8 3.14 34 2.68 20 1.28 5 2.31 17 1.8 10 1.68 26 1.56 17 2.31 8 2.01 7 1.89 20 3.15 10 1.23 "
    "18 1.27 16 1.76 18 2 28 1.5 11 1.33 19 2.37 10 1.82 10 3.13 18 1.31 14 1.92 21 1.64 11 2.01 17 1.88 25 1.93 "
    "16 2.11 19 1.29 15 1.72 33 0.75 24 1.92 29 2.02 15 2.29 12 2.33 3 2.9 20 1.7 23 1.41 12 2.25 22 1.54 42 1.97 "
    "15 1.75 13 2.16 14 2.57 19 1.37 12 3.61 13 2.04 10 2.17"
)
_HIGH = (
    "8 2.64 29 0.88 12 1.27 20 1.37 7 0.97 48 1.84 12 1.11 19 1.61 2 1.18 21 1.19 15 1.06 12 1.69 6 1.84 5 1.3 17 0.96 "
    "5 0.35 33 0.85"
)
_HIGH_NV = "38 0.97 22 1.14 7 0.88 25 0.91 15 0.58 22 1.44 40 1.18 5 0.93 0 1.17 49 0.27 11 1.01 21 0.98 19 1.02"


def _pairs(text: str) -> Floats:
    return np.array(text.split(), dtype=np.float64).reshape(-1, 2)


_groups = [(0.0, 0.0, _pairs(_LOW)), (0.0, 1.0, _pairs(_HIGH)), (1.0, 1.0, _pairs(_HIGH_NV))]
ENDOMETRIAL = Published(
    np.concatenate([np.column_stack([np.full(len(rows), nv), rows]) for nv, _, rows in _groups]),
    np.concatenate([np.full(len(rows), hg) for _, hg, rows in _groups]),
    np.array([2.92927330, -0.03475175, -2.60416387]),
    3.77455951,
    np.array([[0.6097244, 7.85463171], [-0.1244587, 0.04045547], [-4.3651832, -1.23272106]]),
)

# Women by age, oc, vic, vicl, vis, dia: a pattern, then those with and without an infection.
_WOMEN = {
    (0, 0, 0, 0, 1, 0): (1, 1),
    (0, 0, 1, 0, 0, 0): (14, 2),
    (0, 0, 1, 0, 1, 0): (3, 1),
    (0, 0, 1, 1, 0, 0): (10, 8),
    (0, 0, 1, 1, 1, 0): (12, 18),
    (0, 0, 1, 1, 1, 1): (1, 0),
    (0, 1, 0, 0, 0, 0): (44, 42),
    (0, 1, 0, 0, 0, 1): (3, 0),
    (0, 1, 0, 0, 1, 0): (0, 1),
    (0, 1, 1, 0, 0, 0): (15, 1),
    (0, 1, 1, 0, 0, 1): (1, 0),
    (0, 1, 1, 0, 1, 0): (2, 0),
    (0, 1, 1, 1, 0, 0): (7, 5),
    (0, 1, 1, 1, 1, 0): (3, 6),
    (1, 0, 1, 0, 0, 0): (2, 0),
    (1, 0, 1, 0, 1, 0): (1, 0),
    (1, 0, 1, 0, 1, 1): (1, 0),
    (1, 0, 1, 1, 0, 0): (1, 2),
    (1, 0, 1, 1, 1, 0): (0, 4),
    (1, 0, 1, 1, 1, 1): (1, 0),
    (1, 1, 0, 0, 0, 0): (5, 14),
    (1, 1, 0, 0, 1, 0): (0, 1),
    (1, 1, 1, 0, 0, 0): (3, 1),
    (1, 1, 1, 1, 1, 0): (0, 2),
}
_patterns = np.array([list(pattern) for pattern in _WOMEN], dtype=np.float64)
_counts = np.array(list(_WOMEN.values()))
SEX2 = Published(
    np.concatenate([np.repeat(_patterns, _counts[:, 0], axis=0), np.repeat(_patterns, _counts[:, 1], axis=0)]),
    np.repeat([1.0, 0.0], _counts.sum(axis=0)),
    np.array([-1.10598131, -0.06881673, 2.26887464, -2.11140817, -0.78831694, 3.09601166]),
    0.12025405,
    np.array(
        [
            [-1.9737884, -0.30742514],
            [-0.9414363, 0.78920202],
            [1.2730216, 3.43543273],
            [-3.2608611, -1.11773495],
            [-1.6080879, 0.01518468],
            [0.7745682, 8.03029352],
        ]
    ),
)

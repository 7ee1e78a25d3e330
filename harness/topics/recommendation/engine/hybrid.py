"""Items by their features: for items that nobody took yet, which interactions say nothing about."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags, vstack

from harness import CannotRunError
from harness.topics.recommendation.engine.factorisation import Reals, interactions
from harness.topics.recommendation.engine.feedback import Matrix, Score, Visible


def features_of(data: Visible) -> Any:
    """Return the features of the items, float32 CSR, shape (items, features).

    Raises
    ------
    CannotRunError
        When the data have none.
    """
    if data.features is None:
        raise CannotRunError("the items of these data have no features")
    return csr_matrix(data.features, dtype=np.float32)


def tf_idf(features: Any) -> Any:
    """Weigh the features of each item by their rarity, and scale its vector to length 1.

    The weight of feature w is its value times ln(items / items with w) (Lops, de Gemmis & Semeraro 2011, Content-based
    recommender systems).

    Returns
    -------
    scipy.sparse.csr_matrix
        Shape (items, features); an item without features has zeros.
    """
    having = np.bincount(features.indices, minlength=features.shape[1])
    rarity = np.log(features.shape[0] / np.maximum(having, 1)).astype(np.float32)
    weighted = features @ diags(rarity, format="csr")
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return (diags(1 / np.where(length > 0, length, 1), format="csr") @ weighted).tocsr()


def content(vectors: Any, history: Matrix) -> Score:
    """Score items by their similarity with those of the history: the sum of the cosines of their vectors.

    Parameters
    ----------
    vectors
        As from `tf_idf`, shape (items, features).
    """
    profiles = interactions(history) @ vectors
    turned = vectors.T.tocsr()
    return lambda start, stop: (profiles[start:stop] @ turned).toarray()


def mapped(factors: Reals, features: Any, known: npt.NDArray[np.bool_], ridge: float) -> Reals:
    """Give the items that are not `known` the factors that their features predict.

    With the features of the known items in the rows of F and their factors in those of Y, both less their means,

        W = (F'F + ridge I)^-1 F'Y

    predicts a factor y = mean + (f - mean)W (Gantner et al. 2010, Learning attribute-to-feature mappings for cold-start
    recommendations, with a linear map). A ridge prediction is nearer to the mean than what it predicts, so the scores
    of cold items are comparable with one another, and too small beside those of known items.

    Parameters
    ----------
    factors
        Shape (items, f).
    known
        Items that have interactions, shape (items,).

    Returns
    -------
    numpy.ndarray
        Factors of all items, shape (items, f).
    """
    from sklearn.linear_model import Ridge

    found = factors.copy()
    if known.all() or not known.any():
        return found
    model = Ridge(ridge, solver="sparse_cg", tol=1e-5)
    found[~known] = model.fit(features[known], factors[known]).predict(features[~known]).reshape(-1, factors.shape[1])
    return found


def collective(train: Matrix, features: Any, weight: float) -> Any:
    """Add a row for each feature, as if it were one more user, who took the items that have it.

    Factorising both together is collective matrix factorisation (Singh & Gordon 2008, Relational learning via
    collective matrix factorization): an item without interactions still gets factors from its features.

    Parameters
    ----------
    weight
        Weight of a feature of an item; that of an interaction is 1.

    Returns
    -------
    scipy.sparse.csr_matrix
        float32, shape (users + features, items).
    """
    return vstack([interactions(train), weight * interactions(features.T.tocsr())], format="csr")

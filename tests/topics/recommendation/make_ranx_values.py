"""Writes ranx_values.json: rankings, items to find, and what ranx 0.3.21 makes of them, user by user.

Not run by the tests: ranx compiles for 40 seconds. Run it in an environment with ranx: ``python make_ranx_values.py``.
"""

import json
from pathlib import Path

import numpy as np
from ranx import Qrels, Run, evaluate  # type: ignore[import-not-found]

USERS, ITEMS, K = 40, 30, 10
NAMES = {
    "ndcg": "ndcg_burges",
    "recall": "recall",
    "precision": "precision",
    "average_precision": "map",
    "reciprocal_rank": "mrr",
    "hit_rate": "hit_rate",
}


def main() -> None:
    """Draw rankings and items to find, from one item to more than are ranked, and ask ranx."""
    rng = np.random.default_rng(0)
    rankings = [rng.permutation(ITEMS)[:K].tolist() for _ in range(USERS)]
    relevant = [np.sort(rng.permutation(ITEMS)[: rng.integers(1, 16)]).tolist() for _ in range(USERS)]
    qrels = Qrels({f"u{user:02d}": {f"i{item}": 1 for item in items} for user, items in enumerate(relevant)})
    run = Run(
        {
            f"u{user:02d}": {f"i{item}": float(K - at) for at, item in enumerate(items)}
            for user, items in enumerate(rankings)
        }
    )
    asked = [f"{name}@{k}" for name in (*NAMES.values(), "ndcg") for k in (1, 3, K)]
    values = evaluate(qrels, run, asked, return_mean=False)
    judged = {
        f"{ours}@{k}": np.asarray(values[f"{name}@{k}"]).tolist() for ours, name in NAMES.items() for k in (1, 3, K)
    }
    # With gains of 0 and 1 both of ranx's gain functions give the same NDCG.
    assert all(np.allclose(values[f"ndcg@{k}"], values[f"ndcg_burges@{k}"]) for k in (1, 3, K))
    text = json.dumps({"rankings": rankings, "relevant": relevant, "values": judged})
    Path(__file__).with_name("ranx_values.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

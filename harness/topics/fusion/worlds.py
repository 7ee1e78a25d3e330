"""Generated data and scenarios of the task classification."""

from __future__ import annotations

from collections.abc import Mapping

from harness import Dataset, Generator, Param, Scalar
from harness.topics.fusion import ENGINE
from harness.topics.fusion.examples import Divided

#: Test examples of generated data.
TESTED = 2_000
INFORMATION = ("redundant", "unique", "xor", "lookup", "reliability")


def load(params: Mapping[str, Scalar], rng: Generator) -> Divided:
    """Generate examples of two modalities."""
    from harness.topics.fusion.engine.interaction import generated

    information = str(params["information"])
    return generated(information, float(params["informative"]), int(params["rows"]), TESTED, rng)


INTERACTION = Dataset(
    "synthetic-interaction",
    load,
    "Two modalities, a and b, whose information about the class is redundant, unique, xor, lookup or reliability.",
    params={
        "rows": Param(4_000, low=20, high=4_000, summary="training examples"),
        "information": Param("xor", choices=INFORMATION, summary="what the modalities say of the class"),
        "informative": Param(1.0, low=0, high=1, summary="share of examples whose class is not random"),
    },
    needs=(f"{ENGINE}.interaction",),
)

"""Generated data and scenarios of the task classification."""

from __future__ import annotations

from collections.abc import Mapping

from harness import Dataset, Generator, Param, Scalar, UsageError
from harness.topics.fusion import ENGINE
from harness.topics.fusion.examples import Divided

#: Test examples of generated data.
TESTED = 2_000


def load(params: Mapping[str, Scalar], rng: Generator) -> Divided:
    """Generate examples of two modalities.

    Raises
    ------
    UsageError
        When the kind of information is unknown.
    """
    from harness.topics.fusion.engine.interaction import DRAWS, generated

    information = str(params["information"])
    if information not in DRAWS:
        raise UsageError(f"information={information} is unknown; choose one of {', '.join(DRAWS)}")
    return generated(information, float(params["informative"]), int(params["rows"]), TESTED, rng)


def check(params: Mapping[str, Scalar], rng: Generator) -> None:
    """Refuse an unknown kind of information before any trial."""
    load({**params, "rows": 1}, rng)


INTERACTION = Dataset(
    "synthetic-interaction",
    load,
    "Two modalities, a and b, whose information about the class is redundant, unique, xor, lookup or reliability.",
    params={
        "rows": Param(4_000, low=20, high=4_000, summary="training examples"),
        "information": Param("xor", summary="redundant, unique, xor, lookup or reliability"),
        "informative": Param(1.0, low=0, high=1, summary="share of examples whose class is not random"),
    },
    check=check,
    needs=(f"{ENGINE}.interaction",),
)

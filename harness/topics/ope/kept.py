"""Logs of a user's own, as data sets of the task value-real."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from harness import Dataset, Generator, Scalar
from harness.topics.ope.evaluation import real
from harness.topics.ope.worlds import ENGINE, REPLICATIONS

if TYPE_CHECKING:
    from harness.topics.ope.engine.log import Log
    from harness.topics.ope.engine.worlds import Replications

#: Returns a log, and the mean reward that its target policy earned when it ran.
Reader: TypeAlias = "Callable[[], tuple[Log, float]]"


def kept_log(
    name: str, *, summary: str = "", needs: tuple[str, ...] = (), version: str = ""
) -> Callable[[Reader], Reader]:
    """Register the decorated function as a data set of value-real.

    The log is resampled with replacement; the estimates are judged by the value that the function returns with it: what
    the target policy earned on average when it ran, in an A/B test for example.

    Parameters
    ----------
    name
        Name of the data set on the command line.
    summary
        One line on what the log is.
    needs
        Modules that the function uses; they are imported before any clock starts.
    version
        To be changed with the log: runs of other versions are not compared.

    Raises
    ------
    DeclarationError
        The task has a data set of that name.
    """

    def register(read: Reader) -> Reader:
        def load(params: Mapping[str, Scalar], rng: Generator) -> Replications:
            from harness.topics.ope.engine.kept import recorded
            from harness.topics.ope.engine.worlds import Replications

            return Replications((recorded(name, read),), int(params["replications"]), int(rng.integers(2**62)))

        def verify() -> None:
            from harness.topics.ope.engine.kept import recorded

            recorded(name, read)

        needed = (f"{ENGINE}.kept", *needs)
        real.join(Dataset(name, load, summary, REPLICATIONS, needs=needed, verify=verify, version=version))
        return read

    return register

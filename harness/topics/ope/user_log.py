"""A user's log as a data set of the task value-real."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from harness import Dataset, Generator, Scalar
from harness.topics.ope.evaluation import real
from harness.topics.ope.worlds import ENGINE, REPLICATIONS

if TYPE_CHECKING:
    from harness.topics.ope.engine.log import Log
    from harness.topics.ope.engine.worlds import Replications

#: A function that returns a log, and the mean reward that its target policy earned when it ran.
Reader: TypeAlias = "Callable[[], tuple[Log, float]]"


def log_dataset(
    name: str, *, summary: str = "", needs: tuple[str, ...] = (), version: str = ""
) -> Callable[[Reader], Reader]:
    """Register the decorated function as a data set of value-real.

    Each replication resamples the log with replacement. Estimates are compared with the value that the function returns
    with the log: what the target policy earned on average when it ran, in an A/B test for example.

    Parameters
    ----------
    name
        Name of the data set on the command line.
    summary
        One line that describes the log.
    needs
        Modules that the function uses; they are imported before any clock starts.
    version
        Version of the log, to be changed with it: runs with different versions are not compared.

    Raises
    ------
    DeclarationError
        The task already has a data set of that name.
    """

    def register(read: Reader) -> Reader:
        def load(params: Mapping[str, Scalar], rng: Generator) -> Replications:
            from harness.topics.ope.engine.user_log import recorded
            from harness.topics.ope.engine.worlds import Replications

            return Replications((recorded(name, read),), int(params["replications"]), int(rng.integers(2**62)))

        def verify() -> None:
            from harness.topics.ope.engine.user_log import recorded

            recorded(name, read)

        needed = (f"{ENGINE}.user_log", *needs)
        real.join(Dataset(name, load, summary, REPLICATIONS, needs=needed, verify=verify, version=version))
        return read

    return register

"""SQL over runs: DuckDB in memory, cut off from files and network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from harness.store.load import Tables

# Without external access SQL names no files, no network, and no variables of the calling Python code either.
_CONFIG = {"enable_external_access": "false", "lock_configuration": "true"}


def query(sql: str, frames: Tables) -> pd.DataFrame:
    """Answer a question in SQL over the tables ``trials``, ``samples`` and ``runs``.

    A column name with a dot is written in double quotes: ``SELECT label, median("fit.cpu_s") FROM trials GROUP BY 1``.

    Raises
    ------
    UsageError
        When DuckDB is not installed, or refuses the statement.
    """
    try:
        import duckdb
    except ImportError:
        raise UsageError("bakeoff query needs duckdb: pip install 'bakeoff[query]'") from None
    with duckdb.connect(":memory:", config=_CONFIG) as connection:
        for name, table in frames._asdict().items():
            connection.register(name, table)
        try:
            answer = connection.sql(sql)
            frame: pd.DataFrame | None = None if answer is None else answer.df()
        except duckdb.Error as error:
            raise UsageError(f"the query failed: {str(error).splitlines()[0]}") from None
    if frame is None:
        raise UsageError("the query asks for nothing: give a SELECT over the tables trials, samples and runs")
    return frame

"""What the records of runs say: aggregates by cell, verdicts, history, advice, plots."""

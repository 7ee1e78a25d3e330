"""Statistics without records: functions from arrays to estimates, intervals, p-values and ranks."""

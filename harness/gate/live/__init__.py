"""The live gate measures both sides now: pairs of processes, one in each environment, take turns on the same cores."""

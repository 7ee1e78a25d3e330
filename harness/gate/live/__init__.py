"""Both sides measured now: pairs of processes, one in each environment, called in turn on the same cores."""

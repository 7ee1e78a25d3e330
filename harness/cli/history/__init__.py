"""``bakeoff history``: a figure over all runs, with its change points."""

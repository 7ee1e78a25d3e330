"""The gate on stored runs, which were measured at different times."""

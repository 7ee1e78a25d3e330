"""What the tasks of recommendation compute with: divisions of interactions, models, rankings and metrics."""

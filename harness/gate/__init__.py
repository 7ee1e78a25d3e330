"""The decision on a candidate against a base: stored runs, or both measured live."""

"""Estimators and intervals; needs numba, so that topic modules import it inside of functions."""

"""Estimators, intervals and judges; they need numba, so topic modules import them inside functions."""

"""Worlds, policies and judges; they need numba, so topic modules import them inside functions."""

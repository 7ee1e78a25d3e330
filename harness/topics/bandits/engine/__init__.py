"""Worlds, policies and judges; they need numba, so topic modules import them inside functions."""

from harness.topics._shared.compiled import find_cache

find_cache()

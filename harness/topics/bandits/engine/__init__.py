"""Worlds, and how policies are played in them; needs numba, so that topic modules import it inside of functions."""

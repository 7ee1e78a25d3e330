"""Runs on disk: written as trials end, read as data frames, queried with SQL."""

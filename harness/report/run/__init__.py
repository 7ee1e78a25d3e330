"""Runs drawn: page and Markdown."""

"""Judges and data that several topics share."""

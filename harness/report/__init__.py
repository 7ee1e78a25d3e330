"""Runs become pages: one HTML file that opens anywhere, or Markdown."""

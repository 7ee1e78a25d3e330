"""A gate's decision drawn: page, Markdown, table, and files for CI."""

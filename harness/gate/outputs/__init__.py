"""Where a decision is read: terminal, JSON, JUnit XML, Markdown, annotations and an HTML page."""

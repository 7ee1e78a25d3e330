"""The built-in topics, one package each: its tasks, its strategies and its claims."""

"""Data: cards become arrays, scenarios lay a stress on them, generators make them."""

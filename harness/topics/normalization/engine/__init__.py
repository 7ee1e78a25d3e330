"""What the tasks compute with: norms, the Transformer, its training, and texts. Everything here imports torch."""

"""What the tasks compute with: encoders, fusions, training and generated data. Everything here may import torch."""

"""What several topics judge with."""

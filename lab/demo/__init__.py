"""The demonstration: two sites get a direct path, one moves, and the path comes back."""

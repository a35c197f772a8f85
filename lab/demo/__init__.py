"""The demonstration: two sites meet, one moves, both find each other again."""

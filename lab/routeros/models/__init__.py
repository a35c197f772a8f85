"""A router whose surroundings are all in memory."""

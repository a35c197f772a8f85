"""Attack programs with stolen credentials or from outside, bounded in count and time, in namespaces only."""

"""Benchmarks in the lab: each file measures one thing, `__main__` names them all. Pure."""

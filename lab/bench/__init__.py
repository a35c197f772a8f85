"""Benchmarks in the lab: each file measures one thing, and `__main__` lists them."""

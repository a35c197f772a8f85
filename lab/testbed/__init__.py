"""Whole testbeds built on the network: the hub, its broker, the daemon, and routers."""

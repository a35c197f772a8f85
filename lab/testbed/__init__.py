"""Testbeds built on the network: hub, broker, daemon and routers, and clients that play their parts."""

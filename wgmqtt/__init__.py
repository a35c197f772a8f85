"""wgmqtt tells MikroTik routers behind NAT where their WireGuard peers are. Pure."""

__version__ = "0.1.0"

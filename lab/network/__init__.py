"""Network namespaces, WireGuard devices, NAT boxes and the network between them."""

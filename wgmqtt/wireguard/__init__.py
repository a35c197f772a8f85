"""What WireGuard says of its peers: the kernel by netlink, userspace implementations by their socket."""

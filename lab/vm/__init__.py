"""Real kernels with WireGuard for the lab: user-mode Linux, Debian's own in qemu. Pure."""

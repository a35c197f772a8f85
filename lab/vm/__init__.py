"""Real kernels with WireGuard for the lab: user-mode Linux, and Debian's own in qemu."""

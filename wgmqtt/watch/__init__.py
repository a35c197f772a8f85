"""When to poll WireGuard: the schedule, the CPU budget, and hints from the kernel."""

"""One emulated router as a process inside a site of the lab."""

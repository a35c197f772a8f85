"""An emulated router as a process in a site of the lab."""

"""This machine: systemd, the journal, the freeze file, the allocator."""

"""Every decision of the daemon: (state, event, now) to effects. Pure."""

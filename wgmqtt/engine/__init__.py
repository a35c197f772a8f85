"""Every decision of the daemon: an event and the time become effects. Nothing here touches the outside."""

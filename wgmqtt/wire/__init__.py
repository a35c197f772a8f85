"""Topics and payloads of the wire contract. Pure."""

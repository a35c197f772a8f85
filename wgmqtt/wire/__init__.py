"""Topics and payloads of the wire contract, as bytes and as values."""

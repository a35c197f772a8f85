"""Programs that run inside a namespace and print what they observe, one JSON object per line."""

"""The configuration: YAML text to a checked `Config`, each problem with its place in the file."""

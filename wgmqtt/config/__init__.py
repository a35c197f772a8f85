"""The configuration: a YAML file to a checked `Config`, or every problem at once with its place in the file."""

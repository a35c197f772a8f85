"""What a router reports about itself, for the lab and the tests to read."""

from collections.abc import Callable, Mapping

Emit = Callable[[str, Mapping[str, object]], None]  # called with an event's kind and its fields

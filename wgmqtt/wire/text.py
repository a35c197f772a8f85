"""Text from outside: printable before it is stored, logged or shown."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def clip(text: str, limit: int) -> str:
    """Return `text` in printable characters, cut to `limit` of them."""
    shown = "".join(char if char.isprintable() else REPLACEMENT for char in text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"

"""Text from outside: escaped and bounded where it is decoded, so that it never controls a terminal or a log."""


def clip(text: str, limit: int) -> str:
    r"""Return `text` cut to `limit` characters, with everything that is not printable escaped, as in `\x1b`.

    Not printable are control characters, line breaks, bidirectional overrides and lone surrogates.
    """
    if len(text) <= limit and text.isprintable():
        return text
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text[: limit + 1]
    )
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"

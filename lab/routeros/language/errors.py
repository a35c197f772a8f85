"""The errors of a script, and the exceptions for what the emulator does not know."""


class ScriptError(Exception):
    """An error that RouterOS reports; `:onerror` and `:do … on-error` catch it. `str()` is RouterOS's text.

    `placed`: the text already ends with the place of the error, such as `(:put; line 1)`.
    """

    def __init__(self, text: str, *, placed: bool = False) -> None:
        super().__init__(text)
        self.placed = placed


class ScriptSyntaxError(ScriptError):
    """RouterOS does not compile the script, so no part of it has run."""


class NotImplementedInEmulator(Exception):  # noqa: N818 - not an error of the script, and never caught by one
    """RouterOS may well do this, but the emulator does not. Not a `ScriptError`: no script can catch it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"emulator: not implemented: {what}")


class UndecidedError(NotImplementedInEmulator):
    """What RouterOS does with these values was never measured; `guess` is one possibility, an error is another.

    The world's `odd_values` chooses between them, or stops the emulator.
    """

    def __init__(self, what: str, guess: object) -> None:
        super().__init__(what)
        self.what = what
        self.guess = guess

"""How a script fails: RouterOS's own errors, and the two ways a script leaves a body early. Pure."""


class ScriptError(Exception):
    """An error that RouterOS gives: `:onerror` and `:do … on-error` catch it. `str()` is RouterOS's text.

    `placed` says that the text already ends in the place: `(:put; line 1)`.
    """

    def __init__(self, text: str, *, placed: bool = False) -> None:
        super().__init__(text)
        self.placed = placed


class ScriptSyntaxError(ScriptError):
    """A script that RouterOS refuses to compile: nothing of it has run."""


class NotImplementedInEmulator(Exception):  # noqa: N818 - not an error of the script, and never caught by one
    """RouterOS may well do this; the emulator does not know how. Not a `ScriptError`: no script can catch it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"emulator: not implemented: {what}")


class UndecidedError(NotImplementedInEmulator):
    """What RouterOS makes of these values was never measured; `guess` is one answer, an error would be another.

    The world's `odd_values` decides between them, or lets the emulator stop.
    """

    def __init__(self, what: str, guess: object) -> None:
        super().__init__(what)
        self.what = what
        self.guess = guess

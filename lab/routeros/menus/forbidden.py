"""A menu that the running script has no permission for. Pure."""

from lab.routeros.language.call import Call
from lab.routeros.language.errors import ScriptError
from lab.routeros.language.values import Value

NO_PERMISSION = "not enough permissions (9)"


class ForbiddenMenu:
    """Refuses every command."""

    def call(self, call: Call) -> Value:
        """Refuse.

        Raises:
            ScriptError: always.
        """
        raise ScriptError(NO_PERMISSION if call.verb else "")

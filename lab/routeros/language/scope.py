"""Look up variables: blocks nest, functions see only their arguments, globals must be declared."""

from collections.abc import Mapping

from lab.routeros.language.call import GlobalVariables
from lab.routeros.language.errors import NotImplementedInEmulator
from lab.routeros.language.values import Nothing, Value


class Scope:
    """The variables of one block. A function's scope has no parent: it does not see the code around it."""

    def __init__(
        self,
        world_globals: GlobalVariables,
        parent: "Scope | None" = None,
        locals_: Mapping[str, Value] | None = None,
        *,
        is_import: bool = False,
    ) -> None:
        self._parent = parent
        self._world_globals = world_globals
        self._locals = dict(locals_) if locals_ else {}
        self._globals: set[str] = set()
        self._is_import = is_import

    def child(self) -> "Scope":
        """Return the scope of a block inside this one."""
        return Scope(self._world_globals, self)

    def apart(self, locals_: Mapping[str, Value]) -> "Scope":
        """Return the scope of a function, which contains only its arguments."""
        return Scope(self._world_globals, None, locals_)

    def declare_local(self, name: str, value: Value) -> None:
        """`:local`: a second declaration in the same block replaces the first."""
        self._globals.discard(name)
        self._locals[name] = value

    def declare_global(self, name: str, value: Value | None) -> None:
        """`:global`: without a value, make the existing global variable visible under this name."""
        self._locals.pop(name, None)
        self._globals.add(name)
        if value is not None:
            self._world_globals.set(name, value)

    def read(self, name: str) -> Value:
        """Return `$name`; a name that is not declared is nothing, even if there is a global variable of that name.

        Source: MikroTik's manual, "Scripting", Scopes (`{ :local a 3; { :global b 4; } :put ($a+$b); }` prints 3).

        Raises:
            NotImplementedInEmulator: an earlier line of an import declared that global, which
                may be visible on this line.
        """
        if name in self._locals:
            return self._locals[name]
        if name in self._globals:
            return self._world_globals.get(name)
        if self._parent is not None:
            return self._parent.read(name)
        if self._is_import and not isinstance(self._world_globals.get(name), Nothing):
            raise NotImplementedInEmulator(f"${name} is read without `:global {name}` on this line")
        return Nothing()

    def assign(self, name: str, value: Value) -> None:
        """`:set name value`, of the innermost variable of that name.

        Raises:
            NotImplementedInEmulator: it is not declared (RouterOS rejects that at compile time, except a quoted name).
        """
        if name in self._globals:
            self._world_globals.set(name, value)
        elif name in self._locals:
            self._locals[name] = value
        elif self._parent is not None:
            self._parent.assign(name, value)
        else:
            raise NotImplementedInEmulator(f":set of {name}, which is not declared here")

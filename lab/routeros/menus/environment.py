"""`/system/script/environment`: the global variables.

Which variables RouterOS lists is not known; here, those of scripts and those that handlers share (see
`Switches.hook_globals`).
"""

from lab.routeros.language.call import Call, GlobalVariables
from lab.routeros.language.values import Nothing, Value, render
from lab.routeros.menus.arguments import read_text
from lab.routeros.menus.items import Item, ItemMenu


class EnvironmentMenu(ItemMenu):
    """One item per variable, with its `name`; values are not implemented."""

    def __init__(self, *kept: GlobalVariables) -> None:
        super().__init__("/system/script/environment", {"name": read_text})
        self._kept = kept

    def call(self, call: Call) -> Value:
        """Carry out one command on the current variables."""
        with self.lock:
            listed = {render(item.kept["name"]): item for item in self.items.values()}
            present = {name for variables in self._kept for name in variables.names()}
            for name, item in listed.items():
                if name not in present:
                    del self.items[item.id]
            for name in sorted(present - set(listed)):
                self.append({"name": name})
        return super().call(call)

    def removed(self, item: Item) -> None:
        """Remove the variable."""
        for variables in self._kept:
            variables.set(render(item.kept["name"]), Nothing())

"""What a condition after `where` sees of an item: names that the emulator does not know are not guessed. Pure."""

from collections.abc import Iterator, Mapping

from lab.routeros.language.errors import NotImplementedInEmulator
from lab.routeros.language.values import Value


class SeenProperties(Mapping[str, Value]):
    """The properties of an item. A known name without a value is absent; an unknown name stops the script."""

    def __init__(self, path: str, names: frozenset[str], properties: Mapping[str, Value]) -> None:
        self._path = path
        self._names = names
        self._properties = properties

    def __getitem__(self, name: str) -> Value:
        if name not in self._names:
            raise NotImplementedInEmulator(f"the property {name} of {self._path}")
        return self._properties[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._properties)

    def __len__(self) -> int:
        return len(self._properties)

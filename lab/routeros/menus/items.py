"""A menu of items: find, get, set, add, remove, print, enable and disable, with ids such as `*1`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import RLock

from lab.routeros.language.call import Call
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.values import Array, Id, Nil, Nothing, Value, render
from lab.routeros.language.where import SeenProperties

Reader = Callable[[str, Value], Value]  # an argument's name and value → the value to store; raises ScriptError


@dataclass(slots=True)
class Item:
    """One item of a menu with its stored values. A property without a value is absent."""

    id: Id
    kept: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Change:
    """One item that a set has changed: its values before, and the values that the set gave."""

    item: Item
    before: Mapping[str, Value]
    named: Mapping[str, Value]


class ItemMenu:
    """The commands that every menu of items has. A subclass defines the items and what a change does.

    `readers` are the arguments of add and set in this version; `read_only` are the other names that get knows.
    """

    def __init__(self, path: str, readers: Mapping[str, Reader], read_only: Iterable[str] = ()) -> None:
        self.path = path
        self.readers = readers
        self.names = frozenset(readers) | frozenset(read_only) | {".id"}
        self.lock = RLock()
        self.items: dict[Id, Item] = {}
        self._last_id = 0

    # What a subclass overrides

    lacking: frozenset[str] | None = None  # other names that RouterOS has; None: it is not known which
    defaults: Mapping[str, Value] = {}
    required: tuple[str, ...] = ()

    def properties(self, item: Item) -> Mapping[str, Value]:
        """Return the properties that get, print and `where` see of an item."""
        return {".id": item.id, **item.kept}

    def check(self, kept: Mapping[str, Value], item: Item | None) -> None:
        """Reject values that an item (a new one if None) must not have; raises ScriptError."""

    def added(self, item: Item) -> None:
        """Put an added item into effect."""
        raise NotImplementedInEmulator(f"{self.path}/add of {', '.join(item.kept)}")

    def changed(self, change: Change) -> None:
        """Put a set into effect."""
        raise NotImplementedInEmulator(f"{self.path}/set of {', '.join(change.named)}")

    def removed(self, item: Item) -> None:
        """Put a removal into effect, before the item is deleted."""
        raise NotImplementedInEmulator(f"{self.path}/remove of {item.id}")

    # The commands

    def call(self, call: Call) -> Value:
        """Carry out one command of the menu."""
        verbs: dict[str, Callable[[Call], Value]] = {
            "find": self._find,
            "get": self._get,
            "print": self._print,
            "add": self._add,
            "set": self._set,
            "remove": self._remove,
            "enable": lambda call: self._enable(call, disabled=False),
            "disable": lambda call: self._enable(call, disabled=True),
        }
        if call.verb not in verbs:
            raise NotImplementedInEmulator(f"{self.path}/{call.verb}")
        return verbs[call.verb](call)

    def append(self, kept: Mapping[str, Value]) -> Item:
        """Return a new item with the next id, already in the menu."""
        with self.lock:
            self._last_id += 1
            item = Item(Id(f"*{self._last_id:X}"), dict(kept))
            self.items[item.id] = item
        return item

    def matching(self, call: Call) -> list[tuple[Item, Mapping[str, Value]]]:
        """Return the items that `where` takes, all without one, with their properties."""
        with self.lock:
            seen = [(item, self.properties(item)) for item in self.items.values()]
        if call.where is None:
            return seen
        return [pair for pair in seen if call.where(SeenProperties(self.path, self.names, pair[1]))]

    def _find(self, call: Call) -> Value:
        _allow(call, self.path)
        return Array(tuple(item.id for item, _ in self.matching(call)))

    def _get(self, call: Call) -> Value:
        _allow(call, self.path, named=("number", "value-name"))
        unnamed = list(call.unnamed)
        number = call.named["number"] if "number" in call.named else unnamed.pop(0) if unnamed else Nothing()
        wanted = call.named["value-name"] if "value-name" in call.named else unnamed.pop(0) if unnamed else None
        if unnamed:
            raise NotImplementedInEmulator(f"{self.path}/get with {len(call.unnamed)} unnamed values")
        with self.lock:
            targets = self.targets(number)
            if len(targets) != 1:
                raise ScriptError("invalid internal item number")
            properties = self.properties(targets[0])
        if wanted is None:
            return Array(keyed=dict(properties))
        name = render(wanted)
        if name not in self.names:
            if self.lacking is None or name in self.lacking:
                raise NotImplementedInEmulator(f"the property {name} of {self.path}")
            raise ScriptError("input does not match any value of value-name")
        return properties.get(name, Nothing())

    def _print(self, call: Call) -> Value:
        _allow(call, self.path, named=("proplist",), flags=("as-value", "count-only", "detail", "without-paging"))
        found = self.matching(call)
        if "count-only" in call.flags:
            return len(found)
        if "as-value" not in call.flags:
            raise NotImplementedInEmulator(f"{self.path}/print to the terminal: use as-value or count-only")
        names = self.names if "proplist" not in call.named else _names(call.named["proplist"])
        return Array(tuple(Array(keyed={n: v for n, v in seen.items() if n in names}) for _, seen in found))

    def _add(self, call: Call) -> Value:
        _allow(call, self.path, named=self.readers)
        missing = [name for name in self.required if name not in call.named]
        if missing:
            raise ScriptError(f"missing value(s) of argument(s) {' '.join(missing)}")
        kept = {**self.defaults, **self.read(call.named)}
        with self.lock:
            self.check(kept, None)
            item = self.append(kept)
            try:
                self.added(item)
            except ScriptError:
                del self.items[item.id]
                raise
        return item.id

    def _set(self, call: Call) -> Value:
        _allow(call, self.path, named=(*self.readers, "numbers"))
        named = self.read({name: value for name, value in call.named.items() if name != "numbers"})
        with self.lock:
            for item in self._given(call):
                self.change(item, named)
        return Nothing()

    def _enable(self, call: Call, *, disabled: bool) -> Value:
        _allow(call, self.path, named=("numbers",))
        if "disabled" not in self.readers:
            raise NotImplementedInEmulator(f"{self.path}/{call.verb}")
        with self.lock:
            for item in self._given(call):
                self.change(item, {"disabled": disabled})
        return Nothing()

    def _remove(self, call: Call) -> Value:
        _allow(call, self.path, named=("numbers",))
        with self.lock:
            for item in self._given(call):
                self.removed(item)
                del self.items[item.id]
        return Nothing()

    # Parts of the commands

    def change(self, item: Item, named: Mapping[str, Value]) -> None:
        """Change one item; it keeps its old values if the change is rejected."""
        before = dict(item.kept)
        self.check({**before, **named}, item)
        item.kept.update(named)
        try:
            self.changed(Change(item, before, named))
        except ScriptError:
            item.kept = before
            raise

    def read(self, named: Mapping[str, Value]) -> dict[str, Value]:
        """Return the values to store for these arguments."""
        return {name: self.readers[name](name, value) for name, value in named.items()}

    def targets(self, number: Value) -> list[Item]:
        """Return the items of an id, a name, or an array of them; raises ScriptError."""
        if isinstance(number, Array):
            return [item for member in number.items for item in self.targets(member)]
        if isinstance(number, Nothing | Nil):
            raise ScriptError("invalid internal item number")
        if isinstance(number, int):
            raise NotImplementedInEmulator(f"item number {number} of the last print: use find or an id")
        text = render(number)
        for item in self.items.values():
            if item.id.text == text or item.kept.get("name") == text:
                return [item]
        raise ScriptError("no such item")

    def _given(self, call: Call) -> list[Item]:
        if "numbers" in call.named:
            return self.targets(call.named["numbers"])
        if len(call.unnamed) > 1:
            raise NotImplementedInEmulator(f"{self.path}/{call.verb} with {len(call.unnamed)} unnamed values")
        if not call.unnamed:
            raise ScriptError("missing value(s) of argument(s) numbers")
        return self.targets(call.unnamed[0])


def _names(value: Value) -> frozenset[str]:
    """Return the names in a proplist, which is an array or a text with commas."""
    texts = map(render, value.items) if isinstance(value, Array) else render(value).split(",")
    return frozenset(texts)


def _allow(call: Call, path: str, named: Iterable[str] = (), flags: Iterable[str] = ()) -> None:
    """Reject arguments that the schema has and the emulator does not implement."""
    unknown = [*(set(call.named) - set(named)), *(call.flags - set(flags))]
    if unknown:
        raise NotImplementedInEmulator(f"{path}/{call.verb} with {', '.join(sorted(unknown))}")
    if call.where is not None and call.verb not in ("find", "print"):
        raise NotImplementedInEmulator(f"{path}/{call.verb} with where")
    if call.unnamed and call.verb in ("find", "print", "add"):
        raise NotImplementedInEmulator(f"{path}/{call.verb} with an unnamed value")

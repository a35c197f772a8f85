"""`:deserialize from=json` and `:serialize to=json`.

Sources: MikroTik's manual, "Scripting", Global commands (serialize, deserialize); tarikin's reference
(types, null, the empty array, trailing commas, `123.000000`). Strings hold bytes, so UTF-8 passes unchanged.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from lab.routeros.language.call import STOP, Unknowns
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.literals import MAX_NUM, read_literal, read_num
from lab.routeros.language.values import Array, Ip, Ip6, Ip6Prefix, IpPrefix, Nil, Nothing, Time, Value, render, typeof

MAX_DEPTH = 64  # RouterOS's own limit is not known
_STRING = r'"(?:[^"\\]|\\.)*"'
_TRAILING_COMMA = re.compile(rf"({_STRING})|,(?=\s*[\]}}])", re.DOTALL)
_UNICODE = re.compile(r"(\\[^u])|(?:\\u[0-9a-fA-F]{4})+", re.DOTALL)
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def decode_json(text: str, *, convert_strings: bool, unknowns: Unknowns = STOP) -> Value:
    """Return the value of a JSON text; with `convert_strings`, `"1.2.3.4"` becomes an ip and `"5"` a number.

    Raises:
        ScriptError: it is not valid JSON.
        NotImplementedInEmulator: the result in RouterOS is not known (null, fractions, unicode escapes, empty text,
            duplicate keys), and `odd_values` is "stop".
    """
    reader = _Reader(unknowns)
    if not text.strip():
        return reader.odd(f":deserialize of {text[:40]!r}", "", Nothing())
    lenient = _TRAILING_COMMA.sub(lambda match: match[1] or "", text)
    if "\\u" in lenient:
        lenient = reader.unicode(lenient)
    try:
        return reader.value(reader.document(lenient), convert_strings=convert_strings)
    except RecursionError:
        raise ScriptError("failure: invalid JSON: too deep") from None
    except ValueError as error:
        raise ScriptError(f"failure: invalid JSON: {error}") from error


class _Odd:
    """A JSON value whose result in RouterOS is not known: its text, and its number or nothing."""

    def __init__(self, what: str, text: str, number: Value) -> None:
        self.what, self.text, self.number = what, text, number


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads JSON."""

    unknowns: Unknowns

    def odd(self, what: str, text: str, number: Value) -> Value:
        """Return `text` or `number`, or raise, as `odd_values` says."""
        mode = self.unknowns.odd_values
        if mode == "stop":
            raise NotImplementedInEmulator(what)
        if mode == "refuse":
            raise ScriptError(f"failure: invalid JSON: {what}")
        return text if mode == "text" else number

    def unicode(self, text: str) -> str:
        """Return the JSON text with its unicode escapes doubled, so that they remain text, or decoded to bytes."""

        def replaced(match: re.Match[str]) -> str:
            if match[1]:
                return match[1]
            self.odd(":deserialize of a unicode escape", "", 0)
            if self.unknowns.odd_values == "text":
                return match[0].replace("\\", "\\\\")
            meant: str = json.loads(f'"{match[0]}"')
            return "".join(
                f"\\u{ord(c):04x}" if ord(c) < 128 else c.encode("utf-8", "surrogatepass").decode("latin-1")
                for c in meant
            )

        return _UNICODE.sub(replaced, text)

    def document(self, text: str) -> Any:  # noqa: ANN401 - the type that json returns
        """Return what Python's JSON reader returns; raises ValueError."""
        return json.loads(
            text,
            object_pairs_hook=self._pairs,
            parse_float=lambda digits: _Odd(f":deserialize of {digits[:40]}", digits, _saturated(float(digits))),
            parse_int=self._int,
            parse_constant=self._refuse_constant,
            strict=self.unknowns.odd_values in ("stop", "refuse"),
        )

    def value(self, document: Any, depth: int = 0, *, convert_strings: bool) -> Value:  # noqa: ANN401 - likewise
        """Return a JSON document as a value of the language."""
        if depth > MAX_DEPTH:
            raise ScriptError("failure: invalid JSON: too deep")
        match document:
            case None:
                return self.odd(":deserialize of null", "", Nothing())
            case dict() | list():
                return self._container(document, depth + 1, convert_strings=convert_strings)
            case _Odd():
                return self.odd(document.what, document.text, document.number)
            case bool() | int():
                return document
            case _:
                return _converted(document) if convert_strings else str(document)

    def _container(self, document: Any, depth: int, *, convert_strings: bool) -> Value:  # noqa: ANN401 - likewise
        if isinstance(document, dict):
            return Array((), {k: self.value(v, depth, convert_strings=convert_strings) for k, v in document.items()})
        if not document and self.unknowns.empty_array == "text":
            return ""
        return Array(tuple(self.value(v, depth, convert_strings=convert_strings) for v in document))

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            self.odd(":deserialize of an object with one key twice", "", 0)
            if self.unknowns.odd_values == "text":
                members = dict(reversed(pairs))  # the first one wins
        return members

    @staticmethod
    def _int(digits: str) -> Any:  # noqa: ANN401 - likewise
        if len(digits) < 19 or (len(digits) < 21 and -MAX_NUM <= int(digits) <= MAX_NUM):
            return int(digits)
        return _Odd(f":deserialize of {digits[:40]}", digits, -MAX_NUM if digits.startswith("-") else MAX_NUM)

    @staticmethod
    def _refuse_constant(word: str) -> None:
        raise ValueError(f"{word} is not JSON")


def _saturated(number: float) -> int:
    return int(max(-MAX_NUM, min(MAX_NUM, number)))


def _converted(text: str) -> Value:
    value = read_literal(text)
    if not isinstance(value, str | int | Ip | Time) or isinstance(value, bool):
        raise NotImplementedInEmulator(f":deserialize of the string {text!r} without json.no-string-conversion")
    return value


def encode_json(value: Value, *, convert_strings: bool) -> str:
    """Return the JSON text; with `convert_strings`, a string of digits becomes a number (`"5"` is 5.000000).

    Raises:
        NotImplementedInEmulator: how RouterOS writes this value was never measured.
    """
    match value:
        case Nothing() | Nil():
            return "null"
        case bool() | int():
            return render(value)
        case str():
            number = read_num(value) if convert_strings else None
            return _quoted(value) if number is None else f"{number}.000000"
        case Ip() | Ip6() | IpPrefix() | Ip6Prefix() | Time():
            return _quoted(render(value))
        case Array(items, keyed) if not (items and keyed):
            members = [encode_json(member, convert_strings=convert_strings) for member in items]
            pairs = [f"{_quoted(k)}:{encode_json(v, convert_strings=convert_strings)}" for k, v in keyed.items()]
            return "{" + ",".join(pairs) + "}" if keyed else "[" + ",".join(members) + "]"
        case _:
            raise NotImplementedInEmulator(f":serialize of {typeof(value)}")


def _quoted(text: str) -> str:
    if any(character < " " and character not in _ESCAPES for character in text):
        raise NotImplementedInEmulator(":serialize of a string with a control character")
    return '"' + "".join(_ESCAPES.get(character, character) for character in text) + '"'

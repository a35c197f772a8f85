"""`:deserialize from=json` and `:serialize to=json`. Pure.

Sources: MikroTik's manual, "Scripting", Global commands (serialize, deserialize); tarikin's reference
(types, null, the empty array, trailing commas, `123.000000`). Strings hold bytes, so UTF-8 passes through as it is.
"""

import json
import re

from lab.routeros.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.literals import MAX_NUM, read_literal, read_num
from lab.routeros.values import Array, Ip, Ip6, Ip6Prefix, IpPrefix, Nil, Nothing, Time, Value, render, typeof

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_STRING = r'"(?:[^"\\]|\\.)*"'
_TRAILING_COMMA = re.compile(rf"({_STRING})|,(?=\s*[\]}}])", re.DOTALL)
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def decode_json(text: str, *, convert_strings: bool) -> Value:
    """Return the value of a JSON text; with `convert_strings`, `"1.2.3.4"` becomes an ip and `"5"` a number.

    Raises:
        ScriptError: it is no JSON.
        NotImplementedInEmulator: what RouterOS makes of it is not known (null, fractions, unicode escapes, no text).
    """
    if not text.strip() or "\\u" in text:
        raise NotImplementedInEmulator(f":deserialize of {text[:40]!r}")
    lenient = _TRAILING_COMMA.sub(lambda match: match[1] or "", text)
    try:
        document: Json = json.loads(lenient, object_pairs_hook=_pairs)
    except ValueError as error:
        raise ScriptError(f"failure: invalid JSON: {error}") from error
    return _value(document, convert_strings=convert_strings)


def _pairs(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise NotImplementedInEmulator(":deserialize of an object with one key twice")
    return members


def _value(document: Json, *, convert_strings: bool) -> Value:
    match document:
        case dict():
            keyed = {key: _value(member, convert_strings=convert_strings) for key, member in document.items()}
            return Array((), keyed)
        case list():
            return Array(tuple(_value(member, convert_strings=convert_strings) for member in document))
        case bool():
            return document
        case int() if -MAX_NUM <= document <= MAX_NUM:
            return document
        case str():
            return _converted(document) if convert_strings else document
        case _:
            raise NotImplementedInEmulator(f":deserialize of {document}")


def _converted(text: str) -> Value:
    value = read_literal(text)
    if not isinstance(value, str | int | Ip | Time) or isinstance(value, bool):
        raise NotImplementedInEmulator(f":deserialize of the string {text!r} without json.no-string-conversion")
    return value


def encode_json(value: Value, *, convert_strings: bool) -> str:
    """Return the JSON text; with `convert_strings`, a string of digits becomes a number (`"5"` is 5.000000).

    Raises:
        NotImplementedInEmulator: how RouterOS writes it was never measured.
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

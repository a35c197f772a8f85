"""The commands that inspect or convert a value: `:len`, `:typeof`, `:pick`, `:find`, `:parse`, `:to…`, JSON.

Sources: the rows of data/device-measured.json; MikroTik's manual, "Scripting", Global commands; tarikin's
reference. Where that reference contradicts the rows (`:tobool "yes"`), the rows win.
"""

from collections.abc import Callable, Mapping

from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError, ScriptSyntaxError
from lab.routeros.language.json_text import decode_json, encode_json
from lab.routeros.language.literals import read_ip, read_ip6, read_literal, read_num, read_time
from lab.routeros.language.runner import Body, Command, Frame, Make, framed, prepared
from lab.routeros.language.syntax import compile_script
from lab.routeros.language.values import (
    Array,
    Code,
    Id,
    Ip,
    Ip6,
    IpPrefix,
    Nil,
    Nothing,
    Op,
    Time,
    Value,
    render,
    typeof,
)

_BOOLS = {"true": True, "yes": True, "false": False, "no": False}


def _unknown(command: str, value: Value) -> NotImplementedInEmulator:
    return NotImplementedInEmulator(f":{command} of {typeof(value)} {render(value)!r}")


def _of_value(work: Callable[[Value], Value]) -> Command:
    def command(frame: Frame) -> Value:
        frame.only("value")
        return work(frame.value("value"))

    return command


def _len(value: Value) -> Value:
    match value:
        case bool():
            raise _unknown("len", value)
        case str() | Array():
            return len(value)
        case Nothing() | Nil():
            return 0
        case int():
            return len(str(value))
        case _:
            raise _unknown("len", value)


def _tostr(value: Value) -> Value:
    return render(value)


def _tonum(value: Value) -> Value:
    match value:
        case bool() | Nothing() | Nil():
            return Nil()
        case int():
            return value
        case str():
            if value.startswith(("0x", "+")):
                raise _unknown("tonum", value)
            number = read_num(value)
            return Nil() if number is None else number
        case _:
            raise _unknown("tonum", value)


def _tobool(value: Value) -> Value:
    match value:
        case bool():
            return value
        case int() if value in {0, 1}:
            return value == 1
        case str() if value in _BOOLS:
            return _BOOLS[value]
        case _:
            raise _unknown("tobool", value)


def _odd(frame: Frame, command: str, value: Value, lenient: Value) -> Value:
    """Return the result for a text that looks like an incomplete address, as the world's `odd_values` says."""
    mode = frame.run.world.unknowns.odd_values
    if mode == "stop":
        raise _unknown(command, value)
    return lenient if mode == "number" else Nil()


def _toip(frame: Frame) -> Value:
    frame.only("value")
    value = frame.value("value")
    match value:
        case Ip():
            return value
        case IpPrefix():
            return Ip(value.address)
        case str():
            address = read_ip(value.partition("/")[0])
            if address is not None and (value.count(".") < 3 or "/" in value):
                return _odd(frame, "toip", value, address)
            return address or Nil()
        case _:
            raise _unknown("toip", value)


def _toip6(frame: Frame) -> Value:
    frame.only("value")
    value = frame.value("value")
    match value:
        case Ip6():
            return value
        case str():
            address = read_ip6(value)
            if address is None and (read_ip(value) is not None or "%" in value or "/" in value):
                bare = read_ip6(value.partition("/")[0].partition("%")[0])
                return _odd(frame, "toip6", value, bare or Nil())
            return address or Nil()
        case _:
            raise _unknown("toip6", value)


def _totime(value: Value) -> Value:
    match value:
        case Time():
            return value
        case str():
            span = read_time(value)
            if span is None and (read_num(value) is not None or "/" in value or "-" in value):
                raise _unknown("totime", value)
            return span or Nil()
        case _:
            raise _unknown("totime", value)


def _tonsec(value: Value) -> Value:
    if not isinstance(value, Time):
        raise _unknown("tonsec", value)
    return value.ns


def _toid(value: Value) -> Value:
    word = read_literal(value) if isinstance(value, str) else value
    if not isinstance(word, Id):
        raise _unknown("toid", value)
    return word


def _toarray(frame: Frame) -> Value:
    frame.only("value", "delimiter")
    value, delimiter = frame.value("value"), frame.value("delimiter")
    if isinstance(value, Array):
        return value
    if value == "":
        return Array()
    separator = delimiter if isinstance(delimiter, str) and delimiter else ","
    if not isinstance(value, str):
        raise _unknown("toarray", value)
    members = tuple(value.split(separator))
    if any(typeof(read_literal(member)) != "str" or not member for member in members):
        raise NotImplementedInEmulator(f":toarray of {value!r}: are its members strings?")
    return Array(members)


def _pick(frame: Frame) -> Value:
    frame.only("counter", "begin", "end")
    value, begin = frame.value("counter"), frame.value("begin")
    end = frame.value("end") if "end" in frame.arguments else None
    sequence = value.items if isinstance(value, Array) and not value.keyed else value
    if not isinstance(sequence, str | tuple) or not _is_index(begin, len(sequence) - 1):
        raise NotImplementedInEmulator(f":pick of {typeof(value)} from {render(begin)}")
    assert isinstance(begin, int)
    if end is None:
        return sequence[begin]
    if not isinstance(end, int) or isinstance(end, bool) or end <= begin:
        raise NotImplementedInEmulator(f":pick from {begin} to {render(end)}")
    part = sequence[begin:end]
    return part if isinstance(part, str) else Array(part)


def _is_index(value: Value, last: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= last


def _find(frame: Frame) -> Value:
    frame.only("in", "key")
    value, wanted = frame.value("in"), frame.value("key")
    if isinstance(value, str) and isinstance(wanted, str) and wanted:
        position = value.find(wanted)
        return Nil() if position < 0 else position
    if isinstance(value, Array) and not value.keyed and not isinstance(wanted, Array | Code | Op | Nothing | Nil):
        if {typeof(member) for member in value.items} - {typeof(wanted)}:
            raise NotImplementedInEmulator(":find in an array of other types than the value's")
        return value.items.index(wanted) if wanted in value.items else Nil()
    raise NotImplementedInEmulator(f":find in {typeof(value)} of {typeof(wanted)}")


def _typeof(value: Value) -> Value:
    return typeof(value)


def _parse(frame: Frame) -> Value:
    frame.only("value")
    source = frame.value("value")
    if not isinstance(source, str):
        raise _unknown("parse", source)
    try:
        program = compile_script(source, frame.run.code.program.schema, "script")
    except ScriptSyntaxError as error:
        raise ScriptError(str(error), placed=True) from error
    statements = tuple(statement for line in program.lines for statement in line.statements)
    return Code(Body(statements, prepared(program)), parsed=True)


def _nothing(_: Frame) -> Value:
    return Nothing()


_KEEP_STRINGS = "json.no-string-conversion"


def _converts_strings(frame: Frame) -> bool:
    if "options" not in frame.arguments:
        return True
    option = frame.value("options")
    if option != _KEEP_STRINGS:
        raise NotImplementedInEmulator(f"options={render(option)}")
    return False


def _deserialize(frame: Frame) -> Value:
    frame.only("value", "from", "options")
    text = frame.value("value")
    if frame.value("from") != "json" or not isinstance(text, str):
        raise NotImplementedInEmulator(f":deserialize from={render(frame.value('from'))} of {typeof(text)}")
    return decode_json(text, convert_strings=_converts_strings(frame), unknowns=frame.run.world.unknowns)


def _serialize(frame: Frame) -> Value:
    frame.only("value", "to", "options")
    if frame.value("to") != "json":
        raise NotImplementedInEmulator(f":serialize to={render(frame.value('to'))}")
    return encode_json(frame.value("value"), convert_strings=_converts_strings(frame))


def _timestamp(frame: Frame) -> Value:
    frame.only()
    return Time(frame.run.world.now_ns())


_CONVERSIONS: Mapping[str, Callable[[Value], Value]] = {
    "len": _len,
    "typeof": _typeof,
    "tostr": _tostr,
    "tonum": _tonum,
    "tobool": _tobool,
    "totime": _totime,
    "tonsec": _tonsec,
    "toid": _toid,
}
_FRAMED: Mapping[str, Command] = {
    **{name: _of_value(work) for name, work in _CONVERSIONS.items()},
    "toip": _toip,
    "toip6": _toip6,
    "toarray": _toarray,
    "pick": _pick,
    "find": _find,
    "parse": _parse,
    "nothing": _nothing,
    "deserialize": _deserialize,
    "serialize": _serialize,
    "timestamp": _timestamp,
}
COMMANDS: Mapping[str, Make] = {name: framed(command) for name, command in _FRAMED.items()}

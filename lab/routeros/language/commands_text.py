"""`:serialize`, `:deserialize` and `:timestamp`. Pure but for the world's clock."""

from collections.abc import Mapping

from lab.routeros.language.errors import NotImplementedInEmulator
from lab.routeros.language.evaluate import Command, Frame
from lab.routeros.language.json_text import decode_json, encode_json
from lab.routeros.language.values import Time, Value, render, typeof

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
    return decode_json(text, convert_strings=_converts_strings(frame), odd=frame.run.world.odd_values)


def _serialize(frame: Frame) -> Value:
    frame.only("value", "to", "options")
    if frame.value("to") != "json":
        raise NotImplementedInEmulator(f":serialize to={render(frame.value('to'))}")
    return encode_json(frame.value("value"), convert_strings=_converts_strings(frame))


def _timestamp(frame: Frame) -> Value:
    frame.only()
    return Time(frame.run.world.now_ns())


COMMANDS: Mapping[str, Command] = {"deserialize": _deserialize, "serialize": _serialize, "timestamp": _timestamp}

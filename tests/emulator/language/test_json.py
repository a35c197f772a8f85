"""`:serialize` and `:deserialize`: the manual's examples, and tarikin's reference (GitHub, tested on 7.21)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.routeros.language.call import OddValues, Unknowns
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.interpreter import run
from lab.routeros.language.json_text import decode_json, encode_json
from lab.routeros.language.values import Array, Value, render
from tests.emulator.language.world import BareWorld

KEEP = "options=json.no-string-conversion"
PRINTED = {
    ':put [:deserialize from=json value="[\\"a\\",\\"b\\",\\"c\\"]"]': "a;b;c",
    f':put [:typeof ([:deserialize "{{ \\"str\\": \\"123\\" }}" from=json {KEEP}]->"str")]': "str",
    ':put [:typeof [:deserialize from=json value="\\"123\\""]]': "num",
    ':put [:typeof [:deserialize from=json value="\\"192.168.1.1\\""]]': "ip",
    ':put [:typeof [:deserialize from=json value="\\"01:30:00\\""]]': "time",
    ':put [:deserialize from=json value="[1,2,3,]"]': "1;2;3",
    ':global var ({ "string"="1234"; "number"=1234 }); :put [:serialize to=json value=$var]': (
        '{"number":1234,"string":1234.000000}'
    ),
    f':global var ({{ "string"="1234"; "number"=1234 }}); :put [:serialize to=json value=$var {KEEP}]': (
        '{"number":1234,"string":"1234"}'
    ),
    ":put [:serialize to=json value=({})]": "[]",
    ":put [:serialize to=json value={1;2;3}]": "[1,2,3]",
    ":put [:serialize to=json value=[:nothing]]": "null",
    ":put [:serialize to=json value=192.168.0.0/24]": '"192.168.0.0/24"',
    ":put [:serialize to=json value=1h30m15s]": '"01:30:15"',
    ':put [:serialize to=json value={"msg"="Hello \\"World\\""}]': '{"msg":"Hello \\"World\\""}',
    ':put [:serialize to=json value={"z"=1;"a"=true;"m"={"k"="v"}}]': '{"a":true,"m":{"k":"v"},"z":1}',
}
REFUSED = ["{invalid}", "{", '{"a":}', "[1 2]", "nonsense", '{"a":1}x']
UNKNOWN = ["", " ", "null", "1.5", '{"a":1,"a":2}', '"\\u00e9"', "99999999999999999999", '{"a":null}']


@pytest.mark.parametrize(("script", "line"), PRINTED.items())
def test_example_prints_what_its_source_states(script: str, line: str) -> None:
    world = BareWorld()
    run(script, world)
    assert world.lines == [line]


@pytest.mark.parametrize("text", REFUSED)
def test_invalid_json_is_an_error_that_a_script_can_catch(text: str) -> None:
    with pytest.raises(ScriptError):
        decode_json(text, convert_strings=False)


@pytest.mark.parametrize("text", UNKNOWN)
def test_json_that_was_never_measured_stops_the_emulator(text: str) -> None:
    with pytest.raises(NotImplementedInEmulator):
        decode_json(text, convert_strings=False)


SCALARS = st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.text(st.characters(codec="ascii", min_codepoint=32))
KEYS = st.text(st.characters(codec="ascii", min_codepoint=32), max_size=5)
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, min_size=1))


@given(DOCUMENTS)
def test_document_without_conversion_survives_a_round_trip(document: object) -> None:
    text = json.dumps(document)
    value: Value = decode_json(text, convert_strings=False) if "\\u" not in text else Array()
    if "\\u" not in text:
        assert json.loads(encode_json(value, convert_strings=False)) == document


def test_comma_inside_a_string_is_not_a_trailing_comma() -> None:
    assert decode_json('["a,]", "b,}",]', convert_strings=False) == Array(("a,]", "b,}"))


# What was never measured, as each position of odd_values reads it

ODD = {
    "null": ("error", "", ""),
    "1.5": ("error", "1.5", "1"),
    "-1e3": ("error", "-1e3", "-1000"),
    "1e999": ("error", "1e999", "9223372036854775807"),
    "9223372036854775808": ("error", "9223372036854775808", "9223372036854775807"),
    '{"a":1,"a":2}': ("error", "a=1", "a=2"),
    '"\\u0041\\u00e9"': ("error", "\\u0041\\u00e9", "A\u00c3\u00a9"),
    '"\\ud83d\\ude00"': ("error", "\\ud83d\\ude00", "\u00f0\u009f\u0098\u0080"),
    '"\\\\u0041"': ("\\u0041",) * 3,
    "": ("error", "", ""),
    '"a\tb"': ("error", "a\tb", "a\tb"),
    "[" * 66 + "]" * 66: ("error",) * 3,
    "[" * 5_000: ("error",) * 3,
    "NaN": ("error",) * 3,
    "Infinity": ("error",) * 3,
}


@pytest.mark.parametrize("text", ODD, ids=[text[:20] for text in ODD])
def test_odd_json_is_read_as_the_switch_says(text: str) -> None:
    def read(odd: OddValues) -> str:
        try:
            return render(decode_json(text, convert_strings=False, unknowns=Unknowns(odd_values=odd)))
        except ScriptError:
            return "error"

    assert (read("refuse"), read("text"), read("number")) == ODD[text]

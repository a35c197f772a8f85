"""What scripts print, in tables by source. The measured rows are in test_measured.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError
from lab.routeros.language.interpreter import run
from lab.routeros.language.literals import read_literal, read_time
from lab.routeros.language.values import Array, Nothing, Time, render
from tests.emulator.language.world import BareWorld


def printed(script: str) -> list[str]:
    world = BareWorld()
    run(script, world)
    return world.lines


# MikroTik's manual, page Scripting: its examples and their output
MANUAL = {
    "{\n:local a 3\n{\n:global b 4\n}\n:global b\n:put ($a+$b)\n}": ["7"],
    ':put ("concatenate" . " " . "string")': ["concatenate string"],
    ":put ({1;2;3} , 5 )": ["1;2;3;5"],
    ':global myVar "world"; :put ("Hello " . $myVar); :put "Hello $myVar"': ["Hello world", "Hello world"],
    ':local a 5; :local b 6; :put " 5x6 = $($a * $b)"': [" 5x6 = 30"],
    ':put [ :len "my test string"; ]': ["14"],
    ':global aaa {a=1;b=2}; :put ($aaa->"a"); :put ($aaa->"b")': ["1", "2"],
    ':put [:pick "abcde" 1 3]': ["bc"],
    ':put [:len "length=8"]': ["8"],
    ":put (1.1.1.1/32 in 1.0.0.0/8)": ["true"],
    ":put (192.168.88.77&255.255.255.0)": ["192.168.88.0"],
    ":put (192.168.88.0|0.0.0.255)": ["192.168.88.255"],
    ":put (~0.0.0.0)": ["255.255.255.255"],
    ":put (2001::1111&ffff::)": ["2001::"],
    ":put (10 / 2); :put ((10)/2); :put (5 % 3)": ["5", "5", "2"],
    ':onerror errorName in={ :error "failure" } do={ :put "Critical" }': ["Critical"],
    ':global myFunc [:parse ":put hello!"]; $myFunc': ["hello!"],
    ':global myFunc do={:put "arg a=$a"; :put "arg \'1\'=$1"}; $myFunc a="first" "second"': [
        "arg a=first",
        "arg '1'=second",
    ],
    ":global myFunc do={ :return ($a + $b)}; :put [$myFunc a=6 b=2]": ["8"],
    ":global funcA do={ :return 5 }; :global funcB do={ :global funcA; :return ([$funcA] + 4) }; :put [$funcB]": ["9"],
    '{:local a { "aX"=1; ay=2 }; :put ($a->"aX")}': ["1"],
    ':foreach k,v in={2; "aX"=1; y=2; 5} do={:put ("$k=$v")}': ["0=2", "1=5", "aX=1", "y=2"],
    ':foreach v in={2; "aX"=1; y=2; 5} do={:put ("$v")}': ["2", "5", "1", "2"],
    ':global a {x=1; y=2}; :set ($a->"x") 5; :put $a': ["x=5;y=2"],
    ':global my2 "123"; :global f do={ :global my2; :put $my2; :set my2 "lala"; :put $my2 }; $f; :put $my2': [
        "123",
        "lala",
        "lala",
    ],
    "{ :local myBool true; :if ($myBool = false) do={ :put no } else={ :put yes } }": ["true"],
}
# tarikin's reference of RouterOS 7 (GitHub): rules that it tested on 7.21 (scope, types, flow, errors)
REFERENCE = {
    '{ :local x "outer"; { :local x "inner"; :put $x }; :put $x }': ["inner", "outer"],
    ':global g "g1"; { :local g "l1"; :set g "changed"; :put $g }; :put $g': ["changed", "g1"],
    ":local sum 0; :for k from=1 to=5 do={ :set sum ($sum + $k) }; :put $sum": ["15"],
    ":for i from=5 to=1 step=-2 do={ :put $i }": ["5", "3", "1"],
    ":for i from=1 to=3 do={ :set i 999 }; :put [:typeof $i]": ["nothing"],
    ":local n 0; :do { :set n ($n + 1) } while=($n < 3); :put $n": ["3"],
    ":local n 0; :while ($n < 3) do={ :set n ($n + 1) }; :put $n": ["3"],
    ':local i 0; :do { :set i ($i + 1); :if ($i = 3) do={ :error "stop" } } on-error={} while=($i < 5); :put $i': ["3"],
    ":global f do={ :global f; :if ($1 <= 1) do={ :return 1 }; :return ($1 * [$f ($1 - 1)]) }; :put [$f 5]": ["120"],
    ':put [:if (true) do={ :return "yes" } else={ :return "no" }]': ["yes"],
    ':put [:onerror e in={ :error "x" } do={ }]; :put [:onerror e in={ } do={ }]': ["true", "false"],
    ':onerror e in={ :error "my-message" } do={ :put $e }': ["my-message (:error; line 1)"],
    ":onerror e in={ :put (1 / 0) } do={ :put [:typeof $e] }": ["str"],
    ":if (1) do={ :put on }; :if (0) do={ :put on } else={ :put off }": ["on", "off"],
    ":global n 0; :global f do={ :global n; :set n ($n + 1); :return true }; :if (true || [$f]) do={ :put $n }": ["1"],
    ":foreach x in=({}) do={ :put $x }": [],
    ':local a {"a"=1}; :put [:typeof ($a->"missing"->"deep")]': ["nothing"],
    ':local a "first"; :local a "second"; :put $a': ["second"],
    ':local "my-var" 1; :put $"my-var"': ["1"],
    ':put [:typeof [:tonum "23.8"]]; :put [:typeof [:tonum true]]; :put [:tonum "-456"]': ["nil", "nil", "-456"],
    ':put [:toip 10.0.0.0/24]; :put [:typeof [:toip "256.1.1.1"]]': ["10.0.0.0", "nil"],
    ':put [:toip6 "2001:db8::1"]; :put [:typeof [:toip6 "not-ipv6"]]': ["2001:db8::1", "nil"],
    ':put [:totime "1h30m"]; :put [:typeof [:totime "nottime"]]; :put [:tonsec 1m]': ["01:30:00", "nil", "60000000000"],
    ':put [:typeof [:parse ":return 1"]]; :global f do={ :return 1 }; :put [:typeof $f]': ["code", "array"],
    ':put ("5" + 10); :put (10 + "5"); :local x; :put ($x + 1); :put ($x . "text")': ["15", "15", "1", "text"],
    ":put (9223372036854775807 + 1)": ["-9223372036854775808"],
    ':put (5 = "5"); :put (true = 1); :put ("abc" != "xyz")': ["true", "false", "true"],
    ":put (192.168.1.0/24 in 192.168.0.0/16); :put (192.168.1.1 + 1)": ["true", "192.168.1.2"],
    ":put [:len ({1;2},{3;4})]": ["4"],
    ":local n 0; :retry command={ :set n ($n + 1); :if ($n < 3) do={ :error x } } delay=0 max=5; :put $n": ["3"],
    ':put [:typeof [:find "abc" "x"]]; :put [:find "find the needle here" "needle"]': ["nil", "9"],
    ':put ("192.168.1.1" ~ "192\\\\.168"); :put ("prefix-content" ~ "content\\$")': ["true", "true"],
}


@pytest.mark.parametrize(("script", "lines"), MANUAL.items())
def test_example_of_the_manual_prints_its_output(script: str, lines: list[str]) -> None:
    assert printed(script) == lines


@pytest.mark.parametrize(("script", "lines"), REFERENCE.items())
def test_rule_of_the_reference_is_followed(script: str, lines: list[str]) -> None:
    assert printed(script) == lines


def test_precedence_groups_as_measured() -> None:
    assert printed(":put (1 + 2 * 3); :put (10 - 2 - 3); :put (1 << 2 << 1); :put (6 | 1 & 3)") == ["7", "5", "16", "7"]
    assert printed(':put ("a" . 1 + 2 = "a3"); :put (true or true and false)') == ["true", "true"]


# The form is that of the last script row of device-measured.json
ERRORS = {
    ':put 1\n:if (true) do={\n  :error "inner"\n}': "inner (:error; line 3)",
    ':if ("text") do={ }': "conditional not boolean (:if; line 1)",
    ':put ("a" < "b")': "cannot compare if string is less than string (:put; line 1)",
    ":global f do={ :error deep }\n$f": "deep (:error; line 1)",
}


@pytest.mark.parametrize(("script", "text"), ERRORS.items())
def test_error_names_the_innermost_command_and_its_line(script: str, text: str) -> None:
    with pytest.raises(ScriptError) as caught:
        run(script, BareWorld())
    assert str(caught.value) == text


def test_import_runs_each_line_in_its_own_scope() -> None:
    world = BareWorld()
    run(":local a 1; :put $a\n:put [:typeof $a]\n{\n:local b 2\n:put $b\n}", world, scope="import")
    assert world.lines == ["1", "nothing", "2"]


def test_script_sees_its_locals_and_no_undeclared_global() -> None:
    world = BareWorld()
    world.globals.set("shared", 5)
    run(":put $msgData; :put [:typeof $shared]; :global shared; :put $shared", world, locals={"msgData": "hello"})
    assert world.lines == ["hello", "nothing", "5"]


def test_import_line_that_reads_an_earlier_global_is_not_implemented() -> None:
    with pytest.raises(NotImplementedInEmulator):
        run(":global g 5\n:put $g", BareWorld(), scope="import")


def test_top_level_return_is_the_value_of_the_script() -> None:
    assert run(":return 5; :put never", BareWorld()) == 5
    assert run(":put 5", BareWorld()) == Nothing()


def test_not_implemented_is_never_caught_by_a_script() -> None:
    for script in (":do { :put [:execute {}] } on-error={ }", ":onerror e in={ :put [:execute {}] } do={ }"):
        with pytest.raises(NotImplementedInEmulator):
            run(script, BareWorld())


def test_return_passes_through_on_error_and_loops() -> None:
    script = ":global f do={ :foreach i in={1;2} do={ :do { :return $i } on-error={ :put caught } } }; :put [$f]"
    assert printed(script) == ["1"]


def test_string_counts_bytes() -> None:
    world = BareWorld()
    run(':put [:len "é"]; :put "\\C3\\A9"; :put "é"', world)
    assert world.lines == ["2", "\xc3\xa9", "\xc3\xa9"]


def test_log_and_delay_reach_the_world() -> None:
    world = BareWorld()
    run(':log warning ("a" . 1); :log info message="b"; /log/error "c"; :delay 1500ms; :delay 2', world)
    assert world.logged == [("warning", "a1"), ("info", "b"), ("error", "c")]
    assert world.waited_s == [1.5, 2.0]


def test_array_is_a_value_and_a_copy_is_independent() -> None:
    assert printed(':local a {x=1}; :local b $a; :set ($b->"x") 2; :put $a; :put $b') == ["x=1", "x=2"]
    assert printed(':local a ({}); :set ($a->"x") ({}); :set ($a->"x"->"y") 1; :set ($a->0) 7; :put $a') == ["7;x=y=1"]


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_time_is_read_back_from_its_text(ns: int) -> None:
    assert read_time(render(Time(ns))) == Time(ns)


@given(st.text(st.characters(max_codepoint=255), max_size=20))
def test_quoted_string_carries_every_byte(text: str) -> None:
    """The single-pass encoder of the facts file, with hexadecimal escapes for characters that have no other."""
    known = {"\\": "\\\\", '"': '\\"', "$": "\\$", "\t": "\\t", "\r": "\\r", "\n": "\\n"}
    quoted = "".join(known.get(c, c if " " <= c <= "~" else f"\\{ord(c):02X}") for c in text)
    assert run(f':return "{quoted}"', BareWorld()) == text


@given(st.text(st.characters(codec="ascii"), max_size=12))
def test_literal_of_any_word_is_read_or_not_implemented(word: str) -> None:
    try:
        value = read_literal(word)
    except NotImplementedInEmulator:
        return
    assert not isinstance(value, Array)
    assert not isinstance(value, str) or value == word

"""What RouterOS was measured to do that a reader of its manual would not expect; each test is named after the kind."""

import pytest

from lab.routeros.language.call import STOP, Call, Unknowns
from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError, ScriptSyntaxError
from lab.routeros.language.interpreter import run
from lab.routeros.language.lint import lint
from lab.routeros.menus.wan import NetwatchMenu, wan_menus
from tests.emulator.language.world import BareWorld


def printed(script: str, unknowns: Unknowns = STOP) -> list[str]:
    world = BareWorld(unknowns=unknowns)
    run(script, world)
    return world.lines


# A statement `[…]`


def test_parse_as_a_statement_runs_what_it_parses() -> None:
    assert printed(':local x ":put ran"; [:parse $x]; :put end') == ["ran", "end"]


def test_parse_as_a_value_only_parses() -> None:
    assert printed(':local x ":put ran"; :local code [:parse $x]; :put [:typeof $code]') == ["code"]


def test_parse_with_a_colon_and_no_brackets_only_parses() -> None:
    assert printed(':parse ":put ran"; :put end') == ["end"]


def test_bracket_statement_whose_value_is_another_function_is_not_implemented() -> None:
    with pytest.raises(NotImplementedInEmulator, match="whose value is a function"):
        printed(":global f do={ :put 1 }; [:tostr 1]; [:return $f]")


CONTINUED = (
    ':global g do={ :return 1 }; :global f do={ :if (true) do={ :return "early" }; [$g]; :return "late" }; :put [$f]'
)


def test_statement_that_begins_with_a_bracketed_call_stands_alone_or_continues_the_lines_before_it() -> None:
    assert printed(CONTINUED) == ["early"]
    assert printed(CONTINUED, Unknowns(bracket_statement="continues")) == ["late"]


def test_bracketed_call_that_continues_keeps_the_order_of_the_statements() -> None:
    script = ':global f do={ :put "f" }; :put "a"; [$f]; :put "b"; [$f]; :put "c"'
    alone = printed(script)
    assert alone == ["a", "f", "b", "f", "c"]
    assert printed(script, Unknowns(bracket_statement="continues")) == alone


@pytest.mark.parametrize("script", ["[$f 1]", ":put 1\n[$f]", "{ :put 1; [ $f a=1 ] }", ":if (true) do={ [$f] }"])
def test_lint_rejects_a_statement_that_begins_with_a_bracketed_call(script: str) -> None:
    with pytest.raises(ScriptSyntaxError, match="emulator/bracketed-call"):
        lint(":global f\n" + script, "7.21.5")


@pytest.mark.parametrize("script", ["$f 1", ":put [$f 1]", ":if ([$f]) do={ }", ":local a ([$f] . 1)"])
def test_lint_accepts_a_bare_call_and_a_bracketed_value(script: str) -> None:
    assert lint(f":global f\n{script}", "7.21.5").lines


def test_lint_rejects_a_statement_that_runs_what_it_parses() -> None:
    with pytest.raises(ScriptSyntaxError, match="emulator/parse-statement"):
        lint('[:parse ":put 1"]', "7.21.5")
    assert lint(':local code [:parse ":put 1"]', "7.21.5").lines


# `:onerror`


def test_return_in_the_block_of_onerror_leaves_only_the_block() -> None:
    script = ":global f do={ :onerror e in={ :return 1 } do={ }; :return 2 }; :put [$f]"
    assert printed(script) == ["2"]


def test_return_in_the_error_block_of_onerror_leaves_the_function() -> None:
    script = ":global f do={ :onerror e in={ :error x } do={ :return 1 }; :return 2 }; :put [$f]"
    assert printed(script) == ["1"]


def test_error_in_the_error_block_of_onerror_is_returned_and_not_raised() -> None:
    script = ":local r [:onerror e in={ :error first } do={ :error second }]; :put $r; :put end"
    first, end = printed(script)
    assert (first.startswith("second"), end) == (True, "end")


# nil


def test_tonum_of_nothing_is_nil() -> None:
    assert printed(":put [:typeof [:tonum [:nothing]]]; :put [:typeof [:tonum $undeclared]]") == ["nil", "nil"]


@pytest.mark.parametrize("comparison", ["$n = 1", "$n != 1", "$n < 1", "1 >= $n", "$n = $n", "!($n = 1)"])
def test_comparison_with_nil_is_neither_true_nor_false(comparison: str) -> None:
    condition = f":if ({comparison}) do={{ :put do }} else={{ :put else }}"
    script = f':local n [:tonum "x"]; :put [:typeof ({comparison})]; {condition}'
    assert printed(script) == ["nil"]
    assert printed(script, Unknowns(nil_condition="else")) == ["nil", "else"]
    with pytest.raises(ScriptError, match="conditional not boolean"):
        printed(script, Unknowns(nil_condition="error"))


def test_loop_with_a_condition_that_is_nil_ends() -> None:
    assert printed(':local n [:tonum "x"]; :while ($n < 1) do={ :put loop }; :put end') == ["end"]


@pytest.mark.parametrize("operator", ["<", ">", "<=", ">="])
def test_strings_have_no_order(operator: str) -> None:
    with pytest.raises(ScriptError, match="cannot compare if string is"):
        printed(f':put ("a" {operator} "b")')


# Values


def test_empty_json_array_is_an_array_or_an_empty_text() -> None:
    script = ':put [:typeof [:deserialize from=json value="[]"]]'
    assert printed(script) == ["array"]
    assert printed(script, Unknowns(empty_array="text")) == ["str"]
    whole = ':put [:typeof ([:deserialize from=json value="{\\"a\\":[],\\"b\\":[1]}"]->"b")]'
    assert printed(whole, Unknowns(empty_array="text")) == ["array"]


@pytest.mark.parametrize(("word", "value"), [("yes", "true"), ("no", "false")])
def test_tobool_reads_yes_and_no(word: str, value: str) -> None:
    assert printed(f':put [:tobool "{word}"]') == [value]


# netwatch


def netwatch(version: str, **named: str) -> NetwatchMenu:
    menu = wan_menus(version)["/tool/netwatch"]
    assert isinstance(menu, NetwatchMenu)
    given = {name.replace("_", "-"): value for name, value in named.items()}
    menu.call(Call(menu.path, "add", named={"host": "10.0.0.1", "up-script": ":put up", **given}))
    return menu


def test_netwatch_runs_nothing_before_its_startup_delay() -> None:
    menu = netwatch("7.20.8")
    assert menu.scripts_on_up("10.0.0.1", 299, was_down=True) == []
    assert menu.scripts_on_up("10.0.0.1", 300, was_down=True) == [":put up"]
    assert netwatch("7.20.8", startup_delay="1").scripts_on_up("10.0.0.1", 2, was_down=True) == [":put up"]
    assert menu.scripts_on_up("10.0.0.2", 300, was_down=True) == []


def test_netwatch_runs_its_script_when_an_unknown_host_is_up_unless_that_is_ignored() -> None:
    assert netwatch("7.20.8").scripts_on_up("10.0.0.1", 300, was_down=False) == [":put up"]
    ignoring = netwatch("7.20.8", ignore_initial_up="yes")
    assert ignoring.scripts_on_up("10.0.0.1", 300, was_down=False) == []
    assert ignoring.scripts_on_up("10.0.0.1", 300, was_down=True) == [":put up"]


def test_netwatch_has_ignore_initial_up_from_7_17() -> None:
    with pytest.raises(NotImplementedInEmulator, match="ignore-initial-up"):
        netwatch("7.16.2", ignore_initial_up="yes")

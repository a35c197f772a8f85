"""Scripts that RouterOS rejects before it runs anything, each with its source, and similar ones that it accepts.

Sources: "facts" are the project's notes on RouterOS; "lsp" are routeros-lsp's rules and probes, measured with /import
dry-run; "manual" is MikroTik's manual, page Scripting; "rows" are data/device-measured.json; "schema" is what the
console of each version lists; "corpus" is the public project tikoci/lsp-routeros-ts, which kept what `:parse` of
7.20.8, 7.22.1 and 7.23 made of scripts of users.
"""

import pytest

from lab.routeros.language.errors import NotImplementedInEmulator, ScriptError, ScriptSyntaxError
from lab.routeros.language.interpreter import check, run
from lab.routeros.language.lint import lint
from tests.emulator.language.world import BareWorld

REFUSED = [
    ("facts, escapes", r':put "a\qb"'),
    ("facts, escapes: lower case hex", r':put "\4f"'),
    ("lsp E-04: one hex digit", r':put "\4"'),
    ("facts, encoder: a dollar without a name", ':put "costs $ 5"'),
    ("lsp: no closing quote", ':put "abc'),
    ("lsp: no closing brace", "{ :put 1"),
    ("lsp: no closing bracket", ":put [:len 1"),
    ("lsp: no closing parenthesis", ":put (1 + 2"),
    ("lsp: a stray parenthesis", ":put 1)"),
    ("facts, no space before =", '/system/identity/set name ="x"'),
    ("facts, no space before =: manual, Whitespace", ":for i from = 1 to = 2 do = { :put $i }"),
    ("facts, one statement a line: } else={ on two lines", ":if (true) do={ :put 1 }\nelse={ :put 2 }"),
    ("facts, operators: ==", ":put (1 == 2)"),
    ("facts, operators: <>", ":put (1 <> 2)"),
    ("facts, operators: +=", ":local a 1; :set a (a += 1)"),
    ("lsp: an operator without its operand", ":put (5 -)"),
    ("lsp: two operators", ":put (1 + * 2)"),
    ("rows, parse", ":put ()"),
    ("rows, parse", ":put (1 @@ 2)"),
    ("rows, array", ":put (1;2)"),
    ("lsp: a line break in parentheses", ":put (1\n+ 2)"),
    ("lsp O-09: $( outside a string", ":put $(1 + 2)"),
    ("lsp O-09: $[ outside a string", ":put $[:len 1]"),
    ("lsp: a dollar alone", ":put $"),
    ("facts, variable names: lsp L-10", ":local a 1; :put $a_b"),
    ("facts, variable names", ":local my-var 1"),
    ("facts, variable names", ":local a_b 1"),
    ("lsp: a dollar where a name is declared", ":local $a 1"),
    ("lsp: :local name=value", ":local a=1"),
    ("manual, Variables: :set without a declaration", ':set myVar "my value"'),
    ("lsp v5 d3: declared after", ":set a 1; :local a"),
    ("lsp d5: the block has ended", "{ { :local a }; :set a 1 }"),
    ("lsp d10: a function's argument", ":global f do={ :set a 5 }"),
    ("lsp d13: a global of the code around a function", ":global g; :global f do={ :set g 1 }"),
    ("lsp d38: inside :retry", ":retry command={ :set q 1 } delay=1 max=1"),
    ("lsp: names are case-sensitive", ':local "A"; :set a 1'),
    ("lsp: a string in place of a command", '"put" 1'),
    ("lsp: single quotes", ":put 'a'"),
    ("facts, only ASCII outside strings", ":put é"),
    ("facts, no byte-order mark", "\ufeff:put 1"),
    ("facts, comments only where a statement begins", ":put 1 # comment"),
    ("lsp L-11: two commands without a separator", ":put 1 :put 2"),
    ("lsp: capitals in a command", ":Put 1"),
    ("corpus: a path after an unknown menu", "/interface/nosuch/print"),
    ("corpus: a block after an unknown command", "/iot nosuch { :put 1 }"),
    ("corpus: a substitution in a value after an unknown command", ':local x 1; :nosuch a="b$x"'),
    ("corpus: an escape in a value after an unknown command", r':nosuch a="b\"c"'),
    ("corpus: characters directly after an unknown command", "done! 1"),
    ("corpus: an argument after a menu without a command", "/ip/firewall/address-list name=x"),
    ("corpus: the menu is the same after an unknown command", '/nosuch stop; :put [find name="x"]'),
    ("corpus: a condition of the global command find", '[:find where name="loopback"]'),
    ("corpus: an unnamed value that is already given by name", "/tool/fetch url=x y"),
    ("corpus: a value in place of a command in a block", "[:time {*2}]"),
    ("schema: an unknown argument", '/interface/wireguard/peers/set *1 endpoint="x"'),
    ("lsp: an argument twice", "/interface/wireguard/peers/set *1 endpoint-port=1 endpoint-port=2"),
    ("lsp: too many unnamed values", ":put 1 2"),
    ("schema: neither brokers nor subscriptions have a comment", '/iot/mqtt/brokers/add name="a" comment="x"'),
    ("schema: subscriptions add has no force", '/iot/mqtt/subscriptions/add broker="a" topic="t" force=no'),
    ("lsp: a flag with a value", "/interface/wireguard/peers/print count-only=yes"),
    ("lsp: where without a condition", "/interface/wireguard/peers/print where"),
]

ACCEPTED = [
    ("corpus: arrays in arrays", ':local a {{"m"="M"};{"z"="Z"};{1;2}}; :put $a'),
    ("corpus: an operator in a condition of find", '/file/remove [find name~"x"]'),
    ("corpus: else without =", ":if (true) do={ :put 1 } else { :put 2 }"),
    ("corpus: in without =", ":local a {1}; :foreach x in $a do={ :put $x }"),
    ("corpus: a quoted name in a string", ':local "a-b" 1; :put "x$"a-b"y"'),
    ("facts, item 9", ":put (true any false)"),
    ("facts, item 9", ":local a {-0x10}"),
    ("facts, item 9", ':put [:tobool "no"]'),
    ("lsp d1", ":local a; :set a 1"),
    ("lsp d4", "{ :local a; { :set a 1 } }"),
    ("lsp d7", ":for i from=1 to=2 do={ :set i 5 }"),
    ("lsp d14", ":global f do={ :global g; :set g 1 }"),
    ("lsp d19", ':local "a b"; :set "a b" 1'),
    ("lsp d23", ":onerror e in={ } do={ :set e 1 }"),
    ("lsp: a line joined by a backslash", ":put (1 \\\n + 2)"),
    ("lsp: no space around operators", ":local a true; :put ($a&&true)"),
    ("lsp: a value after a space", ":for i from= 1 to= 2 do={ :put $i }"),
    ("lsp: every escape", r':put "\" \\ \n \r \t \$ \_ \a \b \f \v \? \0A \FF"'),
    ("lsp: text that is not ASCII, in a string", ':put "é"'),
    ("schema", '/iot/mqtt/publish broker="a" topic="t" message="m" qos=1 retain=yes force=no'),
    ("schema", '/interface/wireguard/peers/set [find where public-key="x="] endpoint-address=1.2.3.4 endpoint-port=5'),
    ("facts", '[:len [/system/package/find where name="iot" disabled=no]]'),
]

# RouterOS compiles these, and fails when it reaches the command (corpus); an import refuses the line, and so does lint.
LATE = [
    ("an unknown global command", ":nosuch 1", "bad command name nosuch (line 2 column 2)"),
    ("an unknown menu", "/nosuch print", "bad command name nosuch (line 2 column 2)"),
    ("an unknown command of a menu", "/interface/wireguard/peers/nosuch", "bad command name nosuch (line 2 column 28)"),
    ("words", "this is no command", "bad command name this (line 2 column 1)"),
    ("in a substitution in a string", ':put "$[:nosuch]"', "bad command name nosuch (line 2 column 10)"),
    ("a missing argument", ":put", "missing value(s) of argument(s) message (line 2 column 2)"),
    ("a missing argument", ":deserialize from=json", "missing value(s) of argument(s) value (line 2 column 2)"),
    ("a missing argument", ":return", "missing value(s) of argument(s) value (line 2 column 2)"),
]

# (source, version that rejects, version that accepts, script)
BY_VERSION = [
    (":onerror: 7.13", "7.12.2", "7.13.5", ":onerror e in={ :put 1 } do={ :put 2 }"),
    (":deserialize options: 7.16", "7.15.3", "7.16.2", ':deserialize from=json options=json.no-string-conversion "1"'),
    (":serialize's option: 7.17", "7.16.2", "7.17.1", ':serialize to=json options=json.no-string-conversion "1"'),
    (":serialize's other option", "7.15.3", "7.16.2", ':serialize to=json options=json.pretty "1"'),
    ("will-topic: 7.20", "7.19.6", "7.20.8", '/iot/mqtt/brokers/add name="a" will-topic="t"'),
    ("responder: 7.17", "7.16.2", "7.17.1", "/interface/wireguard/peers/set *1 responder=yes"),
    ("is-responder: until 7.16", "7.17.1", "7.16.2", "/interface/wireguard/peers/set *1 is-responder=yes"),
    ("/ping: until 7.22", "7.23.3", "7.22.3", "/ping 10.0.0.1 count=1"),
    ("peers name: 7.15", "7.14.3", "7.15.3", '/interface/wireguard/peers/set *1 name="x"'),
]


@pytest.mark.parametrize("script", [script for _, script in REFUSED], ids=[f"{s}: {t}" for s, t in REFUSED])
def test_script_that_routeros_rejects_is_rejected_before_it_runs(script: str) -> None:
    world = BareWorld()
    with pytest.raises(ScriptSyntaxError):
        run(':put "ran"\n' + script, world)
    if not script.startswith("\ufeff"):
        with pytest.raises(ScriptSyntaxError):
            check(script, "7.21.5")
    assert world.lines == []


@pytest.mark.parametrize("script", [script for _, script in ACCEPTED], ids=[f"{s}: {t}" for s, t in ACCEPTED])
def test_script_that_routeros_accepts_compiles(script: str) -> None:
    assert check(script, "7.21.5").lines


@pytest.mark.parametrize(("source", "refusing", "accepting", "script"), BY_VERSION, ids=[row[0] for row in BY_VERSION])
def test_command_of_some_versions_is_rejected_by_the_others(
    source: str, refusing: str, accepting: str, script: str
) -> None:
    assert lint(script, accepting).lines, source
    with pytest.raises(ScriptSyntaxError):
        lint(script, refusing)


@pytest.mark.parametrize(("script", "text"), [row[1:] for row in LATE], ids=[row[0] for row in LATE])
def test_command_that_cannot_run_fails_when_it_is_reached(script: str, text: str) -> None:
    world = BareWorld()
    with pytest.raises(ScriptError) as caught:
        run(f':put "ran"\n{script}\n:put "not reached"', world)
    assert (str(caught.value), world.lines) == (text, ["ran"])


@pytest.mark.parametrize("script", [row[1] for row in LATE], ids=[row[0] for row in LATE])
def test_command_that_cannot_run_is_rejected_by_an_import_and_by_lint(script: str) -> None:
    with pytest.raises(ScriptSyntaxError):
        check(script, "7.21.5", scope="import")
    with pytest.raises(ScriptSyntaxError):
        lint(f":if (false) do={{ {script} }}", "7.21.5")


def test_unknown_command_in_a_block_that_does_not_run_does_no_harm() -> None:
    world = BareWorld()
    run(":if (false) do={ :onerror e in={ :nosuch } do={ } }; :put 1", world)
    assert world.lines == ["1"]


def test_iot_command_without_its_package_is_a_bad_command_name() -> None:
    script = '/iot mqtt publish broker="a" topic="t" message="m"'
    assert check(script, "7.21.5").lines
    with pytest.raises(ScriptSyntaxError, match="bad command name iot"):
        run(script, BareWorld(), absent=frozenset({"/iot"}))


@pytest.mark.parametrize("script", ['/iot/mqtt/publish broker="a"', '/iot mqtt publish message="a\\"b"'])
def test_iot_command_without_its_package_can_be_a_syntax_error(script: str) -> None:
    """The path is no command name, so RouterOS stops at its second slash, or at an escape in a value (corpus)."""
    with pytest.raises(ScriptSyntaxError, match="syntax error"):
        check(script, "7.21.5", frozenset({"/iot"}))


def test_closing_brace_without_an_opening_one_ends_the_script() -> None:
    world = BareWorld()
    run(":put 1\n}\n:put 2 is not even parsed ((", world)
    assert world.lines == ["1"]
    with pytest.raises(ScriptSyntaxError, match="ignored-rest"):
        lint(":put 1 }", "7.21.5")


def test_function_that_reads_a_local_around_it_reads_nothing() -> None:
    script = ":local a 1; :global f do={ :put [:typeof $a] }; $f"
    world = BareWorld()
    run(script, world)
    assert world.lines == ["nothing"]
    with pytest.raises(ScriptSyntaxError, match=r"\$a, a local variable around it"):
        lint(script, "7.21.5")


# RouterOS's words and places; source: MikroTik's manual, page Scripting ("bad command name this (line 1 column 1)")
WORDS = {
    "/interface/wireguard/peers/print where": "missing value for where (line 1 column 34)",
    "\n:put 1 2": "expected end of command (line 2 column 8)",
}


@pytest.mark.parametrize(("script", "text"), WORDS.items())
def test_syntax_error_has_the_text_of_routeros(script: str, text: str) -> None:
    with pytest.raises(ScriptSyntaxError) as caught:
        check(script, "7.21.5")
    assert str(caught.value) == text


def test_import_of_a_bad_command_name_has_the_text_of_the_manual() -> None:
    with pytest.raises(ScriptSyntaxError) as caught:
        run("this", BareWorld(), scope="import")
    assert str(caught.value) == "bad command name this (line 1 column 1)"


def test_import_runs_the_lines_before_a_syntax_error() -> None:
    """`/import` is fail-fast without a rollback: facts, Language."""
    world = BareWorld()
    with pytest.raises(ScriptSyntaxError, match=r"bad command name nosuch \(line 2 column 2\)"):
        run(":put 1\n:nosuch 2\n:put 3", world, scope="import")
    assert world.lines == ["1"]


# What RouterOS accepts and the emulator does not know: it must stop.
UNKNOWN = [
    "this is no command",
    ":put (1 2)",
    ":put (abc)",
    ":put [:typeof []]",
    ":put [:execute {:put 1}]",
    ':put ("a" = 1)',
    ":put ([:nothing] = 1)",
    ':put ("a" ~ "[[:alpha:]]")',
    ":int/wireguard/find",
    "/ip pool print",
    ":foreach x in=5 do={ :put $x }",
    ":for i from=3 to=1 do={ :put $i }",
    ":local a {}; :put $a",
    ':put [:pick "abc" 5]',
    ":global f do={ :put 1 }; :put $f",
    ':put [:toip "1.1"]',
    ':put [:deserialize from=json value="null"]',
    ':put [:deserialize from=json value="1.5"]',
    ':put [:deserialize from=json value="\\"\\\\u0041\\""]',
    ':put ([:deserialize from=json "{\\"a\\":1,\\"a\\":2}"])',
    ":local a 1.5s",
]


@pytest.mark.parametrize("script", UNKNOWN)
def test_script_whose_result_is_not_known_stops_the_emulator(script: str) -> None:
    world = BareWorld()
    with pytest.raises(NotImplementedInEmulator, match="emulator: not implemented: "):
        run(f":do {{ {script} }} on-error={{ :put caught }}", world)
    assert world.lines == []

"""The RouterOS scripts as text: quoting, contents, and the verdict of a second judge."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routeros_lsp.analyze import analyze
from routeros_lsp.schema.schema import Schema
from routeros_lsp.syntax.ast import StringLit
from routeros_lsp.syntax.parser import parse

from wgmqtt.config.load import read_config
from wgmqtt.errors import RscError
from wgmqtt.script.render import (
    Options,
    parse_wan_hook,
    quote,
    quote_lines,
    render_difference,
    render_removal,
    render_script,
)
from wgmqtt.script.templates import read_templates

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.yaml"
CONFIG = read_config(EXAMPLE)
TEMPLATES = read_templates()
ROUTERS = {router.name: router for router in CONFIG.routers}
PASSWORD = 'p\\w"$[:error]{;}?#'
QUOTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("\t\r\n"))


parse("")  # routeros-lsp raises the recursion limit at its first call; within a test hypothesis would warn of it


def literal(text: str) -> str:
    """Return the value of a string literal by RouterOS's grammar (PyPI routeros-lsp, measured on a router)."""
    parsed = parse(f":put {text}")
    assert parsed.diagnostics == []
    word = parsed.script.statements[0].elements[1]
    assert isinstance(word, StringLit)
    assert all(part.kind in ("text", "escape") for part in word.parts), "something in it would be evaluated"
    return word.value


@given(QUOTABLE)
def test_quote_any_text_it_accepts_comes_back_the_same(text: str) -> None:
    assert literal(quote(text)) == text


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126)), min_size=1))
def test_quote_lines_any_lines_come_back_the_same(lines: list[str]) -> None:
    text = "\n".join(lines).rstrip("\n")
    assert literal(quote_lines(text, "    ")) == text


@pytest.mark.parametrize("text", ["é", "\0", "\x7f", "\ufeff", "“", "\x0b"])
def test_quote_what_has_no_escape_is_refused(text: str) -> None:
    with pytest.raises(RscError, match="cannot be quoted"):
        quote(text)


@pytest.mark.parametrize("name", ROUTERS)
def test_script_has_no_long_line_and_only_ascii(name: str) -> None:
    script = render_script(CONFIG, ROUTERS[name], PASSWORD, TEMPLATES)
    assert script.isascii()
    long = [line for line in script.splitlines() if len(line) > 120]
    assert not long


def test_script_of_an_older_version_has_no_will() -> None:
    assert "will-topic" in render_script(CONFIG, ROUTERS["amsterdam"], PASSWORD, TEMPLATES)
    assert "will-" not in render_script(CONFIG, ROUTERS["berlin"], PASSWORD, TEMPLATES)


def test_script_redacted_holds_no_password_and_cannot_be_imported() -> None:
    whole = render_script(CONFIG, ROUTERS["berlin"], PASSWORD, TEMPLATES)
    redacted = render_script(CONFIG, ROUTERS["berlin"], None, TEMPLATES)
    assert quote(PASSWORD) in whole
    assert quote(PASSWORD) not in redacted
    assert redacted.index(":error") < redacted.index("/system/package/find")
    assert render_difference(whole, redacted) == ""


@pytest.mark.parametrize("name", ROUTERS)
def test_script_passes_the_second_judge_as_import(name: str) -> None:
    """routeros-lsp with RouterOS 7.21.4's commands, those of the package iot included."""
    assert findings(render_script(CONFIG, ROUTERS[name], PASSWORD, TEMPLATES), "import") == []
    assert findings(render_removal(CONFIG, ROUTERS[name], TEMPLATES), "import") == []


@pytest.mark.parametrize("name", ROUTERS)
def test_handler_passes_the_second_judge_as_script(name: str) -> None:
    script = render_script(CONFIG, ROUTERS[name], PASSWORD, TEMPLATES)
    found = re.search(r'(?s):local wgmqttHandler (".*?[^\\]")\n', script)
    assert found
    handler = literal(found[1])
    assert findings(handler, "script") == []
    assert PASSWORD not in handler


def findings(script: str, scope: str) -> list[str]:
    schema = Schema.from_file(ROOT / "tests/data/lsp-commands-7.21.4.json.gz")
    analysis = analyze(script, scope=scope, context_variables=("msgData", "msgTopic"), schema=schema)
    return [f"{script.count(chr(10), 0, finding.start) + 1}: {finding.message}" for finding in analysis.findings]


def test_script_is_the_same_for_a_replaced_password_but_for_one_line() -> None:
    broker = replace(CONFIG.broker_for_routers, port=8883)
    other = replace(CONFIG, broker_for_routers=broker)
    script = render_script(other, ROUTERS["berlin"], PASSWORD, TEMPLATES)
    assert "port=8883" in script


def test_script_without_ping_has_none_and_passes_the_second_judge() -> None:
    script = render_script(CONFIG, ROUTERS["berlin"], PASSWORD, TEMPLATES, Options(may_ping=False))
    assert "/tool/ping" in render_script(CONFIG, ROUTERS["berlin"], PASSWORD, TEMPLATES)
    assert "/tool/ping" not in script
    assert findings(script, "import") == []


@pytest.mark.parametrize("hook", ["netwatch", "dhcp:ether1", "ppp:my profile"])
def test_script_with_a_wan_hook_passes_the_second_judge_and_is_readable(hook: str) -> None:
    kind, name = parse_wan_hook(hook)
    script = render_script(CONFIG, ROUTERS["berlin"], PASSWORD, TEMPLATES, Options(wan_hook=kind, wan=name))
    assert findings(script, "import") == []
    assert not [line for line in script.splitlines() if len(line) > 120]
    assert f"And a hook for --wan-hook {kind}: see 4." in script
    plain = render_script(CONFIG, ROUTERS["berlin"], PASSWORD, TEMPLATES)
    before, after = plain.index("# 1. "), script.index("# 1. ")
    assert script[after:].startswith(plain[before:])
    without = Options(may_ping=False, wan_hook=kind, wan=name)
    assert "/tool/ping" not in render_script(CONFIG, ROUTERS["berlin"], PASSWORD, TEMPLATES, without)


@pytest.mark.parametrize("hook", ["dhcp", "ppp:", "netwatch:ether1", "cron", "DHCP:ether1"])
def test_wan_hook_that_does_not_exist_is_refused(hook: str) -> None:
    with pytest.raises(RscError, match="netwatch, dhcp:INTERFACE or ppp:PROFILE"):
        parse_wan_hook(hook)

"""`gen-rsc ROUTER --acceptance`: the questions run on every version, change nothing, and settle what they can."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lab.fuzz.handler_rig import Rig, entry, key_of, make_config, peer, place_of, table
from lab.fuzz.harm import kept_by
from lab.fuzz.runner import VERSIONS
from lab.routeros.__main__ import compare
from lab.routeros.answers import open_switches, parse_answers, settled
from lab.routeros.language.interpreter import check
from lab.routeros.switches import Switches
from wgmqtt.errors import RscError
from wgmqtt.script.acceptance import render_acceptance
from wgmqtt.script.templates import read_templates

CONFIG = make_config(2)


def script(live_peer: str = "") -> str:
    return render_acceptance(CONFIG, CONFIG.routers[0], read_templates(), live_peer)


def printed(rig: Rig) -> str:
    return [str(event.fields["text"]) for event in rig.find("put")][-1]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("live_peer", ["", "p1"])
def test_questions_run_on_every_version_and_change_nothing(version: str, live_peer: str) -> None:
    check(script(live_peer), version, scope="import")
    rig = Rig(peer(1), peer(2), version=version)
    before = kept_by(rig)
    rig.install(script(live_peer))
    assert kept_by(rig) == before
    sets = [event.fields["public-key"] for event in rig.find("set")]
    assert sets == ([key_of(1)] if live_peer else [])
    answers = json.loads(printed(rig))
    assert answers["router"]["version"] == f"{version} (stable)"
    assert not [answer for answer in answers["router"].values() if answer.startswith("error")]
    assert rig.get(table(entry(1, place_of(1, 2000)))).places == [(1, place_of(1, 2000))]


def test_questions_have_no_long_line_only_ascii_and_no_password() -> None:
    for text in (script(), script("p1")):
        assert text.isascii()
        assert [line for line in text.splitlines() if len(line) > 120] == []
        assert "password" not in text


def test_live_peer_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(RscError, match="no such router"):
        script("nobody")


@pytest.mark.parametrize(
    "switches",
    [
        Switches(),
        Switches(get_gives="str", ping_lasts="second", odd_values="text"),
        Switches(odd_values="number", same_endpoint_disturbs=True),
    ],
)
def test_answers_settle_the_switches_that_they_can(switches: Switches) -> None:
    rig = Rig(peer(1), peer(2), switches=switches)
    rig.install(script("p1"))
    positions = settled(parse_answers(printed(rig)))
    assert positions["get_gives"] == switches.get_gives
    assert positions["odd_values"] == switches.odd_values
    assert positions["same_endpoint_disturbs"] == ("yes" if switches.same_endpoint_disturbs else "no")
    assert (positions.get("ping_lasts") == "second") is (switches.ping_lasts == "second")
    assert "hook_permissions" in open_switches(parse_answers(printed(rig)))


def test_answers_of_the_emulator_agree_with_the_emulator(capsys: pytest.CaptureFixture[str]) -> None:
    rig = Rig(peer(1), peer(2))
    rig.install(script())
    assert compare(printed(rig)) == 0
    out = capsys.readouterr().out
    assert "RouterOS 7.20.8" in out
    assert "settled: get_gives=ip, as the emulator assumes" in out
    assert "the language: as in the emulator" in out


def test_answer_that_differs_from_the_emulator_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    rig = Rig(peer(1), peer(2))
    rig.install(script())
    body = json.loads(printed(rig))
    body["language"]["(10.98.0.2 in 10.98.0.0/16)"] = "false"
    body["router"]["type endpoint-address"] = "str"
    assert compare("some other line\n" + json.dumps(body)) == 0
    out = capsys.readouterr().out
    assert "differs: language (10.98.0.2 in 10.98.0.0/16): the router answers 'false', the emulator 'true'" in out
    assert "settled: get_gives=str, NOT what the emulator assumes" in out


def test_text_without_answers_is_an_error() -> None:
    for text in ("", "wgmqtt: installed.", "{}", '{"a":1'):
        assert compare(text) == 1


def test_question_that_fails_is_answered_with_its_error() -> None:
    broken = replace(read_templates(), acceptance=read_templates().acceptance.replace("@questions@", QUESTIONS))
    rig = Rig(peer(1))
    rig.install(render_acceptance(CONFIG, CONFIG.routers[0], broken))
    answers = json.loads(printed(rig))["router"]
    assert answers["broken"].startswith("error: ")
    assert answers["missing"].startswith("error: ")
    assert answers["type rx"] == "num"


QUESTIONS = """
  :set ($router->"broken") [$ask "[:len (1 +]"]
  :set ($router->"missing") [$ask "[/interface/wireguard/peers/get *99 rx]"]
"""
PROJECT = Path(__file__).parents[2]


def test_checklist_names_the_command() -> None:
    assert "--acceptance" in (PROJECT / "docs/first-router.md").read_text()

"""docs/first-router.md: its commands exist in RouterOS, and those that change nothing run in the emulator."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from lab.fuzz.handler_rig import Rig, hub_peer, key_of, peer, script_for
from lab.routeros.language.call import OddValues
from lab.routeros.language.interpreter import check
from lab.routeros.models.router import ModelRouter
from lab.routeros.switches import Switches

CHECKLIST = (Path(__file__).parents[2] / "docs/first-router.md").read_text("utf-8")
COMMANDS = re.findall(r"```routeros\n(.*?)\n```", CHECKLIST, re.DOTALL)
PARTS = dict(re.findall(r"\n## ([A-Z])\. .*?\n(.*?)(?=\n## )", CHECKLIST, re.DOTALL))
HEAD, *REST = COMMANDS
DECLARED = ":global mesh\n:global peer\n"


@pytest.mark.parametrize("version", ["7.17.1", "7.24"])
def test_every_command_compiles(version: str) -> None:
    assert len(COMMANDS) > 20
    check(HEAD, version, scope="import")
    for command in REST:
        check(f"{{\n{DECLARED}{command}\n}}", version, scope="import")


def ask(router: ModelRouter, part: str) -> list[str]:
    """Return the lines that the commands of a part print."""
    head = HEAD.replace("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=", key_of(1))
    before = len(list(router.find("put")))
    for command in re.findall(r"```routeros\n(.*?)\n```", PARTS[part], re.DOTALL):
        if command != HEAD:
            router.router.run_script(f"{head}\n{command}")
    return [str(event.fields["text"]) for event in router.find("put")][before:]


@pytest.mark.parametrize("odd_values", ["refuse", "text", "number"])
@pytest.mark.parametrize("version", ["7.17.1", "7.24"])
def test_questions_before_the_import_can_be_asked_and_are_answered(version: str, odd_values: OddValues) -> None:
    router = ModelRouter(version, [hub_peer(), peer(1)], Switches(odd_values=odd_values))
    about_router = ask(router, "A")
    assert about_router[0] == f"{version} (stable)"
    assert {"ip", "time"} <= set(about_router)
    about_language = ask(router, "B")
    assert len(about_language) == 5 + 4 + 3 + 1 + 1 + 2 + 1 + 2 + 1 + 1
    assert about_language[-8:-4] == ["false", "[]", '{"a":"1"}', "refused"]
    assert about_language[-4:] == ["begin", "end", "array", "early"]
    assert not list(router.find("set"))


def test_handler_is_as_long_as_the_checklist_expects() -> None:
    rig = Rig(peer(1))
    get = "/iot/mqtt/subscriptions/get [/iot/mqtt/subscriptions/find where broker=wgmqtt] on-message"
    rig.router.run_script(f":put [:len [{get}]]")
    (length,) = [int(str(event.fields["text"])) for event in rig.find("put")]
    assert 12_000 < length < len(script_for(1, (7, 20)))


def test_every_switch_of_the_emulator_is_in_the_checklist() -> None:
    for field in fields(Switches):
        assert f"`{field.name}`" in CHECKLIST, field.name

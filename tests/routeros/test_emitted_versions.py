"""Every script that gen-rsc can print, on every version: checked by its schema and a second judge, and run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from routeros_lsp.analyze import analyze
from routeros_lsp.schema.schema import Schema

from lab.fuzz.handler_rig import (
    PASSWORD,
    TABLE_TOPIC,
    Outcome,
    entry,
    hub_peer,
    make_config,
    peer,
    place_of,
    script_for,
    script_of_removal,
    table,
)
from lab.fuzz.harm import kept_by
from lab.fuzz.runner import VERSIONS
from lab.routeros.language.errors import ScriptError
from lab.routeros.language.lint import lint
from lab.routeros.language.values import render
from lab.routeros.models.router import ModelRouter
from tests.routeros.tls_script import ONE, OWN_NAME, give_files
from wgmqtt.model import BrokerAddress, Config, Router, Tls
from wgmqtt.script.authority import read_authority
from wgmqtt.script.render import Options as ScriptOptions
from wgmqtt.script.render import parse_wan_hook, quote_lines, render_handler, render_script
from wgmqtt.script.templates import read_templates

SECOND_JUDGE = Schema.from_file(Path(__file__).parents[1] / "data/lsp-commands-7.21.4.json.gz")
PLACE = place_of(1, 2000)


@dataclass(frozen=True, slots=True)
class Options:
    """What changes the text beside the version. `peers` are links; `odd`: names and addresses at their limits.

    `tls`: with a file (`file`), a certificate of its own besides (`own`), or the system's authorities (`system`).
    """

    peers: int = 2
    may_ping: bool = True
    tls: str = ""
    odd: bool = False
    hook: str = ""


ALL_OPTIONS: Mapping[str, Options] = {
    "usual": Options(),
    "all else": Options(may_ping=False, tls="own", odd=True),
    "tls": Options(peers=1, tls="file"),
    "tls with the system's authorities": Options(peers=1, tls="system"),
    "no links": Options(peers=0),
    **{f"hook {hook}": Options(peers=1, hook=hook) for hook in ("netwatch", "dhcp:ether1", "ppp:default")},
    "hook without ping": Options(peers=1, hook="netwatch", may_ping=False),
}
TRIED = [(version, name) for version in VERSIONS for name in ("usual", "all else")]
TRIED += [(version, name) for version in ("7.17.1", "7.24") for name in ALL_OPTIONS if (version, name) not in TRIED]


def config_of(version: str, options: Options) -> Config:
    major, minor, *_ = map(int, version.split("."))
    interface = 'wg $[1] "x" \\ {;}\'?' if options.odd else "wireguard1"
    config = make_config(options.peers, (major, minor), interface)
    if options.tls:
        tls = Tls("" if options.tls == "system" else str(ONE))
        config = replace(config, broker_for_routers=BrokerAddress("10.99.0.1", 8883, tls))
    if options.odd:
        config = replace(config, routers=tuple(odd_ping(router) for router in config.routers))
    if options.tls == "own":
        first, *others = config.routers
        config = replace(config, routers=(replace(first, client_certificate=OWN_NAME), *others))
    return config


def odd_ping(router: Router) -> Router:
    return replace(router, ping="2001:db8::ffff:1") if router.name == "p2" else router


def script_with(version: str, options: Options, password: str | None = PASSWORD) -> str:
    config = config_of(version, options)
    kind, name = parse_wan_hook(options.hook) if options.hook else ("", "")
    chosen = ScriptOptions(options.may_ping, kind, name, read_authority(config))
    return render_script(config, config.routers[0], password, read_templates(), chosen)


def second_judge(script: str, scope: str) -> list[str]:
    known = ("msgData", "msgTopic") if scope == "script" else ()
    analysis = analyze(script, scope=scope, context_variables=known, schema=SECOND_JUDGE)
    return [f"{script.count(chr(10), 0, found.start) + 1}: {found.message}" for found in analysis.findings]


@pytest.mark.parametrize(("version", "name"), TRIED)
def test_script_of_a_version_passes_its_schema_and_a_second_judge_and_runs(
    version: str, name: str, tmp_path: Path
) -> None:
    options = ALL_OPTIONS[name]
    script = script_with(version, options)
    lint(script, version, scope="import")
    assert second_judge(script, "import") == []
    config = config_of(version, options)
    peers = [hub_peer(), *(peer(number) for number in range(1, options.peers + 1))]
    router = ModelRouter(version, peers, interface=config.routers[0].interface)
    if options.tls:
        give_files(router, tmp_path)
    before = kept_by(router)
    router.install(script)
    once = kept_by(router)
    router.install(script)
    assert kept_by(router) == once
    subscription = next(item for place, item in once.items.items() if "subscriptions" in place)
    handler = render(subscription["on-message"])
    lint(handler, version)
    assert second_judge(handler, "script") == []
    assert PASSWORD not in handler
    outcome = Outcome(tuple(router.receive(TABLE_TOPIC, table(*([entry(1, PLACE)] if options.peers else [])))))
    assert outcome.places == ([(1, PLACE)] if options.peers else [])
    assert outcome.errors == []
    assert outcome.reports[-1].routeros == f"{version} (stable)"
    assert outcome.reports[-1].script
    assert bool(outcome.pings) == (options.may_ping and bool(options.peers))
    router.install(script_of_removal())
    assert {place: item for place, item in kept_by(router).items.items() if "peers" not in place} == {
        place: item for place, item in before.items.items() if "peers" not in place
    }


def test_script_for_review_stops_before_it_changes_anything() -> None:
    for name, options in ALL_OPTIONS.items():
        script = script_with("7.20.8", options, password=None)
        lint(script, "7.20.8", scope="import")
        assert second_judge(script, "import") == []
        router = ModelRouter("7.20.8", [hub_peer(), peer(1)])
        before = kept_by(router)
        with pytest.raises(ScriptError, match="this script is for review"):
            router.install(script)
        assert kept_by(router) == before, name


@pytest.mark.parametrize("version", VERSIONS)
def test_script_of_the_oldest_version_runs_on_every_later_one(version: str) -> None:
    script = script_for(1, (7, 17))
    lint(script, version, scope="import")
    router = ModelRouter(version, [hub_peer(), peer(1)])
    router.install(script)
    outcome = Outcome(tuple(router.receive(TABLE_TOPIC, table(entry(1, PLACE)))))
    assert (outcome.places, outcome.errors) == ([(1, PLACE)], [])


def test_removal_passes_the_schema_of_every_version_and_a_second_judge() -> None:
    for version in VERSIONS:
        lint(script_of_removal(), version, scope="import")
    assert second_judge(script_of_removal(), "import") == []


def test_every_placeholder_of_the_templates_is_filled() -> None:
    for name in ALL_OPTIONS:
        script = script_with("7.24", ALL_OPTIONS[name])
        assert not re.findall(r"@[a-zA-Z]+@", script)


def emitted() -> Mapping[str, str]:
    """Return every kind of text that gen-rsc prints, by a name."""
    scripts = {name: script_with("7.24", options) for name, options in ALL_OPTIONS.items()}
    for name, options in ALL_OPTIONS.items():
        config = config_of("7.24", options)
        scripts[f"handler, {name}"] = render_handler(
            config, config.routers[0], read_templates(), ScriptOptions(options.may_ping)
        )
    return {**scripts, "removal": script_of_removal()}


def test_no_statement_begins_with_a_bracket() -> None:
    """RouterOS may read a line that begins with `[$f` as part of the line before; it runs what `[:parse]` parsed."""
    for name, text in emitted().items():
        statements = re.findall(r"(?m)(?:^(?: *\\n)?|[;{]) *(\[.*)", text)
        assert statements == [], name
        assert re.findall(r"\[:parse", text) == re.findall(
            r"(?<=:local code )\[:parse|(?<=:local askNtp )\[:parse", text
        )


def test_handler_is_printed_as_the_script_contains_it() -> None:
    for name, options in ALL_OPTIONS.items():
        config = config_of("7.24", options)
        router = ModelRouter("7.24", [hub_peer()], interface=config.routers[0].interface)
        printed = render_handler(config, config.routers[0], read_templates(), ScriptOptions(options.may_ping))
        assert quote_lines(printed, "    ") in script_with("7.24", options), name
        assert PASSWORD not in printed
        lint(printed, router.router.site.version)

"""Render the script that asks a router what docs/first-router.md wants to know."""

from collections.abc import Iterable
from typing import Final

from wgmqtt import __version__
from wgmqtt.errors import Problem, RscError
from wgmqtt.model import Config, Router
from wgmqtt.script.render import BROKER_NAME, Templates, fill, quote

# Questions about the language: the emulator can answer them, too (lab/routeros/answers.py).
JSON: Final = ("null", "1.5", "99999999999999999999", "[]", "{}", '{"a":1,"a":2}', '"\\u00e9"')
IP: Final = ("1.1", "1.2.3.4/24", "01.2.3.4", " 1.2.3.4", "")
IP6: Final = ("fe80::1%ether1", "2001:db8::/32", "2001:DB8:0:0::1", "::g")
LANGUAGE: Final = (
    "(10.98.0.2 in 10.98.0.0/16)",
    "(10.98.0.2 in 2001:db8::/32)",
    '("7\\n" ~ "^[0-9]+\\$")',
    '[:typeof [:tonum "x"]]',
    "[:typeof [:timestamp]]",
    "[:serialize to=json value=({})]",
)
ROUTER: Final = {
    "version": "[/system/resource/get version]",
    "board": "[/system/resource/get board-name]",
    "architecture": "[/system/resource/get architecture-name]",
    "iot listed": '[:len [/system/package/find where name="iot"]]',
    "iot enabled": '[:len [/system/package/find where name="iot" disabled=no]]',
    "subscriptions": "[:len [/iot/mqtt/subscriptions/find]]",
    "subscriptions by broker": f'[:len [/iot/mqtt/subscriptions/find where broker="{BROKER_NAME}"]]',
    "certificates": '[:len [/certificate/find where name~"^wgmqtt-ca-"]]',
    "numbered certificates": '[:len [/certificate/find where name~"^wgmqtt-ca-.*_"]]',
    "udp-timeout": "[/ip/firewall/connection/tracking/get udp-timeout]",
    "turns": '[:len [/system/script/environment/find where name="wgmqttTurn"]]',
}
PEER: Final = (
    "endpoint-address",
    "endpoint-port",
    "current-endpoint-address",
    "current-endpoint-port",
    "rx",
    "last-handshake",
    "allowed-address",
    "persistent-keepalive",
    "disabled",
)
LIVE_NOTE: Final = """
# --live: it sets the endpoint-port of one peer to the value that it has already, and watches the session for 5 s."""
LIVE: Final = """
  # Set the same port again: does it disturb the session, and does it move a roamed peer back?
  :local liveKey @livePeer@
  :foreach id in=[/interface/wireguard/peers/find where interface=@interface@ public-key=$liveKey] do={
    :set get ("[/interface/wireguard/peers/get " . [:tostr $id] . " ")
    :local port [$ask ($get . "endpoint-port]")]
    :set ($router->"live before") [$ask ("(" . $get . "last-handshake] . \\" \\" . " . $get . "rx])")]
    :set ($router->"live port before") ($port . " " . [$ask ($get . "current-endpoint-port]")])
    :local set ("[/interface/wireguard/peers/set " . [:tostr $id] . " endpoint-port=")
    :set ($router->"live set") [$ask ($set . $port . "]")]
    :delay 5s
    :set ($router->"live after") [$ask ("(" . $get . "last-handshake] . \\" \\" . " . $get . "rx])")]
    :set ($router->"live port after") ($port . " " . [$ask ($get . "current-endpoint-port]")])
  }"""


def render_acceptance(config: Config, router: Router, templates: Templates, live_peer: str = "") -> str:
    """Return the script with the questions; with `live_peer`, a router's name, it also sets that peer's own port again.

    Raises:
        RscError: `live_peer` is not linked to `router`, or a value of the configuration cannot be quoted.
    """
    peer = next((other for other in config.routers if other.name == live_peer), None)
    if live_peer and peer is None:
        names = ", ".join(other.name for other in config.routers if other is not router)
        raise RscError(Problem("--live", "no such router in the configuration", names, live_peer))
    values = {
        "version": __version__,
        "router": router.name,
        "brokerName": BROKER_NAME,
        "interface": quote(router.interface),
        "hubTunnel": config.hub.tunnel_address,
        "json": _lines("json", "askJson", _marked(JSON)),
        "ip": _lines("ip", "askIp", _marked(IP)),
        "ipSix": _lines("ip6", "askIp6", _marked(IP6)),
        "language": _lines("language", "ask", zip(LANGUAGE, LANGUAGE, strict=True)),
        "questions": _lines("router", "ask", ROUTER.items()),
        "peerQuestions": "\n".join(
            f'    :set ($router->"type {name}") [$ask ("[:typeof " . $get . "{name}]]")]' for name in PEER
        ),
        "livePeer": quote(str(peer.key)) if peer else "",
    }
    values["live"] = fill(LIVE, values) if peer else ""
    values["liveNote"] = LIVE_NOTE if peer else ""
    return fill(templates.acceptance, values)


def _marked(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Yield each text with a name for it that RouterOS does not take for a number."""
    return ((f"<{text}>", text) for text in texts)


def _lines(group: str, function: str, questions: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"  :set (${group}->{quote(name)}) [${function} {quote(text)}]" for name, text in questions)

"""Render RouterOS scripts: fill in the templates of `routeros/` for one router, with values quoted."""

import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from wgmqtt import __version__
from wgmqtt.errors import Problem, RscError
from wgmqtt.model import Authority, Config, Router
from wgmqtt.script.tls import authority_values, tls_parts
from wgmqtt.wire.topics import router_client_id, topics_of

BROKER_NAME = "wgmqtt"
FIRST_WITH_WILL = (7, 20)
ESCAPES = {"\\": "\\\\", '"': '\\"', "$": "\\$", "\t": "\\t", "\r": "\\r", "\n": "\\n"}
SECRET = re.compile(r'^( */iot/mqtt/brokers/set \$brokerId (password|client-id)=)("(?:[^"\\]|\\.)*")', re.MULTILINE)
REVIEW = """{
  :error "wgmqtt: this script is for review, its password is left out. Print it again without --redact."
}

"""
SEND = ":do { /tool/ping address=$1 count=1 interval=20ms; :set sent true } on-error={}"
SEND_NOTHING = "# The ping is left out by --no-ping: the next packet is the peer's own keepalive."
WAN_HOOKS = ("netwatch", "dhcp", "ppp")
PLACEHOLDER = re.compile(r"@([a-zA-Z]+)@")
REDACTED = "(password left out)"
REDACTED_ID = "(client-id left out)"


@dataclass(frozen=True, slots=True)
class Templates:
    """The texts of `routeros/`."""

    install: str
    handler: str
    remove: str
    wan_hook: str
    authority: str
    """Imports the certificates of the authority that signs the broker's certificate."""
    acceptance: str
    """Asks a router what docs/first-router.md wants to know."""
    hooks: Mapping[str, str]
    """Set the WAN hook; the keys are `WAN_HOOKS`."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `gen-rsc` that change a script.

    Attributes:
        may_ping: whether the handler contains `/tool/ping`; a RouterOS that lets no handler ping needs one without it.
        wan_hook: one of `WAN_HOOKS`, or empty for none.
        wan: the interface or profile of the hook.
        authority: the authority that signs the broker's certificate, if the configuration names its file.
    """

    may_ping: bool = True
    wan_hook: str = ""
    wan: str = ""
    authority: Authority | None = None


DEFAULTS = Options()


def quote(text: str) -> str:
    """Return `text` as a RouterOS string literal.

    Source: manual "Scripting", Constant Escape Sequences. Hex escapes are not used: their meaning changed in 7.17.

    Raises:
        RscError: it contains a character that is neither printable ASCII nor has an escape of its own.
    """
    for character in text:
        if character not in ESCAPES and not " " <= character <= "~":
            raise RscError(
                Problem("RouterOS string", "character that cannot be quoted", "printable ASCII", repr(character))
            )
    return '"' + "".join(ESCAPES.get(character, character) for character in text) + '"'


def quote_lines(text: str, indent: str) -> str:
    r"""Return a text of several lines as one RouterOS string with a line of text on each line, like RouterOS's export.

    RouterOS drops a backslash at the end of a line, the line break and the white space after it. The line break in the
    text is the `\n`.
    """
    lines = [quote(line)[1:-1] for line in text.rstrip("\n").split("\n")]
    return '"' + "\\\n".join(f"{indent}\\n{line}" if number else line for number, line in enumerate(lines)) + '"'


def parse_wan_hook(text: str) -> tuple[str, str]:
    """Return the kind and the name in `netwatch`, `dhcp:INTERFACE` or `ppp:PROFILE`.

    Raises:
        RscError: the text has none of these forms.
    """
    kind, _, name = text.partition(":")
    if kind not in WAN_HOOKS or (kind == "netwatch") == bool(name):
        raise RscError(Problem("--wan-hook", "unknown hook", "netwatch, dhcp:INTERFACE or ppp:PROFILE", repr(text)))
    return kind, name


def render_script(
    config: Config, router: Router, password: str | None, templates: Templates, options: Options = DEFAULTS
) -> str:
    """Return the script that installs wgmqtt on `router`; with `password=None` one for review that stops at once.

    Raises:
        RscError: a value of the configuration cannot be quoted, or the authority's certificates are missing.
    """
    values = _values(config, router, password)
    values["hookNote"] = f" And a hook for --wan-hook {options.wan_hook}: see 4." if options.wan_hook else ""
    values["review"] = REVIEW if password is None else ""
    values |= authority_values(options.authority, quote) | {"clientCertificate": quote(router.client_certificate)}
    parts = tls_parts(config, router, options.authority, templates.authority)
    values |= {name: fill(part, values) for name, part in parts.items()}
    values["handler"] = quote_lines(render_handler(config, router, templates, options), "    ")
    script = fill(templates.install, values)
    if not options.wan_hook:
        return script
    values |= {"hubTunnel": config.hub.tunnel_address, "wan": quote(options.wan)}
    values["wanName"] = values["wan"][1:-1]  # goes into strings and comments: a comment ends at a line break
    lines = [line for line in templates.wan_hook.splitlines() if options.may_ping or "/tool/ping" not in line]
    values["hook"] = quote_lines(fill("\n".join(lines), values), "    ")
    return script + fill(templates.hooks[options.wan_hook], values)


def render_handler(config: Config, router: Router, templates: Templates, options: Options = DEFAULTS) -> str:
    """Return the handler as RouterOS runs it for each table, without the quoting of the script that installs it.

    Raises:
        RscError: a value of the configuration cannot be quoted.
    """
    values = _values(config, router, None)
    values["send"] = SEND if options.may_ping else SEND_NOTHING
    values["scriptId"] = quote(script_id(templates.handler))
    return fill(templates.handler, values)


def render_removal(config: Config, router: Router, templates: Templates) -> str:
    """Return the script that removes from `router` what the installing script added, and nothing else."""
    topic = topics_of(config).endpoints(router.name)
    values = {"version": __version__, "router": router.name, "broker": quote(BROKER_NAME), "topic": quote(topic)}
    return fill(templates.remove, values)


def render_difference(old: str, new: str) -> str:
    """Return the unified diff of two scripts. A changed password is mentioned, but never shown."""
    before, after = (SECRET.sub(r"\1", text.replace(REVIEW, "")).splitlines() for text in (old, new))
    if REVIEW not in old + new:
        had, has = ({name: value for _, name, value in SECRET.findall(text)} for text in (old, new))
        changed = [name for name in ("password", "client-id") if had.get(name) != has.get(name)]
        after += [f"# (the {name} differs)" for name in changed[:1]]  # a new password makes a new client-id
    lines = difflib.unified_diff(before, after, "old script", "new script", lineterm="", n=2)
    return "".join(f"{line}\n" for line in lines)


def script_id(handler_template: str) -> str:
    """Return `VERSION HASH`, which every report carries: by it the hub recognizes a router with another script."""
    return f"{__version__} {hashlib.sha256(handler_template.encode()).hexdigest()[:8]}"


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return the template with each placeholder replaced by its value."""
    return PLACEHOLDER.sub(lambda match: values[match[1]], template)


def _values(config: Config, router: Router, password: str | None) -> dict[str, str]:
    topics = topics_of(config)
    broker = config.broker_for_routers
    linked = sorted(
        f"  :set ($linked->{quote(str(other.key))}) {other.ping}"
        for link in config.links
        if router.name in (link.first, link.second)
        for other in config.routers
        if other.name == link.other(router.name)
    )
    will = ""
    if router.routeros >= FIRST_WITH_WILL:
        will = (
            f"\n  /iot/mqtt/brokers/set $brokerId will-topic={quote(topics.online(router.name))} will-message=offline"
        )
        will += "\n  /iot/mqtt/brokers/set $brokerId will-qos=1 will-retain=yes"
    return {
        "version": __version__,
        "router": router.name,
        "routerName": router.name,
        "routeros": f"{router.routeros[0]}.{router.routeros[1]}",
        "routerosMinor": str(router.routeros[1]),
        "brokerAddress": f"{broker.host} port {broker.port}",
        "brokerName": BROKER_NAME,
        "interfaceName": router.interface,
        "interface": quote(router.interface),
        "hubKey": quote(str(config.hub.public_key)),
        "linked": "\n".join(linked),
        "broker": quote(BROKER_NAME),
        "address": quote(broker.host),
        "port": str(broker.port),
        "ssl": "yes" if broker.tls else "no",
        "clientId": quote(REDACTED_ID if password is None else router_client_id(router.name, password)),
        "username": quote(router.name),
        "password": quote(REDACTED if password is None else password),
        "will": will,
        "topic": quote(topics.endpoints(router.name)),
        "reportTopic": quote(topics.report(router.name)),
    }

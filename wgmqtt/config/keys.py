"""The table of what a configuration holds: the kinds of values, and each key with its meaning, example and default."""

from dataclasses import replace

from wgmqtt import model
from wgmqtt.config.kinds import Key, choice, list_of, named, number, section, single, text
from wgmqtt.wire.topics import RESERVED_NAMES

RESERVED = ", ".join(sorted(RESERVED_NAMES))
PORTS = "1883, or 8883 with tls"
# fmt: off
ROUTEROS = single(model.parse_routeros, '"7.17" or a later 7.x in quotes',
    r"7\.(1[7-9]|[2-9][0-9]|[1-9][0-9]{2})(\.[0-9]{1,3})?")
NAME = text("[a-z0-9-]{1,32}", "1 to 32 of a-z, 0-9 and -", "not a valid name")
ROUTER_NAME = text(f"(?!({RESERVED.replace(', ', '|')})$)[a-z0-9-]{{1,32}}",
    f"1 to 32 of a-z, 0-9 and -, not {RESERVED}", "not a valid router name")
GROUP = list_of(ROUTER_NAME, "a group in brackets [ROUTER, ROUTER, …]", at_least=2,
    twice="a router has no link to itself", is_placed=True)
PREFIX = text("(?=.{1,128}$)[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*",
    "levels of a-z, A-Z, 0-9, _, . and - with / between them, at most 128 characters", "not a topic prefix")
PUBLIC_KEY = single(model.parse_public_key, "44 characters of base64 ending in =",
    "[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")
ADDRESS = single(model.parse_address, "an IPv4 or IPv6 address",
    {"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}]})
ENDPOINT = single(model.parse_endpoint, "ADDRESS:PORT or [IPV6]:PORT",
    r"(\[[0-9A-Fa-f:.]+\]|[0-9.]+):[1-9][0-9]{0,4}")
LISTEN = single(model.parse_listen, ENDPOINT.expected, ENDPOINT.json)
NETWORK = single(model.parse_network, "a network such as 100.64.0.0/10", "[0-9A-Fa-f:./]+")
PORT = single(model.parse_port, f"1 to {model.MAX_PORT}",
    {"type": "integer", "minimum": 1, "maximum": model.MAX_PORT}, tags="int float")
HOST = text(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+",
    "a host name or an address, without scheme or port", "not a host")
ALLOW_PLAIN = Key(replace(choice("true", "false"), json={"type": "boolean"}),
    "allow a host that is a name or a public address without TLS: passwords may then cross the internet unencrypted",
    "true", default_text="false")
PATH = text(r"/[^\x00-\x1f\x7f]{0,4094}", "an absolute path", "not an absolute path")
# dev_valid_name() in Linux' net/core/dev.c, and printable ASCII.
LINUX_INTERFACE = text(r"(?!\.{1,2}$)[!-.0-9;-~]{1,15}", "1 to 15 printable characters without / and :",
    "not a Linux interface name")
# What a RouterOS string can hold without escapes; "?" would ask for help in a comment.
ROUTER_TEXT = text(r"[!#%&(->@-\[\]-_a-~]([ !#%&(->@-\[\]-_a-~]{0,62}[!#%&(->@-\[\]-_a-~])?",
    r"1 to 64 printable ASCII characters without quotes, $, ? and \, no space at either end",
    "not possible in a RouterOS script")
# No colon: it ends the name in mosquitto's password file. The excluded names are other users at the broker.
USERNAME = text(r"(?!(viewer|web|canary)$)[A-Za-z0-9_.@-]{1,64}",
    "1 to 64 of a-z, A-Z, 0-9, _, ., @ and -, not viewer, web or canary", "not a valid user name")


class HubKeys:
    """The hub: what it watches, and what routers know about it."""

    name = Key(NAME, "the hub's name, a level of its topics", "hub1", required=True)
    interfaces = Key(list_of(LINUX_INTERFACE, "a list [NAME, …]", at_least=1, twice="duplicate interface"),
        "the WireGuard interfaces of this machine that are watched", "[wg0]", required=True)
    public_key = Key(PUBLIC_KEY, "the public key of these interfaces; routers never change the peer with this key",
        "GtL7fZc/bLnqZldpVofMCD6hDjrK28SsdLxevJ+qtKU=", required=True)
    tunnel_address = Key(ADDRESS, "the hub's address inside the tunnel", "10.99.0.1", required=True)


class TlsKeys:
    """TLS between the hub and the broker."""

    ca_file = Key(PATH, "the certificates (PEM) that the hub trusts", "/etc/wgmqtt/ca.pem", default_text="the system's")
    cert_file = Key(PATH, "the hub's own certificate (PEM)", "/etc/wgmqtt/hub.pem", needs="key_file")
    key_file = Key(PATH, "the private key of cert_file (PEM)", "/etc/wgmqtt/hub.key", needs="cert_file")


class RouterTlsKeys:
    """TLS between the routers and the broker."""

    ca_file = Key(PATH, "the certificates (PEM) that each router imports and trusts", "/etc/wgmqtt/ca.pem",
        default_text="those that the router trusts already")


class RouterBrokerKeys:
    """The broker as the routers reach it."""

    host = Key(HOST, "the broker's name or address as the routers reach it", "10.99.0.1", required=True)
    port = Key(PORT, "the broker's port as the routers reach it", "1883", default_text=PORTS)
    allow_plain = replace(ALLOW_PLAIN)
    tls = Key(section(RouterTlsKeys, model.Tls), "TLS between the routers and the broker", default_text="no TLS")


class BrokerKeys:
    """The MQTT broker."""

    host = Key(HOST, "the broker's name or address as the hub reaches it", "10.99.0.1",
        default_text="none: unix_socket takes its place")
    port = Key(PORT, "the broker's port as the hub reaches it", "1883", default_text=PORTS, needs="host")
    allow_plain = replace(ALLOW_PLAIN)
    tls = Key(section(TlsKeys, model.Tls), "TLS between the hub and the broker", default_text="no TLS", needs="host")
    unix_socket = Key(PATH, "the broker's Unix socket on this machine, instead of host and port",
        "/run/mosquitto/mosquitto.sock", needs="for_routers", either="host")
    username = Key(USERNAME, "the hub's user name at the broker", "hub", required=True)
    password_file = Key(PATH, "a file with the hub's password, which only its owner may access",
        "/etc/wgmqtt/secrets/hub.password", required=True)
    for_routers = Key(section(RouterBrokerKeys), "the broker as the routers reach it, if that differs",
        default_text="as the hub reaches it, without cert_file")


class RouterKeys:
    """One router."""

    public_key = Key(PUBLIC_KEY, "the public key of the router's WireGuard interface",
        "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=", required=True)
    routeros = Key(ROUTEROS, "the RouterOS version, in quotes: YAML reads 7.20 as 7.2; 7.24.0 to 7.24.4 have bugs",
        '"7.20"', required=True, shared=True)
    interface = Key(ROUTER_TEXT, "the WireGuard interface on the router that has the peers", "wireguard1",
        required=True, shared=True)
    ping = Key(ADDRESS, "an address of this router that only the direct peers to it have as allowed address",
        "10.98.0.2", required=True)
    tunnel_address = Key(ADDRESS, "the router's address in the hub's tunnel", "10.99.0.2")
    site = Key(NAME, "routers of one site reach each other at their lan addresses", "office", shared=True)
    lan = Key(ENDPOINT, "where routers of the same site reach its WireGuard", "192.168.88.1:13231", needs="site")
    public_endpoint = Key(ENDPOINT,
        "what others learn in place of the endpoint that the hub sees, for a router on the hub's own LAN",
        "93.184.215.14:51820", default_text="the endpoint that the hub sees")
    client_certificate = Key(ROUTER_TEXT,
        "the name, in the router's own store, of the certificate that it presents to the broker", "own", shared=True)


ROUTER = section(RouterKeys, is_part=True)


class WebKeys:
    """The status page and the metrics: `wgmqtt web`."""

    listen = Key(LISTEN, "the address and port that serve the page, without a password", "127.0.0.1:8080",
        default_text="the hub's tunnel_address, port 8080")
    names = Key(list_of(HOST, "a list [NAME, …]", twice="duplicate name"),
        "host names by which browsers may ask for the page; addresses and localhost always work",
        "[status.example.net]", default=())
    allow_public = Key(replace(choice("true", "false"), json={"type": "boolean"}),
        "allow a public or a wildcard address: only your firewall then decides who reads the page", "true",
        default_text="false", needs="listen")


class RootKeys:
    """The whole file."""

    hub = Key(section(HubKeys), "the hub: what it watches, and what routers know about it", required=True)
    broker = Key(section(BrokerKeys), "the MQTT broker", required=True)
    secrets_dir = Key(PATH, "the folder with ROUTER.password for each router", default="/etc/wgmqtt/secrets")
    topic_prefix = Key(PREFIX, "the first levels of all topics", default="wgmqtt/v1")
    poll_s = Key(number(0.1, 60, "seconds"), "the polling interval of WireGuard", "0.5", default=1.0)
    wireguard = Key(choice("auto", "kernel", "userspace"), "the WireGuard that is read", "kernel", default="auto")
    hints = Key(choice("auto", "off"), "whether packets from unknown endpoints trigger a poll (nftables and NFLOG)",
        "off", default="auto")
    cpu_percent = Key(number(0.1, 10, "percent"),
        "the CPU budget for polling, of one core; after hints it may be ten times as much", "0.5", default=1.0)
    also_publish = Key(list_of(NETWORK, "a list [NETWORK, …]", twice="duplicate network"),
        "networks whose addresses are published though they are not public", "[100.64.0.0/10]", default=())
    router_defaults = Key(section(RouterKeys, is_defaults=True), "keys for all routers that lack them")
    routers = Key(named(ROUTER_NAME, ROUTER), "the routers by name", required=True)
    links = Key(list_of(GROUP, "all, or a list of groups [[ROUTER, ROUTER, …], …]", word="all"),
        "which routers reach each other directly: all, or all routers within each group",
        "[[amsterdam, berlin], [berlin, cologne]]", default="all")
    web = Key(section(WebKeys), "the status page and the metrics: wgmqtt web")


ROOT = section(RootKeys)

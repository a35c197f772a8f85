"""The one table of what a configuration holds: keys, kinds, limits, defaults, descriptions. Pure."""

from wgmqtt.config.kinds import ALL, AllOr, ListOf
from wgmqtt.config.sections import Key, Named, Section
from wgmqtt.config.values import (
    ADDRESS,
    CERTIFICATE,
    ENDPOINT,
    HOST,
    KEY,
    LINUX_INTERFACE,
    NAME,
    NETWORK,
    PATH,
    PORT,
    PREFIX,
    ROUTER,
    ROUTER_INTERFACE,
    ROUTEROS,
    USERNAME,
    choice,
    percent,
    seconds,
    switch,
)


class TlsKeys:
    """Files for TLS, in PEM."""

    CA_FILE = Key("ca_file", PATH, "certificates of the authorities that may sign the broker's; default: the system's")
    CERT_FILE = Key("cert_file", PATH, "the hub's own certificate, if the broker asks for one")
    KEY_FILE = Key("key_file", PATH, "the private key of cert_file")


TLS = Section(
    (TlsKeys.CA_FILE, TlsKeys.CERT_FILE, TlsKeys.KEY_FILE),
    needs=(("cert_file", "key_file"), ("key_file", "cert_file")),
)
ROUTER_CA_FILE = Key(
    TlsKeys.CA_FILE.name, PATH, "certificates that a router shall import for it; default: what it trusts already"
)
ROUTER_TLS = Section((ROUTER_CA_FILE,))


class RouterBrokerKeys:
    """The broker as the routers reach it."""

    HOST = Key("host", HOST, "the broker's name or address as the routers reach it", required=True)
    PORT = Key("port", PORT, "the broker's port as the routers reach it; default 1883, with tls 8883")
    TLS = Key("tls", ROUTER_TLS, "TLS between the routers and the broker")


class BrokerKeys:
    """The broker as the hub reaches it."""

    HOST = Key("host", HOST, "the broker's name or address as the hub reaches it")
    PORT = Key("port", PORT, "the broker's port; default 1883, with tls 8883")
    TLS = Key("tls", TLS, "TLS between the hub and the broker")
    UNIX_SOCKET = Key("unix_socket", PATH, "the broker's socket on this machine, instead of host and port")
    USERNAME = Key("username", USERNAME, "the hub's user at the broker", required=True)
    PASSWORD_FILE = Key("password_file", PATH, "a file with its password, readable by its owner only", required=True)
    FOR_ROUTERS = Key(
        "for_routers",
        Section((RouterBrokerKeys.HOST, RouterBrokerKeys.PORT, RouterBrokerKeys.TLS)),
        "the broker as the routers reach it, if that is another way",
    )


class HubKeys:
    """The hub: what it watches, and what the routers know of it."""

    NAME = Key("name", NAME, "part of the hub's own topics", required=True)
    INTERFACES = Key(
        "interfaces",
        ListOf(LINUX_INTERFACE, "NAME"),
        "the WireGuard interfaces of this machine to watch",
        required=True,
    )
    PUBLIC_KEY = Key("public_key", KEY, "of that interface: the routers never touch this peer", required=True)
    TUNNEL_ADDRESS = Key("tunnel_address", ADDRESS, "the hub's address inside the tunnel", required=True)


class RouterKeys:
    """One router."""

    PUBLIC_KEY = Key("public_key", KEY, "of the WireGuard interface on the router", required=True)
    ROUTEROS = Key("routeros", ROUTEROS, "its RouterOS version, in quotes: YAML reads 7.20 as 7.2", required=True)
    INTERFACE = Key("interface", ROUTER_INTERFACE, "the WireGuard interface that holds its peers", required=True)
    PING = Key("ping", ADDRESS, "an address of this router that only the direct peers to it carry", required=True)
    TUNNEL_ADDRESS = Key("tunnel_address", ADDRESS, "its address in the hub's tunnel")
    SITE = Key("site", NAME, "routers of one site may be told each other's lan address")
    LAN = Key("lan", ENDPOINT, "where routers of the same site reach its WireGuard")
    CLIENT_CERTIFICATE = Key(
        "client_certificate",
        CERTIFICATE,
        "a certificate with its key in the router's own store, by its name there, if the broker asks for one",
    )


class RootKeys:
    """The whole file."""

    HUB = Key(
        "hub",
        Section((HubKeys.NAME, HubKeys.INTERFACES, HubKeys.PUBLIC_KEY, HubKeys.TUNNEL_ADDRESS)),
        "the hub: what it watches, and what the routers know of it",
        required=True,
    )
    BROKER = Key(
        "broker",
        Section(
            (
                BrokerKeys.HOST,
                BrokerKeys.PORT,
                BrokerKeys.TLS,
                BrokerKeys.UNIX_SOCKET,
                BrokerKeys.USERNAME,
                BrokerKeys.PASSWORD_FILE,
                BrokerKeys.FOR_ROUTERS,
            ),
            one_of=("host", "unix_socket"),
            needs=(("port", "host"), ("tls", "host"), ("unix_socket", "for_routers")),
            excludes=(("host", "unix_socket"),),
        ),
        "the MQTT broker",
        required=True,
    )
    SECRETS_DIR = Key("secrets_dir", PATH, "holds ROUTER.password for each router", default="/etc/wgmqtt/secrets")
    TOPIC_PREFIX = Key("topic_prefix", PREFIX, "the topics' first levels", default="wgmqtt/v1")
    POLL_S = Key("poll_s", seconds(0.1, 60), "how often WireGuard is asked, whatever else says", default=1.0)
    WIREGUARD = Key("wireguard", choice("auto", "kernel", "userspace"), "which WireGuard to ask", default="auto")
    HINTS = Key(
        "hints", switch("auto", "off"), "whether the kernel shall say when to ask (nftables, NFLOG)", default="auto"
    )
    CPU_PERCENT = Key(
        "cpu_percent",
        percent(0.1, 10),
        "of one core for asking at intervals; after hints and without them up to ten times as much",
        default=1.0,
    )
    ALSO_PUBLISH = Key(
        "also_publish",
        ListOf(NETWORK, "NETWORK", at_least=0),
        "networks outside the global internet whose addresses may be told to others",
        default=(),
    )
    ROUTERS = Key(
        "routers",
        Named(
            ROUTER,
            Section(
                (
                    RouterKeys.PUBLIC_KEY,
                    RouterKeys.ROUTEROS,
                    RouterKeys.INTERFACE,
                    RouterKeys.PING,
                    RouterKeys.TUNNEL_ADDRESS,
                    RouterKeys.SITE,
                    RouterKeys.LAN,
                    RouterKeys.CLIENT_CERTIFICATE,
                ),
                needs=(("lan", "site"),),
            ),
        ),
        "the routers by name",
        required=True,
    )
    LINKS = Key(
        "links",
        AllOr(
            ListOf(
                ListOf(
                    ROUTER,
                    "ROUTER",
                    at_least=2,
                    twice="a router has no link to itself",
                    hint="each group stands in brackets of its own",
                ),
                "[ROUTER, ROUTER, …]",
                at_least=0,
            ),
            "all, or a list of groups of routers: [[ROUTER, ROUTER, …], …]",
        ),
        "who shall reach whom directly: all, or a list of groups, each meshed",
        default=ALL,
    )


ROOT = Section(
    (
        RootKeys.HUB,
        RootKeys.BROKER,
        RootKeys.SECRETS_DIR,
        RootKeys.TOPIC_PREFIX,
        RootKeys.POLL_S,
        RootKeys.WIREGUARD,
        RootKeys.HINTS,
        RootKeys.CPU_PERCENT,
        RootKeys.ALSO_PUBLISH,
        RootKeys.ROUTERS,
        RootKeys.LINKS,
    )
)

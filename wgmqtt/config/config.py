"""The configuration: YAML text to a checked Config, or every problem at once with its place. Pure."""

from dataclasses import replace
from sys import intern

from wgmqtt.config.links import Mesh
from wgmqtt.config.nodes import Source, compose
from wgmqtt.config.rules import check_rules
from wgmqtt.config.schema import ROOT, BrokerKeys, HubKeys, RootKeys, RouterBrokerKeys, RouterKeys, TlsKeys
from wgmqtt.config.sections import Values
from wgmqtt.errors import ConfigError, Problem
from wgmqtt.model import BrokerAddress, Config, Hub, Router, Tls

PLAIN_PORT = 1883
TLS_PORT = 8883


def parse_config(text: str, where: str) -> Config:
    """Return the configuration that `text` holds; `where` is the file's name in messages.

    Raises:
        ConfigError: with every problem found, each at FILE:LINE:COLUMN and with the line itself.
    """
    source = Source(text.removeprefix("\ufeff"), where)
    root = compose(source)
    if root is None:
        raise ConfigError(Problem(where, "the file is empty", hint="config.example.yaml is a beginning"))
    values = ROOT.read(root, root, source) or Values({})
    mesh = check_rules(values, source)
    source.raise_if_refused()
    return _build(values, mesh)


def _build(values: Values, mesh: Mesh) -> Config:
    hub, broker = values.get(RootKeys.HUB), values.get(RootKeys.BROKER)
    return Config(
        hub=Hub(
            name=hub.get(HubKeys.NAME),
            interfaces=tuple(name.value for name in hub.get(HubKeys.INTERFACES)),
            public_key=hub.get(HubKeys.PUBLIC_KEY),
            tunnel_address=hub.get(HubKeys.TUNNEL_ADDRESS),
        ),
        broker=_build_broker(broker),
        broker_for_routers=_build_broker_for_routers(broker),
        username=broker.get(BrokerKeys.USERNAME),
        password_file=broker.get(BrokerKeys.PASSWORD_FILE),
        router_password_dir=values.get(RootKeys.SECRETS_DIR),
        prefix=values.get(RootKeys.TOPIC_PREFIX),
        routers=tuple(_build_router(name.value, router) for name, router in values.get(RootKeys.ROUTERS)),
        links=mesh.links(),
        also_publish=tuple(network.value for network in values.get(RootKeys.ALSO_PUBLISH)),
        poll_s=values.get(RootKeys.POLL_S),
        wireguard=values.get(RootKeys.WIREGUARD),
        hints=values.get(RootKeys.HINTS),
        cpu_percent=values.get(RootKeys.CPU_PERCENT),
    )


def _build_router(name: str, router: Values) -> Router:
    lan = router.find(RouterKeys.LAN)
    return Router(
        name=name,
        key=router.get(RouterKeys.PUBLIC_KEY),
        routeros=router.get(RouterKeys.ROUTEROS),
        interface=intern(router.get(RouterKeys.INTERFACE)),  # mostly one name, ten thousand times
        ping=router.get(RouterKeys.PING),
        tunnel_address=router.known(RouterKeys.TUNNEL_ADDRESS, ""),
        site=router.known(RouterKeys.SITE, ""),
        lan=None if lan is None else lan.value,
        client_certificate=router.known(RouterKeys.CLIENT_CERTIFICATE, ""),
    )


def _build_broker(broker: Values) -> BrokerAddress:
    tls = broker.find(BrokerKeys.TLS)
    return BrokerAddress(
        host=broker.known(BrokerKeys.HOST, ""),
        port=broker.known(BrokerKeys.PORT, PLAIN_PORT if tls is None else TLS_PORT),
        tls=None if tls is None else _build_tls(tls.value),
        unix_socket=broker.known(BrokerKeys.UNIX_SOCKET, ""),
    )


def _build_broker_for_routers(broker: Values) -> BrokerAddress:
    """Return the broker as the routers reach it: the hub's way, without the hub's own certificate, unless told."""
    told = broker.find(BrokerKeys.FOR_ROUTERS)
    if told is None:
        hubs = _build_broker(broker)
        return replace(hubs, tls=None if hubs.tls is None else Tls(hubs.tls.ca_file))
    tls = told.value.find(RouterBrokerKeys.TLS)
    return BrokerAddress(
        host=told.value.get(RouterBrokerKeys.HOST),
        port=told.value.known(RouterBrokerKeys.PORT, PLAIN_PORT if tls is None else TLS_PORT),
        tls=None if tls is None else _build_tls(tls.value),
    )


def _build_tls(tls: Values) -> Tls:
    return Tls(
        ca_file=tls.known(TlsKeys.CA_FILE, ""),
        cert_file=tls.known(TlsKeys.CERT_FILE, ""),
        key_file=tls.known(TlsKeys.KEY_FILE, ""),
    )

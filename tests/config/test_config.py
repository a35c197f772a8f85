"""What parse_config accepts, and the whole message for each kind of mistake."""

from ipaddress import ip_network
from pathlib import Path

import pytest
import yaml

from tests.config.config_rows import ROWS, VALID, Bad
from wgmqtt.config.load import parse_config
from wgmqtt.errors import ConfigError
from wgmqtt.model import BrokerAddress, Endpoint, Tls, Web, link_of

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


def changed(old: str, new: str) -> str:
    assert VALID.count(old) == 1
    return VALID.replace(old, new)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_parse_config_bad_file_reports_every_problem(row: Bad) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(row.text, "c.yaml")
    if "not valid YAML" in row.message and not yaml.__with_libyaml__:
        pytest.skip("this is the wording of libyaml; PyYAML without it has another")
    assert str(caught.value) == row.message


def test_rows_have_unique_names() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_parse_config_example_is_valid() -> None:
    config = parse_config(EXAMPLE.read_text("utf-8"), "config.example.yaml")
    assert [router.name for router in config.routers] == ["amsterdam", "berlin", "cologne"]
    assert config.links == {link_of("amsterdam", "berlin"), link_of("berlin", "cologne")}
    assert config.routers[0].routeros == (7, 20)
    assert config.broker == config.broker_for_routers == BrokerAddress("10.99.0.1", 1883)
    assert Path(config.router_password_dir) == Path("/etc/wgmqtt/secrets")


def test_parse_config_example_with_comments_removed_is_valid() -> None:
    """Every `# key: value` of the example is valid too, except unix_socket, which excludes host and port."""
    text = EXAMPLE.read_text("utf-8").replace("# unix_socket", "## unix_socket")
    text = text.replace("port: 1883}", "port: 8883, tls: {}}")
    keys = "tls for_routers topic_prefix poll_s wireguard hints cpu_percent also_publish router_defaults site lan"
    for key in [*keys.split(), "public_endpoint", "client_certificate"]:
        assert text.count(f"# {key}: ") == 1
        text = text.replace(f"# {key}: ", f"{key}: ")
    config = parse_config(text, "c.yaml")
    assert config.broker.tls == Tls("/etc/wgmqtt/ca.pem")
    assert config.broker_for_routers == BrokerAddress("10.99.0.1", 8883, Tls())
    assert config.routers[2].public_endpoint == Endpoint("93.184.215.14", 51820)
    assert (config.routers[2].site, config.routers[2].lan) == ("office", Endpoint("192.168.88.1", 13231))


def test_parse_config_defaults() -> None:
    config = parse_config(changed("links:\n  - [amsterdam, berlin]\n", ""), "c.yaml")
    assert (config.prefix, config.poll_s, config.wireguard, config.also_publish) == ("wgmqtt/v1", 1.0, "auto", ())
    assert (config.hints, config.cpu_percent) == ("auto", 1.0)
    assert Path(config.router_password_dir) == Path("/etc/wgmqtt/secrets")
    assert config.links == {link_of("amsterdam", "berlin")}


def test_parse_config_empty_links_are_none() -> None:
    assert parse_config(changed("links:\n  - [amsterdam, berlin]\n", "links: []\n"), "c.yaml").links == frozenset()


def test_parse_config_optional_keys_are_read() -> None:
    text = VALID + "topic_prefix: a/b\npoll_s: 2\nwireguard: kernel\nalso_publish: [100.64.0.0/10, 'fd00::/8']\n"
    text += "hints: off\ncpu_percent: 0.5\n"
    config = parse_config(text, "c.yaml")
    assert (config.prefix, config.poll_s, config.wireguard) == ("a/b", 2.0, "kernel")
    assert (config.hints, config.cpu_percent) == ("off", 0.5)
    assert config.also_publish == (ip_network("100.64.0.0/10"), ip_network("fd00::/8"))


def test_parse_config_address_is_canonical() -> None:
    text = changed("ping: 10.98.0.3", "ping: 'FD00:0::3'\n    site: x\n    lan: '[FD00:0::4]:13231'")
    router = parse_config(text, "c.yaml").routers[1]
    assert (router.ping, router.lan) == ("fd00::3", Endpoint("fd00::4", 13231))


def test_parse_config_tls_without_port_is_8883_and_keeps_the_hubs_certificate_from_routers() -> None:
    tls = "{ca_file: /a/ca.pem, cert_file: /a/hub.pem, key_file: /a/hub.key}"
    config = parse_config(changed("host: 10.99.0.1", f"host: broker.example.net\n  tls: {tls}"), "c.yaml")
    assert config.broker == BrokerAddress("broker.example.net", 8883, Tls("/a/ca.pem", "/a/hub.pem", "/a/hub.key"))
    assert config.broker_for_routers == BrokerAddress("broker.example.net", 8883, Tls("/a/ca.pem"))


def test_parse_config_unix_socket_with_for_routers() -> None:
    way = "unix_socket: /run/m.sock\n  for_routers: {host: 10.99.0.1, tls: {}}"
    config = parse_config(changed("host: 10.99.0.1", way), "c.yaml")
    assert config.broker == BrokerAddress("", 1883, None, "/run/m.sock")
    assert config.broker_for_routers == BrokerAddress("10.99.0.1", 8883, Tls())


def test_parse_config_router_defaults_apply_to_routers_without_the_key() -> None:
    text = changed('    routeros: "7.20"\n', "").replace("    interface: wireguard1\n", "")
    text += "router_defaults: {routeros: '7.21', interface: wg9, site: office, client_certificate: own}\n"
    text = text.replace("  host: 10.99.0.1\n", "  host: 10.99.0.1\n  tls: {}\n")
    amsterdam, berlin = parse_config(text, "c.yaml").routers
    assert (amsterdam.routeros, amsterdam.interface, amsterdam.site) == ((7, 21), "wg9", "office")
    assert (berlin.routeros, berlin.interface, berlin.site) == ((7, 17), "wg9", "office")
    assert {amsterdam.client_certificate, berlin.client_certificate} == {"own"}


def test_parse_config_router_defaults_site_is_enough_for_lan() -> None:
    text = (
        changed("ping: 10.98.0.3", "ping: 10.98.0.3\n    lan: 192.168.88.1:13231") + "router_defaults: {site: office}\n"
    )
    assert parse_config(text, "c.yaml").routers[1].lan == Endpoint("192.168.88.1", 13231)


def test_parse_config_router_defaults_may_come_before_or_after_routers() -> None:
    text = changed('    routeros: "7.20"\n', "")
    defaults = "router_defaults: {routeros: '7.21'}\n"
    assert parse_config(defaults + text, "c.yaml") == parse_config(text + defaults, "c.yaml")


@pytest.mark.parametrize("break_", ["\r\n", "\r", "\x85", "\u2028"])
def test_parse_config_each_line_break_shows_the_right_line(break_: str) -> None:
    text = changed("ping: 10.98.0.3", "ping: x").replace("\n", break_)
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.yaml")
    assert str(caught.value).startswith("c.yaml:22:11: ping: ")
    assert str(caught.value).endswith("\n        ping: x\n              ^")


def test_parse_config_byte_order_mark_at_the_beginning_is_ignored() -> None:
    assert parse_config("\ufeff" + VALID, "c.yaml") == parse_config(VALID, "c.yaml")


def test_parse_config_interface_with_spaces_and_signs_is_valid() -> None:
    """All characters that need no escape in a RouterOS string."""
    name = "wg !#%&()*+,-./:;<=>@[]^_{|}~ x"
    text = VALID.replace("interface: wireguard1", f'interface: "{name}"')
    assert {router.interface for router in parse_config(text, "c.yaml").routers} == {name}


def test_parse_config_allow_plain_accepts_a_name_or_a_public_address_without_tls() -> None:
    way = "host: broker.example.net\n  allow_plain: true\n  for_routers: {host: 1.1.1.1, allow_plain: true}"
    config = parse_config(changed("host: 10.99.0.1", way), "c.yaml")
    assert (config.broker.host, config.broker_for_routers.host) == ("broker.example.net", "1.1.1.1")


@pytest.mark.parametrize("host", ["192.168.1.2", "100.64.0.1", "'fd00::1'", "'fe80::1'"])
def test_parse_config_private_host_needs_neither_tls_nor_allow_plain(host: str) -> None:
    assert parse_config(changed("host: 10.99.0.1", f"host: {host}"), "c.yaml").broker.host == host.strip("'")


def test_parse_config_public_tunnel_address_is_no_exposed_host() -> None:
    """Packets to the hub's tunnel address are encrypted, whichever address that is."""
    text = changed("tunnel_address: 10.99.0.1", "tunnel_address: 1.1.1.1")
    assert parse_config(text.replace("host: 10.99.0.1", "host: 1.1.1.1"), "c.yaml").broker.host == "1.1.1.1"


def test_parse_config_public_endpoint_is_public_or_in_also_publish() -> None:
    text = changed("ping: 10.98.0.3", "ping: 10.98.0.3\n    public_endpoint: '{}'")
    router = parse_config(text.format("1.1.1.1:51820"), "c.yaml").routers[1]
    assert router.public_endpoint == Endpoint("1.1.1.1", 51820)
    text += "also_publish: [10.0.0.0/8]\n"
    router = parse_config(text.format("10.1.1.1:51820"), "c.yaml").routers[1]
    assert router.public_endpoint == Endpoint("10.1.1.1", 51820)


def test_parse_config_web_is_the_tunnel_address_unless_configured() -> None:
    assert parse_config(VALID, "c.yaml").web == Web()
    text = VALID + "web: {listen: 127.0.0.1:9000, names: [status.example.net]}\n"
    assert parse_config(text, "c.yaml").web == Web(Endpoint("127.0.0.1", 9000), ("status.example.net",))


@pytest.mark.parametrize("listen", ["0.0.0.0:80", "8.8.8.8:80"])
def test_parse_config_allow_public_accepts_a_public_and_a_wildcard_address(listen: str) -> None:
    text = VALID + f"web: {{listen: {listen!r}, allow_public: true}}\n"
    assert str(parse_config(text, "c.yaml").web.listen) == listen


def test_parse_config_web_may_listen_on_a_public_tunnel_address() -> None:
    """Packets to the hub's tunnel address come through the tunnel, whichever address that is."""
    text = changed("tunnel_address: 10.99.0.1", "tunnel_address: 1.1.1.1") + "web: {listen: 1.1.1.1:8080}\n"
    assert parse_config(text, "c.yaml").web.listen == Endpoint("1.1.1.1", 8080)

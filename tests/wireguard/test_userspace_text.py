"""The text protocol of https://www.wireguard.com/xplatform/."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.errors import DecodeError
from wgmqtt.model import Endpoint, PublicKey
from wgmqtt.wireguard.snapshot import Device, Snapshot, peer_state
from wgmqtt.wireguard.userspace_text import parse_uapi

NOW_S = 1_800_000_000.0

# "Example Dialog" of that page, with the times of the last handshake as it describes them under "Keys".
EXAMPLE = """private_key=e84b5a6d2717c1003a13b431570353dbaca9146cf150c5f8575680feba52027a
listen_port=12912
public_key=b85996fecc9c7f1fc6d2572a76eda11d59bcd20be8e543b15ce4bd85a8e75a33
preshared_key=188515093e952f5f22e865cef3012e72f8b5f0b598ac0309d5dacce3b70fcf52
allowed_ip=192.168.4.4/32
endpoint=[abcd:23::33%2]:51820
public_key=58402e695ba1772b1cc9309755f043251ea77fdcf10fbe63989ceb7e19321376
tx_bytes=38333
rx_bytes=2224
allowed_ip=192.168.4.6/32
persistent_keepalive_interval=111
endpoint=182.122.22.19:3233
last_handshake_time_sec=1700000000
last_handshake_time_nsec=500000000
public_key=662e14fd594556f522604703340351258903b64f35553763f19426ab2a515c58
endpoint=5.152.198.39:51820
allowed_ip=192.168.4.10/32
allowed_ip=192.168.4.11/32
tx_bytes=1212111
rx_bytes=1929999999
protocol_version=1
errno=0

"""


def peers(text: str, before: Snapshot | None = None, now_s: float = NOW_S) -> Snapshot:
    return parse_uapi(text, now_s, before or {})[0]


def device(text: str) -> Device:
    return parse_uapi(text, NOW_S)[1]


def facts(snapshot: Snapshot) -> list[tuple[str, Endpoint | None, float, int, int]]:
    seen = (peer_state(key, peer) for key, peer in snapshot.items())
    return [(one.key.raw.hex()[:8], one.endpoint, one.handshake_s, one.rx, one.tx) for one in seen]


def test_example_dialog_is_parsed() -> None:
    assert facts(peers(EXAMPLE)) == [
        ("b85996fe", Endpoint("abcd:23::33", 51820), 0.0, 0, 0),
        ("58402e69", Endpoint("182.122.22.19", 3233), 1_700_000_000.5, 2224, 38333),
        ("662e14fd", Endpoint("5.152.198.39", 51820), 0.0, 1_929_999_999, 1_212_111),
    ]
    assert device(EXAMPLE) == Device(None, 12912)


def test_device_without_peers_or_port_is_parsed() -> None:
    assert peers("errno=0\n\n") == {}
    assert device("errno=0\n\n") == Device(None, 0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("errno=0", "errno=-13", "got errno=-13"),
        ("errno=0\n\n", "", "an answer without errno"),
        ("public_key=b8", "public_key=zz", "a peer"),
        ("public_key=b859", "public_key=b8", "got 31 bytes"),
        ("rx_bytes=2224", "rx_bytes=many", "whole numbers"),
        ("last_handshake_time_sec=1", "last_handshake_time_sec=9999999999", "whole numbers"),
    ],
)
def test_malformed_answer_raises(old: str, new: str, message: str) -> None:
    text = EXAMPLE.replace(old, new, 1)
    assert text != EXAMPLE
    with pytest.raises(DecodeError, match=message):
        peers(text)


@pytest.mark.parametrize("port", ["-1", "65536", "x", ""])
def test_malformed_listen_port_raises(port: str) -> None:
    with pytest.raises(DecodeError, match="listen_port"):
        device(f"listen_port={port}\nerrno=0\n\n")


def test_errors_contain_no_secret() -> None:
    text = EXAMPLE.replace("rx_bytes=2224", "rx_bytes=many").replace("errno=0", "errno=1")
    with pytest.raises(DecodeError) as raised:
        peers(text)
    assert "e84b5a6d" not in str(raised.value)
    assert "18851509" not in str(raised.value)


@given(st.lists(st.one_of(st.sampled_from(EXAMPLE.split("\n")), st.text(max_size=40)), max_size=40))
def test_any_text_raises_only_decode_error(lines: list[str]) -> None:
    text = "\n".join(lines)
    for read in (lambda text: facts(peers(text)), device):
        try:
            read(text)
        except DecodeError as error:
            assert "expected" in str(error)  # noqa: PT017 - not to raise is right too


BORINGTUN_KEY = "ab" * 32
BORINGTUN = f"""own_public_key={"cd" * 32}
listen_port=51820
public_key={BORINGTUN_KEY}
persistent_keepalive_interval=25
endpoint=203.0.113.7:4242
allowed_ip=10.99.0.2/32
last_handshake_time_sec=12
last_handshake_time_nsec=500000000
rx_bytes=148
tx_bytes=92
errno=0

"""


def test_answer_of_boringtun_names_key_and_port_and_the_age_of_handshakes() -> None:
    """Written as in boringtun 0.6, src/device/api.rs, api_get: it writes the time since the last handshake."""
    assert device(BORINGTUN) == Device(PublicKey(b"\xcd" * 32), 51820)
    assert facts(peers(BORINGTUN)) == [("abababab", Endpoint("203.0.113.7", 4242), NOW_S - 12.5, 148, 92)]


def test_handshake_of_which_the_age_is_known_keeps_its_time() -> None:
    """Otherwise every peer would differ at every poll."""
    first = peers(BORINGTUN)
    later = BORINGTUN.replace("sec=12\n", "sec=72\n").replace("nsec=500000000", "nsec=370000000")
    assert peers(later, first, NOW_S + 60.0) == first
    renewed = peers(BORINGTUN, first, NOW_S + 60.0)
    assert facts(renewed)[0][2] == NOW_S + 47.5


def test_handshake_of_this_moment_is_no_missing_one() -> None:
    now = BORINGTUN.replace("sec=12\n", "sec=0\n")
    assert facts(peers(now))[0][2] == NOW_S - 0.5
    never = now.replace("nsec=500000000", "nsec=0")
    assert facts(peers(never))[0][2] == 0.0


@pytest.mark.parametrize("now_s", [0.0, 5000.0])
def test_small_time_is_a_time_while_the_clock_is_not_set(now_s: float) -> None:
    """A hub without a battery starts in 1970, and its WireGuard with it."""
    assert facts(peers(BORINGTUN, now_s=now_s))[0][2] == 12.5


@given(st.permutations(BORINGTUN.split("\n")[3:10]), st.integers(0, 2))
def test_keys_in_any_order_are_recognized_by_name(lines: list[str], place: int) -> None:
    """A peer begins with its public key; the device's own keys may come before or after."""
    own = [f"own_public_key={'cd' * 32}", "errno=0", "listen_port=51820", "fwmark=7", "flag"]
    text = "\n".join([*own[:place], f"public_key={BORINGTUN_KEY}", *lines, *own[place:], "", ""])
    assert (peers(text), device(text)) == (peers(BORINGTUN), device(BORINGTUN))

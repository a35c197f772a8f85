"""Read what wg(8) prints, without a device."""

import pytest

from lab.routeros.menus.device import DevicePeer
from lab.routeros.site.namespace import parse_dump

# wg(8) of wireguard-tools 1.0.20210914, `wg show wg0 dump`; keys shortened
DUMP = """\
PRIVATE=\tPUBLIC=\t51820\toff
A=\t(none)\t203.0.113.9:5000\t10.99.0.0/24,10.98.0.1/32\t1700000000\t10\t20\t25
B=\tPSK=\t[2001:db8::7]:7\t(none)\t0\t0\t0\toff
C=\t(none)\t(none)\t10.98.0.3/32\t0\t0\t0\toff
"""


def test_parse_dump_reads_device_and_peers_in_order() -> None:
    state = parse_dump(DUMP)
    assert (state.private_key, state.public_key, state.listen_port) == ("PRIVATE=", "PUBLIC=", 51820)
    assert list(state.peers) == ["A=", "B=", "C="]
    prefixes = ("10.99.0.0/24", "10.98.0.1/32")
    assert state.peers["A="] == DevicePeer("A=", "", ("203.0.113.9", 5000), prefixes, 1700000000, 10, 20, 25)
    assert state.peers["B="] == DevicePeer("B=", "PSK=", ("2001:db8::7", 7), (), 0, 0, 0, 0)
    assert state.peers["C="].endpoint is None


@pytest.mark.parametrize("text", ["", "one line\n", DUMP + "D=\tcut"])
def test_parse_dump_of_another_format_fails(text: str) -> None:
    with pytest.raises(ValueError, match="unpack"):
        parse_dump(text)

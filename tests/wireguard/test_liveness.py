"""Who sent something since the last dump."""

from wgmqtt.model import PublicKey
from wgmqtt.wireguard.kernel_decode import RawPeer
from wgmqtt.wireguard.liveness import signs_of_life

ONE, OTHER = bytes(32), bytes([1]) * 32


def test_awaited_peer_whose_counter_grew_lives() -> None:
    before, after = {ONE: RawPeer(rx=1), OTHER: RawPeer(rx=1)}, {ONE: RawPeer(rx=2), OTHER: RawPeer(rx=2)}
    assert signs_of_life(before, after, {ONE}) == (PublicKey(ONE),)


def test_silent_new_gone_and_restarted_peers_prove_nothing() -> None:
    """A counter that fell is one of an interface that was made anew."""
    peers = {ONE: RawPeer(rx=5, tx=9)}
    assert signs_of_life(peers, {ONE: RawPeer(rx=5, tx=10)}, {ONE}) == ()
    assert signs_of_life({}, peers, {ONE}) == ()
    assert signs_of_life(peers, {}, {ONE}) == ()
    assert signs_of_life(peers, {ONE: RawPeer(rx=4)}, {ONE}) == ()

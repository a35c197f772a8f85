"""Signs of life: peers that sent something since the last dump. Pure."""

from collections.abc import Set as AbstractSet

from wgmqtt.model import PublicKey
from wgmqtt.wireguard.kernel_decode import Snapshot


def signs_of_life(before: Snapshot, after: Snapshot, awaited: AbstractSet[bytes]) -> tuple[PublicKey, ...]:
    """Return those of the `awaited` keys whose counter of received bytes grew; a peer that is new proves nothing."""
    return tuple(
        PublicKey(key) for key in sorted(awaited) if key in before and key in after and after[key].rx > before[key].rx
    )

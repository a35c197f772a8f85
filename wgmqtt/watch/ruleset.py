"""The daemon's own nftables table, as text: it accepts everything, and reports packets from unknown endpoints. Pure.

Language: nft(8). One table `wgmqtt_HUB_GROUP` of family inet: the sets `ports` (where WireGuard listens), `known4` and
`known6` (from where its peers speak now), `recent4` and `recent6` (reported a moment ago), and one chain after every
other filter of the input hook, so that a packet which somebody else drops is never reported.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LIMIT_PER_S = 200
"""How many packets the kernel reports in a second, for each family; as many more at once in the beginning."""
RECENT_MS = 250
SNAPLEN_BYTES = 64  # the headers of IPv6 and UDP, and some of WireGuard's
# The limit stands before the set: in the second that the kernel may take to clear it, this many are never reached.
_RECENT_SIZE = 1024
_AT_ONCE = 500  # elements in one command: 5 ms, in which the loop does nothing else
_PRIORITY = 300  # after the usual filters (0) and NAT (100)


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between the table and what it should hold: ports, and elements as `element` writes them."""

    ports_added: tuple[int, ...] = ()
    ports_removed: tuple[int, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ports_added or self.ports_removed or self.added or self.removed)


def table_name(hub: str, group: int) -> str:
    """Return the name of the table. A group of NFLOG has one listener, so no two daemons want the same one."""
    return f"wgmqtt_{hub}_{group}"


def element(listen_port: int, address: str, port: int) -> str:
    """Return an element of `known4` or `known6`: where WireGuard listens, and from where a peer speaks."""
    return f"{listen_port} . {address} . {port}"


def render_table(name: str, group: int, *, has_owner: bool) -> str:
    """Return what makes the table, empty. `has_owner`: it is gone when the socket that made it is closed.

    A table of this name without an owner is of a daemon that was killed: it is replaced.
    """
    flags = " { flags owner; }" if has_owner else ""
    lines = [f"add table inet {name}", f"delete table inet {name}", f"add table inet {name}{flags}"]
    lines.append(f"add set inet {name} ports {{ type inet_service; }}")
    for family in ("4", "6"):
        kind = f"type inet_service . ipv{family}_addr . inet_service;"
        lines.append(f"add set inet {name} known{family} {{ {kind} }}")
        recent = f"{kind} flags dynamic; timeout {RECENT_MS}ms; size {_RECENT_SIZE};"
        lines.append(f"add set inet {name} recent{family} {{ {recent} }}")
    chain = f"type filter hook input priority {_PRIORITY}; policy accept;"
    lines.append(f"add chain inet {name} watch {{ {chain} }}")
    rules = ["meta l4proto != udp accept", "udp dport != @ports accept"]
    rules += [_report("ip", "4", group), _report("ip6", "6", group)]
    lines += [f"add rule inet {name} watch {rule}" for rule in rules]
    return "\n".join(lines) + "\n"


def _report(header: str, family: str, group: int) -> str:
    source = f"udp dport . {header} saddr . udp sport"
    # A full `recent` ends the rule, so the limit comes before it: then `recent` never is full.
    return (
        f"{source} != @known{family} {source} != @recent{family} limit rate {LIMIT_PER_S}/second burst {LIMIT_PER_S} "
        f"packets add @recent{family} {{ {source} }} log group {group} snaplen {SNAPLEN_BYTES} queue-threshold 1"
    )


def render_change(name: str, change: Change) -> Iterator[str]:
    """Yield commands, each of a bounded size. A new port comes last: by then all that speaks to it is known.

    Where a peer has left, nothing is recent any more: it may be back within `RECENT_MS`.
    """
    for number in change.ports_removed:
        yield f"delete element inet {name} ports {{ {number} }}\n"
    for verb, elements in (("add", change.added), ("delete", change.removed)):
        by_family = {
            "4": [each for each in elements if ":" not in each],
            "6": [each for each in elements if ":" in each],
        }
        for family, some in by_family.items():
            for start in range(0, len(some), _AT_ONCE):
                listed = _listed(some[start : start + _AT_ONCE])
                flush = f"flush set inet {name} recent{family}\n" if verb == "delete" else ""
                yield f"{verb} element inet {name} known{family} {listed}\n{flush}"
    if change.ports_added:
        yield f"add element inet {name} ports {_listed(change.ports_added)}\n"


def render_check(name: str) -> str:
    """Return what fails when the table is not there, and does no harm when it is; to list it would read all of it."""
    return f"flush set inet {name} recent4\n"


def render_removal(name: str) -> str:
    """Return what removes the table; it does not fail when there is none."""
    return f"add table inet {name}\ndelete table inet {name}\n"


def _listed(elements: Iterable[object]) -> str:
    return f"{{ {', '.join(map(str, elements))} }}"

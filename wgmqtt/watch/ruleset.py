"""Render the daemon's own nftables table: it accepts everything, and reports packets from unknown endpoints.

The language is that of nft(8). The table `wgmqtt_HUB_GROUP` of family inet has the sets `ports` (where WireGuard
listens), `known4` and `known6` (the endpoints of its peers), `recent4` and `recent6` (reported a moment ago), and one
chain that comes after every other filter of the input hook, so a packet that another rule drops is never reported.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LIMIT_PER_S = 200
"""How many packets of each family the kernel reports per second; as many again in the first burst."""
RECENT_MS = 250
SNAPLEN_BYTES = 64  # the headers of IPv6 and UDP, and some of WireGuard's
# The limit is checked before the set: within the second that the kernel may take to clear it, so many never come.
_RECENT_SIZE = 1024
_ELEMENTS_PER_COMMAND = 500  # 5 ms, in which the event loop does nothing else
_PRIORITY = 300  # after the usual filters (0) and NAT (100)


@dataclass(frozen=True, slots=True)
class Change:
    """What the table lacks and what it has too much: ports, and elements as `element` writes them."""

    ports_added: tuple[int, ...] = ()
    ports_removed: tuple[int, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ports_added or self.ports_removed or self.added or self.removed)


def table_name(hub: str, group: int) -> str:
    """Return the name of the table. An NFLOG group has one listener, so no two daemons use the same name."""
    return f"wgmqtt_{hub}_{group}"


def element(listen_port: int, address: str, port: int) -> str:
    """Return an element of `known4` or `known6`: the port on which WireGuard listens, and a peer's endpoint."""
    return f"{listen_port} . {address} . {port}"


def render_table(name: str, group: int, *, has_owner: bool) -> str:
    """Return the commands that make the table, empty. `has_owner`: it disappears with the socket that made it.

    A table of this name without an owner was left behind by a daemon that was killed: it is replaced.
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
    # Nobody can send to port 0, so a packet from there is hostile: it must not use up the limit.
    rules = ["meta l4proto != udp accept", "udp dport != @ports accept", "udp sport 0 accept"]
    rules += [_report("ip", "4", group), _report("ip6", "6", group)]
    lines += [f"add rule inet {name} watch {rule}" for rule in rules]
    return "\n".join(lines) + "\n"


def _report(header: str, family: str, group: int) -> str:
    source = f"udp dport . {header} saddr . udp sport"
    # A full `recent` ends the rule, so the limit comes first: then `recent` is never full.
    return (
        f"{source} != @known{family} {source} != @recent{family} limit rate {LIMIT_PER_S}/second burst {LIMIT_PER_S} "
        f"packets add @recent{family} {{ {source} }} log group {group} snaplen {SNAPLEN_BYTES} queue-threshold 1"
    )


def render_change(name: str, change: Change) -> Iterator[str]:
    """Yield commands, each of a bounded size. A new port comes last, when the endpoints of its peers are in the table.

    When an endpoint is removed, `recent` is flushed: the peer may return to it within `RECENT_MS`.
    """
    for number in change.ports_removed:
        yield f"delete element inet {name} ports {{ {number} }}\n"
    for verb, elements in (("add", change.added), ("delete", change.removed)):
        by_family = {
            "4": [each for each in elements if ":" not in each],
            "6": [each for each in elements if ":" in each],
        }
        for family, some in by_family.items():
            for start in range(0, len(some), _ELEMENTS_PER_COMMAND):
                listed = _listed(some[start : start + _ELEMENTS_PER_COMMAND])
                flush = f"flush set inet {name} recent{family}\n" if verb == "delete" else ""
                yield f"{verb} element inet {name} known{family} {listed}\n{flush}"
    if change.ports_added:
        yield f"add element inet {name} ports {_listed(change.ports_added)}\n"


def render_check(name: str) -> str:
    """Return a harmless command that fails if the table does not exist; listing the table would read all of it."""
    return f"flush set inet {name} recent4\n"


def render_removal(name: str) -> str:
    """Return the commands that remove the table, and do not fail if there is none."""
    return f"add table inet {name}\ndelete table inet {name}\n"


def _listed(elements: Iterable[object]) -> str:
    return f"{{ {', '.join(map(str, elements))} }}"

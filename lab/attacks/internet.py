"""What anybody can do who reaches the hub's WireGuard port, or whose packets a peer's NAT sends."""

import time

from lab.attacks.attack import Attack, Verdict
from lab.testbed.hub_with_site import HubWithSite, flood
from lab.testbed.process_cost import cpu_s
from lab.testbed.standalone_hub import StandaloneHub

ATTACKER = "somebody on the internet"
PACKETS, FLOOD_S = 12_000, 4.0
MOST_SHARE, SEEN_MS = 0.3, 1000.0
BAD = ("203.0.113.9:0", "127.0.0.1:51820", "0.0.0.0:1", "224.0.0.1:5000", "255.255.255.255:9", "240.0.0.1:7")


def flood_with_spoofed_packets(slack: float) -> Verdict:
    """Send packets with spoofed sources to the WireGuard port, each of which may be a hint, while a site moves."""
    with HubWithSite() as hub:
        child = hub.watch_with_hints()
        spoofing = flood(hub, PACKETS, FLOOD_S)
        time.sleep(1.0)
        begun_s, used_s = time.monotonic(), cpu_s(child.pid)
        seen_ms = [hub.move(number) for number in (1, 2, 3)]
        spoofing.wait(120.0)
        share = (cpu_s(child.pid) - used_s) / (time.monotonic() - begun_s)
    text = f"{PACKETS / FLOOD_S:.0f} packets a second: {share:.0%} CPU; moves seen after {max(seen_ms):.0f} ms at most"
    return Verdict(share < MOST_SHARE * min(slack, 2.0) and max(seen_ms) < SEEN_MS * slack, text)


def send_from_bad_endpoints(slack: float) -> Verdict:  # noqa: ARG001 - nothing here depends on time
    """Be heard at endpoints that nobody can reach, port 0 among them; then at a right one."""
    with StandaloneHub(settings={"also_publish": ["0.0.0.0/0"]}) as hub:
        hub.start()
        hub.set_endpoints(("cologne", "203.0.113.2:1002"))
        for bad in BAD:
            hub.set_endpoints(("berlin", bad))
            time.sleep(0.5)  # two polls
        hub.set_endpoints(("berlin", "203.0.113.1:1001"))
        hub.expect_table("cologne", "berlin", "203.0.113.1:1001")
        payloads = " ".join(str(event.data["payload"]) for event in hub.published())
    published = [bad for bad in BAD if f'"address":"{bad.split(":")[0]}","port":{bad.split(":")[1]}' in payloads]
    return Verdict(not published, f"{len(BAD)} endpoints, published: {', '.join(published) or 'none'}")


ATTACKS = (
    Attack("spoofed-packets", ATTACKER, f"{PACKETS} packets in {FLOOD_S:.0f} s", flood_with_spoofed_packets),
    Attack("bad-endpoints", ATTACKER, f"{len(BAD)} endpoints", send_from_bad_endpoints),
)

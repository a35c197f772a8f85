"""The netlink edge on a real kernel: python3 -m tests.vm.netlink_edge [CASE...], as root in a virtual machine.

Prints `ok CASE` or `FAILED CASE` and the traceback for each; exit status 1 if one failed.
"""

import asyncio
import contextlib
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

from lab.network.shell import run
from lab.vm.interfaces import delete, key, make, make_pair, many_peers, peer_text, public, wait_for_handshake
from tests.vm.cases import run_cases
from wgmqtt.errors import EdgeError
from wgmqtt.model import Endpoint, PeerState, PublicKey
from wgmqtt.wireguard.auto import AutoWireguard
from wgmqtt.wireguard.dump import Dump, InterfaceMissing, NotWireguard, Wireguard
from wgmqtt.wireguard.kernel import KernelWireguard
from wgmqtt.wireguard.snapshot import differences, peer_state
from wgmqtt.wireguard.userspace import UserspaceWireguard

NOBODY = 65534
PATIENCE_S = 180.0  # under qemu; only a hang should end a wait
CHURNED_PEERS = 300
CHURN_S = 300.0  # a dump is usually interrupted within seconds; only a hang should end the wait
GETFAMILY = struct.pack("=IHHIIBBHHH12s", 34, 16, 1, 1, 0, 3, 1, 0, 14, 2, b"wireguard\0") + b"\0\0"


async def refused(wireguard: Wireguard, interface: str, kind: type[EdgeError], words: str) -> None:
    """Check that a dump fails with this error."""
    caught: EdgeError | None = None
    try:
        await wireguard.dump(interface)
    except EdgeError as error:
        caught = error
    assert type(caught) is kind, repr(caught)
    assert words in str(caught), str(caught)


@contextlib.contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command during the block."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def seen_by_wg() -> dict[str, list[str]]:
    """Return the lines of `wg show wg0 dump` by public key."""
    lines = run("wg", "show", "wg0", "dump").splitlines()[1:]
    return {line.split("\t")[0]: line.split("\t") for line in lines}


async def dump_says_what_wg_says() -> None:
    many = ",".join(f"10.{number >> 8}.{number & 255}.0/24" for number in range(3000))
    make_pair(many_peers(400) + peer_text(key("many"), many, "203.0.113.7:4242") + many_peers(450))
    wait_for_handshake(public("site"))
    run("ip", "link", "set", "wg1", "down")
    found = await KernelWireguard(answer_within_s=PATIENCE_S).dump("wg0")
    shown = seen_by_wg()
    assert found.complete
    assert str(found.device.public_key) == public("hub")
    assert found.device.listen_port == 51820
    seen = {str(PublicKey(raw)): peer_state(raw, peer) for raw, peer in found.snapshot.items()}
    assert len(seen) == 452
    assert {name: str(one.endpoint or "(none)") for name, one in seen.items()} == {
        n: row[2] for n, row in shown.items()
    }
    assert {name: int(one.handshake_s) for name, one in seen.items()} == {n: int(row[4]) for n, row in shown.items()}
    assert {name: (one.rx, one.tx) for name, one in seen.items()} == {
        n: (int(r[5]), int(r[6])) for n, r in shown.items()
    }


async def peer_that_roams_is_the_only_difference() -> None:
    make_pair(many_peers(200))
    wait_for_handshake(public("site"))
    wireguard = KernelWireguard(answer_within_s=PATIENCE_S)
    before = await wireguard.dump("wg0")
    run("wg", "set", "wg1", "listen-port", "60001")
    moved = await until_moved(wireguard, before)
    assert moved.endpoint == Endpoint("127.0.0.1", 60001)
    assert str(moved.key) == public("site")


async def until_moved(wireguard: Wireguard, before: Dump) -> PeerState:
    """Return the first change; nothing else may change."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        after = await wireguard.dump("wg0")
        found = differences(before.snapshot, after.snapshot, complete=after.complete, now_s=time.time())
        assert not found.removed
        if found.changed:
            (moved,) = found.changed
            return moved
        await asyncio.sleep(0.1)
    raise AssertionError(f"nothing changed within {PATIENCE_S} s")


async def interface_deleted_and_made_again() -> None:
    wireguard = KernelWireguard(answer_within_s=PATIENCE_S)
    await refused(wireguard, "wg0", InterfaceMissing, "no such interface")
    make("wg0", 51820, key("hub"), many_peers(3))
    assert len((await wireguard.dump("wg0")).snapshot) == 3
    delete("wg0")
    await refused(wireguard, "wg0", InterfaceMissing, "no such interface")
    make("wg0", 51820, key("hub"), many_peers(2))
    assert len((await wireguard.dump("wg0")).snapshot) == 2


async def interface_without_key_or_peers() -> None:
    run("ip", "link", "add", "wg0", "type", "wireguard")
    found = await KernelWireguard(answer_within_s=PATIENCE_S).dump("wg0")
    assert (found.snapshot, found.complete, found.device.public_key) == ({}, True, None)


async def interface_of_another_kind() -> None:
    await refused(KernelWireguard(answer_within_s=PATIENCE_S), "lo", NotWireguard, "not the kernel's WireGuard")


async def interface_of_wireguard_go_beside_the_kernels() -> None:
    make("wg0", 51820, key("hub"), many_peers(2))
    wireguard = AutoWireguard(KernelWireguard(answer_within_s=PATIENCE_S), UserspaceWireguard())
    await refused(wireguard, "wg9", InterfaceMissing, "no such interface")
    with running("wireguard-go", "--foreground", "wg9"):
        await until_accepts("/var/run/wireguard/wg9.sock")
        await refused(KernelWireguard(answer_within_s=PATIENCE_S), "wg9", NotWireguard, "not the kernel's WireGuard")
        run("wg", "set", "wg9", "listen-port", "51829", "peer", key("somebody"))
        for _ in range(2):
            assert len((await wireguard.dump("wg9")).snapshot) == 1
            assert len((await wireguard.dump("wg0")).snapshot) == 2
    make("wg9", 51829, key("hub"), many_peers(5))
    assert len((await wireguard.dump("wg9")).snapshot) == 5


async def until_accepts(path: str) -> None:
    """Wait until a unix socket accepts connections; wg(8) removes one that is bound but does not listen yet."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(path) == 0:
                return
        await asyncio.sleep(0.1)
    raise TimeoutError(path)


async def churn_interrupts_dumps_and_removes_nobody() -> None:
    make("wg0", 51820, key("hub"), many_peers(CHURNED_PEERS))
    wireguard = KernelWireguard(answer_within_s=PATIENCE_S)
    stable = await wireguard.dump("wg0")
    passing = f"while :; do wg set wg0 peer {key('passing')}; wg set wg0 peer {key('passing')} remove; done"
    interrupted = dumps = 0
    deadline = time.monotonic() + CHURN_S
    with running("sh", "-c", passing):
        while time.monotonic() < deadline and interrupted < 3:
            found = await wireguard.dump("wg0")
            dumps += 1
            interrupted += not found.complete
            assert not differences(stable.snapshot, found.snapshot, complete=found.complete, now_s=time.time()).removed
            await asyncio.sleep(0.01 * (dumps % 3))  # at a constant pace, all dumps could fall between two changes
    print("dumps under churn:", dumps, "interrupted:", interrupted)
    assert interrupted, "no dump was interrupted"
    after = await wireguard.dump("wg0")
    assert after.complete
    assert stable.snapshot.keys() <= after.snapshot.keys()


async def dumps_at_once_and_given_up_ones() -> None:
    make("wg0", 51820, key("hub"), many_peers(CHURNED_PEERS))
    wireguard = KernelWireguard(answer_within_s=PATIENCE_S)
    found = await asyncio.gather(*(wireguard.dump("wg0") for _ in range(4)))
    assert [len(one.snapshot) for one in found] == [CHURNED_PEERS] * 4
    for turns in range(1, 6):
        given_up = asyncio.create_task(wireguard.dump("wg0"))
        for _ in range(turns):
            await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        assert len((await wireguard.dump("wg0")).snapshot) == CHURNED_PEERS


async def answers_lost_are_asked_for_again() -> None:
    """Answers that nobody receives overflow the queue: the next receive gives ENOBUFS."""
    make("wg0", 51820, key("hub"), many_peers(5))
    wireguard = KernelWireguard(answer_within_s=PATIENCE_S)
    await wireguard.dump("wg0")
    opened = wireguard._socket
    assert opened is not None
    opened.setsockopt(1, 33, 1)  # SO_RCVBUFFORCE: as small as can be
    for _ in range(50):
        opened.send(GETFAMILY)
    assert len((await wireguard.dump("wg0")).snapshot) == 5
    assert wireguard._socket is not opened, "the queue did not overflow"


async def kernel_that_takes_too_long() -> None:
    make("wg0", 51820, key("hub"))
    await refused(KernelWireguard(answer_within_s=0.0), "wg0", EdgeError, "did not finish a dump in time")


async def user_without_the_capability_is_told_its_name() -> None:
    make("wg0", 51820, key("hub"))
    os.seteuid(NOBODY)
    try:
        await refused(KernelWireguard(answer_within_s=PATIENCE_S), "wg0", EdgeError, "CAP_NET_ADMIN")
    finally:
        os.seteuid(0)


async def user_with_the_capability_alone_can_dump() -> None:
    make("wg0", 51820, key("hub"), many_peers(3))
    dump = "asyncio.run(KernelWireguard(answer_within_s=180).dump('wg0'))"
    program = f"import asyncio; from wgmqtt.wireguard.kernel import KernelWireguard; print(len({dump}.snapshot))"
    only = ("--inh-caps", "-all,+net_admin", "--ambient-caps", "+net_admin", "--bounding-set", "-all,+net_admin")
    alone = ("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", *only)
    assert run(*alone, sys.executable, "-c", program, timeout_s=4 * PATIENCE_S) == "3\n"


CASES: dict[str, Callable[[], Awaitable[None]]] = {
    case.__name__: case
    for case in (
        dump_says_what_wg_says,
        peer_that_roams_is_the_only_difference,
        interface_deleted_and_made_again,
        interface_without_key_or_peers,
        interface_of_another_kind,
        interface_of_wireguard_go_beside_the_kernels,
        churn_interrupts_dumps_and_removes_nobody,
        dumps_at_once_and_given_up_ones,
        answers_lost_are_asked_for_again,
        kernel_that_takes_too_long,
        user_without_the_capability_is_told_its_name,
        user_with_the_capability_alone_can_dump,
    )
}


if __name__ == "__main__":
    sys.exit(run_cases(CASES, sys.argv[1:], lambda: delete("wg0", "wg1", "wg9")))

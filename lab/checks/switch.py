"""Checks of routers together: they meet, they move, and a live session changes what they do."""

import json
import time

from lab.testbed.lab import Lab
from lab.testbed.table_publisher import TablePublisher, entry, fresh_endpoint, require

MOVES, STAYS = "site-a", "site-b"
AT_ONCE_MS = 400  # below `after_ms`, which only applies without a session
ATTEMPTS = 3  # a busy machine may delay one handler; a script that waits is late in all
QUIET_S = 0.5
MS = 1_000_000


def settle(lab: Lab) -> int:
    """Wait until no handler has run for a moment; return the time (Unix, ns)."""
    deadline = time.monotonic() + lab.setting.patience_s
    while True:
        since_ns = lab.log.note("lab", "settling").t_ns
        time.sleep(QUIET_S)
        begun, done = lab.log.find("", "handler-start"), lab.log.find("", "handler-done")
        is_quiet = not lab.log.find("", "handler-start", since_ns=since_ns) and len(begun) == len(done)
        if is_quiet:
            return lab.log.note("lab", "settled").t_ns
        require(time.monotonic() < deadline, "handlers do not end")


def sites_meet(lab: Lab) -> None:
    """Both ends get their tables at the same time, open the path, and report with the seq of their table."""
    since_ns = lab.log.note("lab", "meeting").t_ns
    lab.start_daemon()
    lab.all_direct(lab.setting.patience_s, since_ns=since_ns)
    settle(lab)
    for name in lab.routers:
        report, table = lab.report(name), lab.table(name)
        require(report["seq"] == table["seq"], f"{name} reports on another table", wanted=table["seq"], found=report)
        require(report["stage"] == "final", f"{name} sends no final report", found=report)
        require(report["error"] == "", f"{name} reports an error", found=report)


def moved_site_is_followed(lab: Lab) -> None:
    """One end moves: the other sets the new endpoint once and at once; the moved one only sends."""
    delays_ms = [follow_move(lab)]
    while delays_ms[-1] >= AT_ONCE_MS and len(delays_ms) < ATTEMPTS:
        delays_ms.append(follow_move(lab))
    is_prompt = delays_ms[-1] < AT_ONCE_MS
    require(is_prompt, "set late although the session lives", wanted=f"< {AT_ONCE_MS} ms", found=delays_ms)


def follow_move(lab: Lab) -> float:
    """Move one end; return the milliseconds from the start of the other end's handler until it set the endpoint."""
    settle(lab)
    moved = lab.move(MOVES)
    lab.direct(MOVES, STAYS, lab.setting.patience_s, since_ns=moved.t_ns)
    settle(lab)
    writes = lab.writes(STAYS, since_ns=moved.t_ns)
    require(len(writes) == 1, f"{STAYS} did not write exactly once", found=writes)
    began = lab.log.find(STAYS, "handler-start", since_ns=moved.t_ns)[0]
    require(not lab.writes(MOVES, since_ns=moved.t_ns), f"{MOVES} wrote though nothing changed there")
    require(lab.log.find(MOVES, "ping", since_ns=moved.t_ns), f"{MOVES} sent nothing")
    return (writes[0].t_ns - began.t_ns) / MS


def both_moved_meet_again(lab: Lab) -> None:
    """Both ends move at the same moment."""
    settle(lab)
    lab.move(MOVES)
    moved = lab.move(STAYS)
    lab.direct(MOVES, STAYS, lab.setting.patience_s, since_ns=moved.t_ns)


def replayed_table_writes_nothing(lab: Lab) -> None:
    """The retained table arrives again after a lost connection: nothing is changed, nothing is written."""
    settle(lab)
    before = lab.network.sites[STAYS].device.dump()
    since_ns = lab.log.note("lab", "replay").t_ns
    lab.routers[STAYS].loses_mqtt()
    lab.log.expect(STAYS, "handler-done", lab.setting.patience_s, since_ns=since_ns)
    settle(lab)
    require(not lab.writes(STAYS, since_ns=since_ns), "a replay was written", found=lab.writes(STAYS))
    after = lab.network.sites[STAYS].device.dump()
    moved = [key for key, peer in after.items() if peer.endpoint != before[key].endpoint]
    require(not moved, "a replay moved a peer", found=moved)
    report = json.dumps(lab.report(STAYS))
    require('"did":"same"' in report.replace(" ", ""), "not reported as the same", found=report)


def roamed_peer_is_kept(lab: Lab) -> None:
    """A live peer at another endpoint than the configured one is probed, and kept if it answers."""
    moves, stays = lab.network.sites[MOVES], lab.network.sites[STAYS]
    settle(lab)
    first = fresh_endpoint()
    with lab.daemon_stopped(), TablePublisher(lab, STAYS) as publisher:
        publisher.apply(entry(moves, first))
        require(moves.reaches_directly(stays), f"{MOVES} does not reach {STAYS}")
        kicked = publisher.apply(entry(moves, first, kick=True))
        require(not kicked.sets, "a live peer was set again", found=kicked.sets)
        wrong = publisher.apply(entry(moves, fresh_endpoint()))
        require(not wrong.sets, "a peer that answers was overwritten", found=wrong.sets)
        require(wrong.did(moves.public_key) == "kept", "not reported as kept", found=wrong.final.body)
        right = publisher.apply(entry(moves, (moves.wan_address, "13231")))
        require(not right.sets, "the endpoint that is in use already was set", found=right.sets)
        require(right.did(moves.public_key) == "roamed", "not reported as roamed", found=right.final.body)


def silent_roamed_peer_is_set(lab: Lab) -> None:
    """A peer at another endpoint than the configured one, with a live session, that does not answer a probe is set."""
    moves, stays = lab.network.sites[MOVES], lab.network.sites[STAYS]
    settle(lab)
    endpoint = fresh_endpoint()
    with lab.daemon_stopped(), TablePublisher(lab, STAYS) as publisher:
        publisher.apply(entry(moves, fresh_endpoint()))
        require(moves.reaches_directly(stays), f"{MOVES} does not reach {STAYS}")
        lab.network.cut(moves)
        probed = publisher.apply(entry(moves, endpoint))
        lab.network.restore(moves)
    require(probed.set_to(moves.public_key) == [endpoint], "not set", wanted=endpoint, found=probed.sets)
    require(probed.did(moves.public_key) == "set", "not reported as set", found=probed.final.body)


def silent_stray_is_set_again(lab: Lab) -> None:
    """A dead peer that left its configured endpoint does not return to it by itself."""
    moves, stays = lab.network.sites[MOVES], lab.network.sites[STAYS]
    settle(lab)
    endpoint = fresh_endpoint()
    with lab.daemon_stopped(), TablePublisher(lab, STAYS) as publisher:
        lab.network.cut(moves)
        publisher.apply(entry(moves, endpoint))
        lab.network.restore(moves)
        require(moves.reaches_directly(stays), f"{MOVES} does not reach {STAYS}")
        lab.network.cut(moves)
        again = publisher.apply(entry(moves, endpoint, kick=True))
        lab.network.restore(moves)
    require(again.sets, "left at its dead endpoint")
    require(again.did(moves.public_key) == "reapplied", "not reported as set again", found=again.final.body)
    at = again.final.line(moves.public_key)["current"]
    require(at == " ".join(endpoint), "still elsewhere", wanted=endpoint, found=at)

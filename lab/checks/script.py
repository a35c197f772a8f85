"""Checks of one router: what it does with a table, one rule each. No daemon runs, and no session is live."""

import time

from lab.network.topology import Site
from lab.testbed.lab import Lab
from lab.testbed.table_publisher import Entry, Outcome, TablePublisher, entry, fresh_endpoint, render_table, require

TOLD, ABOUT = "site-b", "site-a"  # TOLD hears of ABOUT, which never hears of TOLD: no session comes up
AFTER_MS = 450
EARLIEST_MS, LATEST_MS = 400, 5000
# As it stands in the emitted script, inside the handler's quotes.
ITS_INTERFACE, ANOTHER = '"wg0\\"', '"wg9\\"'
IN_HANDLER = ":local meshInterface \\"


def about(lab: Lab) -> Site:
    """Return the site that the tables are about."""
    return lab.network.sites[ABOUT]


def require_one_set(outcome: Outcome, site: Site, endpoint: tuple[str, str]) -> None:
    """Require that the router has set only this peer, once, to this endpoint."""
    require(len(outcome.sets) == 1, "not exactly one write", found=outcome.sets)
    found = outcome.set_to(site.public_key)
    require(found == [endpoint], "another peer or endpoint was set", wanted=endpoint, found=outcome.sets)


def table_is_applied(lab: Lab) -> None:
    """The endpoint is set and reported; then packets are sent, and the result is reported."""
    site, endpoint = about(lab), fresh_endpoint()
    with TablePublisher(lab, TOLD) as publisher:
        outcome = publisher.apply(entry(site, endpoint))
    require_one_set(outcome, site, endpoint)
    on_device = lab.network.sites[TOLD].peer(site).endpoint
    require(on_device == (endpoint[0], int(endpoint[1])), "WireGuard has another", wanted=endpoint, found=on_device)
    require("applied" in outcome.stages, "no report of stage applied", found=outcome.stages)
    applied = outcome.stages["applied"]
    require(outcome.sets[0].t_ns < applied.t_ns, "reported before it was set")
    line = applied.line(site.public_key)
    told = (line["did"], line["configured"])
    require(told == ("set", " ".join(endpoint)), "the report says something else", wanted=endpoint, found=line)
    addresses = {event.data["address"] for event in outcome.pings}
    require(addresses == {site.plan.probe}, "no ping, or one elsewhere", wanted=site.plan.probe, found=addresses)
    require(applied.t_ns < outcome.pings[0].t_ns, "sent before it was reported")
    # Later packets keep a NAT's mapping open, and go only to a peer that answered.
    attempts = [event for event in outcome.pings if event.t_ns < outcome.final.t_ns]
    require(len(attempts) > 1, "gave up after one packet though nothing answers")
    require(len(attempts) == len(outcome.pings), "a silent peer is taken for one that answered")


def same_table_is_left_alone(lab: Lab) -> None:
    """An endpoint that is configured already is neither written again nor sent to."""
    line = entry(about(lab), fresh_endpoint())
    with TablePublisher(lab, TOLD) as publisher:
        publisher.apply(line)
        again = publisher.apply(line)
    require(not again.sets, "written again", found=again.sets)
    require(again.did(about(lab).public_key) == "same", "not reported as the same", found=again.final.body)
    require(not again.pings, "sent without need", found=again.pings)


def kick_is_followed(lab: Lab) -> None:
    """`kick` requests packets although nothing changes here."""
    line = entry(about(lab), fresh_endpoint())
    with TablePublisher(lab, TOLD) as publisher:
        publisher.apply(line)
        kicked = publisher.apply({**line, "kick": True})
    require(not kicked.sets, "written again", found=kicked.sets)
    require(kicked.pings, "nothing was sent")


def later_end_waits_to_set(lab: Lab) -> None:
    """Without a live session the end with `after_ms` does not set before its time."""
    site, endpoint = about(lab), fresh_endpoint()
    with TablePublisher(lab, TOLD) as publisher:
        outcome = publisher.apply(entry(site, endpoint, after_ms=AFTER_MS))
    require_one_set(outcome, site, endpoint)
    ms = outcome.ms_until(outcome.sets[0])
    require(
        EARLIEST_MS <= ms <= LATEST_MS, "set at the wrong time", wanted=f"{EARLIEST_MS} to {LATEST_MS} ms", found=ms
    )


def later_end_waits_to_send(lab: Lab) -> None:
    """It does not send before its time either if there is nothing to set."""
    line = entry(about(lab), fresh_endpoint())
    with TablePublisher(lab, TOLD) as publisher:
        publisher.apply(line)
        outcome = publisher.apply({**line, "kick": True, "after_ms": AFTER_MS})
    require(not outcome.sets, "written again", found=outcome.sets)
    require(outcome.pings, "nothing was sent")
    ms = outcome.ms_until(outcome.pings[0])
    require(
        EARLIEST_MS <= ms <= LATEST_MS, "sent at the wrong time", wanted=f"{EARLIEST_MS} to {LATEST_MS} ms", found=ms
    )


def newer_table_wins_over_an_older_one(lab: Lab) -> None:
    """Two handlers run side by side, and both wait: the endpoint of the older table must not stay."""
    site, older, newer = about(lab), fresh_endpoint(), fresh_endpoint()
    with TablePublisher(lab, TOLD) as publisher:
        since_ns = publisher.publish(render_table(str(time.time_ns()), (entry(site, older, after_ms=AFTER_MS),)))
        time.sleep(0.1)
        last = str(time.time_ns())
        publisher.publish(render_table(last, (entry(site, newer, after_ms=AFTER_MS),)))
        outcome = publisher.outcome(since_ns, last, handlers=2)
    found = outcome.set_to(site.public_key)
    require(found[-1:] == [newer], "the older table's endpoint stays", wanted=newer, found=found)


def missing_address_changes_nothing(lab: Lab) -> None:
    """An entry without an address means to leave that peer alone, and is not an error."""
    site = about(lab)
    with TablePublisher(lab, TOLD) as publisher:
        outcome = publisher.apply({"key": site.public_key, "name": site.name, "ping": site.plan.probe, "kick": True})
    require(not outcome.sets, "written", found=outcome.sets)
    require(outcome.final.body["error"] == "", "taken for a mistake", found=outcome.final.body)


def hostile_lines(lab: Lab) -> list[Entry]:
    """Return entries that a router must reject."""
    site = about(lab)
    good = entry(site, fresh_endpoint())
    hub_key = lab.network.hub_device.keys.public
    return [
        {**good, "key": hub_key, "ping": "10.99.0.1"},
        {**good, "key": hub_key[:-2] + "A="},
        {**good, "key": '" or public-key="' + hub_key},
        {**good, "key": 7},
        {**good, "port": 0},
        {**good, "port": 70000},
        {**good, "port": "[:error x]"},
        {**good, "address": "[/system/reboot]"},
        {**good, "address": "1.2.3.4.5"},
        {**good, "address": "224.0.0.5"},
        {**good, "ping": "; /system/reboot"},
        {},
    ]


def hostile_lines_change_nothing(lab: Lab) -> None:
    """Of a table with invalid entries only the valid one is applied, and its wait is limited."""
    site, endpoint = about(lab), fresh_endpoint()
    hub = lab.network.hub_device.keys.public
    with TablePublisher(lab, TOLD) as publisher:
        outcome = publisher.apply(*hostile_lines(lab))
        require(not outcome.sets, "a bad line was followed", found=outcome.sets)
        require(outcome.final.body["peers"] == [], "a bad line was taken", found=outcome.final.body)
        mixed = publisher.apply(*hostile_lines(lab), entry(site, endpoint, after_ms=6000))
    require_one_set(mixed, site, endpoint)
    require(mixed.final.body["error"], "the report says nothing of the bad lines", found=mixed.final.body)
    require(mixed.ms_until(mixed.sets[0]) < LATEST_MS, "a table can make it wait for long")
    at = lab.network.sites[TOLD].device.dump()[hub].endpoint
    require(at and at[0] == lab.network.hub_address, "the hub's own peer was changed", found=at)


def rejected_tables_change_nothing(lab: Lab) -> None:
    """A payload that is not a valid table is rejected as a whole; an empty one gets no report."""
    line = entry(about(lab), fresh_endpoint())
    seq = str(time.time_ns())
    payloads = {
        "no JSON": '{"v":1,',
        "an array": "[1,2]",
        "another version": render_table(seq, (line,), v=2),
        "no peers": render_table(seq, (line,), peers="all"),
        "seq a number": render_table(seq, (line,), seq=int(seq)),
        "seq with quotes": render_table('1","stage":"final', (line,)),
    }
    with TablePublisher(lab, TOLD) as publisher:
        for what, payload in payloads.items():
            outcome = publisher.outcome(publisher.publish(payload), "0")
            require(not outcome.sets, f"a table was followed: {what}", found=outcome.sets)
            error = outcome.final.body["error"]
            require(error == "table rejected", f"not rejected: {what}", wanted="table rejected", found=error)
        since_ns = publisher.publish("")
        publisher.handlers_ended(since_ns)
    time.sleep(0.1)
    heard = lab.log.find("viewer", "message", since_ns=since_ns, topic=f"wgmqtt/v1/{TOLD}/report")
    require(not heard, "an empty table was answered", found=heard)
    require(not lab.writes(TOLD, since_ns=since_ns), "an empty table was followed")


def peer_of_another_interface_is_left_alone(lab: Lab) -> None:
    """With another interface in the handler, which has no peers here, nothing is set."""
    text = lab.script(TOLD).read_text()
    require(text.count(IN_HANDLER + ITS_INTERFACE) == 1, "the handler names its interface otherwise")
    import_again(lab, text.replace(IN_HANDLER + ITS_INTERFACE, IN_HANDLER + ANOTHER))
    try:
        with TablePublisher(lab, TOLD) as publisher:
            outcome = publisher.apply(entry(about(lab), fresh_endpoint(), kick=True))
    finally:
        import_again(lab, text)
    require(not outcome.sets, "a peer of another interface was set", found=outcome.sets)
    require(outcome.final.body["error"], "it was not rejected", found=outcome.final.body)


def import_again(lab: Lab, text: str) -> None:
    """Import another script on the router and wait until it is connected again."""
    file = lab.directory / "scripts" / "again.rsc"
    file.write_text(text)
    since_ns = lab.log.note("lab", "import-again").t_ns
    lab.routers[TOLD].import_script(file)
    lab.log.expect(TOLD, "connected", lab.setting.patience_s, since_ns=since_ns)

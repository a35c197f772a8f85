"""What an open page still has to be sent: bounded, the newest of each subject, in order."""

import asyncio
import json

from wgmqtt.web.stream import HEARTBEAT, MAX_PENDING, Backlog, render_event


def test_newest_message_of_a_subject_replaces_the_older_one() -> None:
    async def run() -> bytes:
        page = Backlog()
        page.put("status", b"1")
        page.put("move 1", b"a")
        page.put("status", b"2")
        return await page.take(1)

    assert asyncio.run(run()) == b"a2"


def test_backlog_of_a_page_that_does_not_read_is_bounded() -> None:
    async def run() -> bytes:
        page = Backlog()
        for number in range(1000):
            page.put(f"move {number}", f"{number} ".encode())
        return await page.take(1)

    taken = asyncio.run(run()).split()
    assert len(taken) == MAX_PENDING
    assert taken[-1] == b"999"


def test_nothing_to_send_is_a_heartbeat_and_a_closed_page_ends_at_once() -> None:
    async def run() -> tuple[bytes, bytes, bool]:
        page = Backlog()
        beat = await page.take(0.01)
        page.close()
        return beat, await page.take(60), page.is_closed

    assert asyncio.run(run()) == (HEARTBEAT, b"", True)


def test_event_is_two_lines_and_an_empty_one() -> None:
    data = json.dumps({"text": "a\nb\r\u2028"}).encode()
    event = render_event("move", data)
    assert event == b"event: move\ndata: " + data + b"\n\n"
    assert event.count(b"\n") == 3

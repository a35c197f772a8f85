"""Follow the kernel's link events: an interface appears, changes or disappears (rtnetlink(7)). No privilege needed."""

from collections.abc import Callable

from pyroute2 import AsyncIPRoute
from pyroute2.netlink.rtnl import RTMGRP_LINK

Listener = Callable[[str | None], None]


async def follow_links(listener: Listener) -> None:
    """Call `listener` with the name of each interface that an event is about, until cancelled.

    None stands for any interface: events were lost, because more came than the socket holds. A new socket takes over:
    pyroute2's is of no use after that.
    """
    while True:
        async with AsyncIPRoute() as links:
            await links.bind(groups=RTMGRP_LINK)
            try:
                while True:
                    async for message in links.get():
                        listener(message.get_attr("IFLA_IFNAME"))
            except OSError:
                listener(None)

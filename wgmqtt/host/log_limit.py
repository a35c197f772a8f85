"""Limits the log lines about one router, so that whatever it does cannot fill the journal."""

from wgmqtt import phrases
from wgmqtt.host.token_bucket import TokenBucket
from wgmqtt.logline import Say, say

LINES_PER_S = 2.0
"""More than a working router causes: four for each of its tables, of which damping limits the number."""
BURST_LINES = 300.0


class LogLimit:
    """Decides which lines are logged: each router has a budget, and lines about no router have none."""

    def __init__(self) -> None:
        self._budgets: dict[str, TokenBucket] = {}
        self._suppressed: dict[str, int] = {}

    def admit(self, line: Say, now_s: float) -> list[Say]:
        """Return the lines to log in place of this one: none, itself, or a count of those left out before it.

        A spent budget refills to its half before the next line, so that there is no remark beside each single line.
        """
        router = next((str(value) for key, value in line.fields if key == "router"), "")
        if not router or line.level == "debug":
            return [line]
        budget = self._budgets.setdefault(router, TokenBucket(LINES_PER_S, BURST_LINES, now_s))
        is_spent = budget.wait_s(now_s) > 0
        count = self._suppressed.get(router, 0)
        if is_spent or (count and budget.left < BURST_LINES / 2):
            self._suppressed[router] = count + 1
            return [] if count else [say(phrases.LINES_SUPPRESSED, router=router)]
        budget.charge(1.0)
        self._suppressed.pop(router, None)
        return [say(phrases.LINES_RESUMED, router=router, count=count), line] if count else [line]

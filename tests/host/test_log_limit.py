"""Log lines about one router are limited, and those about others are not."""

import pytest

from wgmqtt import phrases
from wgmqtt.host.log_limit import BURST_LINES, LINES_PER_S, LogLimit
from wgmqtt.host.token_bucket import TokenBucket
from wgmqtt.logline import Say, say, say_at

RATE, BURST = 0.02, 0.1


def line(router: str, number: int = 0) -> Say:
    return say(phrases.REPORT_MALFORMED, router=router, reason=number)


def test_router_that_causes_ten_lines_a_second_for_ever_gets_its_budget_and_a_count() -> None:
    limit, logged = LogLimit(), list[Say]()
    for number in range(10_000):
        logged += limit.admit(line("berlin", number), 100.0 + number / 10)
    assert len(logged) <= BURST_LINES + 1000 * LINES_PER_S + 20
    assert logged[0] == line("berlin")
    assert say(phrases.LINES_SUPPRESSED, router="berlin") in logged
    resumed = [each for each in logged if each.phrase == phrases.LINES_RESUMED.text]
    assert resumed
    shown = [each for each in logged if each.phrase == phrases.REPORT_MALFORMED.text]
    later = limit.admit(line("berlin", 10_000), 9000.0)
    hidden = sum(int(str(each.fields[1][1])) for each in [*resumed, later[0]])
    assert len(shown) + hidden == 10_000
    assert later[1:] == [line("berlin", 10_000)]


def test_lines_about_another_router_or_about_none_are_not_limited() -> None:
    limit = LogLimit()
    for number in range(1000):
        limit.admit(line("berlin", number), 100.0)
    assert limit.admit(line("cologne"), 100.0) == [line("cologne")]
    stopped = say(phrases.STOPPED)
    assert all(limit.admit(stopped, 100.0) == [stopped] for _ in range(1000))


def test_debug_lines_are_not_limited_because_somebody_has_asked_for_them() -> None:
    limit = LogLimit()
    shown = say_at("debug", phrases.REPORT_MALFORMED, router="berlin", reason="x")
    assert all(limit.admit(shown, 100.0) == [shown] for _ in range(1000))


@pytest.mark.parametrize(
    ("spent_s", "later_s", "expected_s"),
    [
        (BURST, 0.0, 0.0),
        (BURST + 0.02, 0.0, 0.02 / RATE),
        (BURST + 0.02, 0.5, 0.02 / RATE - 0.5),
        (BURST + 0.02, 1e6, 0.0),
    ],
    ids=["within the burst", "overdrawn", "refilling", "long ago"],
)
def test_overdrawn_budget_waits_until_it_has_refilled(spent_s: float, later_s: float, expected_s: float) -> None:
    budget = TokenBucket(RATE, BURST, 100.0)
    budget.charge(spent_s)
    assert budget.wait_s(100.0 + later_s) == pytest.approx(expected_s)


def test_budget_does_not_fill_beyond_its_burst() -> None:
    budget = TokenBucket(RATE, BURST, 0.0)
    assert budget.wait_s(1e6) == 0.0
    budget.charge(BURST + 0.02)
    assert budget.wait_s(1e6) == pytest.approx(0.02 / RATE)

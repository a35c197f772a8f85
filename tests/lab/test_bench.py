"""The benchmark of a switch, with one lab: every step of every move is there, in the order in which it must happen."""

import pytest

from lab.bench.figures import OURS
from lab.bench.switch import SITES, measure

pytestmark = pytest.mark.lab


def test_switch_measures_each_step_of_each_move_in_order() -> None:
    samples = measure(1)
    assert samples.failures == []
    metrics = ["packet_to_seen", "packet_to_published", "packet_to_applied", "packet_to_direct"]
    assert list(samples.ms) == metrics
    assert [figure.n for figure in samples.series(OURS, 2)] == [len(SITES)] * len(metrics)
    for steps in zip(*samples.ms.values(), strict=True):
        seen, published, applied, direct = steps
        assert 0 < seen <= published <= min(applied, direct)

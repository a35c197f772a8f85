"""The `switch` benchmark with one lab: it measures every step of every move."""

import pytest

from lab.bench.figures import OURS
from lab.bench.switch import SITES, measure
from lab.testbed.events import PATIENCE_S

pytestmark = pytest.mark.lab


def test_switch_measures_each_step_of_each_move_after_its_first_packet() -> None:
    samples = measure(1)
    assert samples.failures == []
    metrics = ["packet_to_seen", "packet_to_published", "packet_to_applied", "packet_to_direct"]
    assert list(samples.ms) == metrics
    assert [figure.n for figure in samples.series(OURS, 2)] == [len(SITES)] * len(metrics)
    # The steps' time stamps come from four processes, so that only their order after the packet is certain.
    for ms in samples.ms.values():
        assert all(0 < each < PATIENCE_S * 1000 for each in ms), samples.ms

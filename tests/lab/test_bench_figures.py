"""Figures of benchmarks: median, maximum, and a 99th percentile only of enough samples."""

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.bench.figures import ENOUGH_FOR_P99, Figure, Series, encode_figures, p99_of, render_figures

SAMPLES = st.lists(st.floats(0, 1e6).map(lambda ms: round(ms, 3)), min_size=1, max_size=300)


def series(samples: list[float]) -> Series:
    return Series("switch", "wgmqtt", 2, "packet_to_direct", "ms", samples)


def test_figure_of_few_samples_has_median_and_maximum_and_no_p99() -> None:
    assert series([3.0, 1.0, 2.0, 10.0]).figure() == Figure(
        "switch", "wgmqtt", 2, "packet_to_direct", "ms", n=4, median=2.5, p99=None, max=10.0
    )


def test_p99_of_a_hundred_samples_is_the_second_largest() -> None:
    """Nearest rank: the 99th of 100 in order."""
    samples = [float(number) for number in range(100, 0, -1)]
    assert p99_of(samples) == 99.0
    assert p99_of(samples[:-1]) is None


def test_p99_of_a_thousand_samples_leaves_ten_above() -> None:
    assert p99_of([float(number) for number in range(1000)]) == 989.0


def test_figure_without_samples_is_an_error() -> None:
    with pytest.raises(ValueError, match="switch wgmqtt packet_to_direct: no sample"):
        series([]).figure()


@given(SAMPLES)
def test_figure_of_any_samples_is_in_order_and_counts_them_all(samples: list[float]) -> None:
    figure = series(samples).figure()
    assert figure.n == len(samples)
    assert min(samples) <= figure.median <= figure.max == max(samples)
    assert (figure.p99 is None) == (len(samples) < ENOUGH_FOR_P99)
    if figure.p99 is not None:
        assert figure.median <= figure.p99 <= figure.max
        assert figure.p99 in samples


def test_json_is_a_list_of_objects_with_the_agreed_names() -> None:
    figures = [series([1.0, 2.0]).figure(), series([5.0]).figure()]
    read = json.loads(encode_figures(figures))
    agreed = ["bench", "subject", "peers", "metric", "unit", "n", "median", "p99", "max"]
    assert [list(each) for each in read] == [agreed, agreed]
    assert read[0] == {**dict.fromkeys(agreed), **read[0], "n": 2, "median": 1.5, "p99": None, "max": 2.0}
    assert json.loads(encode_figures([])) == []
    assert [field.name for field in fields(Figure)] == agreed


def test_table_shows_the_number_of_samples_and_a_dash_for_no_p99() -> None:
    lines = render_figures([series([1.0, 2.0]).figure(), series([1.0] * 100).figure()]).splitlines()
    assert lines[0].split() == ["bench", "subject", "peers", "metric", "n", "median", "p99", "max", "unit"]
    assert lines[1].split()[4:] == ["2", "1.5", "-", "2.0", "ms"]
    assert lines[2].split()[4:] == ["100", "1.0", "1.0", "1.0", "ms"]

"""Deadlines in a heap, compared with a plain dictionary."""

import math

from hypothesis import given
from hypothesis import strategies as st

from wgmqtt.engine.deadlines import Deadlines

KEYS = st.sampled_from("abcd")
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), KEYS, st.integers(0, 9)),
        st.tuples(st.just("discard"), KEYS, st.just(0)),
        st.tuples(st.just("pop"), st.just(""), st.integers(0, 9)),
        st.tuples(st.just("keep"), KEYS, st.just(0)),
    ),
    max_size=80,
)


@given(OPERATIONS)
def test_deadlines_after_any_operations_are_those_of_a_plain_dictionary(
    operations: list[tuple[str, str, int]],
) -> None:
    deadlines, plain = Deadlines[str](), dict[str, float]()
    for operation, key, at_s in operations:
        if operation == "set":
            deadlines.set(key, at_s)
            plain[key] = at_s
        elif operation == "discard":
            deadlines.discard(key)
            plain.pop(key, None)
        elif operation == "keep":
            deadlines.keep({key})
            plain = {each: plain[each] for each in plain if each == key}
        else:
            due = sorted((each_s, each) for each, each_s in plain.items() if each_s <= at_s)
            assert deadlines.pop_due(at_s) == [each for _, each in due]
            for _, each in due:
                del plain[each]
        assert deadlines.at_s == plain
        assert deadlines.next_s() == min(plain.values(), default=math.inf)


def test_deadline_that_is_replaced_again_and_again_takes_no_memory() -> None:
    deadlines = Deadlines[str]()
    for number in range(10_000):
        deadlines.set("a", float(number))
    assert len(deadlines._heap) < 100

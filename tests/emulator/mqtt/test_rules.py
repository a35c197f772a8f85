"""The choice of the handler, topics, limits and delays of RouterOS's MQTT client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.routeros.language.values import readable
from lab.routeros.mqtt.rules import (
    choose_handler,
    is_topic_filter,
    is_topic_name,
    matches,
    message_limit_bytes,
    retry_delay_s,
)

LEVEL = st.text(st.characters(codec="ascii", exclude_characters="+#/$\0"), min_size=1, max_size=3)
TOPIC = st.lists(LEVEL, min_size=1, max_size=5).map("/".join)

# MikroTik's manual, page MQTT, "Subscriptions": the example of the order of handlers
MANUAL_SUBSCRIPTIONS = ["some/sort/of/topic", "some/#", "some/sort/of/+", "some/thing/#"]
MANUAL_CHOICES = {
    "some/sort/of/topic": "some/sort/of/topic",
    "some/sort/of/thing": "some/sort/of/+",
    "some/name": "some/#",
    "some/thing/else": "some/thing/#",
    "other": None,
}

# MQTT 3.1.1 (OASIS), 4.7.1 and 4.7.2: its own examples of wildcards
OASIS_MATCHES = [
    ("sport/tennis/player1/#", "sport/tennis/player1", True),
    ("sport/tennis/player1/#", "sport/tennis/player1/ranking", True),
    ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
    ("sport/#", "sport", True),
    ("#", "anything/at/all", True),
    ("sport/tennis/+", "sport/tennis/player1", True),
    ("sport/tennis/+", "sport/tennis/player1/ranking", False),
    ("sport/+", "sport", False),
    ("sport/+", "sport/", True),
    ("+/+", "/finance", True),
    ("/+", "/finance", True),
    ("+", "/finance", False),
    ("#", "$SYS/uptime", False),
    ("+/monitor/Clients", "$SYS/monitor/Clients", False),
    ("$SYS/#", "$SYS/monitor/Clients", True),
]

OASIS_FILTERS = {
    "#": True,
    "sport/tennis/#": True,
    "sport/tennis#": False,
    "sport/tennis/#/ranking": False,
    "+": True,
    "+/tennis/#": True,
    "sport+": False,
    "": False,
    "a\0b": False,
}


@pytest.mark.parametrize(("topic", "expected"), MANUAL_CHOICES.items())
def test_choose_handler_makes_the_choice_of_the_manuals_example(topic: str, expected: str | None) -> None:
    assert choose_handler(MANUAL_SUBSCRIPTIONS, str, topic) == expected


@pytest.mark.parametrize(("topic", "expected"), MANUAL_CHOICES.items())
def test_choose_handler_any_order_of_subscriptions_chooses_the_same(topic: str, expected: str | None) -> None:
    assert choose_handler(MANUAL_SUBSCRIPTIONS[::-1], str, topic) == expected


@pytest.mark.parametrize(("topic_filter", "topic", "expected"), OASIS_MATCHES)
def test_matches_oasis_example_agrees(topic_filter: str, topic: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert matches(topic_filter, topic) is expected


@pytest.mark.parametrize(("topic_filter", "expected"), OASIS_FILTERS.items())
def test_is_topic_filter_oasis_example_agrees(topic_filter: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert is_topic_filter(topic_filter) is expected


@given(TOPIC)
def test_matches_topic_itself_always(topic: str) -> None:
    assert is_topic_name(topic)
    assert is_topic_filter(topic)
    assert matches(topic, topic)


@given(TOPIC, TOPIC)
def test_choose_handler_exact_topic_always_wins(topic: str, other: str) -> None:
    wildcards = ["#", "/".join("+" for _ in topic.split("/")), other]
    assert choose_handler([*wildcards, topic], str, topic) == topic


@pytest.mark.parametrize("topic", ["", "a/+", "a/#", "a\0"])
def test_is_topic_name_rejects_wildcards_and_nul(topic: str) -> None:
    assert not is_topic_name(topic)


@pytest.mark.parametrize(
    ("version", "limit"), [("7.16.2", 16_384), ("7.17.1", 16_384), ("7.18", 32_768), ("7.24", 32_768)]
)
def test_message_limit_bytes_is_larger_from_7_18(version: str, limit: int) -> None:
    assert message_limit_bytes(version) == limit


def test_retry_delay_s_doubles_up_to_ten() -> None:
    assert [retry_delay_s(failures) for failures in range(7)] == [1, 1, 2, 4, 8, 10, 10]


def test_readable_bytes_of_utf8_become_letters() -> None:
    assert readable("caf\u00c3\u00a9") == "café"
    assert readable("\u00ff") == "\\xff"

"""The topics of the contract."""

from wgmqtt.wire.topics import Topics


def test_topics_are_those_of_the_contract() -> None:
    topics = Topics("wgmqtt/v1", "hub1")
    assert topics.endpoints("berlin") == "wgmqtt/v1/berlin/endpoints"
    assert topics.report("berlin") == "wgmqtt/v1/berlin/report"
    assert topics.online("berlin") == "wgmqtt/v1/berlin/online"
    assert topics.hub_online == "wgmqtt/v1/hub/hub1/online"

"""The configuration, looked up by name, by key and by link."""

from collections.abc import Mapping
from dataclasses import dataclass

from wgmqtt.model import Config, Link, PublicKey, Router
from wgmqtt.wire.topics import Topics, topics_of


@dataclass(frozen=True, slots=True)
class Directory:
    """The configured routers and their links. Made once per configuration by `make_directory`."""

    config: Config
    topics: Topics
    by_name: Mapping[str, Router]
    by_key: Mapping[PublicKey, Router]
    links_of: Mapping[str, tuple[Link, ...]]

    def around(self, name: str) -> tuple[str, ...]:
        """Return the router itself and every router linked to it: those whose tables mention it."""
        return (name, *(link.other(name) for link in self.links_of[name]))


def make_directory(config: Config) -> Directory:
    """Return the look-ups for `config`; links are ordered by name, so that a table is the same every time."""
    links_of: dict[str, list[Link]] = {router.name: [] for router in config.routers}
    for link in sorted(config.links):
        links_of[link.first].append(link)
        links_of[link.second].append(link)
    return Directory(
        config=config,
        topics=topics_of(config),
        by_name={router.name: router for router in config.routers},
        by_key={router.key: router for router in config.routers},
        links_of={name: tuple(links) for name, links in links_of.items()},
    )

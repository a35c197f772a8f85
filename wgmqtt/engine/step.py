"""What one step collects: its effects, and who is owed a table at its end."""

from dataclasses import dataclass, field

from wgmqtt.engine.effects import Effect
from wgmqtt.engine.events import Now
from wgmqtt.logline import Level, Phrase, say, say_at
from wgmqtt.model import Link


@dataclass(slots=True)
class Step:
    """The handling of one event. Decisions add to it; `outbox.settle` publishes once at its end."""

    now: Now
    effects: list[Effect] = field(default_factory=list)
    tables: set[str] = field(default_factory=set)
    """Routers whose table may differ from what the broker has."""
    kicks: set[Link] = field(default_factory=set)
    """Links on which both ends are asked to send although no table differs."""

    def do(self, *effects: Effect) -> None:
        """Add effects."""
        self.effects.extend(effects)

    def say(self, phrase: Phrase, /, **fields: object) -> None:
        """Add a log line."""
        self.effects.append(say(phrase, **fields))

    def say_at(self, level: Level, phrase: Phrase, /, **fields: object) -> None:
        """Add a log line at another level than its phrase has."""
        self.effects.append(say_at(level, phrase, **fields))

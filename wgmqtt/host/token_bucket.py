"""A budget that refills with time: for CPU time, messages and log lines that others cause."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class TokenBucket:
    """A budget that fills at `rate` per second up to `burst`; a single charge may overdraw it."""

    rate: float
    burst: float
    now_s: float
    left: float = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.burst

    def wait_s(self, now_s: float) -> float:
        """Return how long nothing may be spent from `now_s` on; 0 if it may be now."""
        self.left = min(self.burst, self.left + (now_s - self.now_s) * self.rate)
        self.now_s = now_s
        return max(0.0, -self.left / self.rate)

    def charge(self, spent: float) -> None:
        """Take what was spent."""
        self.left -= spent

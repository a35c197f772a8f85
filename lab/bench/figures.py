"""Figures: the median, 99th percentile and maximum of many samples, always with their number."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

ENOUGH_FOR_P99 = 100  # with fewer samples the 99th percentile is the maximum
OURS = "wgmqtt"


@dataclass(frozen=True, slots=True)
class Figure:
    """The result of one metric of one subject; `p99` is None if there are too few samples."""

    bench: str
    subject: str
    peers: int
    metric: str
    unit: str
    n: int
    median: float
    p99: float | None
    max: float


@dataclass(frozen=True, slots=True)
class Series:
    """The samples of one metric of one subject."""

    bench: str
    subject: str
    peers: int
    metric: str
    unit: str
    samples: Sequence[float]

    def figure(self) -> Figure:
        """Return the figure; raise ValueError if there is no sample."""
        if not self.samples:
            raise ValueError(f"{self.bench} {self.subject} {self.metric}: no sample")
        return Figure(
            bench=self.bench,
            subject=self.subject,
            peers=self.peers,
            metric=self.metric,
            unit=self.unit,
            n=len(self.samples),
            median=round(median(self.samples), 3),
            p99=p99_of(self.samples),
            max=round(max(self.samples), 3),
        )


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one benchmark; a failure says why a run gave no sample."""

    figures: list[Figure]
    failures: list[str]


def p99_of(samples: Sequence[float]) -> float | None:
    """Return the 99th percentile by nearest rank, None for fewer than `ENOUGH_FOR_P99` samples."""
    if len(samples) < ENOUGH_FOR_P99:
        return None
    return round(sorted(samples)[math.ceil(0.99 * len(samples)) - 1], 3)


def encode_figures(figures: Sequence[Figure]) -> bytes:
    """Return the figures as JSON: a list with one object per line."""
    lines = ",\n".join(json.dumps(asdict(figure)) for figure in figures)
    return f"[\n{lines}\n]\n".encode() if figures else b"[]\n"


def render_figures(figures: Sequence[Figure]) -> str:
    """Return the figures as a text table; a dash means that there is no p99."""
    head = ("bench", "subject", "peers", "metric", "n", "median", "p99", "max", "unit")
    rows = [head, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join("  ".join(_aligned(row, widths)).rstrip() for row in rows)


def _row(figure: Figure) -> tuple[str, ...]:
    p99 = "-" if figure.p99 is None else f"{figure.p99:.1f}"
    numbers = (str(figure.n), f"{figure.median:.1f}", p99, f"{figure.max:.1f}")
    return (figure.bench, figure.subject, str(figure.peers), figure.metric, *numbers, figure.unit)


def _aligned(row: tuple[str, ...], widths: list[int]) -> list[str]:
    """Align words to the left and numbers to the right."""
    is_word = (True, True, False, True, False, False, False, False, True)
    columns = zip(row, widths, is_word, strict=True)
    return [cell.ljust(width) if left else cell.rjust(width) for cell, width, left in columns]

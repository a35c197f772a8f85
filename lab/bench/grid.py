"""`grid`: two sites behind NATs of all kinds: which links get direct and how soon, and which are marked why not."""

from lab.bench.figures import OURS, Figure, Result, Series
from lab.checks.nat_pairs import SITES, Ending, Row, pairs, run_pairs
from lab.network.shell import LabError

NAME = "grid"
AT_ONCE = 9
QUICK = ("port-restricted / port-restricted", "port-restricted / full-cone", "full-cone / full-cone")


def run(*, quick: bool) -> Result:
    """Run all pairs (`quick`: three that get direct), print a table, and return the times of the direct ones."""
    wanted = [pair for pair in pairs() if not quick or pair.name in QUICK]
    rows, failures, samples = list[Row](), list[str](), dict[str, list[float]]()
    for pair, found in zip(wanted, run_pairs(wanted, AT_ONCE), strict=True):
        if isinstance(found, LabError):
            failures.append(f"{pair.name}: {found}")
            continue
        rows.append(found)
        for metric, ending in (("start_to_direct", found.met), ("move_to_direct", found.moved)):
            if ending.ms is not None:
                samples.setdefault(metric, []).append(ending.ms)
    print(render_rows(rows))
    return Result([figure(metric, each) for metric, each in samples.items()], failures)


def figure(metric: str, samples: list[float]) -> Figure:
    """Return the figure of all pairs that got direct."""
    return Series(NAME, OURS, len(SITES), metric, "ms", samples).figure()


def render_rows(rows: list[Row]) -> str:
    """Return the grid as a text table."""
    lines = [("NAT of site-a / of site-b", "met", "after site-a moved"), *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
    return "\n".join(f"{one:{widths[0]}}  {met:{widths[1]}}  {moved}" for one, met, moved in lines)


def _cells(row: Row) -> tuple[str, str, str]:
    met = "marked" if row.met.reason else "not yet" if row.met == Ending() else str(row.met)
    return row.pair, met, str(row.moved)

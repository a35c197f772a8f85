"""The list of checks that a router's script must pass in the lab, and the order in which they run.

A check takes a running lab and raises LabError if the router does something else than expected. Checks `by hand` need
imported scripts and no daemon. Checks of the `mesh` need sites with a direct path, which the first of them opens.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from lab.checks import script, switch
from lab.testbed.lab import Lab

Stage = Literal["by hand", "mesh"]
STAGES: tuple[Stage, ...] = ("by hand", "mesh")


@dataclass(frozen=True, slots=True)
class Check:
    """One check, and the stage of the lab it needs."""

    stage: Stage
    run: Callable[[Lab], None]

    @property
    def name(self) -> str:
        """Return the name as shown to people."""
        return self.run.__name__.replace("_", " ")


CHECKS: Sequence[Check] = (
    Check("by hand", script.table_is_applied),
    Check("by hand", script.same_table_is_left_alone),
    Check("by hand", script.kick_is_followed),
    Check("by hand", script.missing_address_changes_nothing),
    Check("by hand", script.later_end_waits_to_set),
    Check("by hand", script.later_end_waits_to_send),
    Check("by hand", script.newer_table_wins_over_an_older_one),
    Check("by hand", script.hostile_lines_change_nothing),
    Check("by hand", script.rejected_tables_change_nothing),
    Check("by hand", script.peer_of_another_interface_is_left_alone),
    Check("mesh", switch.sites_meet),
    Check("mesh", switch.moved_site_is_followed),
    Check("mesh", switch.replayed_table_writes_nothing),
    Check("mesh", switch.both_moved_meet_again),
    Check("mesh", switch.roamed_peer_is_kept),
    Check("mesh", switch.silent_roamed_peer_is_set),
    Check("mesh", switch.silent_stray_is_set_again),
)


def named(name: str) -> Check:
    """Return the check of this name; raises KeyError."""
    return {check.name: check for check in CHECKS}[name]


def arranged(first: str = "") -> list[list[Check]]:
    """Return the checks of each stage, with the check named `first` as early as possible."""
    stages = [[check for check in CHECKS if check.stage == stage] for stage in STAGES]
    if not first:
        return stages
    wanted = named(first)
    stages.sort(key=lambda checks: wanted not in checks)
    # The other checks of the mesh need sites that have met.
    fixed = 1 if wanted.stage == "mesh" else 0
    stages[0][fixed:] = sorted(stages[0][fixed:], key=lambda check: check != wanted)
    return stages

"""The emitted handler with every answer to every open question: all cases with all positions of all switches.

Most expectations hold for all answers; the others name the switch on which they depend.
"""

from itertools import product

import pytest

from lab.fuzz.handler_rig import Outcome, Rig, entry, peer, place_of, script_for, table, with_reality
from lab.fuzz.runner import LANGUAGE_POSITIONS, PEERS, POSITIONS
from lab.routeros.models.device import Place
from lab.routeros.switches import Switches, parse_switches

NEW: dict[int, Place] = {number: place_of(number, 2000) for number in range(1, 6)}
PERMISSIONS = ("all", "no-test", "refuse-hook")
OTHER = [name for name in POSITIONS if name != "hook_permissions"]
ALL = [
    dict(zip(OTHER, chosen, strict=True)) | {"hook_permissions": permissions}
    for permissions in PERMISSIONS
    for chosen in product(*(POSITIONS[name] for name in OTHER))
]
# Peers: live and moved; roamed, answers; roamed, dead, kicked; never connected, has to wait; dead.
TABLE = table(
    entry(1, NEW[1], kick=True),
    entry(2, NEW[2]),
    entry(3, place_of(3), kick=True),
    entry(4, NEW[4], after_ms=450, kick=True),
    entry(5, place_of(5)),
)


def outcome_with(positions: dict[str, str]) -> tuple[Rig, Outcome]:
    rig = Rig(*PEERS, switches=parse_switches([f"{name}={position}" for name, position in positions.items()]))
    return rig, rig.get(TABLE)


def test_all_positions_are_tried() -> None:
    known = {"hook_permissions", "iot_listed_not_installed", "imported_name", *OTHER, *LANGUAGE_POSITIONS}
    assert known == set(Switches.__dataclass_fields__)
    assert len(ALL) == 3 * 2 * 2 * 2 * 2 * 3 * 3


@pytest.mark.parametrize("permissions", PERMISSIONS)
def test_every_answer_leads_to_the_same_endpoints_and_a_replay_writes_nothing(permissions: str) -> None:
    for positions in (each for each in ALL if each["hook_permissions"] == permissions):
        rig, outcome = outcome_with(positions)
        if permissions == "refuse-hook":
            assert outcome.errors == ["not enough permissions (9)"], positions
            assert (outcome.sets, outcome.payloads) == ([], []), positions
            continue
        assert outcome.errors == [], positions
        kept = permissions == "all"  # without ping a roamed peer cannot be probed
        assert outcome.did == {1: "set", 2: "kept" if kept else "set", 3: "reapplied", 4: "set", 5: "same"}, positions
        assert [report.stage for report in outcome.reports] == ["applied", "final"], positions
        assert rig.configured(1) == rig.current(1) == NEW[1], positions
        assert rig.configured(2) == (place_of(2) if kept else NEW[2]), positions
        assert rig.configured(3) == rig.current(3) == place_of(3), positions
        assert rig.configured(4) == rig.current(4) == NEW[4], positions
        assert rig.configured(5) == rig.current(5) == place_of(5), positions
        late = [each.ms for each in outcome.sets if each.number == 4]
        assert late[0] >= 450, positions
        writes = 3 if positions["same_endpoint_ignored"] == "yes" and positions["same_endpoint_disturbs"] == "no" else 1
        assert len([each for each in outcome.sets if each.number == 3]) == writes, positions
        again = rig.get(TABLE)
        assert (again.sets, again.errors) == ([], []), positions


@pytest.mark.parametrize(
    ("name", "position"), [(name, position) for name in LANGUAGE_POSITIONS for position in LANGUAGE_POSITIONS[name]]
)
@pytest.mark.parametrize("permissions", ["all", "no-test"])
def test_every_position_of_a_language_switch_leads_to_the_same_outcome(
    name: str, position: str, permissions: str
) -> None:
    _, usual = outcome_with({"hook_permissions": permissions})
    _, outcome = outcome_with({"hook_permissions": permissions, name: position})
    assert outcome == usual


@pytest.mark.parametrize("payload", [TABLE, table(), table(entry(1, place_of(1)))], ids=["busy", "empty", "idle"])
def test_every_last_report_tells_whether_the_handler_may_ping(payload: bytes) -> None:
    """Even if there was nothing to send: the first table after an import shows what a hook may do."""
    for permissions, caps in (("all", ("ping",)), ("no-test", ())):
        rig = Rig(*PEERS, switches=parse_switches([f"hook_permissions={permissions}"]))
        assert rig.get(payload).reports[-1].caps == caps


def test_script_without_ping_sets_and_reports_where_the_hook_would_be_refused() -> None:
    switches = Switches(hook_permissions="refuse-hook")
    without = script_for(1, (7, 20), may_ping=False)
    rig = Rig(with_reality(peer(1), NEW[1]), switches=switches, edit_script=lambda _: without)
    outcome = rig.get(table(entry(1, NEW[1], kick=True)))
    assert (outcome.places, outcome.pings, outcome.errors) == ([(1, NEW[1])], [], [])
    assert [report.stage for report in outcome.reports] == ["applied", "final"]
    assert outcome.reports[-1].caps == ()

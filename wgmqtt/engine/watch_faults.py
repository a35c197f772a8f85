"""Whether WireGuard can be polled and hints arrive: warned of once, when it stops."""

from wgmqtt import phrases
from wgmqtt.engine.events import HintsActive, HintsUnavailable, InterfaceFailed
from wgmqtt.engine.state import State, Trouble
from wgmqtt.engine.step import Step


def interface_failed(state: State, step: Step, event: InterfaceFailed) -> None:
    """Warn once that an interface cannot be polled; what is known of its peers stays."""
    if event.interface not in state.failed_interfaces:
        state.failed_interfaces.add(event.interface)
        step.say(phrases.INTERFACE_UNREADABLE, interface=event.interface, reason=event.reason)


def interface_polled(state: State, step: Step, interface: str) -> None:
    """Report that an interface can be polled again, if it could not."""
    if interface in state.failed_interfaces:
        state.failed_interfaces.discard(interface)
        step.say(phrases.INTERFACE_READABLE, interface=interface)


def hints_active(state: State, step: Step, event: HintsActive) -> None:
    """Report that hints arrive from now on."""
    state.troubles.discard(Trouble.HINTS)
    state.are_hints_active = True
    step.say(phrases.HINTS_ACTIVE, table=event.table, group=event.group, owned=str(event.is_owned).lower())


def hints_unavailable(state: State, step: Step, event: HintsUnavailable) -> None:
    """Warn once that there are no hints."""
    state.are_hints_active = False
    if Trouble.HINTS not in state.troubles:
        state.troubles.add(Trouble.HINTS)
        step.say(phrases.HINTS_UNAVAILABLE, reason=event.reason)

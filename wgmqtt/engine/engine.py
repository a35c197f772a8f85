"""The engine: takes one event at a time and returns what is to be done. It does nothing by itself."""

from typing import Protocol

from wgmqtt.engine import (
    conflicts,
    damping,
    endpoints,
    healing,
    links,
    outbox,
    rejected_packets,
    reload,
    report_polling,
    reports,
    session,
    stale_sessions,
    status,
    watch_faults,
)
from wgmqtt.engine.directory import make_directory
from wgmqtt.engine.effects import Effect, WakeAt
from wgmqtt.engine.events import (
    Acked,
    BrokerDown,
    BrokerEvent,
    BrokerUp,
    Event,
    FreezeChecked,
    HintsActive,
    HintsUnavailable,
    HubMessage,
    InterfaceFailed,
    Now,
    PacketsRejected,
    PeersPolled,
    ProcessEvent,
    ReadBack,
    Reconfigured,
    Reported,
    TableOverwritten,
    WatchEvent,
    Woken,
)
from wgmqtt.engine.state import RouterRecord, State
from wgmqtt.engine.step import Step
from wgmqtt.model import Config

IDLE_WAKE_S = 60.0


class Timed(Protocol):
    """A decision with deadlines: a module that says when it must act, and acts on what is due."""

    def next_s(self, state: State) -> float:
        """Return the next deadline in monotonic seconds; infinity if there is none."""

    def on_deadline(self, state: State, step: Step) -> None:
        """Act on the deadlines that have passed; nothing happens if none has."""


# The session is first: what the others find due is published only if the session is still ready after its own deadline.
TIMED: tuple[Timed, ...] = (session, damping, outbox, healing, conflicts, links, stale_sessions, report_polling, status)


class Engine:
    """All decisions of the daemon. Its first Woken opens the connection to the broker."""

    def __init__(self, config: Config, instance: str, *, script: str = "", is_dry: bool = False) -> None:
        """Start with nothing known.

        Args:
            config: A valid configuration.
            instance: A random name of this process.
            script: The version and hash that routers with the current script report.
            is_dry: Publish nothing, and do not take part in the writer election.
        """
        directory = make_directory(config)
        routers = {router.name: RouterRecord(router) for router in config.routers}
        self.state = State(directory, instance, script, is_dry, routers=routers)

    @property
    def is_active(self) -> bool:
        """Return whether this daemon publishes for its hub."""
        return self.state.session.phase == "ready"

    def awaited_keys(self) -> frozenset[bytes]:
        """Return the public keys of the routers whose next sign of life is of interest."""
        return frozenset(self.state.awaited)

    def handle(self, event: Event, now: Now) -> list[Effect]:
        """Handle one event, and return what is to be done. The last effect is always a WakeAt."""
        step = Step(now)
        if isinstance(event, WatchEvent):
            self._handle_watch(event, step)
        elif isinstance(event, ProcessEvent):
            self._handle_process(event, step)
        elif session.is_current(self.state, event):
            self._handle_broker(event, step)
        outbox.settle(self.state, step)
        status.plan(self.state, step)
        step.do(WakeAt(min(now.mono_s + IDLE_WAKE_S, *(timed.next_s(self.state) for timed in TIMED))))
        return step.effects

    def _handle_watch(self, event: WatchEvent, step: Step) -> None:
        match event:
            case PeersPolled():
                endpoints.peers_polled(self.state, step, event)
            case InterfaceFailed():
                watch_faults.interface_failed(self.state, step, event)
            case PacketsRejected():
                rejected_packets.packets_rejected(self.state, step, event)
            case HintsActive():
                watch_faults.hints_active(self.state, step, event)
            case HintsUnavailable():
                watch_faults.hints_unavailable(self.state, step, event)

    def _handle_broker(self, event: BrokerEvent, step: Step) -> None:
        match event:
            case BrokerUp():
                session.broker_up(self.state, step)
            case BrokerDown():
                session.broker_down(self.state, step, event)
            case ReadBack():
                session.read_back(self.state, step, event)
            case HubMessage():
                session.hub_message(self.state, step, event)
            case Acked():
                outbox.acked(self.state, step, event)
            case TableOverwritten():
                healing.overwritten(self.state, step, event)
            case Reported():
                reports.reported(self.state, step, event)

    def _handle_process(self, event: ProcessEvent, step: Step) -> None:
        match event:
            case Woken():
                for timed in TIMED:
                    timed.on_deadline(self.state, step)
            case FreezeChecked():
                session.freeze_checked(self.state, step, event)
            case Reconfigured():
                reload.apply(self.state, step, make_directory(event.config))
                session.advance(self.state, step, session.Signal("renew"))

"""What becomes of a supervisor who monitors a talk. Whatever does, caller and agent stay as they are: `monitors`."""

from orchestrator.domain.contacts import transferring
from orchestrator.domain.contacts.commands import (
    AcceptAtDesk,
    Command,
    NoteAnswered,
    NoteDelivered,
    NoteLegGone,
    RejectAtDesk,
    TakeOver,
    WithdrawOffer,
)
from orchestrator.domain.contacts.contacts import AgentSegmentEnded, Contact, HangUpRequested
from orchestrator.domain.contacts.monitor_commands import (
    EndMonitor,
    ExpireMonitor,
    Monitor,
    MonitorAgain,
    Monitoring,
    NoteMonitor,
)
from orchestrator.domain.contacts.monitor_events import (
    MonitorAnswered,
    MonitorAsked,
    MonitorBegun,
    MonitorClosed,
    MonitorDelivered,
    MonitorExtended,
    MonitorModeAsked,
    TalkTakenOver,
)
from orchestrator.domain.contacts.monitors import Monitor as State
from orchestrator.domain.kernel import Event, Refused

Events = tuple[Event, ...]

NO_ANSWER = "NO_ANSWER"


def decide(contact: Contact, command: Monitoring | TakeOver) -> Events:
    """The events that follow. Raises `Refused`: not_talking, monitored, not_monitoring, not_answered, on_hold,
    consulting.
    """
    if isinstance(command, Monitor):
        return _asked(contact, command)
    monitor = contact.monitor
    if isinstance(command, EndMonitor | TakeOver):
        if monitor is None or monitor.reservation.shift_id != command.shift_id:
            raise Refused("not_monitoring", "You do not listen to this call, or not any more.")
        return closed(monitor, "cancelled") if isinstance(command, EndMonitor) else _taken_over(contact, command)
    if monitor is None:
        return ()
    match command:
        case NoteMonitor() if command.leg == monitor.leg and monitor.answered:
            if command.cause:
                return closed(monitor, "failed", command.cause)
            if command.mode == monitor.wish:
                return (MonitorBegun(monitor_id=monitor.monitor_id, mode=command.mode),)
        case MonitorAgain() if monitor.answered and monitor.wish:
            return (MonitorExtended(monitor_id=monitor.monitor_id, until=command.begin_by, cause="told_again"),)
        case ExpireMonitor() if monitor.due and monitor.due <= command.now:
            return _late(monitor, command)
    return ()


def _asked(contact: Contact, command: Monitor) -> Events:
    segment, monitor = contact.segment, contact.monitor
    if segment is None or contact.status == "leaving":
        raise Refused("not_talking", "No agent talks in this call now; look at the list again.")
    if monitor is None:
        return (
            MonitorAsked(
                monitor_id=command.monitor_id,
                segment_id=segment.segment_id,
                reservation=command.reservation,
                mode=command.mode,
                reason=command.reason,
                answer_by=command.answer_by,
                shown=command.shown,
            ),
        )
    if monitor.reservation.shift_id != command.reservation.shift_id:
        raise Refused("monitored", "Another supervisor listens to this call already; one at a time may.")
    if monitor.wanted == command.mode:
        return ()
    return (
        MonitorModeAsked(
            monitor_id=monitor.monitor_id, mode=command.mode, reason=command.reason, begin_by=command.begin_by
        ),
    )


def _taken_over(contact: Contact, command: TakeOver) -> Events:
    monitor, segment = contact.monitor, contact.segment
    if monitor is None or segment is None:
        return ()
    if not monitor.answered:
        raise Refused("not_answered", "Pick up your phone first; then take the call over.")
    if contact.consult is not None:
        raise Refused("consulting", "The agent asks somebody about the caller; take the call over after that.")
    if contact.status != "connected" or segment.wish:
        raise Refused("on_hold", "The caller is on hold; take the call over once they talk again.")
    taken = TalkTakenOver(
        monitor_id=monitor.monitor_id,
        segment_id=segment.segment_id,
        shift_id=monitor.reservation.shift_id,
        agent_id=monitor.reservation.agent_id,
        reason=command.reason,
        tape=segment.taped_as if command.keeps_tape else "",
    )
    return (taken, *transferring.taken_over(contact, segment, monitor, command))


def of_monitor(monitor: State, command: Command) -> Events | None:
    """The events, where the command concerns whoever monitors; None where it does not."""
    held = monitor.reservation
    match command:
        case NoteDelivered() if command.leg == held.leg:
            known = monitor.delivered or monitor.answered
            return () if known else (MonitorDelivered(monitor_id=monitor.monitor_id),)
        case NoteAnswered() if command.leg == held.leg:
            if monitor.answered:
                return ()
            return (MonitorAnswered(monitor_id=monitor.monitor_id, begin_by=command.connect_by),)
        case AcceptAtDesk() if command.shift_id == held.shift_id:
            return ()  # the phone has been asked to answer by itself
        case RejectAtDesk() if command.shift_id == held.shift_id:
            return closed(monitor, "cancelled")
        case WithdrawOffer() if command.shift_id == held.shift_id:
            return closed(monitor, "left", command.cause)
    return None


def leg_gone(monitor: State, command: NoteLegGone) -> Events:
    """Whoever monitors has hung up, or never picked up: nobody else is touched by it."""
    return closed(monitor, "left" if monitor.answered else "missed", command.cause)


def closed(monitor: State, outcome: str, cause: str = "") -> Events:
    """Nobody monitors any more."""
    return (MonitorClosed(monitor_id=monitor.monitor_id, outcome=outcome, cause=cause[:100]),)


def with_the_talk(contact: Contact, events: Events) -> Events:
    """The events, with the end of monitoring right before that of the talk, if it has not ended in another way. Not
    sooner: whoever is passed on is parked, and their recording ended, before any leg is hung up.
    """
    if contact.monitor is None:
        return events
    ends = (at for at, event in enumerate(events) if isinstance(event, AgentSegmentEnded | HangUpRequested))
    end = next(ends, None)
    if end is None:
        return events
    if any(isinstance(event, MonitorClosed | TalkTakenOver) for event in events):
        return events
    return (*events[:end], *closed(contact.monitor, "talk_over"), *events[end:])


def _late(monitor: State, command: ExpireMonitor) -> Events:
    """Not answered, or not taken, in time. A switch that cannot be asked may have done it all the same."""
    if command.blameless == "node_down":
        return (MonitorExtended(monitor_id=monitor.monitor_id, until=command.again_at, cause="node_down"),)
    if not monitor.answered:
        return closed(monitor, "missed", NO_ANSWER)
    if not monitor.doubted:
        return (MonitorExtended(monitor_id=monitor.monitor_id, until=command.again_at, cause="told_again"),)
    return closed(monitor, "failed", "not_begun_in_time")

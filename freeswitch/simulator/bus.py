"""News of the switch: events are drawn (they get their number), and fired (they are told), not always in that order."""

from collections.abc import Container
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from time import gmtime, strftime
from typing import Final, TypeAlias

from freeswitch.simulator.options import Options
from freeswitch.simulator.timeline import MILLISECOND, SECOND, Timeline

Header: TypeAlias = str | list[str]
Headers: TypeAlias = dict[str, Header]

_CLOCK_STEP: Final = 20 * MILLISECOND
"""The switch's own clock for events ticks in steps of 20 ms; it is a little late by a few µs that never change."""

# Where the switch's source says that it makes each event. Programs that read file or line do not deserve better.
_MADE_BY: Final[dict[str, tuple[str, str]]] = {
    "API": ("switch_loadable_module.c", "switch_api_execute"),
    "BACKGROUND_JOB": ("mod_event_socket.c", "api_exec"),
    "CALL_UPDATE": ("switch_channel.c", "switch_channel_flip_cid"),
    "CHANNEL_ANSWER": ("switch_channel.c", "switch_channel_perform_mark_answered"),
    "CHANNEL_BRIDGE": ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge"),
    "CHANNEL_CALLSTATE": ("switch_channel.c", "switch_channel_perform_set_callstate"),
    "CHANNEL_CREATE": ("switch_core_state_machine.c", "switch_core_session_run"),
    "CHANNEL_DATA": ("mod_commands.c", "uuid_dump_function"),
    "CHANNEL_DESTROY": ("switch_core_session.c", "switch_core_session_perform_destroy"),
    "CHANNEL_EXECUTE": ("switch_core_session.c", "switch_core_session_exec"),
    "CHANNEL_EXECUTE_COMPLETE": ("switch_core_session.c", "switch_core_session_exec"),
    "CHANNEL_HANGUP": ("switch_channel.c", "switch_channel_perform_hangup"),
    "CHANNEL_HANGUP_COMPLETE": ("switch_core_state_machine.c", "switch_core_session_reporting_state"),
    "CHANNEL_HOLD": ("switch_ivr.c", "switch_ivr_hold"),
    "CHANNEL_ORIGINATE": ("switch_core_state_machine.c", "switch_core_session_run"),
    "CHANNEL_OUTGOING": ("switch_core_session.c", "switch_core_session_outgoing_channel"),
    "CHANNEL_PARK": ("switch_ivr.c", "switch_ivr_park"),
    "CHANNEL_PROGRESS": ("switch_channel.c", "switch_channel_perform_mark_ring_ready_value"),
    "CHANNEL_PROGRESS_MEDIA": ("switch_channel.c", "switch_channel_perform_mark_pre_answered"),
    "CHANNEL_STATE": ("switch_channel.c", "switch_channel_perform_set_running_state"),
    "CHANNEL_UNBRIDGE": ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge"),
    "CHANNEL_UNHOLD": ("switch_ivr.c", "switch_ivr_unhold"),
    "CHANNEL_UNPARK": ("switch_ivr.c", "switch_ivr_park"),
    "CODEC": ("switch_core_codec.c", "switch_core_session_set_real_read_codec"),
    "DTMF": ("switch_channel.c", "switch_channel_dequeue_dtmf"),
    "HEARTBEAT": ("switch_core.c", "send_heartbeat"),
    "MEDIA_BUG_START": ("switch_core_media_bug.c", "switch_core_media_bug_add"),
    "MEDIA_BUG_STOP": ("switch_core_media_bug.c", "switch_core_media_bug_destroy"),
    "PLAYBACK_START": ("switch_ivr_play_say.c", "switch_ivr_play_file"),
    "PLAYBACK_STOP": ("switch_ivr_play_say.c", "switch_ivr_play_file"),
    "PRESENCE_IN": ("switch_channel.c", "switch_channel_perform_presence"),
    "PRIVATE_COMMAND": ("switch_ivr.c", "switch_ivr_parse_next_event"),
    "RECORD_START": ("switch_ivr_async.c", "record_callback"),
    "RECORD_STOP": ("switch_ivr_async.c", "send_record_stop_event"),
    "RELOADXML": ("switch_xml.c", "switch_xml_reload"),
    "RE_SCHEDULE": ("switch_scheduler.c", "switch_scheduler_execute"),
    "SHUTDOWN": ("switch_core.c", "switch_core_destroy"),
}


class Event:
    """One event as every client gets it. `wire` keeps what it looks like in each format, once asked for."""

    __slots__ = ("body", "headers", "lane", "name", "subclass", "wire")

    def __init__(self, name: str, subclass: str, headers: Headers, body: str, lane: str) -> None:
        self.name = name
        self.subclass = subclass
        self.headers = headers
        self.body = body
        self.lane = lane
        self.wire: dict[str, bytes] = {}

    def get(self, header: str) -> str:
        """One header as text, empty where there is none."""
        value = self.headers.get(header, "")
        return value if isinstance(value, str) else value[0]

    def __repr__(self) -> str:
        return f"<{self.name} {self.subclass} {self.get('Unique-ID')} #{self.get('Event-Sequence')}>"


@dataclass(slots=True)
class EventFault:
    """What is to go wrong with events: `drop`, `double`, `delay` or `reorder` those that match, `count` times.

    An empty `event` or `leg` matches all; `event` may also be a subclass such as `sofia::register`. A negative count
    means for ever. `delay_ms` holds one event back and, as a leg's events keep their order, those of its leg behind
    it; `reorder` holds back this one alone.
    """

    kind: str
    event: str = ""
    leg: str = ""
    job: str = ""
    count: int = 1
    delay_ms: int = 200
    probability: float = 1.0


@dataclass(slots=True)
class Bus:
    """Numbers events, keeps each leg's events in order, lets those of different legs overtake each other."""

    timeline: Timeline
    random: Random
    options: Options
    core_uuid: str
    interest: Container[str] | None = None
    """Names (and CUSTOM subclasses) that anybody listens to; None is all. Others burn their number and are not made."""
    sequence: int = 500
    faults: list[EventFault] = field(default_factory=list)
    muted: set[str] = field(default_factory=set)
    """Legs of which nothing is told any more."""
    told: int = 0
    _lanes: dict[str, int] = field(default_factory=dict)
    _flying: list[tuple[int, int, Event]] = field(default_factory=list)
    _fired: int = 0
    _second: int = -1
    _stamp: tuple[str, str] = ("", "")

    def burn(self, numbers: int = 1) -> None:
        """Numbers drawn for events that never become news, e.g. the parameters of a look-up."""
        self.sequence += numbers

    def head(self, name: str) -> Headers:
        """The headers that every event begins with, and the next number."""
        self.sequence += 1
        now = self.timeline.now - self.timeline.now % _CLOCK_STEP
        second = now // SECOND
        if second != self._second:
            then = gmtime(second)
            self._second = second
            self._stamp = (strftime("%Y-%m-%d %H:%M:%S", then), strftime("%a, %d %b %Y %H:%M:%S GMT", then))
        file, function = _MADE_BY.get(name, ("switch_event.c", "switch_event_create"))
        options = self.options
        return {
            "Event-Name": name,
            "Core-UUID": self.core_uuid,
            "FreeSWITCH-Hostname": options.hostname,
            "FreeSWITCH-Switchname": options.switchname,
            "FreeSWITCH-IPv4": options.ipv4,
            "FreeSWITCH-IPv6": options.ipv6,
            "Event-Date-Local": self._stamp[0],
            "Event-Date-GMT": self._stamp[1],
            "Event-Date-Timestamp": str(now),
            "Event-Calling-File": file,
            "Event-Calling-Function": function,
            "Event-Calling-Line-Number": "1000",
            "Event-Sequence": str(self.sequence),
        }

    def draw(self, name: str, headers: Headers, *, subclass: str = "", body: str = "", lane: str = "") -> Event | None:
        """Make an event now, to be fired later. None when nobody listens; its number is gone all the same."""
        if self.options.burn and self.random.random() < self.options.burn:
            self.sequence += 1
        if self.interest is not None and name not in self.interest:
            self.sequence += 1
            return None
        head = self.head(name)
        if subclass:
            head = {"Event-Subclass": subclass, **head}
        if body:
            return Event(name, subclass, {**head, **headers, "Content-Length": str(len(body.encode()))}, body, lane)
        return Event(name, subclass, {**head, **headers}, body, lane)

    def fire(self, event: Event | None) -> None:
        """Let an event be told: now, a little later, or as the faults want it."""
        if event is None or event.lane in self.muted:
            return
        self._fired += 1
        if self.faults and self._spoil(event):
            return
        self._fly(event, self.timeline.now)

    def emit(self, name: str, headers: Headers, *, subclass: str = "", body: str = "", lane: str = "") -> None:
        """Draw and fire."""
        self.fire(self.draw(name, headers, subclass=subclass, body=body, lane=lane))

    def take(self) -> list[Event]:
        """What is told by now, oldest first."""
        flying = self._flying
        now = self.timeline.now
        taken = []
        while flying and flying[0][0] <= now:
            taken.append(heappop(flying)[2])
        self.told += len(taken)
        return taken

    def next_due(self) -> int | None:
        return self._flying[0][0] if self._flying else None

    def forget(self, lane: str) -> None:
        """The leg is gone: nothing more will come on its lane."""
        self._lanes.pop(lane, None)

    def _fly(self, event: Event, due: int) -> None:
        if event.lane:
            spread = self.options.spread_us
            if spread:
                due += int(self.random.random() * spread)
            due = self._lanes[event.lane] = max(due, self._lanes.get(event.lane, 0))
        heappush(self._flying, (due, self._fired, event))

    def _spoil(self, event: Event) -> bool:
        """Apply the first fault that matches; true when the event needs no further telling."""
        for fault in self.faults:
            if fault.event and fault.event not in {event.name, event.subclass}:
                continue
            if fault.leg and fault.leg != event.lane:
                continue
            if fault.job and fault.job != event.get("Job-UUID"):
                continue
            if fault.probability < 1.0 and self.random.random() >= fault.probability:
                continue
            fault.count -= 1
            if fault.count == 0:
                self.faults.remove(fault)
            match fault.kind:
                case "double":
                    self._fly(event, self.timeline.now)
                    self._fired += 1
                    self._fly(event, self.timeline.now)
                case "delay":
                    self._fly(event, self.timeline.now + fault.delay_ms * MILLISECOND)
                case "reorder":
                    heappush(self._flying, (self.timeline.now + fault.delay_ms * MILLISECOND, self._fired, event))
                case _:  # drop
                    pass
            return True
        return False

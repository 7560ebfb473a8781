"""One leg as the switch keeps it: its states, its headers, its variables. Data only; `life` makes it move."""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from freeswitch.simulator.bus import Header, Headers
from freeswitch.simulator.timeline import Thread

if TYPE_CHECKING:
    from freeswitch.simulator.people import Party
    from freeswitch.simulator.recording import Recording

STATES: Final[dict[str, int]] = {
    "CS_NEW": 0,
    "CS_INIT": 1,
    "CS_ROUTING": 2,
    "CS_SOFT_EXECUTE": 3,
    "CS_EXECUTE": 4,
    "CS_EXCHANGE_MEDIA": 5,
    "CS_PARK": 6,
    "CS_CONSUME_MEDIA": 7,
    "CS_HIBERNATE": 8,
    "CS_RESET": 9,
    "CS_HANGUP": 10,
    "CS_REPORTING": 11,
    "CS_DESTROY": 12,
    "CS_NONE": 13,
}
"""The switch's own names and numbers of a channel's states (switch_types.h)."""

_TIMES: Final = (
    "Answered-Time",
    "Progress-Time",
    "Progress-Media-Time",
    "Hangup-Time",
    "Transfer-Time",
    "Resurrect-Time",
    "Bridged-Time",
    "Last-Hold",
    "Hold-Accum",
)


@dataclass(slots=True)
class Private:
    """An instruction waiting for the leg's own thread: what `sendmsg` or a broadcast put into its queue."""

    headers: dict[str, str]
    broadcast: bool = False
    """Whether the switch itself put it there, e.g. music for a held leg's peer."""


class Channel:
    """One leg. `state` is where it is told to go, `running` where it is: its events show both, as the real ones do."""

    def __init__(self, uuid: str, name: str, *, inbound: bool, now: int) -> None:
        self.uuid = uuid
        self.name = name
        self.inbound = inbound
        self.created = now
        self.state = "CS_NEW"
        self.running = "CS_NONE"
        self.callstate = "DOWN"
        self.cause = ""
        self.answered_at = 0
        self.bridged_at = 0
        self.early = False
        self.media = False
        self.transferring = False
        self.redirecting = False
        self.controlled = False
        self.bridge_originator = False
        self.broadcasting = False
        self.stop_broadcast = False
        self.break_flag = False
        self.playing = 0
        """How many files play on it, each begun within the one before."""
        self.event_lock = False
        self.held = False
        self.held_at = 0
        self.left_while_holding = False
        self.hold_total = 0
        self.partner = ""
        """Uuid of the leg that this one is, or is about to be, bridged to."""
        self.exchanging = False
        """Whether media really flows between the two."""
        self.private: deque[Private] = deque()
        self.digits: deque[tuple[str, int, str]] = deque()
        self.actions: deque[tuple[str, str]] = deque()
        self.profile: dict[str, str] = {}
        """Who calls whom, by Caller headers without their prefix; shown once the leg has passed CS_NEW."""
        self.thread: Thread | None = None
        self.party: Party | None = None
        self.recordings: dict[str, Recording] = {}
        self.displaced: dict[str, None] = {}
        self.muted = False
        self.room = ""
        self.inline: tuple[tuple[str, str], ...] = ()
        """What a transfer wants of it instead of the dialplan (the inline dialplan)."""
        self.keys_sent = ""
        """Sounds laid over what it hears."""
        self.overhears = ""
        """The leg whose talk it hears, and how it is heard there: `eavesdropping`."""
        self.heard_as = ""
        self.holders = 0
        self.originator: Thread | None = None
        """The thread of the originate that waits for this leg."""
        self.other: Headers = {}
        self.variables: Headers = {}
        direction = "inbound" if inbound else "outbound"
        self.headers: Headers = {
            "Channel-State": "CS_NEW" if inbound else "CS_NONE",
            "Channel-Call-State": "DOWN",
            "Channel-State-Number": "0" if inbound else "1",
            "Channel-Name": name,
            "Unique-ID": uuid,
            "Call-Direction": direction,
            "Presence-Call-Direction": direction,
            "Channel-HIT-Dialplan": "true" if inbound else "false",
            "Channel-Call-UUID": uuid,
            "Answer-State": "ringing",
        }

    def introduce(self, now: int) -> None:
        """Show who calls whom."""
        direction = "inbound" if self.inbound else "outbound"
        caller: Headers = {"Caller-Direction": direction, "Caller-Logical-Direction": direction}
        caller.update({f"Caller-{name}": value for name, value in self.profile.items() if value})
        caller["Caller-Unique-ID"] = self.uuid
        caller["Caller-Channel-Name"] = self.name
        caller["Caller-Profile-Index"] = "1"
        caller["Caller-Profile-Created-Time"] = str(now)
        caller["Caller-Channel-Created-Time"] = str(now)
        caller.update({f"Caller-Channel-{name}": "0" for name in _TIMES})
        caller["Caller-Screen-Bit"] = "true"
        caller["Caller-Privacy-Hide-Name"] = "false"
        caller["Caller-Privacy-Hide-Number"] = "false"
        self.headers.update(caller)

    # --- states --------------------------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Not hung up."""
        return not self.cause

    @property
    def ready(self) -> bool:
        """Whether an application may go on with it (switch_channel_test_ready)."""
        number = STATES[self.state]
        return 2 < number < 10 and self.state != "CS_RESET" and not self.transferring  # noqa: PLR2004 - see STATES

    @property
    def answered(self) -> bool:
        return bool(self.answered_at)

    @property
    def hears(self) -> bool:
        """Whether sound can be sent to it."""
        return self.early or self.answered

    def go(self, state: str) -> None:
        """Tell it where to go next; its own thread will get there. From a hang-up there is no way back."""
        if STATES[state] < STATES[self.state] and STATES[self.state] >= STATES["CS_HANGUP"]:
            return
        self.state = state
        self.headers["Channel-State-Number"] = str(STATES[state])
        self.wake()

    def arrive(self, state: str) -> None:
        """It is there now."""
        self.running = state
        self.headers["Channel-State"] = state
        self.transferring = False

    def hold_on(self) -> None:
        """Somebody works with this leg: it is not destroyed until it is let go (a session's read lock)."""
        self.holders += 1

    def let_go(self) -> None:
        self.holders -= 1
        self.wake()

    def wake(self) -> None:
        if self.thread is not None:
            self.thread.wake()
        if self.originator is not None:
            self.originator.wake()

    # --- variables -----------------------------------------------------------------------------------------------

    def set(self, name: str, value: Header | None) -> None:
        """Set a channel variable; None or an empty value removes it."""
        if value:
            self.variables[f"variable_{name}"] = value
        else:
            self.variables.pop(f"variable_{name}", None)

    def get(self, name: str) -> str:
        """A channel variable, empty where there is none."""
        value = self.variables.get(f"variable_{name}", "")
        return value if isinstance(value, str) else value[0]

    def true(self, name: str) -> bool:
        return self.get(name).lower() in {"true", "yes", "on", "enable", "t", "1", "enabled", "active", "allow"}

    def push(self, name: str, value: str) -> None:
        """Add a value to the variable's earlier ones (SWITCH_STACK_PUSH); two or more make an array, oldest first."""
        before = self.variables.get(f"variable_{name}")
        if before is None:
            self.variables[f"variable_{name}"] = value
        else:
            self.variables[f"variable_{name}"] = [*([before] if isinstance(before, str) else before), value]

    # --- what events show ----------------------------------------------------------------------------------------

    def caller(self, name: str) -> str:
        value = self.headers.get(f"Caller-{name}", "")
        return value if isinstance(value, str) else value[0]

    def show(self, name: str, value: str) -> None:
        """Change a Caller header; an empty value removes it."""
        if value:
            self.headers[f"Caller-{name}"] = value
        else:
            self.headers.pop(f"Caller-{name}", None)

    def face(self) -> Headers:
        """Its Caller headers as the other leg's events show them."""
        return {
            f"Other-Leg-{key[7:]}": value
            for key, value in self.headers.items()
            if key.startswith("Caller-") and key not in {"Caller-Transfer-Source", "Caller-Profile-Index"}
        }

    def snapshot(self, *, variables: bool = True) -> Headers:
        """What an event of this leg carries, as it is now."""
        return {**self.headers, **self.other, **self.variables} if variables else {**self.headers, **self.other}


@dataclass(slots=True)
class Registry:
    """The legs that live, by uuid, in the order in which they came."""

    legs: dict[str, Channel] = field(default_factory=dict)

    def locate(self, uuid: str) -> Channel | None:
        """The leg if commands still reach it: not once it is hung up (switch_core_session_read_lock)."""
        leg = self.legs.get(uuid)
        return leg if leg is not None and leg.up else None

"""Those at the far ends: what a caller and a phone are told to do, and what the switch lets them know."""

from dataclasses import dataclass
from typing import Final, Protocol

from freeswitch.simulator.channel import Channel

BEHAVIOURS: Final = ("answer", "busy", "reject", "no_answer", "unreachable")
"""What a phone may do with an INVITE: the last one gives no answer at all, not even ringing."""

MOMENTS: Final = ("parked", "answered", "ringing", "agent_answered", "bridged", "held")
"""When a caller may hang up: its own leg parked or answered, an agent's leg for it ringing or answered, or talking."""


@dataclass(slots=True, kw_only=True)
class Phone:
    """An agent's phone. Times are ms; a robot with `talk_ms` hangs up so long after it was bridged."""

    extension: str
    registered: bool = True
    behaviour: str = "answer"
    answer_after_ms: int = 1_000
    talk_ms: int | None = None
    early: bool = False
    """Whether it lets sound be heard before it answers, instead of ringing."""
    obeys_talk: bool = True
    """Whether it answers when it is asked to by NOTIFY (`uuid_phone_event … talk`); many phones do not."""
    sip_status: int = 0
    """With `reject`: the SIP answer, 603 when it is 0."""
    expires_s: int = 300
    lines: int = 4
    """Calls at a time; one more is answered 486."""
    calls: int = 0
    """Calls that it has now."""

    def problem(self) -> str:
        """What is wrong with this phone's script, empty when nothing is."""
        if self.behaviour not in BEHAVIOURS:
            return f"behaviour {self.behaviour!r}: use one of {', '.join(BEHAVIOURS)}"
        if not self.extension:
            return "a phone needs an extension"
        return ""


@dataclass(slots=True, kw_only=True)
class Caller:
    """Somebody who calls. Times are ms; without `patience_ms` it waits for ever, without `talk_ms` it never tires."""

    dialled: str
    number: str = "13800000001"
    name: str = ""
    uuid: str = ""
    """The leg's uuid, made up when empty."""
    patience_ms: int | None = None
    talk_ms: int | None = None
    hang_up_when: str = ""
    """A moment (see MOMENTS) at which it hangs up, `hang_up_after_ms` later."""
    hang_up_after_ms: int = 0

    def problem(self) -> str:
        """What is wrong with this caller's script, empty when nothing is."""
        if self.hang_up_when and self.hang_up_when not in MOMENTS:
            return f"hang_up_when {self.hang_up_when!r}: use one of {', '.join(MOMENTS)}"
        if not self.dialled:
            return "a caller needs a number to dial (`dialled`)"
        return ""


@dataclass(slots=True, kw_only=True)
class Dialling:
    """A phone that dials by itself, with its own account."""

    extension: str
    dialled: str
    number: str = ""
    """Who it says it is; its own extension when empty."""

    def problem(self) -> str:
        """What is wrong with this script, empty when nothing is."""
        return (
            "" if self.extension and self.dialled else "a phone that dials needs an extension and a number (`dialled`)"
        )


class Party(Protocol):
    """Whoever holds the far end of a leg. The switch lets it know what it would hear."""

    def invited(self, leg: Channel) -> None:
        """The phone is called."""

    def parked(self, leg: Channel) -> None:
        """The leg waits for instructions."""

    def answered(self, leg: Channel) -> None:
        """The leg is answered, by itself or by the switch."""

    def bridged(self, leg: Channel) -> None:
        """It hears somebody."""

    def held(self, leg: Channel) -> None:
        """Its peer put it on hold."""

    def asked_to_talk(self, leg: Channel) -> None:
        """The switch asks a ringing phone to answer by itself."""

    def heard_ringing(self, leg: Channel) -> None:
        """Whom it called rings."""

    def ended(self, leg: Channel) -> None:
        """The leg is hung up."""

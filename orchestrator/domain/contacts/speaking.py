"""What of an agent comes through to the other end of a talk: the voice, unless it is muted, and keys of the keypad.

Part of a contact's stream. Written by the runner only; the state is part of the conversation (`Segment`).

                1                  2                  3
    heard ────────────▶ muting ────────────▶ muted ────────────▶ unmuting ──┐
      ▲                    │ 5                                       │ 5    │
      └────────────────────┼──────────────────────4─────────────────┼──────┘
                     (told again with the next link, or the next press)
  1 MuteAsked  2 AgentMuted  3 UnmuteAsked  4 AgentUnmuted  5 MuteFailed

A mute is like the key of a headset: it holds through holds and consultations until the agent takes it off, and ends
with the agent's leg. Digits are secrets of whoever types them: an event says how many, and under a mask not even that.
"""

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.consults import CALLER, CONSULTED, CONSULTING, TOGETHER, consult_leg
from orchestrator.domain.kernel import Event, Refused

if TYPE_CHECKING:
    from orchestrator.domain.contacts.contacts import Contact, Segment

Events = tuple[Event, ...]

# As many as a card number with its date and check digits, and a # behind each. More is no keypad.
MOST_DIGITS: Final = 40
# Who hears an agent that speaks with one of a conference alone.
GUEST: Final = "guest"
KEYS: Final = frozenset("0123456789*#")


# --- events ----------------------------------------------------------------------------------------------------------
class MuteAsked(Event, frozen=True, kw_only=True):
    """The agent wants to be heard by nobody."""

    segment_id: str


class AgentMuted(Event, frozen=True, kw_only=True):
    """The switch says that nobody hears the agent; so does no recording of the talk."""

    segment_id: str


class UnmuteAsked(Event, frozen=True, kw_only=True):
    """The agent wants to be heard again."""

    segment_id: str


class AgentUnmuted(Event, frozen=True, kw_only=True):
    """The switch says that the agent is heard again."""

    segment_id: str


class MuteFailed(Event, frozen=True, kw_only=True):
    """The switch did not do it, or nobody knows. `on`: the agent should be muted; otherwise, heard."""

    segment_id: str
    on: bool
    cause: str


class KeysPressed(Event, frozen=True, kw_only=True):
    """The agent pressed keys for whoever is on the line: `to` the caller, consulted, or a guest with whom they speak
    alone. Which, is nowhere recorded. `count`: how many; 0 while the recording is masked.
    """

    segment_id: str
    to: str
    count: int


OF_VOICE: Final[frozenset[type[Event]]] = frozenset(
    {MuteAsked, AgentMuted, UnmuteAsked, AgentUnmuted, MuteFailed, KeysPressed}
)
"""All of them, by class."""


# --- commands --------------------------------------------------------------------------------------------------------
class Mute(Struct, frozen=True, kw_only=True):
    """Let nobody hear the agent."""

    shift_id: str


class Unmute(Struct, frozen=True, kw_only=True):
    """Let the agent be heard again."""

    shift_id: str


class NoteMuted(Struct, frozen=True, kw_only=True):
    """The switch says of this leg that it is muted (`on`), or heard again."""

    leg: str
    on: bool


class NoteMuteFailed(Struct, frozen=True, kw_only=True):
    """The switch did not do what `on` says to this leg, or nobody knows."""

    leg: str
    on: bool
    cause: str


class PressKeys(Struct, frozen=True, kw_only=True):
    """So many keys are pressed. Which, the command does not say: no decision rests on it."""

    shift_id: str
    count: int


Speaking = Mute | Unmute | NoteMuted | NoteMuteFailed | PressKeys


# --- state -----------------------------------------------------------------------------------------------------------
def evolve(segment: "Segment", event: Event) -> "Segment":
    """The conversation after one more event of the contact. Never raises."""
    if getattr(event, "segment_id", "") != segment.segment_id:
        return segment
    match event:
        case MuteAsked():
            return replace(segment, mute_wish="mute", mute_failed=False)
        case UnmuteAsked():
            return replace(segment, mute_wish="unmute", mute_failed=False)
        case AgentMuted():
            # One that is to be heard again by now is told so behind it.
            wish = "" if segment.mute_wish == "mute" else segment.mute_wish
            return replace(segment, muted=True, mute_wish=wish, mute_failed=False)
        case AgentUnmuted():
            wish = "" if segment.mute_wish == "unmute" else segment.mute_wish
            return replace(segment, muted=False, mute_wish=wish, mute_failed=False)
        case MuteFailed():
            return replace(segment, mute_failed=True)
    return segment


def hearer(contact: "Contact") -> str:
    """Who hears the agent now: caller, consulted, or the guest with whom they speak alone; empty where nobody does."""
    if contact.segment is None:
        return ""
    if contact.status == "connected":
        return "" if contact.segment.wish else CALLER
    consult, aside = contact.consult, contact.aside
    if aside is not None:
        return GUEST if aside.talking else ""
    if contact.status == CONSULTING and consult is not None and not consult.wish:
        # In a room of three keys are for whoever was asked: the menu of a company, say.
        return CONSULTED if consult.hears == TOGETHER else consult.hears
    return ""


def hearers_leg(contact: "Contact") -> str:
    """The leg of whoever hears the agent now; empty where nobody does."""
    guest = contact.aside.leg if contact.aside is not None else ""
    legs = {CALLER: contact.caller_leg, CONSULTED: consult_leg(contact), GUEST: guest}
    return legs.get(hearer(contact), "")


# --- deciding --------------------------------------------------------------------------------------------------------
def decide(contact: "Contact", command: Speaking) -> Events:
    """The events that follow. Raises `Refused`: not_talking, on_hold."""
    segment = contact.segment
    match command:
        case NoteMuted():
            return _noted(segment, command)
        case NoteMuteFailed() if segment is not None and segment.leg == command.leg and segment.mute_wish:
            if command.on != (segment.mute_wish == "mute"):
                return ()  # the agent wants the opposite by now, and is answered for that
            return (MuteFailed(segment_id=segment.segment_id, on=command.on, cause=command.cause),)
        case NoteMuteFailed():
            return ()
    if segment is None or segment.shift_id != command.shift_id:
        raise Refused("not_talking", "You are not in a conversation with this caller any more.")
    if isinstance(command, PressKeys):
        to = hearer(contact)
        if not to:
            raise Refused("on_hold", "Nobody hears you now, so nobody would get the digits; talk again first.")
        masked = contact.recording is not None and contact.recording.hushed
        return (KeysPressed(segment_id=segment.segment_id, to=to, count=0 if masked else command.count),)
    wanted = "mute" if isinstance(command, Mute) else "unmute"
    is_so = segment.muted == (wanted == "mute") if not segment.mute_wish else segment.mute_wish == wanted
    if is_so and not segment.mute_failed:
        return ()
    kind = MuteAsked if isinstance(command, Mute) else UnmuteAsked
    return (kind(segment_id=segment.segment_id),)


def _noted(segment: "Segment | None", command: NoteMuted) -> Events:
    if segment is None or segment.leg != command.leg:
        return ()
    if command.on:
        known = segment.muted and segment.mute_wish != "mute"
        return () if known else (AgentMuted(segment_id=segment.segment_id),)
    known = not segment.muted and segment.mute_wish != "unmute"
    return () if known else (AgentUnmuted(segment_id=segment.segment_id),)

"""What a desk shows of the recording of a conversation, and what its agent may have done with it."""

from msgspec import Struct

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import Instant
from orchestrator.domain.routing.recording import ALWAYS, ON_DEMAND
from orchestrator.domain.world import World
from orchestrator.policies.record import recording_of, rule_for, written


class Tape(Struct, frozen=True, kw_only=True):
    """The recording of one conversation."""

    state: str
    """`off`, `asked` (the switch has not said that it records), `on`, `ending`."""
    mask: str
    """`off`, `asked` (the switch has not said that it writes silence), `on`, `ending`, `failed`."""
    until: Instant
    """When the mask ends by itself."""
    may: frozenset[str]
    """The actions that make sense now."""


def tape_of(world: World, contact: Contact) -> Tape:
    """The recording of this conversation as it is now."""
    recording, rule = recording_of(contact), rule_for(world, contact)
    if recording is None:
        told = bool(written(world, contact))
        may = {"mask_recording"} if told else {"start_recording"} if rule == ON_DEMAND else set()
        return Tape(state="asked" if told else "off", mask="off", until=Instant(0), may=frozenset(may))
    state = "ending" if recording.ending else "on" if recording.begun else "asked"
    masks = {"mask": "asked", "unmask": "ending"}
    mask = "failed" if recording.mask_failed else masks.get(recording.wish, "on" if recording.masked else "off")
    may = {"unmask_recording"} if recording.hushed and recording.wish != "unmask" else {"mask_recording"}
    if state == "ending":
        may = set()
    elif state == "on" and rule != ALWAYS:
        may.add("stop_recording")
    return Tape(state=state, mask=mask, until=recording.mask_until, may=frozenset(may))

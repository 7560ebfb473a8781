"""Voice and keys of an agent in a talk: what is asked for at the desk, and what the switch says of it.

Which keys are pressed goes from the wish straight into the instruction: no event, no tape and no log has them.
"""

from collections.abc import Iterator

from orchestrator.domain.contacts import speaking
from orchestrator.domain.kernel import Refused
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import SendDigits
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids, TellContact
from orchestrator.runner import hands, inputs
from orchestrator.runner.telling import Tell


def ask(
    world: World, shift: Shift, command: inputs.Mute | inputs.Unmute | inputs.SendDigits, ids: Ids
) -> Iterator[Tell]:
    """Mute, unmute, or press these keys. Raises `Refused`."""
    contact = hands.conversation(world, shift, command.about)
    match command:
        case inputs.Mute():
            yield TellContact(contact.contact_id, speaking.Mute(shift_id=shift.shift_id))
        case inputs.Unmute():
            yield TellContact(contact.contact_id, speaking.Unmute(shift_id=shift.shift_id))
        case inputs.SendDigits(digits=digits):
            if not digits or len(digits) > speaking.MOST_DIGITS or not speaking.KEYS.issuperset(digits):
                raise Refused("bad_digits", f"Digits are 1 to {speaking.MOST_DIGITS} of 0 to 9, * and #.")
            if not world.in_step(contact.node):
                raise Refused("switch_away", "The switch of this caller cannot be reached now; try again in a moment.")
            yield TellContact(contact.contact_id, speaking.PressKeys(shift_id=shift.shift_id, count=len(digits)))
            yield SendDigits(
                id=ids.new("digits"),
                node=contact.node,
                leg=speaking.hearers_leg(contact),
                contact=contact.contact_id,
                digits=digits,
            )


def noted(world: World, fact: facts.MuteSet) -> Iterator[TellContact]:
    """The switch says that this leg is muted, or heard again."""
    contact_id = world.contact_of_leg.get(fact.leg)
    if contact_id is not None:
        yield TellContact(contact_id, speaking.NoteMuted(leg=fact.leg, on=fact.on))


def not_done(fact: facts.InstructionSkipped | facts.InstructionFailed, contact_id: str) -> TellContact:
    """The switch did not mute a leg, or not take it off, or nobody knows."""
    cause = fact.answer if isinstance(fact, facts.InstructionFailed) else fact.why
    command = speaking.NoteMuteFailed(leg=fact.leg, on=fact.kind == "MuteLeg", cause=cause)
    return TellContact(contact_id, command)

"""What people ask for over the command socket, checked against what is live."""

from collections.abc import Iterator
from typing import NoReturn

from orchestrator.domain.contacts import commands
from orchestrator.domain.contacts.calling import CANCELLED
from orchestrator.domain.contacts.outward import IN_TURN, to_be_called
from orchestrator.domain.engine import HandoverAsked, HandoverBegun
from orchestrator.domain.kernel import Instant, Refused
from orchestrator.domain.staff import forcing, shifts
from orchestrator.domain.staff.engagements import by_offer
from orchestrator.domain.world import World
from orchestrator.policies import outward
from orchestrator.policies.base import Ids, TellContact, TellShift
from orchestrator.runner import (
    consults,
    dialling,
    draining,
    guests,
    hands,
    inputs,
    keypad,
    monitors,
    parking,
    passing,
    presence,
    stale,
    unattended,
)
from orchestrator.runner.memory import Memory
from orchestrator.runner.telling import AppendEngine, Tell

# A pause reason is a short code of the company's own, such as `break` or `training`.
REASON_LENGTH = 40

EXTENSION_LENGTH = 20

# More time for after-call work in one press: a click too much must not keep an agent away for long.
EXTENSION_MS = (1_000, 600_000)


def on_command(world: World, memory: Memory, command: inputs.DeskCommand, now: Instant, ids: Ids) -> Iterator[Tell]:
    """The commands that a request stands for. Raises `Refused` where what is live does not allow it."""
    match command:
        case inputs.EndAll():
            # Whoever waits first: an agent who comes free finds nobody left to be offered.
            ending = sorted(world.contacts.values(), key=lambda contact: contact.status not in IN_TURN)
            for contact in ending:
                yield TellContact(contact.contact_id, commands.HangUp(reason=_code(command.reason)))
            for shift_id in tuple(world.shifts):
                yield TellShift(shift_id, shifts.SignOut(reason=_code(command.reason)))
        case inputs.DrainNode():
            yield from draining.drain(world, command, _code(command.reason), ids)
        case inputs.UndrainNode():
            yield from draining.undrain(world, command, ids)
        case inputs.HandOver(ahead=True):
            yield AppendEngine((HandoverAsked(to=command.to, why="asked_for"),))
        case inputs.HandOver(why=""):
            yield AppendEngine((HandoverBegun(to=command.to),))
        case inputs.HandOver():
            asked = HandoverAsked(to=command.to, why=_code(command.why))
            yield AppendEngine((asked, HandoverBegun(to=command.to)))
        case inputs.Move():
            yield hands.move(world, command.contact, command.queue, _code(command.reason), now, ids)
        case inputs.Prioritise():
            yield hands.prioritise(world, command.contact, command.points, _code(command.reason))
        case inputs.IdentifyContact() | inputs.NameCaller():
            if isinstance(command, inputs.NameCaller) and not command.by:
                _refuse("who_asks", "Say in whose name this is asked.")
            known = commands.Identify(
                customer_id=command.customer_id,
                level=command.level if isinstance(command, inputs.IdentifyContact) else "",
                last_agent=world.last_agents.get(command.customer_id, ""),
            )
            yield TellContact(command.contact_id, known)
        case inputs.ImportCall():
            yield from unattended.import_call(world, memory, command, now)
        case inputs.AskCallback() | inputs.SendOutside():
            yield _call_outside(world, command, now, ids)
        case inputs.CancelCallback():
            yield _cancel_callback(world, command)
        case inputs.SignIn():
            yield from _sign_in(world, memory, command, now, ids)
        case inputs.AgentCommand():
            yield from _of_shift(world, command, now, ids)


def _call_outside(
    world: World, command: inputs.AskCallback | inputs.SendOutside, now: Instant, ids: Ids
) -> TellContact:
    contact = world.contacts.get(command.contact_id)
    if contact is None or contact.status != "waiting":
        _refuse("not_waiting", "This contact does not wait in a queue any more; look at the list again.")
    asked = (
        outward.send_outside(world, contact, command.number, now, ids)
        if isinstance(command, inputs.SendOutside)
        else outward.ask_callback(world, contact, now, command.number)
    )
    if isinstance(asked, str):
        _refuse(asked, hands.NO_CALL.get(asked, "This contact does not wait in a queue of ours."))
    return TellContact(contact.contact_id, asked)


def _cancel_callback(world: World, command: inputs.CancelCallback) -> TellContact:
    contact = world.contacts.get(command.contact_id)
    if contact is None or contact.status == "leaving" or to_be_called(contact) is None:
        _refuse("no_callback", "This customer is not to be called back, or not any more; look at the list again.")
    return TellContact(contact.contact_id, commands.EndCallback(reason=CANCELLED, why=_code(command.reason)))


def _sign_in(world: World, memory: Memory, command: inputs.SignIn, now: Instant, ids: Ids) -> Iterator[Tell]:
    agent_id = _agent_id(world, command.agent)
    if agent_id in world.shift_of_agent:
        shift = world.shifts[world.shift_of_agent[agent_id]]
        _refuse(
            "already_signed_in",
            f"Agent {command.agent} is signed in at extension {shift.extension}; sign out there first.",
        )
    extension = command.extension or world.agents[agent_id].extension
    if not extension.isascii() or not extension.isalnum() or len(extension) > EXTENSION_LENGTH:
        _refuse("bad_extension", f"An extension is up to {EXTENSION_LENGTH} letters and digits, for example 1001.")
    if extension in world.shift_at:
        _refuse("extension_taken", f"Extension {extension} is in use by another signed-in agent; choose another.")
    desk_id = presence.clean_desk(command.desk) if command.desk else ""
    shift_id = ids.new("shift")
    yield TellShift(shift_id, shifts.SignIn(agent_id=agent_id, extension=extension, desk_id=desk_id))
    if desk_id:
        memory.see_desk(shift_id, now, presence.LEASE)


def _of_shift(world: World, command: inputs.AgentCommand, now: Instant, ids: Ids) -> Iterator[Tell]:
    shift_id = world.shift_of_agent.get(_agent_id(world, command.agent))
    if shift_id is None:
        _refuse("not_signed_in", f"Agent {command.agent} is not signed in; sign in first.")
    shift = world.shifts[shift_id]
    if isinstance(command, inputs.Transfer) and passing.is_done(world, shift, command):
        return
    if consults.is_done(world, shift, command) or guests.is_done(world, shift, command):
        return
    if parking.is_done(world, shift, command):
        return
    if stale.is_done(shift, command) or dialling.is_done(world, shift, command):
        return
    match command:
        case inputs.Ready():
            yield TellShift(shift_id, shifts.MakeReady())
        case inputs.Pause():
            yield TellShift(shift_id, shifts.Pause(reason=_chosen(command.reason, world.reasons.pause_codes())))
        case inputs.WrapUp():
            code = _chosen(command.code, world.reasons.wrap_up_codes()) if command.code else "none"
            yield TellShift(shift_id, shifts.EndWrapUp(how="agent", code=code))
        case inputs.ExtendWrapUp():
            yield TellShift(shift_id, shifts.ExtendWrapUp(by_ms=_by_ms(command.by_ms)))
        case inputs.SignOut():
            yield TellShift(shift_id, shifts.SignOut(reason="agent"))
        case inputs.Accept():
            yield TellContact(_offered(world, shift, command.about), commands.AcceptAtDesk(shift_id=shift_id))
        case inputs.Reject():
            yield TellContact(_offered(world, shift, command.about), commands.RejectAtDesk(shift_id=shift_id))
        case inputs.Hold():
            contact = hands.conversation(world, shift, command.about)
            yield TellContact(contact.contact_id, commands.Hold(shift_id=shift_id, now=now))
        case inputs.Resume():
            yield from hands.resume(world, shift, command.about, now)
        case inputs.StartRecording() | inputs.StopRecording() | inputs.MaskRecording() | inputs.UnmaskRecording():
            yield hands.of_recording(world, shift, command, now)
        case inputs.Mute() | inputs.Unmute() | inputs.SendDigits():
            yield from keypad.ask(world, shift, command, ids)
        case inputs.Consult():
            yield consults.ask(world, shift, command, now, ids)
        case inputs.SwitchConsult() | inputs.Confer() | inputs.CompleteConsult() | inputs.EndConsult():
            yield consults.move_on(world, shift, command, now, ids)
        case inputs.HangUp() if (cancelled := dialling.cancelled(world, shift, command.about)) is not None:
            yield cancelled
        case inputs.Invite():
            yield guests.ask(world, shift, command, now, ids)
        case inputs.LetGo():
            yield guests.let_go(world, shift, command, now)
        case inputs.OfMember():
            yield guests.of_member(world, shift, command, now)
        case inputs.HangUp() if consults.is_on(world, shift, command.about):
            # Whoever hangs up leaves the caller to whoever is consulted, as the handset does.
            yield consults.move_on(world, shift, command, now, ids)
        case inputs.HangUp():
            contact = hands.conversation(world, shift, command.about)
            yield TellContact(contact.contact_id, commands.HangUp(reason="agent"))
        case inputs.Monitor() | inputs.EndMonitor() | inputs.TakeOverCall():
            yield from monitors.of_supervisor(world, shift, command, now, ids)
        case inputs.Force():
            yield TellShift(shift_id, _forced(world, command))
        case inputs.Pick():
            yield from hands.pick(world, shift, command, _code(command.reason), now, ids)
        case inputs.Transfer():
            yield passing.transfer(world, shift, command, now, ids)
        case inputs.Dial():
            yield dialling.dial(world, shift, command, now, ids)
        case inputs.Park():
            yield parking.park(world, shift, command, now)
        case inputs.Retrieve():
            yield parking.retrieve(world, shift, command, now, ids)
        case inputs.MarkNuisance():
            contact = hands.conversation(world, shift, command.about)
            yield TellContact(contact.contact_id, commands.MarkNuisance(shift_id=shift_id))


def _forced(world: World, command: inputs.Force) -> shifts.Force:
    if command.to not in forcing.STATES:
        _refuse("bad_state", f"An agent is made {', '.join(forcing.STATES)}; choose one of these.")
    listed = world.reasons.pause_codes() if command.to == forcing.PAUSED else ()
    by = command.by or "command"
    return shifts.Force(to=command.to, reason=_chosen(command.reason, listed), by=by)


def _offered(world: World, shift: shifts.Shift, about: str) -> str:
    """The id of the contact for which this agent is reserved now, which must be the one that is meant, where one is."""
    held = by_offer(shift.engagements, shift.offer_id)
    if held is None or held.contact_id not in world.contacts:
        _refuse("no_offer", "No contact is being offered to you.")
    if about and about not in (held.contact_id, held.offer_id):
        _refuse("no_offer", "This contact is in your hands already; another one is being offered to you.")
    return held.contact_id


def _agent_id(world: World, number: str) -> str:
    agent_id = world.agent_of_number.get(number)
    if agent_id is None:
        _refuse("unknown_agent", "No agent has this employee number; see `ringledger agents` or `config plan`.")
    return agent_id


def _code(text: str) -> str:
    if not text or len(text) > REASON_LENGTH or not text.replace("_", "").replace("-", "").isalnum():
        _refuse("bad_reason", f"A reason is a code of up to {REASON_LENGTH} letters, digits, - and _.")
    return text


def _chosen(text: str, listed: tuple[str, ...]) -> str:
    """The reason, where it is one of the site's; any code where the site lists none."""
    code = _code(text)
    if listed and code not in listed:
        _refuse("bad_reason", f"There is no reason {code}; choose one of {', '.join(listed)}.")
    return code


def _by_ms(by_ms: int) -> int:
    low, high = EXTENSION_MS
    if not low <= by_ms <= high:
        _refuse("bad_time", f"More time is from {low // 1000} to {high // 1000} seconds.")
    return by_ms


def _refuse(code: str, message: str) -> NoReturn:
    raise Refused(code, message)

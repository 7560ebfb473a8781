"""What an agent, or whoever directs them, may have the agent do: the buttons of the desk."""

from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import Refused
from orchestrator.runner import inputs
from web.access.sight import allowed
from web.access.visitor import me
from web.api.forms import Done, Ident, Line, Text, Word
from web.desk.picture import desk_of
from web.floor import monitoring
from web.parts import parts
from web.push.present import live
from web.words import chosen
from web.writing import file, who

Reason = Annotated[Word, Meta(description="A code of `GET /reasons`.")]


class SignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the agent takes a seat; without an extension, at the configured one."""

    extension: Ident = ""


class Pause(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the agent is not ready."""

    reason: Reason


class About(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The offer or contact that is meant. Where another has come in its place meanwhile, the command is refused."""

    about: Ident = ""


class Extend(About, frozen=True, kw_only=True):
    """How much more time the after-call work gets."""

    by_ms: Annotated[int, Meta(ge=1_000, le=600_000, description="Milliseconds.")] = 30_000


class Transfer(About, frozen=True, kw_only=True):
    """To whom the caller goes: exactly one of these. Whoever does not answer leaves the caller in the queue from which
    they came.
    """

    to_agent: Annotated[Ident, Meta(description="Employee number.")] = ""
    to_queue: Ident = ""
    to_number: Annotated[Line, Meta(description="5 to 15 digits, best from + on.")] = ""


class Dial(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom the agent calls. The own phone rings first; whoever is called sees the number of the agent's branch."""

    number: Annotated[Line, Meta(description="5 to 15 digits, best from + on. The site's rules must allow it.")]


class Park(About, frozen=True, kw_only=True):
    """At which place the caller is left, with music, for a while; whoever is not retrieved comes back."""

    place: Annotated[int, Meta(ge=0, le=99, description="0: the first that is free; see `GET /parked`.")] = 0


class Retrieve(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is fetched."""

    place: Annotated[int, Meta(ge=1, le=99, description="Of `GET /parked`.")]


class Consult(About, frozen=True, kw_only=True):
    """Who is asked about the caller: exactly one of these. The caller hears music meanwhile."""

    to_agent: Annotated[Ident, Meta(description="Employee number.")] = ""
    to_number: Annotated[Line, Meta(description="5 to 15 digits, best from + on.")] = ""


class Member(About, frozen=True, kw_only=True):
    """Who comes to those who hear each other, or leaves them: exactly one of these."""

    to_agent: Annotated[Ident, Meta(description="Employee number.")] = ""
    to_number: Annotated[Line, Meta(description="5 to 15 digits, best from + on.")] = ""


class Invited(Member, frozen=True, kw_only=True):
    """Who comes to those who hear each other."""

    alone: Annotated[bool, Meta(description="Whether the agent speaks with them alone first.")] = False


class Monitor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which talk is heard at the agent's own phone, and how the agent is heard in it. Again with another `mode`: the
    same session goes on so.
    """

    contact: Annotated[Ident, Meta(description="The contact.")]
    mode: Literal["listen", "whisper", "barge"] = "listen"
    reason: Annotated[Word, Meta(description="A code, such as coaching.")]


class TakeOver(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which caller is taken over, and why."""

    contact: Annotated[Ident, Meta(description="The contact.")]
    reason: Annotated[Word, Meta(description="A code, such as complaint.")]


class Force(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the agent is made, and why: for `paused`, a code of `GET /reasons`."""

    to: Literal["ready", "paused", "signed_out"]
    reason: Annotated[Word, Meta(description="A code.")]


class Digits(About, frozen=True, kw_only=True):
    """Keys for whoever hears the agent: a menu of a company called, a PIN. They are kept nowhere, only how many."""

    digits: Annotated[str, Meta(pattern=r"^[0-9*#]{1,40}$", description="1 to 40 of 0 to 9, * and #.")]


class WrapUp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of the contact. A note is kept first, and stays where the time for it was up already."""

    code: Reason
    note: Text = ""
    about: Annotated[Ident, Meta(description="The contact.")] = ""


def sign_in(number: str, body: SignIn, key: str) -> Done:
    """Sign an agent in"""
    return _do(inputs.SignIn(agent=number, extension=body.extension, key=key))


def ready(number: str, body: About, key: str) -> Done:
    """Make an agent ready"""
    return _do(inputs.Ready(agent=number, about=body.about, key=key))


def pause(number: str, body: Pause, key: str) -> Done:
    """Make an agent not ready; during a contact, after it"""
    return _do(inputs.Pause(agent=number, reason=_listed(body.reason, chosen.pause_codes()), key=key))


def accept(number: str, body: About, key: str) -> Done:
    """Accept the offer"""
    return _do(inputs.Accept(agent=number, about=body.about, key=key))


def reject(number: str, body: About, key: str) -> Done:
    """Reject the offer"""
    return _do(inputs.Reject(agent=number, about=body.about, key=key))


def hold(number: str, body: About, key: str) -> Done:
    """Put the caller on hold"""
    return _do(inputs.Hold(agent=number, about=body.about, key=key))


def resume(number: str, body: About, key: str) -> Done:
    """Talk again with the caller on hold"""
    return _do(inputs.Resume(agent=number, about=body.about, key=key))


def start_recording(number: str, body: About, key: str) -> Done:
    """Record this talk from here on, where its rule allows it"""
    return _do(inputs.StartRecording(agent=number, about=body.about, key=key))


def stop_recording(number: str, body: About, key: str) -> Done:
    """Record no more of a talk that is recorded on demand"""
    return _do(inputs.StopRecording(agent=number, about=body.about, key=key))


def mask_recording(number: str, body: About, key: str) -> Done:
    """Record silence from here on: a card number follows"""
    return _do(inputs.MaskRecording(agent=number, about=body.about, key=key))


def unmask_recording(number: str, body: About, key: str) -> Done:
    """Record sound again"""
    return _do(inputs.UnmaskRecording(agent=number, about=body.about, key=key))


def mute(number: str, body: About, key: str) -> Done:
    """Let nobody hear the agent, until unmuted"""
    return _do(inputs.Mute(agent=number, about=body.about, key=key))


def unmute(number: str, body: About, key: str) -> Done:
    """Let the agent be heard again"""
    return _do(inputs.Unmute(agent=number, about=body.about, key=key))


def send_digits(number: str, body: Digits, key: str) -> Done:
    """Press keys for whoever hears the agent"""
    return _do(inputs.SendDigits(agent=number, digits=body.digits, about=body.about, key=key))


def hang_up(number: str, body: About, key: str) -> Done:
    """End the conversation"""
    return _do(inputs.HangUp(agent=number, about=body.about, key=key))


def mark_nuisance(number: str, body: About, key: str) -> Done:
    """Refuse further calls of the caller with whom the agent talks"""
    return _do(inputs.MarkNuisance(agent=number, about=body.about, key=key))


def transfer(number: str, body: Transfer, key: str) -> Done:
    """Pass the caller on: to another agent, into a queue, or to a number outside"""
    wish = inputs.Transfer(
        agent=number,
        about=body.about,
        to_agent=body.to_agent,
        to_queue=body.to_queue,
        to_number=body.to_number,
        key=key,
    )
    return _do(wish)


def dial(number: str, body: Dial, key: str) -> Done:
    """Call a number outside; the contact that begins is outbound, and waits in no queue"""
    return _do(inputs.Dial(agent=number, number=body.number, key=key))


def park(number: str, body: Park, key: str) -> Done:
    """Leave the caller at a numbered place, with music"""
    return _do(inputs.Park(agent=number, about=body.about, place=body.place, key=key))


def retrieve(number: str, body: Retrieve, key: str) -> Done:
    """Ring the agent's phone for the caller at a place"""
    return _do(inputs.Retrieve(agent=number, place=body.place, key=key))


def consult(number: str, body: Consult, key: str) -> Done:
    """Ask another agent, or a number outside, about the caller"""
    wish = inputs.Consult(agent=number, about=body.about, to_agent=body.to_agent, to_number=body.to_number, key=key)
    return _do(wish)


def switch_consult(number: str, body: About, key: str) -> Done:
    """Talk with the other one: the caller, or whoever is asked"""
    return _do(inputs.SwitchConsult(agent=number, about=body.about, key=key))


def confer(number: str, body: About, key: str) -> Done:
    """Bring caller, agent and whoever is asked together: all three hear each other"""
    return _do(inputs.Confer(agent=number, about=body.about, key=key))


def complete_consult(number: str, body: About, key: str) -> Done:
    """Leave the caller to whoever is asked, also while it still rings there"""
    return _do(inputs.CompleteConsult(agent=number, about=body.about, key=key))


def end_consult(number: str, body: About, key: str) -> Done:
    """Ask nobody any more, and talk with the caller again"""
    return _do(inputs.EndConsult(agent=number, about=body.about, key=key))


def invite(number: str, body: Invited, key: str) -> Done:
    """Bring one more to those who hear each other already, up to the limit that is configured"""
    return _with_member(inputs.Invite(agent=number, alone=body.alone), body, key)


def hold_member(number: str, body: Member, key: str) -> Done:
    """Let one of a conference hear music, heard by nobody; the others go on"""
    return _with_member(inputs.HoldMember(agent=number), body, key)


def recall_member(number: str, body: Member, key: str) -> Done:
    """Bring one who is on hold, or alone with the agent, into the conference"""
    return _with_member(inputs.RecallMember(agent=number), body, key)


def speak_alone(number: str, body: Member, key: str) -> Done:
    """Speak with one of a conference alone; the others go on hearing each other"""
    return _with_member(inputs.SpeakAlone(agent=number), body, key)


def mute_member(number: str, body: Member, key: str) -> Done:
    """Let nobody hear one of a conference"""
    return _with_member(inputs.MuteMember(agent=number), body, key)


def unmute_member(number: str, body: Member, key: str) -> Done:
    """Let one of a conference be heard again"""
    return _with_member(inputs.UnmuteMember(agent=number), body, key)


def let_go(number: str, body: Member, key: str) -> Done:
    """Let one of a conference go; the others go on hearing each other"""
    return _with_member(inputs.LetGo(agent=number), body, key)


def _with_member(wish: inputs.Invite | inputs.LetGo | inputs.OfMember, body: Member, key: str) -> Done:
    return _do(replace(wish, about=body.about, to_agent=body.to_agent, to_number=body.to_number, key=key))


def monitor(number: str, body: Monitor, key: str) -> Done:
    """Hear a talk at the agent's own phone: listen, whisper to its agent, or barge in"""
    return Done(position=parts().do(monitoring.hearing(number, body.contact, body.mode, body.reason, key)))


def end_monitor(number: str, body: About, key: str) -> Done:
    """Hear no more of the talk"""
    return Done(position=parts().do(replace(monitoring.ending(number, key), about=body.about)))


def take_over(number: str, body: TakeOver, key: str) -> Done:
    """Have the caller of the talk that the agent hears"""
    return Done(position=parts().do(monitoring.taking_over(number, body.contact, body.reason, key)))


def force(number: str, body: Force, key: str) -> Done:
    """Make an agent ready, not ready, or sign them out in one's own name; the desk says so"""
    return Done(position=parts().do(monitoring.forcing(number, body.to, body.reason, key)))


def wrap_up(number: str, body: WrapUp, key: str) -> Done:
    """Finish the after-call work with a reason and a note"""
    agent_id, code = allowed(number), _listed(body.code, chosen.wrap_up_codes())
    desk = desk_of(live().view, agent_id)
    contact_id = body.about or (desk.wrap_up.contact_id if desk is not None and desk.wrap_up is not None else "")
    if body.note.strip():
        if live().view.calls.find(agent_id, contact_id) is None:
            raise Refused("no_such_contact", "The note is about no contact that this agent had in this shift.")
        file().note_contact(who(), contact_id, body.note, code=code, key=f"wrap-up-{contact_id}")
    return _do(inputs.WrapUp(agent=number, code=code, about=body.about, key=key))


def extend_wrap_up(number: str, body: Extend, key: str) -> Done:
    """Give the after-call work more time, up to the queue's limit"""
    return _do(inputs.ExtendWrapUp(agent=number, by_ms=body.by_ms, about=body.about, key=key))


def sign_out(number: str, body: About, key: str) -> Done:
    """Sign an agent out; during a contact, after it"""
    return _do(inputs.SignOut(agent=number, about=body.about, key=key))


def _do(command: inputs.AgentCommand) -> Done:
    agent_id = allowed(command.agent)
    by = "" if me().agent_id == agent_id else me().actor
    return Done(position=parts().do(replace(command, by=by)))


def _listed(reason: str, listed: tuple[str, ...]) -> str:
    if reason not in listed:
        raise Refused("bad_reason", f"Choose one of {', '.join(listed)}.")
    return reason

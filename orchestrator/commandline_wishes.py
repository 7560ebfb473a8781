"""What agents and leaders ask for, on the command line: one command of the engine each, over its command socket."""

import os
import pwd
from collections.abc import Callable
from typing import Final

import click

from orchestrator.control import Client, control_path
from orchestrator.domain.contacts.monitors import MODES
from orchestrator.domain.staff.forcing import STATES
from orchestrator.runner import inputs
from orchestrator.settings import load

_AGENT: Final = "EMPLOYEE_NUMBER"


def _do(command: inputs.DeskCommand) -> None:
    position = Client(control_path(load().home)).do(command)
    click.echo(f"done, at position {position}" if position else "nothing to do")


# --- an agent's ----------------------------------------------------------------------------------------------------


def _wish(name: str, make: Callable[..., inputs.DeskCommand], *more: click.Parameter, text: str) -> click.Command:
    def callback(agent: str, **given: str | int) -> None:
        _do(make(agent=agent, **given))

    params: list[click.Parameter] = [click.Argument(["agent"], metavar=_AGENT), *more]
    return click.Command(name, callback=callback, params=params, help=text, short_help=text)


_ABOUT = click.Option(["--about"], default="", help="Which contact, where several are in hand.")

_MEMBER = (
    _ABOUT,
    click.Option(["--agent", "to_agent"], default="", help="The agent with this employee number."),
    click.Option(["--number", "to_number"], default="", help="This number outside."),
)

# --- a leader's ----------------------------------------------------------------------------------------------------


def _by() -> str:
    """Whoever may use this machine's command socket needs no account; events name them like those who configure."""
    return f"admin:{pwd.getpwuid(os.geteuid()).pw_name}"


@click.command()
@click.argument("contact")
@click.argument("queue")
@click.option("--reason", default="wrong_queue", show_default=True, help="A code.")
def move(contact: str, queue: str, reason: str) -> None:
    """Let a waiting CONTACT, named as in `ringledger calls`, wait in another QUEUE."""
    _do(inputs.Move(contact=contact, queue=queue, reason=reason, by=_by()))


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("contact")
@click.argument("points", type=int)
@click.option("--reason", default="important", show_default=True, help="A code.")
def prioritise(contact: str, points: int, reason: str) -> None:
    """Give a waiting CONTACT so many POINTS beside its queue's priority; 0 takes them back."""
    _do(inputs.Prioritise(contact=contact, points=points, reason=reason, by=_by()))


@click.command()
@click.argument("agent", metavar=_AGENT)
@click.argument("to", type=click.Choice(STATES))
@click.option("--reason", required=True, help="A code; for paused, one of the site's.")
def force(agent: str, to: str, reason: str) -> None:
    """Make an agent ready, not ready, or sign them out; during a contact, after it. Their desk says so."""
    _do(inputs.Force(agent=agent, to=to, reason=reason, by=_by()))


WISHES: Final = (
    _wish(
        "sign-in",
        inputs.SignIn,
        click.Option(["--extension"], default="", help="Another phone than the configured one."),
        text="Take a seat; not ready yet.",
    ),
    _wish("ready", inputs.Ready, text="Become ready."),
    _wish(
        "pause",
        inputs.Pause,
        click.Option(["--reason"], required=True, help="A code such as break."),
        text="Become not ready; during a contact, after it.",
    ),
    _wish("accept", inputs.Accept, text="Take the offered contact."),
    _wish("reject", inputs.Reject, text="Refuse the offered contact."),
    _wish("hold", inputs.Hold, text="Put the caller on hold: of several, the active one."),
    _wish("resume", inputs.Resume, _ABOUT, text="Talk again; whoever is active is put on hold first."),
    _wish("record", inputs.StartRecording, _ABOUT, text="Record this talk from here on, where it may be asked for."),
    _wish("stop-recording", inputs.StopRecording, _ABOUT, text="Record no more of what was recorded on demand."),
    _wish("mask", inputs.MaskRecording, _ABOUT, text="Record silence from here on: a card number follows."),
    _wish("unmask", inputs.UnmaskRecording, _ABOUT, text="Record sound again."),
    _wish("mute", inputs.Mute, _ABOUT, text="Be heard by nobody, until `unmute`."),
    _wish("unmute", inputs.Unmute, _ABOUT, text="Be heard again."),
    _wish(
        "digits",
        inputs.SendDigits,
        _ABOUT,
        click.Option(["--digits"], prompt=True, hide_input=True, help="Better left out: it is asked for, unseen."),
        text="Press keys for whoever hears you: 0 to 9, * and #.",
    ),
    _wish("hang-up", inputs.HangUp, _ABOUT, text="End the conversation: of several, the active one."),
    _wish(
        "transfer",
        inputs.Transfer,
        _ABOUT,
        click.Option(["--agent", "to_agent"], default="", help="To the agent with this employee number."),
        click.Option(["--queue", "to_queue"], default="", help="Into this queue."),
        click.Option(["--number", "to_number"], default="", help="To this number outside."),
        text="Pass the caller on: to an agent, into a queue, or to a number outside.",
    ),
    _wish(
        "dial",
        inputs.Dial,
        click.Argument(["number"]),
        text="Talk with this NUMBER outside: the agent's own phone is rung first.",
    ),
    _wish(
        "park",
        inputs.Park,
        _ABOUT,
        click.Option(["--place"], type=int, default=0, help="At this one, 1 to 99; else at the first that is free."),
        text="Leave the caller at a numbered place, with music, for whoever retrieves them.",
    ),
    _wish(
        "retrieve",
        inputs.Retrieve,
        click.Argument(["place"], type=int),
        text="Fetch the caller who is parked at PLACE; see `ringledger parked`.",
    ),
    _wish(
        "consult",
        inputs.Consult,
        _ABOUT,
        click.Option(["--agent", "to_agent"], default="", help="The agent with this employee number."),
        click.Option(["--number", "to_number"], default="", help="This number outside."),
        text="Ask somebody about the caller, who hears music meanwhile.",
    ),
    _wish("switch-consult", inputs.SwitchConsult, _ABOUT, text="Talk with the other one: the caller, or who is asked."),
    _wish("confer", inputs.Confer, _ABOUT, text="Bring caller and whoever is asked together with you."),
    _wish("complete-consult", inputs.CompleteConsult, _ABOUT, text="Leave the caller to whoever is asked."),
    _wish("end-consult", inputs.EndConsult, _ABOUT, text="Ask nobody any more, and talk with the caller again."),
    _wish(
        "invite",
        inputs.Invite,
        _ABOUT,
        click.Option(["--agent", "to_agent"], default="", help="The agent with this employee number."),
        click.Option(["--number", "to_number"], default="", help="This number outside."),
        click.Option(["--alone"], is_flag=True, help="Speak with them alone first."),
        text="Bring one more to those who hear each other already.",
    ),
    _wish("hold-member", inputs.HoldMember, *_MEMBER, text="Let one of a conference hear music; the others go on."),
    _wish("recall-member", inputs.RecallMember, *_MEMBER, text="Bring one who is on hold, or alone with you, back in."),
    _wish("speak-alone", inputs.SpeakAlone, *_MEMBER, text="Speak with one of a conference alone; the others go on."),
    _wish("mute-member", inputs.MuteMember, *_MEMBER, text="Let nobody hear one of a conference."),
    _wish("unmute-member", inputs.UnmuteMember, *_MEMBER, text="Let one of a conference be heard again."),
    _wish(
        "let-go",
        inputs.LetGo,
        _ABOUT,
        click.Option(["--agent", "to_agent"], default="", help="The agent with this employee number."),
        click.Option(["--number", "to_number"], default="", help="This number outside."),
        text="Let one of a conference go; the others stay.",
    ),
    _wish(
        "pick",
        inputs.Pick,
        click.Argument(["contact"]),
        click.Option(["--reason"], default="by_hand", show_default=True, help="A code."),
        text="Take a waiting CONTACT, named as in `ringledger calls`, before its turn.",
    ),
    _wish(
        "wrap-up",
        inputs.WrapUp,
        click.Option(["--code"], default="", help="Why they called, as a code."),
        text="Finish the after-call work.",
    ),
    _wish("sign-out", inputs.SignOut, text="Leave; during a contact, after it."),
    _wish(
        "monitor",
        inputs.Monitor,
        click.Argument(["contact"]),
        click.Option(
            ["--mode"], type=click.Choice(MODES), default=MODES[0], show_default=True, help="How one is heard."
        ),
        click.Option(["--reason"], default="coaching", show_default=True, help="A code."),
        text="Hear the talk of CONTACT, named as in `ringledger calls`, at this agent's phone.",
    ),
    _wish("end-monitor", inputs.EndMonitor, text="Hear no more of the talk."),
    _wish(
        "take-over",
        inputs.TakeOverCall,
        _ABOUT,
        click.Option(["--reason"], required=True, help="A code such as complaint."),
        text="Have the caller of the talk that this agent hears.",
    ),
    force,
    move,
    prioritise,
)

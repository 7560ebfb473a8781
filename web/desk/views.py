"""The agent's desk (features 4.1-4.5, 4.7 in their simple form): the page, its buttons, and the panes it fetches."""

from collections.abc import Callable, Mapping
from typing import Final

import structlog
from flask import abort, render_template, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from msgspec.structs import replace
from werkzeug.wrappers import Response as AnyResponse

from orchestrator.domain.contacts.transfers import TRANSFERRED
from orchestrator.domain.customers.people import ChangeProfile
from orchestrator.domain.kernel import Refused, derived_id
from orchestrator.runner import inputs
from orchestrator.service.begun import NOTE, SENT
from projections.reading import LOST, Away
from web.access.needs import needs
from web.access.visitor import me
from web.desk import orders
from web.desk.answers import SEEN_S
from web.desk.answers import done as _done
from web.desk.area import LONGEST, blueprint
from web.desk.area import field as _field
from web.desk.area import own as _own
from web.desk.begun import with_desk
from web.desk.keys import KEYS
from web.desk.passing import targets_of
from web.desk.picture import Desk, desk_of
from web.desk.pop import pop_of
from web.desk.shown import outcome_words, region, words_of
from web.desk.topics import days
from web.desk.waiting import may_take_from, waiting_in
from web.floor import callbacks
from web.navigation import Item
from web.parts import parts
from web.push.present import live
from web.words import chosen as reasons
from web.words import code
from web.writing import agent, file
from web.writing import key as form_key
from web.writing import note as write_down

log = structlog.get_logger(__name__)

__all__ = ["NAVIGATION", "blueprint", "orders"]

NAVIGATION: Final = (Item("desk.show", _l("My desk"), 10),)

# What one press of "more time" adds to the after-call work.
EXTEND_MS: Final = 30_000
MOST_QUEUES: Final = 12
_PLACE_DIGITS: Final = 4
_LAST_MS: Final = 9_999_999_999_999  # of the year 2286

Make = Callable[[str], inputs.AgentCommand]
"""Employee number → the command, but for what every command of a desk carries."""

ACTIONS: Final[dict[str, Make]] = {
    "sign_in": lambda agent: inputs.SignIn(agent=agent),
    "ready": lambda agent: inputs.Ready(agent=agent),
    "pause": lambda agent: inputs.Pause(agent=agent, reason=_reason()),
    "sign_out": lambda agent: inputs.SignOut(agent=agent),
    "accept": lambda agent: inputs.Accept(agent=agent),
    "reject": lambda agent: inputs.Reject(agent=agent),
    "hold": lambda agent: inputs.Hold(agent=agent),
    "resume": lambda agent: inputs.Resume(agent=agent),
    "start_recording": lambda agent: inputs.StartRecording(agent=agent),
    "stop_recording": lambda agent: inputs.StopRecording(agent=agent),
    "mask_recording": lambda agent: inputs.MaskRecording(agent=agent),
    "unmask_recording": lambda agent: inputs.UnmaskRecording(agent=agent),
    "mute": lambda agent: inputs.Mute(agent=agent),
    "unmute": lambda agent: inputs.Unmute(agent=agent),
    "send_digits": lambda agent: inputs.SendDigits(agent=agent, digits=_field("digits")),
    "park": lambda agent: inputs.Park(agent=agent),
    "retrieve": lambda agent: inputs.Retrieve(agent=agent, place=_place()),
    "hang_up": lambda agent: inputs.HangUp(agent=agent),
    "switch_consult": lambda agent: inputs.SwitchConsult(agent=agent),
    "confer": lambda agent: inputs.Confer(agent=agent),
    "complete_consult": lambda agent: inputs.CompleteConsult(agent=agent),
    "end_consult": lambda agent: inputs.EndConsult(agent=agent),
    "end_monitor": lambda agent: inputs.EndMonitor(agent=agent),
    "mark_nuisance": lambda agent: inputs.MarkNuisance(agent=agent),
    "extend": lambda agent: inputs.ExtendWrapUp(agent=agent, by_ms=EXTEND_MS),
    "pick": lambda agent: inputs.Pick(agent=agent, contact=_field("contact")),
    "take_over": lambda agent: inputs.TakeOver(agent=agent),
}
# Whom or what a caller is passed on to, and the field of the command that says so.
_TARGETS: Final = {"agent": "to_agent", "queue": "to_queue", "number": "to_number"}
_OF_MEMBER: Final[Mapping[str, type[inputs.OfMember]]] = {
    "hold_member": inputs.HoldMember,
    "recall_member": inputs.RecallMember,
    "speak_alone": inputs.SpeakAlone,
    "mute_member": inputs.MuteMember,
    "unmute_member": inputs.UnmuteMember,
}
_MEMBERS: Final = {"agent": "to_agent", "number": "to_number"}
# These are about one contact, which the form names: the page may be older than what rings by now.
_ABOUT_ONE: Final = frozenset(
    {
        *("accept", "reject", "hold", "resume", "hang_up", "mark_nuisance", "extend"),
        *("mute", "unmute", "send_digits", "park"),
        *("switch_consult", "confer", "complete_consult", "end_consult"),
        *("start_recording", "stop_recording", "mask_recording", "unmask_recording"),
    }
)


@blueprint.get("/")
@needs("desk.use")
def show() -> str:
    """The page."""
    desk = _desk()
    with live().view.still() as world:
        # Of many queues the first ones: each is a topic of the stream of this page.
        seen = sorted(may_take_from(world, desk.agent))[:MOST_QUEUES]
    queues = [waiting_in(live().view, queue_id) for queue_id in seen]
    own = (f"{name}:{desk.agent.agent_id}" for name in ("desk", "day"))
    topics = ",".join((*own, *(f"queue:{queue_id}" for queue_id in seen)))
    days().look(desk.agent.agent_id)
    return render_template(
        "desk/page.html",
        desk=desk,
        words=words_of(desk),
        begun_with=with_desk(desk),
        day=days().of(desk.agent.agent_id),
        queues=queues,
        topics=topics,
        keys=KEYS,
        region=region,
        why=callbacks.REASONS,
    )


@blueprint.post("/act/<action>")
@needs("desk.use")
def act(action: str) -> AnyResponse:
    """One button. 404 for one that there is not, 409 with a sentence where it does not fit what is now."""
    make = ACTIONS.get(action)
    if make is None:
        abort(404)
    if action in _ABOUT_ONE and not _field("about"):
        abort(400)
    try:
        return _done(parts().do(replace(_from_desk(make(_number())), good_until=_good_until())))
    except Refused as refused:
        if refused.code == "too_late":
            raise Refused(
                "too_late", gettext("It was not done: it came too late. Look at what is now, and press again.")
            ) from None
        raise


@blueprint.post("/dial")
@needs("calls.dial")
def dial() -> AnyResponse:
    """Call a number outside: the agent's own phone rings first."""
    asked = inputs.Dial(agent=_number(), number=_field("number"))
    return _done(parts().do(replace(_from_desk(asked), about="", good_until=_good_until())))


@blueprint.post("/wrap-up")
@needs("desk.use")
def wrap_up() -> AnyResponse:
    """The after-call work is done: its note is kept first, then its reason ends it."""
    contact_id, chosen, note = _field("about"), _field("code"), request.form.get("note", "")
    if not contact_id:
        abort(400)
    _refuse_unlisted(chosen, reasons.wrap_up_codes())
    _own(contact_id)
    if write_down(contact_id, note, code=chosen, key=derived_id("wrap-up", contact_id, chosen, note)):
        _end_begun(contact_id)
    try:
        return _done(parts().do(_from_desk(inputs.WrapUp(agent=_number(), code=chosen))))
    except Refused as refused:
        if refused.code in {"stale", "not_wrapping_up"}:
            raise Refused(
                "time_was_up", gettext("The time for it was up already. Your reason and your note are kept.")
            ) from None
        raise


def _end_begun(contact_id: str) -> None:
    try:
        parts().reading.begun.end(contact_id, NOTE, _field("begun"), SENT, by=me().agent_id, page=_field("desk"))
    except (Away, LOST) as away:
        log.info("begun-note-not-ended", why=str(away))  # it goes with its time; the note itself is kept


@blueprint.get("/transfer")
@needs("desk.use")
def transfer() -> str:
    """To whom the caller may be passed on, as it is now."""
    targets = targets_of(live().view, _desk(), request.args.get("contact", "")[:LONGEST])
    if targets is None:
        raise Refused("not_talking", gettext("You are not in a conversation with this caller any more."))
    return render_template("desk/transfer.html", targets=targets, code=code)


@blueprint.post("/transfer")
@needs("desk.use")
def pass_on() -> AnyResponse:
    """Pass the caller on."""
    return _with_note(inputs.Transfer(agent=_number()), _TARGETS)


@blueprint.post("/consult")
@needs("desk.use")
def consult() -> AnyResponse:
    """Ask a colleague, or somebody outside, before the caller goes on."""
    return _with_note(inputs.Consult(agent=_number()), _MEMBERS)


@blueprint.get("/invite")
@needs("desk.use")
def invitation() -> str:
    """Whom the agent may invite to those who hear each other, as it is now."""
    targets = targets_of(live().view, _desk(), request.args.get("contact", "")[:LONGEST])
    if targets is None or not targets.talk.members:
        raise Refused(
            "not_together", gettext("Bring the caller and whoever you asked together first; then invite more.")
        )
    return render_template("desk/invite.html", targets=targets, code=code)


@blueprint.post("/invite")
@needs("desk.use")
def invite() -> AnyResponse:
    """Bring one more to those who hear each other."""
    return _with_note(inputs.Invite(agent=_number(), alone=bool(request.form.get("alone"))), _MEMBERS)


@blueprint.post("/let-go")
@needs("desk.use")
def let_go() -> AnyResponse:
    """Let one of them go."""
    return _with_note(inputs.LetGo(agent=_number()), _MEMBERS)


@blueprint.post("/member/<action>")
@needs("desk.use")
def of_member(action: str) -> AnyResponse:
    """Hold, recall, mute one of them, or speak with them alone."""
    make = _OF_MEMBER.get(action)
    if make is None:
        abort(404)
    return _with_note(make(agent=_number()), _MEMBERS)


def _with_note(
    command: inputs.Transfer | inputs.Consult | inputs.Invite | inputs.LetGo | inputs.OfMember,
    targets: Mapping[str, str],
) -> AnyResponse:
    """Do it. What the next one should know is kept first: it is there when their phone rings."""
    contact_id, note = _field("about"), request.form.get("note", "")
    if not contact_id:
        abort(400)
    kind, _, target = _field("to").partition(":")
    if kind not in targets:
        abort(400)
    _own(contact_id)
    if note.strip():
        write_down(contact_id, note, code=TRANSFERRED, key=derived_id("transfer", contact_id, note))
    sent_to = {targets[kind]: target or _field("number")}
    return _done(parts().do(replace(_from_desk(command), good_until=_good_until(), **sent_to)))


@blueprint.get("/pop")
@needs("desk.use")
def pop() -> str:
    """Who calls: their file, or what is known of a number that nobody has; while the database is away, the number."""
    call = _own(request.args.get("contact", ""))
    try:
        return render_template("desk/pop.html", pop=pop_of(call))
    except (Away, LOST) as away:
        log.info("pop-without-file", why=str(away))
        return render_template("desk/pop_away.html", call=call, region=region(call.number) if call.number else "")


@blueprint.post("/customer")
@needs("customers.edit")
def name_customer() -> AnyResponse:
    """One click: whoever calls gets a name, and a file where there is none yet."""
    call = _own(request.form.get("contact", ""))
    profile = ChangeProfile(
        name=request.form.get("name", ""),
        company=request.form.get("company", ""),
        address=request.form.get("address", ""),
    )
    if call.customer_id:
        written = file().change(agent(), call.customer_id, profile, key=form_key())
        return _done(written.position)
    written = file().create(agent(), profile, contact_id=call.contact_id, key=form_key())
    named = inputs.NameCaller(contact_id=call.contact_id, customer_id=written.ident, by=me().actor)
    return _done(parts().do(named))


@blueprint.get("/day")
@needs("desk.use")
def day() -> str:
    """Today's calls."""
    desk = _desk()
    return render_template("desk/day.html", calls=desk.calls, outcome_words=outcome_words, region=region)


def _desk() -> Desk:
    view = live().view
    view.wait_ready(SEEN_S)
    desk = desk_of(view, me().agent_id)
    if desk is None:
        raise Refused(
            "no_agent",
            gettext("Your account belongs to no agent of the configuration. Ask an administrator to give it one."),
        )
    return desk


def _number() -> str:
    return _desk().agent.number


def _reason() -> str:
    reason = _field("reason")
    _refuse_unlisted(reason, reasons.pause_codes())
    return reason


def _refuse_unlisted(code: str, listed: tuple[str, ...]) -> None:
    """The page may be older than the site's list, and it is asked before anything is written."""
    if code not in listed:
        raise Refused("bad_reason", gettext("This reason is in no list any more. Load the page again, and choose."))


def _place() -> int:
    """The number of a place; 0, which is none, for what is no number, or has more digits than any place."""
    text = _field("place").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _PLACE_DIGITS else 0


def _good_until() -> int:
    """Until when (Unix ms) the button's wish holds, by our own clock, which the page goes by; 0 where it does not say.
    Whoever pressed a minute ago, into a network that was away, has long done something else.
    """
    text = _field("good_until")
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_LAST_MS))):
        abort(400)
    return int(text)


def _from_desk(command: inputs.AgentCommand) -> inputs.AgentCommand:
    """The command with what it is about, the desk that it comes from and the key under which it is done once."""
    return replace(command, about=_field("about"), desk=_field("desk"), key=_field("key"))

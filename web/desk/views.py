"""The agent's desk (features 4.1-4.5, 4.7 in their simple form): the page, its buttons, and the panes it fetches."""

from collections.abc import Callable
from typing import Final

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from orchestrator.domain.customers.people import ChangeProfile
from orchestrator.domain.kernel import Refused
from orchestrator.runner import inputs
from orchestrator.service.customer_file import CustomerFile
from orchestrator.service.deciding import Who
from projections.live_calls import Call
from web.access.needs import needs
from web.access.visitor import me
from web.desk.picture import Desk, desk_of, waiting_in
from web.desk.reasons import ALL
from web.desk.shown import outcome_words, region, words_of
from web.navigation import Item
from web.parts import parts
from web.push.present import live

blueprint = Blueprint("desk", __name__, url_prefix="/desk")
NAVIGATION: Final = (Item("desk.show", _l("My desk"), 10),)

# How long a button waits until what it did is in the live state, so that the page it leads to shows it (s).
SEEN_S: Final = 2.0
_LONGEST: Final = 64

KEYS: Final = (
    ("Alt+Shift+A", _l("Accept the call")),
    ("Alt+Shift+X", _l("Reject the call")),
    ("Alt+Shift+H", _l("Hold; talk again")),
    ("Alt+Shift+E", _l("Hang up")),
    ("Alt+Shift+1 … 9", _l("Choose what the call was about")),
    ("Alt+Shift+N", _l("Write the note")),
    ("Alt+Shift+O", _l("Open a work order")),
    ("Alt+Shift+M", _l("More time for after-call work")),
    ("Alt+Shift+W", _l("Save the after-call work, and be ready")),
    ("Alt+Shift+R", _l("Take your seat; be ready")),
    ("Alt+Shift+B", _l("Not ready: choose why")),
    ("?", _l("This list")),
)

Make = Callable[[str, str], inputs.AgentCommand]
"""(employee number, what it is about) → the command."""

ACTIONS: Final[dict[str, Make]] = {
    "sign_in": lambda agent, _: inputs.SignIn(agent=agent),
    "ready": lambda agent, _: inputs.Ready(agent=agent),
    "pause": lambda agent, _: inputs.Pause(agent=agent, reason=_reason()),
    "sign_out": lambda agent, _: inputs.SignOut(agent=agent),
    "accept": lambda agent, about: inputs.Accept(agent=agent, about=about),
    "reject": lambda agent, about: inputs.Reject(agent=agent, about=about),
    "hold": lambda agent, about: inputs.Hold(agent=agent, about=about),
    "resume": lambda agent, about: inputs.Resume(agent=agent, about=about),
    "hang_up": lambda agent, about: inputs.HangUp(agent=agent, about=about),
}
# These are about one contact, which the form names: the page may be older than what rings by now.
_ABOUT_ONE: Final = frozenset({"accept", "reject", "hold", "resume", "hang_up", "extend"})


@blueprint.get("/")
@needs("desk.use")
def show() -> str:
    """The page."""
    desk = _desk()
    queues = [waiting_in(live().view, queue_id) for queue_id in desk.queues]
    topics = ",".join((f"desk:{desk.agent.agent_id}", *(f"queue:{queue_id}" for queue_id in desk.queues[:12])))
    return render_template("desk/page.html", desk=desk, words=words_of(desk), queues=queues, topics=topics, keys=KEYS)


@blueprint.post("/act/<action>")
@needs("desk.use")
def act(action: str) -> AnyResponse:
    """One button. 404 for one that there is not, 409 with a sentence where it does not fit what is now."""
    make = ACTIONS.get(action)
    if make is None:
        abort(404)
    about = request.form.get("about", "")[:_LONGEST]
    if action in _ABOUT_ONE and not about:
        abort(400)
    return _done(parts().do(make(_number(), about)))


@blueprint.post("/wrap-up")
@needs("desk.use")
def wrap_up() -> AnyResponse:
    """The after-call work is done: its note is kept first, then its reason ends it."""
    contact_id, chosen = request.form.get("about", "")[:_LONGEST], request.form.get("code", "")
    note = request.form.get("note", "")
    if not contact_id or chosen not in ALL:
        abort(400)
    _own(contact_id)
    file().note_contact(who(), contact_id, note, code=chosen, key=f"wrap-up-{contact_id}")
    try:
        return _done(parts().do(inputs.WrapUp(agent=_number(), code=chosen, about=contact_id)))
    except Refused as refused:
        if refused.code in {"gone", "not_wrapping_up"}:
            raise Refused(
                "time_was_up", gettext("The time for it was up already. Your reason and your note are kept.")
            ) from None
        raise


@blueprint.get("/pop")
@needs("desk.use")
def pop() -> str:
    """Who calls: their file, or what is known of a number that nobody has."""
    call = _own(request.args.get("contact", ""))
    customer = file().customer(call.customer_id) if call.customer_id else None
    return render_template("desk/pop.html", call=call, customer=customer, region=region(call.number))


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
        written = file().change(who(), call.customer_id, profile, key=_key())
        return _done(written.position)
    written = file().create(who(), profile, contact_id=call.contact_id, key=_key())
    return _done(parts().do(inputs.IdentifyContact(contact_id=call.contact_id, customer_id=written.ident)))


@blueprint.get("/day")
@needs("desk.use")
def day() -> str:
    """Today's calls."""
    desk = _desk()
    return render_template("desk/day.html", calls=desk.calls, outcome_words=outcome_words, region=region)


def file() -> CustomerFile:
    """The files of customers."""
    reading = parts().reading
    return CustomerFile(reading.desk, reading.log, reading.vault, region=parts().settings.region)


def who() -> Who:
    """Whoever sits at the desk, as events name them."""
    return Who(actor=f"agent:{me().agent_id}", roles=me().roles)


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


def _own(contact_id: str) -> Call:
    """The contact as this agent had it in this shift; 404 for anybody else's."""
    found = live().view.calls.find(me().agent_id, contact_id)
    if found is None:
        abort(404)
    return found


def _reason() -> str:
    reason = request.form.get("reason", "")
    if reason not in ALL:
        abort(400)
    return reason


def _key() -> str:
    """What makes the sending of one form twice one deed."""
    return request.form.get("key", "")[:_LONGEST]


def _done(position: int) -> AnyResponse:
    """To a script of ours the position, to a plain form the desk as it is then."""
    if request.headers.get("X-Requested-With") == "fetch":
        response: Response = jsonify({"position": position})
        return response
    live().view.wait_for(position, SEEN_S)
    return redirect(url_for("desk.show"), 303)

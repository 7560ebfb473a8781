"""What an agent types about a caller and has not sent: kept at the server, so that it goes with the call.

Feature 4.4. A page saves it while it is typed (`static/js/begun.js`), and says which version it saw. Where somebody
else typed since, in another window or at another desk, nothing is overwritten: the page is told who, the agent chooses.
"""

from typing import Final

from flask import Response, abort, jsonify, request
from flask_babel import gettext

from orchestrator.domain.kernel import Refused
from orchestrator.domain.staff.shifts import Shift
from orchestrator.service.begun import DROPPED, FORMS, NOTE, SENT, Begun, Moved, Words
from projections.live_calls import Call
from web.access.needs import needs
from web.access.visitor import me
from web.desk.area import blueprint, field, own
from web.desk.picture import Desk
from web.parts import parts
from web.push.present import live
from web.writing import fresh_key

_PREFIX: Final = "field-"
_LAST_VERSION: Final = 9  # digits


@blueprint.get("/note")
@needs("desk.use")
def note() -> Response:
    """The note that is being written about a caller, as the page's script wants it."""
    now, version = form_of(theirs(request.args.get("contact", "")).contact_id, NOTE)
    found: Response = jsonify(
        key=now.key if now is not None else fresh_key(),
        version=version,
        text=now.words.fields.get("note", "") if now is not None else "",
        by=marked(now),
    )
    return found


@blueprint.post("/begun")
@needs("desk.use")
def keep_begun() -> Response:
    """Keep what is typed. 409 with who was there, where the page has not seen it."""
    contact_id, form = theirs(field("contact")).contact_id, _form()
    try:
        version = parts().reading.begun.keep(
            contact_id, form, typed(), key=_key(), version=version_seen(), by=me().agent_id, page=field("page")
        )
    except Moved as moved:
        clash: Response = jsonify(
            version=moved.now.version, clash=_who_was_there(moved.now), ended=bool(moved.now.ended)
        )
        clash.status_code = 409
        return clash
    kept: Response = jsonify(version=version)
    return kept


@blueprint.post("/begun/drop")
@needs("desk.use")
def drop_begun() -> Response:
    """Throw away what was typed."""
    contact_id = theirs(field("contact")).contact_id
    parts().reading.begun.end(contact_id, _form(), _key(), DROPPED, by=me().agent_id, page=field("page"))
    dropped: Response = jsonify(told=gettext("The form was thrown away."))
    return dropped


# ---------------------------------------------------------------------------------------------------------------------


def with_desk(desk: Desk) -> str:
    """The contact whose begun forms are at this desk: whom the agent talks with, or talked with last, unless the call
    has gone on to somebody else.
    """
    if desk.talk is not None:
        return desk.talk.contact_id
    return desk.wrap_up.contact_id if desk.wrap_up is not None and not desk.wrap_up.gone_on else ""


def has(contact_id: str) -> bool:
    """Whether the visitor may read what was begun about this contact."""
    with live().view.still() as world:
        return contact_id in had_by(world.shifts.get(world.shift_of_agent.get(me().agent_id, "")))


def had_by(shift: Shift | None) -> set[str]:
    """The contacts with whom this agent talks, or of which there is after-call work still: of no other one is shown
    what was begun, however often it was offered to them.
    """
    if shift is None:
        return set()
    talks = {each.contact_id for each in shift.engagements if each.segment_id}
    wrapped_up = {shift.contact_id} if shift.status == "wrapping_up" else set()
    return talks | wrapped_up | {each.contact_id for each in shift.postponed}


def theirs(contact_id: str) -> Call:
    """The contact, if the visitor has it as `has` says; 404 for any other."""
    call = own(contact_id)
    if not has(call.contact_id):
        abort(404)
    return call


def form_of(contact_id: str, form: str) -> tuple[Begun | None, int]:
    """The form as somebody began it, None where there is none, or it was sent or thrown away; and the version that
    whoever looks now has seen.
    """
    found = parts().reading.begun.find(contact_id, form)
    return (found, found.version) if found is not None and not found.ended else (None, found.version if found else 0)


def typed() -> Words:
    """What stands in the form that was sent, whichever it is."""
    fields = {name.removeprefix(_PREFIX): text for name, text in request.form.items() if name.startswith(_PREFIX)}
    return Words(type=field("type"), fields=fields)


def marked(now: Begun | None) -> str:
    """Who began it, for whoever did not; empty where nobody else did."""
    if now is None or (now.begun_by, now.typed_by) == (me().agent_id, me().agent_id):
        return ""
    return str(gettext("Begun by %(agent)s; last typed at %(time)s", agent=_name(now.begun_by), time=_clock(now)))


def gone(now: Begun) -> Refused:
    """The refusal for whoever sends what somebody else has sent or thrown away, or changed since."""
    what = _who_was_there(now)
    if now.ended:
        return Refused("form_gone", gettext("%(what)s Nothing was sent again.", what=what))
    return Refused("form_changed", gettext("%(what)s Nothing was sent: look at it first.", what=what))


def _who_was_there(now: Begun) -> str:
    """What happened to the form, for somebody who has it open, too."""
    words = {"agent": _name(now.typed_by), "time": _clock(now)}
    if now.ended == SENT and now.typed_by == me().agent_id:
        return str(gettext("You sent this form in another window, at %(time)s.", **words))
    if now.ended == SENT:
        return str(gettext("%(agent)s sent this form at %(time)s.", **words))
    if now.ended == DROPPED:
        return str(gettext("%(agent)s threw this form away at %(time)s.", **words))
    if now.typed_by == me().agent_id:
        return str(gettext("You typed into this form in another window, at %(time)s.", **words))
    return str(gettext("%(agent)s typed into this form at %(time)s.", **words))


def _name(agent_id: str) -> str:
    with live().view.still() as world:
        agent = world.agents.get(agent_id)
    return (agent.name or agent.number) if agent is not None else agent_id


def _clock(now: Begun) -> str:
    return f"{now.typed_at.astimezone(parts().settings.timezone):%H:%M:%S}"


def _form() -> str:
    form = field("form")
    if form not in FORMS:
        abort(400)
    return form


def _key() -> str:
    key = field("key")
    if not key:
        abort(400)
    return key


def version_seen() -> int:
    """Which version of the form the page saw; 0 for none."""
    text = field("version") or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= _LAST_VERSION):
        abort(400)
    return int(text)

"""What an agent types about a caller and has not sent: kept at the server, so that it goes with the call.

Feature 4.4. A page saves it while it is typed (`static/js/begun.js`), and says which version it saw. Where somebody
else typed since, in another window or at another desk, nothing is overwritten: the page is told who, the agent chooses.
"""

from typing import Final

from flask import Response, abort, jsonify, request
from flask_babel import gettext

from orchestrator.domain.kernel import Refused
from orchestrator.service.begun import DROPPED, FORMS, NOTE, SENT, Begun, Moved, Words
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
    contact_id = own(request.args.get("contact", "")).contact_id
    now = open_form(contact_id, NOTE)
    found: Response = jsonify(
        key=now.key if now is not None else fresh_key(),
        version=version_of(contact_id, NOTE),
        text=now.words.fields.get("note", "") if now is not None else "",
        by=marked(now),
    )
    return found


@blueprint.post("/begun")
@needs("desk.use")
def keep_begun() -> Response:
    """Keep what is typed. 409 with who was there, where the page has not seen it."""
    contact_id, form = own(field("contact")).contact_id, _form()
    try:
        version = parts().reading.begun.keep(
            contact_id, form, typed(), key=_key(), version=_version(), by=me().agent_id, page=field("page")
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
    contact_id = own(field("contact")).contact_id
    parts().reading.begun.end(contact_id, _form(), _key(), DROPPED, by=me().agent_id)
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


def open_form(contact_id: str, form: str) -> Begun | None:
    """The form as somebody began it; None where there is none, or it was sent or thrown away."""
    found = parts().reading.begun.find(contact_id, form)
    return None if found is None or found.ended else found


def version_of(contact_id: str, form: str) -> int:
    """What a page that begins now has seen."""
    found = parts().reading.begun.find(contact_id, form)
    return 0 if found is None else found.version


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
    """The refusal for whoever sends what somebody else has sent or thrown away."""
    return Refused("form_gone", gettext("%(what)s Nothing was sent again.", what=_who_was_there(now)))


def _who_was_there(now: Begun) -> str:
    """What happened to the form, for somebody who has it open, too."""
    words = {"agent": _name(now.typed_by), "time": _clock(now)}
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


def _version() -> int:
    text = field("version") or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= _LAST_VERSION):
        abort(400)
    return int(text)

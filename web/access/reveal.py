"""Masked personal data shown whole: an act that is recorded on the stream of whoever looked (features 11.6, law 11)."""

import re
from typing import Any, Final

from flask import Response, abort, jsonify, render_template, request

from orchestrator.domain.access.users import PersonalDataRevealed
from orchestrator.domain.kernel import Refused, ident_of, kind_of
from projections import contact_log
from projections.reading import SEALED
from web.access.area import blueprint
from web.access.gate import wants_page
from web.access.needs import needs
from web.access.sight import agents_in_sight
from web.access.visitor import me
from web.parts import parts
from web.shown import national

# Whose personal data screens show, and what one needs to see such a screen: nobody asks for the address that another
# user signed in from, and whoever works on orders only has no number of a caller or customer shown.
_KINDS: Final = {
    "contact": "history.search",
    "customer": "customers.see",
    "order": "work.see",
    "blacklist": "blacklist.see",
}
_SUBJECT: Final = re.compile(r"[a-z]{1,20}-[A-Za-z0-9-]{1,60}")
_FIELD: Final = re.compile(r"[a-z][a-z_]{0,39}(?:\.[a-z0-9_-]{1,40})?")


@blueprint.post("/reveal")
@needs("personal.reveal")
def reveal() -> Response | str:
    """The latest text of a personal field of a stream, recorded first, shown then."""
    subject, field = request.form.get("subject", ""), request.form.get("field", "")
    if kind_of(subject) not in _KINDS or not _SUBJECT.fullmatch(subject) or not _FIELD.fullmatch(field):
        abort(400)
    if not me().may(_KINDS[kind_of(subject)]):
        abort(403)
    if kind_of(subject) == "contact" and not _in_sight(ident_of(subject)):
        abort(404)
    text = _latest(subject, field)
    if text is None:
        abort(404)
    if not me().user_id:
        raise Refused("people_only", "A program sees what its role sees; only a person may have more shown.")
    event = PersonalDataRevealed(subject=subject, field=field)
    position = parts().reading.users.note(me().user_id, event, actor=me().actor)
    if wants_page():
        return render_template("access/revealed.html", text=national(text))
    return jsonify(text=national(text), position=position)


def _in_sight(contact_id: str) -> bool:
    agents = agents_in_sight()
    if agents is None:
        return True
    with parts().reading.reader.borrow() as connection:
        return contact_log.find(connection, contact_id, agents=agents) is not None


def _latest(subject: str, field: str) -> str | None:
    """The field's last text; None where it has none or is not personal, that is: shown to nobody without keys."""
    reading, found = parts().reading, None
    masked, opened = reading.sealed.stream(subject), reading.log.stream(subject)
    for without, with_keys in zip(masked, opened, strict=False):
        if _at(without.event, field) == SEALED:
            found = _at(with_keys.event, field)
    return found


def _at(event: object, field: str) -> Any:  # noqa: ANN401 - whatever the event holds there
    name, _, key = field.partition(".")
    value = getattr(event, name, None)
    return value.get(key) if key and isinstance(value, dict) else None if key else value

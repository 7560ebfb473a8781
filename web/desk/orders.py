"""The form of a work order beside a call: opened, filled in, gone with the call, sent (features 4.4, 4.7, 5.4)."""

from flask import render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from orchestrator.domain.work import ordertypes
from orchestrator.domain.work.orders import reference
from orchestrator.domain.work.ordertypes import Choice, FieldSpec, OrderType, OrderTypeConfigured
from orchestrator.service.begun import ORDER, Moved
from projections import work_orders
from web import language
from web.access.needs import needs
from web.access.visitor import me
from web.desk.answers import done
from web.desk.area import blueprint, field, own
from web.desk.begun import form_of, gone, has, marked, typed, version_seen
from web.parts import parts
from web.writing import agent, fresh_key, work
from web.writing import key as form_key


@blueprint.get("/order")
@needs("work.open")
def order() -> str:
    """The form of a work order for a call: first which type, then its fields; as somebody began it, where somebody did.
    With `begun`, only that: nothing where nobody began any. While the phone still rings it is empty, and is kept from
    the beginning of the talk.
    """
    call = own(request.args.get("contact", ""))
    theirs = has(call.contact_id)
    begun, version = form_of(call.contact_id, ORDER) if theirs else (None, 0)
    if begun is None and "begun" in request.args:
        return ""
    known = _types()
    chosen = known.get(request.args.get("type") or (begun.words.type if begun is not None else ""))
    return render_template(
        "desk/order.html",
        call=call,
        types=known,
        chosen=chosen,
        label=_label,
        key=begun.key if begun is not None else fresh_key(),
        version=version,
        early=not theirs,
        fields=begun.words.fields if begun is not None else {},
        by=marked(begun),
    )


@blueprint.post("/order")
@needs("work.open")
def open_order() -> AnyResponse:
    """Open it; sent twice it is opened once. Of two who send the same form the second is told."""
    call, begun = own(field("contact")), parts().reading.begun
    try:
        with begun.sending(
            call.contact_id, ORDER, key=field("key"), version=version_seen(), by=me().agent_id, page=field("desk")
        ):
            written = work().open(
                agent(),
                field("type"),
                typed().fields,
                contact_id=call.contact_id,
                customer_id=call.customer_id,
                key=form_key(),
            )
    except Moved as moved:
        raise gone(moved.now) from None
    return done(written.position, gettext("Work order %(reference)s was opened.", reference=reference(written.ident)))


def _types() -> dict[str, OrderType]:
    """The types that this agent may open, by id."""
    with parts().reading.reader.borrow() as connection:
        known = work_orders.types(connection)
    return {each.type_id: each for each in known.values() if each.open and each.allows("open", me().roles)}


def _label(thing: OrderTypeConfigured | FieldSpec | Choice) -> str:
    return ordertypes.label(thing, language.current())

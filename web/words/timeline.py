"""An entry of a customer's timeline as a sentence."""

from typing import Final

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from orchestrator.domain.work.ordertypes import OrderType, label
from projections.customer_timeline import Entry
from web.words.codes import code, reason
from web.words.names import duration

_FILE: Final[dict[str, LazyString]] = {
    "CustomerCreated": _l("Customer’s file begun"),
    "CustomerProfileChanged": _l("File corrected"),
    "CustomerNumberAdded": _l("Telephone number added"),
    "CustomerErased": _l("Personal data erased"),
}
_STEPS: Final[dict[str, LazyString]] = {
    "OrderOpened": _l("opened"),
    "OrderAssigned": _l("assigned"),
    "OrderNoted": _l("noted"),
    "OrderAmended": _l("corrected"),
    "OrderDone": _l("done"),
    "OrderReopened": _l("reopened"),
    "OrderClosed": _l("closed"),
    "OrderMoved": _l("moved on"),
}


def step(what: str) -> str:
    """What one event did to an order."""
    return str(_STEPS.get(what, what))


def words(entry: Entry, known: OrderType | None, language: str) -> str:
    """What the entry says, without what people wrote."""
    detail = entry.detail
    match entry.kind:
        case "contact":
            parts = [_("Call"), *([code("outbound")] if detail.outbound else []), code(entry.what or "live")]
            if detail.talk_ms:
                parts.append(_("talked %(length)s", length=duration(detail.talk_ms)))
            if detail.transfers:
                parts.append(code("transfer"))
            if detail.code:
                parts.append(reason(detail.code))
            return " · ".join(parts)
        case "order":
            name = label(known.settings, language) if known is not None else detail.type_id
            state = known.state(detail.state) if known is not None and detail.state else None
            shown = f" → {label(state, language)}" if state is not None else ""
            done = _("Order “%(name)s”: %(step)s", name=name, step=step(entry.what))
            return f"{done}{shown}"
        case "note":
            note = str(_("Note"))
            return f"{note} · {reason(detail.code)}" if detail.code else note
    return str(_FILE.get(entry.what, entry.what))

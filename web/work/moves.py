"""Moves of work orders that not everybody who works on orders may make."""

from flask import abort

from orchestrator.service.work import Work
from web.access.visitor import me


def refuse_closing(work: Work, order_id: str, action: str) -> None:
    """403 where this move closes the order for good and the visitor may not; all else is for the service to say."""
    if me().may("work.close"):
        return
    order = work.order(order_id)
    known = work.type(order.type_id) if order is not None else None
    if order is None or known is None:
        return
    found = next((each for each in known.moves_from(order.state) if each.action == action), None)
    state = known.state(found.after) if found is not None else None
    if state is not None and state.kind == "closed":
        abort(403)

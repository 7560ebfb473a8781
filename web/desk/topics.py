"""What a desk is told of: its own agent at once, the queues of that agent every two seconds."""

from collections.abc import Callable
from typing import Final, cast

from flask import current_app, render_template

from web.access.visitor import Visitor
from web.desk.attendance import Attendance
from web.desk.picture import desk_of
from web.desk.shown import region, words_of
from web.desk.waiting import may_take_from, waiting_in
from web.parts import parts
from web.push.present import Topic, live

QUEUES_EVERY_S: Final = 2.0
_KEY: Final = "ringledger-attendance"


def draw_desk(agent_id: str) -> str:
    """The parts of the page that change. Empty where there is no such agent any more."""
    desk = desk_of(live().view, agent_id)
    return render_template("desk/parts.html", desk=desk, words=words_of(desk)) if desk is not None else ""


def draw_queue(queue_id: str) -> str:
    """Who waits in one queue."""
    return render_template("desk/queue.html", queue=waiting_in(live().view, queue_id), region=region)


def attendance() -> Attendance:
    """The app's, made when it is first asked for."""
    if _KEY not in current_app.extensions:
        current_app.extensions[_KEY] = Attendance(parts().do).start()
    return cast("Attendance", current_app.extensions[_KEY])


def _attend(agent_id: str, desk_id: str) -> Callable[[], None] | None:
    """The stream of a page is that of a desk, where it says which."""
    with live().view.still() as world:
        agent = world.agents.get(agent_id)
    return attendance().come(agent.number, desk_id) if agent is not None and desk_id else None


def _own(visitor: Visitor, agent_id: str) -> bool:
    return visitor.may("desk.use") and bool(agent_id) and visitor.agent_id == agent_id


def _sees_queue(visitor: Visitor, queue_id: str) -> bool:
    """Who waits there is for agents who may take them."""
    if not visitor.may("waiting.take") or not visitor.agent_id:
        return False
    with live().view.still() as world:
        agent = world.agents.get(visitor.agent_id)
        return agent is not None and queue_id in may_take_from(world, agent)


TOPICS: Final = (
    Topic("desk", draw_desk, _own, source="agent", attend=_attend),
    Topic("queue", draw_queue, _sees_queue, every_s=QUEUES_EVERY_S),
)

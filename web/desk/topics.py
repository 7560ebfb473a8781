"""What a desk is told of: its own agent at once, the queues of that agent every two seconds."""

from typing import Final

from flask import render_template

from web.access.visitor import Visitor
from web.desk.picture import desk_of, waiting_in
from web.desk.shown import words_of
from web.push.present import Topic, live

QUEUES_EVERY_S: Final = 2.0


def draw_desk(agent_id: str) -> str:
    """The parts of the page that change. Empty where there is no such agent any more."""
    desk = desk_of(live().view, agent_id)
    return render_template("desk/parts.html", desk=desk, words=words_of(desk)) if desk is not None else ""


def draw_queue(queue_id: str) -> str:
    """Who waits in one queue."""
    return render_template("desk/queue.html", queue=waiting_in(live().view, queue_id))


def _own(visitor: Visitor, agent_id: str) -> bool:
    return visitor.may("desk.use") and bool(agent_id) and visitor.agent_id == agent_id


def _any_queue(visitor: Visitor, _queue_id: str) -> bool:
    return visitor.may("desk.use") or visitor.may("floor.watch")


TOPICS: Final = (
    Topic("desk", draw_desk, _own, source="agent"),
    Topic("queue", draw_queue, _any_queue, every_s=QUEUES_EVERY_S),
)

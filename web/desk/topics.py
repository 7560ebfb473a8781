"""What a desk is told of: its own agent at once, that agent's day and queues a little later."""

from collections.abc import Callable
from typing import Final, cast

from flask import current_app, render_template

from web.access.visitor import Visitor
from web.desk.attendance import Attendance
from web.desk.begun import with_desk
from web.desk.days import Days
from web.desk.picture import desk_of
from web.desk.shown import region, words_of
from web.desk.waiting import may_take_from, waiting_in
from web.parts import parts
from web.push.present import Topic, live

QUEUES_EVERY_S: Final = 2.0
DAY_EVERY_S: Final = 0.5
_KEY: Final = "ringledger-attendance"
_DAYS_KEY: Final = "ringledger-days"


def draw_desk(agent_id: str) -> str:
    """The parts of the page that change. Empty where there is no such agent any more."""
    desk = desk_of(live().view, agent_id)
    if desk is None:
        return ""
    return render_template("desk/parts.html", desk=desk, words=words_of(desk), begun_with=with_desk(desk))


def draw_queue(queue_id: str) -> str:
    """Who waits in one queue."""
    return render_template("desk/queue.html", queue=waiting_in(live().view, queue_id), region=region)


def draw_day(agent_id: str) -> str:
    """The counters of the agent's day. Empty, so that the page keeps what it has, where they were not read yet."""
    day = days().of(agent_id)
    return render_template("desk/part_counts.html", day=day) if day is not None else ""


def days() -> Days:
    """The app's, made when it is first asked for."""
    if _DAYS_KEY not in current_app.extensions:
        now, found = live(), parts()
        made = Days(
            found.reading.reader,
            found.settings.timezone,
            wanted=lambda agent_id: now.hub.looked_at(f"day:{agent_id}"),
            changed=lambda agents: now.hub.redraw(frozenset(f"day:{agent}" for agent in agents)),
        )
        now.view.subscribe(made.note)
        current_app.extensions[_DAYS_KEY] = made.start()
    return cast("Days", current_app.extensions[_DAYS_KEY])


def _look_again(agent_id: str, _desk_id: str) -> None:
    """What was done between the page and its stream, or while the page was away, is read now."""
    days().note(live().view.last_change(f"agent:{agent_id}"), (f"agent:{agent_id}",))


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
    Topic("day", draw_day, _own, every_s=DAY_EVERY_S, attend=_look_again),
    Topic("queue", draw_queue, _sees_queue, every_s=QUEUES_EVERY_S),
)

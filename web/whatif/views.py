"""A day played again with other rules or staff: the question, the wait, and the answer beside the real day."""

import time
from typing import Final

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from orchestrator.domain.kernel import Instant, Refused
from orchestrator.service.site_file import BadConfiguration
from orchestrator.whatif import asking
from orchestrator.whatif.asking import Answer
from orchestrator.whatif.changes import MOST_AGENTS
from orchestrator.whatif.job import Request
from projections import sizing
from projections.base import Site
from web import refusals
from web.access.needs import needs
from web.access.visitor import me
from web.navigation import Item
from web.parts import parts
from web.routing.looking import open_drafts
from web.routing.sayings import said
from web.whatif import charts, command, words
from web.whatif.jobs import State, jobs
from web.writing import drafts

blueprint = Blueprint("whatif", __name__, url_prefix="/whatif")
NAVIGATION = (Item("whatif.page", _l("What if"), 66),)

_MOST_DIGITS: Final = 6
_ENDED: Final = {
    "cancelled": _l("Nobody waited for it any more, so it was ended. Ask again."),
    "too_long": _l("It took more than half an hour, so it was ended. Ask for fewer days or seeds."),
    "broken": _l("It broke down. Ask again; if that happens again, it is a fault of ours."),
}


@blueprint.get("/")
@needs("sizing.see")
def page() -> str:
    """The question, and the last answers."""
    return _form([])


@blueprint.post("/")
@needs("sizing.see")
def ask() -> Response | tuple[str, int]:
    """Have the day played; what cannot be asked is said beside the form."""
    try:
        job_id = jobs().start(_request())
    except BadConfiguration as bad:
        return _form([_in_words(each) for each in bad.problems]), 400
    except Refused as refused:
        return _form([refusals.words(refused)]), 400
    return redirect(url_for("whatif.one", job_id=job_id), 303)


@blueprint.get("/<job_id>")
@needs("sizing.see")
def one(job_id: str) -> str | tuple[str, int]:
    """The answer, or how far it has come."""
    state = jobs().state(job_id)
    if state.state == "running":
        return render_template("whatif/wait.html", job_id=job_id, state=state)
    answer = jobs().answer(job_id)
    if answer is not None:
        return _answered(answer)
    if state.state in ("done", "unknown"):
        abort(404)
    return _form([_why(state)]), 400


@blueprint.get("/<job_id>/state")
@needs("sizing.see")
def state(job_id: str) -> Response:
    """For the page that waits."""
    found = jobs().state(job_id)
    return jsonify(state=found.state, done=found.done, plays=found.plays)


@blueprint.post("/<job_id>/cancel")
@needs("sizing.see")
def cancel(job_id: str) -> Response:
    """Do not wait any more."""
    jobs().cancel(job_id)
    return redirect(url_for("whatif.page"), 303)


def request_for(
    day: str, *, days: int = 1, text: str = "", agents: int = 0, queue_id: str = "", seeds: int = 0
) -> Request:
    """The question to the job. Raises `Refused`: bad_day, bad_days, bad_seeds, future_day."""
    asking.checked(days, seeds or 1)
    settings = parts().settings
    first, last = command.span(settings, day, days)
    return Request(
        url=parts().reading.reader.url,
        kek_file=str(settings.kek_file),
        first=first,
        last=last,
        seeds=seeds,
        text=text,
        agents=agents,
        queue_id=queue_id,
        region=settings.region,
    )


def _request() -> Request:
    typed = request.form
    draft = typed.get("draft", "")
    if draft and not me().may("routing.see"):
        abort(403)
    return request_for(
        typed.get("day", ""),
        days=_number("days", 1),
        text=drafts().text(drafts().get(draft, me().actor)) if draft else "",
        agents=_number("agents", 0),
        queue_id=typed.get("queue", ""),
        seeds=_number("seeds", 0),
    )


def _number(name: str, otherwise: int) -> int:
    text = request.form.get(name, "").strip().removeprefix("+")
    if not text:
        return otherwise
    if len(text) > _MOST_DIGITS or not text.isascii() or not text.removeprefix("-").isdecimal():
        raise Refused("bad_whole_number", gettext("Write whole numbers, such as 3 or -2."))
    return int(text)


def _in_words(problem: str) -> str:
    """Something wrong with a draft: the key as it is, and what is wrong in the reader's language."""
    key, _, sentence = problem.partition(": ")
    return f"{key}: {said(sentence)}" if sentence else said(problem)


def _why(found: State) -> str:
    if found.state == "ended":
        return str(_ENDED[found.code])
    return refusals.words(Refused(found.code, found.message))


def _form(problems: list[str]) -> str:
    with parts().reading.reader.borrow() as connection:
        queues = sizing.queues(connection)
    site = Site(parts().settings.timezone)
    return render_template(
        "whatif/page.html",
        problems=problems,
        typed=request.form or request.args,
        queues=queues,
        drafts=open_drafts() if me().may("routing.see") else [],
        today=site.day(Instant(time.time_ns() // 1000)),
        last=list(jobs().last()),
        running=jobs().running(),
        most_days=asking.MOST_DAYS,
        most_seeds=asking.MOST_SEEDS,
        most_agents=MOST_AGENTS,
        summary=summary,
    )


def _answered(answer: Answer) -> str:
    return render_template(
        "whatif/answer.html",
        answer=answer,
        charts=charts.charts(answer),
        busy=charts.busy(answer),
        size=charts,
        words=words,
        why=words.sentences(answer),
        names=_queue_names(),
        summary=summary,
        shows_changes=me().may("routing.see"),
    )


def _queue_names() -> dict[str, str]:
    with parts().reading.reader.borrow() as connection:
        return {queue.queue_id: queue.name for queue in sizing.queues(connection)}


def summary(answer: Answer) -> str:
    """What was asked, in a few words."""
    told: list[str] = []
    if answer.changes:
        told.append(gettext("another configuration, %(count)s changes", count=len(answer.changes)))
    if answer.more_agents:
        number = f"{answer.more_agents:+d}"
        if answer.queue_id:
            told.append(gettext("agents %(number)s in %(queue)s", number=number, queue=answer.queue_id))
        else:
            told.append(gettext("agents %(number)s", number=number))
    return "; ".join(told) or gettext("as it was")

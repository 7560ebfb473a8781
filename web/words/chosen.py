"""What agents choose from, as the site names it: reasons for not being ready, and of what became of a contact."""

from typing import cast

from flask import g, has_app_context

from orchestrator.domain.staff.reasons import PauseReason, Reasons, WrapUpReason, WrapUpReasonsConfigured, label
from orchestrator.service.site_reasons import usual
from web import language
from web.push.present import view_if_any


def pauses() -> tuple[PauseReason, ...]:
    """Why an agent may be not ready; the product's own reasons where the site lists none."""
    return _site().of_pauses() or usual().of_pauses()


def wrap_up(queue_id: str) -> tuple[WrapUpReason, ...]:
    """What may be chosen after a contact of this queue."""
    site = _site()
    return (site if site.wrap_ups else usual()).of_wrap_up(queue_id)


def wrap_up_lists() -> tuple[WrapUpReasonsConfigured, ...]:
    """All lists of wrap-up reasons, those of some queues first."""
    lists = (_site().wrap_ups or usual().wrap_ups).items()
    return tuple(each for _, each in sorted(lists, key=lambda item: (not item[1].queues, item[0])))


def pause_codes() -> tuple[str, ...]:
    """The codes of all reasons for not being ready."""
    return _site().pause_codes() or usual().pause_codes()


def wrap_up_codes() -> tuple[str, ...]:
    """The codes of all wrap-up reasons, whatever the queue."""
    return _site().wrap_up_codes() or usual().wrap_up_codes()


def most_ms(code: str) -> int:
    """How long a pause of this reason should last at most; 0 where there is no limit."""
    return next((reason.most_ms for reason in pauses() if reason.id == code), 0)


def name(code: str) -> str:
    """What the site calls it, in the reader's language, also where it is in no list any more; else nothing."""
    reason = _site().known.get(code) or usual().known.get(code)
    return "" if reason is None else label(reason, language.current())


def as_of(reasons: Reasons) -> None:
    """Let the rest of the present answer name them as the site did then."""
    g.reasons_then = reasons


def _site() -> Reasons:
    if not has_app_context():
        return Reasons()
    if (then := g.get("reasons_then")) is not None:
        return cast("Reasons", then)
    view = view_if_any()
    return Reasons() if view is None else view.world.reasons

"""The reasons that agents choose from, as the site configured them."""

from msgspec import Struct

from orchestrator.domain.staff.reasons import label
from web import language
from web.api.floor import READY_S
from web.api.forms import Ms
from web.push.present import live
from web.words import chosen


class PauseReason(Struct, frozen=True, kw_only=True):
    """Why an agent may be not ready. `most_ms`: how long that should last at most; null where there is no limit."""

    code: str
    name: str
    most_ms: Ms | None


class WrapUpReason(Struct, frozen=True, kw_only=True):
    """What may have become of a contact. `heading`: what it stands under, empty for nothing. `queues`: after whose
    contacts it is offered; none means any.
    """

    code: str
    name: str
    heading: str
    queues: list[str]


class Reasons(Struct, frozen=True, kw_only=True):
    """All of them, in the order in which a desk shows them; names in the language that Accept-Language asks for."""

    pauses: list[PauseReason]
    wrap_up: list[WrapUpReason]


def everything() -> Reasons:
    """The reasons that agents choose from"""
    live().view.wait_ready(READY_S)
    tongue = language.current()
    return Reasons(
        pauses=[
            PauseReason(code=each.id, name=label(each, tongue), most_ms=each.most_ms or None)
            for each in chosen.pauses()
        ],
        wrap_up=[
            WrapUpReason(
                code=choice.id,
                name=label(choice, tongue),
                heading=label(each, tongue) if each.reasons else "",
                queues=list(listed.queues),
            )
            for listed in chosen.wrap_up_lists()
            for each in listed.reasons
            for choice in each.choices
        ],
    )

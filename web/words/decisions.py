"""Why this agent: a decision record in words (feature 3.9, complaint 25)."""

from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import ngettext

from orchestrator.domain.contacts.events import Decision
from orchestrator.domain.contacts.moving import PICKED_BY_HAND
from web.words.codes import code
from web.words.names import Names, duration


class Line(NamedTuple):
    """One candidate: place, who, what counted."""

    place: int
    agent: str
    why: str
    chosen: bool


def reasons(decision: Decision, chosen: frozenset[str], names: Names) -> tuple[str, list[Line], list[str]]:
    """The rule in a sentence, the best candidates in their order, and how many others were out and for what."""
    rule = _by_hand(decision) if decision.rule == PICKED_BY_HAND else _by_rule(decision)
    lines = [
        Line(
            place,
            names.agent(candidate.agent_id),
            _("level %(level)s, idle for %(idle)s", level=candidate.level, idle=duration(candidate.idle_ms)),
            candidate.agent_id in chosen,
        )
        for place, candidate in enumerate(decision.candidates, 1)
    ]
    others = [
        ngettext("%(num)s other agent: %(state)s", "%(num)s other agents: %(state)s", count, state=code(state))
        for state, count in sorted(decision.others.items())
    ]
    return rule, lines, others


def _by_hand(decision: Decision) -> str:
    """Nobody was compared: a person chose. Whoever was passed over is named by the beginning of the contact's id."""
    if not decision.passed_over:
        return str(_("Picked by hand; nobody was passed over."))
    named = ", ".join(contact_id[:8] for contact_id in decision.passed)
    told = ngettext(
        "Picked by hand; %(num)s caller who was before it in the queue was passed over: %(named)s.",
        "Picked by hand; %(num)s callers who were before it in the queue were passed over, the first of them: "
        "%(named)s.",
        decision.passed_over,
        named=named,
    )
    return str(told)


def _by_rule(decision: Decision) -> str:
    told = _(
        "Skill “%(skill)s” at level %(level)s or higher; higher level first, then %(rule)s; configuration version "
        "%(version)s.",
        skill=decision.skill,
        level=decision.min_level,
        rule=code(decision.rule),
        version=decision.config_version,
    )
    return str(told)

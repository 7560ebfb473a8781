"""Why this agent: a decision record in words (feature 3.9, complaint 25)."""

from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import ngettext

from orchestrator.domain.contacts.dialling import DIALLED
from orchestrator.domain.contacts.events import Candidate, Decision
from orchestrator.domain.contacts.moving import PICKED_BY_HAND
from web.words.codes import code, rule
from web.words.names import Names, duration


class Line(NamedTuple):
    """One candidate: place, who, what counted."""

    place: int
    agent: str
    why: str
    chosen: bool


def reasons(decision: Decision, chosen: frozenset[str], names: Names) -> tuple[str, list[Line], list[str]]:
    """The rule in a sentence, the best candidates in their order, and how many others were out and for what."""
    told = _told(decision, names)
    lines = [
        Line(
            place,
            names.agent(candidate.agent_id),
            _why(candidate),
            candidate.agent_id in chosen,
        )
        for place, candidate in enumerate(decision.candidates, 1)
    ]
    others = [
        ngettext("%(num)s other agent: %(state)s", "%(num)s other agents: %(state)s", count, state=code(state))
        for state, count in sorted(decision.others.items())
    ]
    return told, lines, others


def _told(decision: Decision, names: Names) -> str:
    if decision.rule == PICKED_BY_HAND:
        return _by_hand(decision)
    if decision.rule == DIALLED:
        return str(_("The agent calls this number: the own phone rings first, and nobody else was asked."))
    return _by_rule(decision, names)


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


def _by_rule(decision: Decision, names: Names) -> str:
    said = {"asked": _asked(decision, names), "rule": rule(decision.rule), "version": decision.config_version}
    if decision.level_first:
        told = _("%(asked)s; higher level first, then %(rule)s; configuration version %(version)s.", **said)
    else:
        told = _("%(asked)s; %(rule)s first; configuration version %(version)s.", **said)
    if decision.window:
        told += " " + _("Counted over %(window)s.", window=code(decision.window))
    if decision.rank:
        parts = ", ".join(f"{code(part)} {points:+d}" for part, points in decision.rank.items())
        told += " " + _("Rank of the contact: %(parts)s.", parts=parts)
    return str(told)


def _asked(decision: Decision, names: Names) -> str:
    """What was asked of agents at this step."""
    wanted = decision.requirement
    skills = {decision.skill: decision.min_level} if wanted is None else wanted.skills
    told = [
        _("Skill “%(skill)s” at level %(level)s or higher", skill=skill, level=level)
        for skill, level in sorted(skills.items())
    ] or [_("Any skill")]
    if wanted is not None and wanted.agents:
        told.append(_("only %(agents)s", agents=", ".join(map(names.agent, wanted.agents))))
    if wanted is not None and wanted.branch:
        told.append(_("only branch %(branch)s", branch=wanted.branch))
    if decision.step:
        told.append(_("step %(step)s", step=decision.step + 1))
    return ", ".join(told)


def _why(candidate: Candidate) -> str:
    """What counted for a candidate; whatever the rule looked at beside level and idle time is told in the middle."""
    return counted({"level": candidate.level, **candidate.score, "idle_ms": candidate.idle_ms})


def counted(parts: dict[str, int]) -> str:
    """What counted, in the order in which it counts."""
    return ", ".join(_part(what, value) for what, value in parts.items())


def _part(what: str, value: int) -> str:
    match what:
        case "level":
            return str(_("level %(level)s", level=value))
        case "calls":
            return str(ngettext("%(num)s call", "%(num)s calls", value))
        case "talk_ms":
            return str(_("talked for %(time)s", time=duration(value)))
        case "skills":
            return str(ngettext("%(num)s skill", "%(num)s skills", value))
        case "order":
            return str(_("place %(order)s", order=value))
        case "weight":
            return str(_("weight %(weight)s", weight=value))
        case "offered_ms" if value < 0:
            return str(_("not offered anything yet"))
        case "offered_ms":
            return str(_("last offered something %(time)s ago", time=duration(value)))
        case "idle_ms":
            return str(_("idle for %(idle)s", idle=duration(value)))
    return f"{code(what)} {value}"

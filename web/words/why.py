"""Why an agent did or did not get an offer, in words (feature 3.9)."""

from typing import Final

from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _l

from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing.explaining import CHOSEN, OUT, Obstacle, Reason
from web.words.codes import code
from web.words.decisions import counted
from web.words.names import Names, duration


def _(text: str, **given: object) -> str:
    return str(gettext(text, **given))


_BEFORE: Final[dict[str, LazyString]] = {
    "higher": _l("whose priority was higher"),
    "older": _l("who had waited for longer"),
}


def verdict(reason: Reason, names: Names, at: Instant) -> str:
    """The whole answer for one agent, as one line."""
    if reason.by_hand:
        return _("chosen by hand, whoever came first in the order")
    told = [obstacle(each, names, at) for each in reason.obstacles]
    if reason.verdict == OUT:
        return " · ".join(told) or _("the contact waited in no queue")
    why = counted(reason.parts)
    if reason.verdict == CHOSEN:
        return _("chosen: number %(place)s of those who were free (%(why)s)", place=reason.place, why=why)
    return _("free, but number %(place)s in the order (%(why)s)", place=reason.place, why=why)


def obstacle(found: Obstacle, names: Names, at: Instant) -> str:
    """One thing that stood in the way, as it was at that instant."""
    since = duration((at - found.since) // MILLISECOND) if found.since is not None else ""
    left = duration(max(0, found.until - at) // MILLISECOND) if found.until is not None else ""
    match found.code:
        case "not_configured":
            return _("was not in the configuration")
        case "skill_missing":
            return _("has not the skill “%(skill)s”", skill=found.skill)
        case "level_too_low":
            return _(
                "has only level %(level)s of “%(skill)s”, and %(asked)s was asked for",
                level=found.level,
                skill=found.skill,
                asked=found.asked,
            )
        case "signed_out":
            return _("was not signed in")
        case "paused":
            return _("was not ready for %(since)s: %(reason)s", since=since, reason=code(found.reason))
        case "wrapping_up":
            return _("was wrapping up for %(since)s, with %(left)s left", since=since, left=left)
        case "cooling_down":
            return _("was left alone for %(left)s more, after the phone was busy or rejected", left=left)
        case "desk_absent":
            return _("the desk was not connected for %(since)s", since=since)
        case "phone_busy":
            return _("the phone was still in use")
        case "phone_gone":
            return _("the phone was not registered for %(since)s", since=since)
        case "reserved":
            return _reserved(found, names, since)
        case "talking":
            return _("was talking in contact %(contact)s for %(since)s", contact=found.contact_id[:8], since=since)
        case "switch_away":
            return _("the contact’s switch could not be reached")
        case "not_known_yet":
            return _("who calls was not known yet, and waited for")
        case "wrong_branch":
            return _("is not of branch %(branch)s", branch=found.branch)
        case "not_named":
            return _("was not the agent asked for")
        case "rung_already":
            return _("the phone rang for this contact already, for %(since)s", since=since)
        case "just_rung":
            return _("was rung for this contact just before, for %(since)s, in vain", since=since)
        case "picked":
            return _("somebody chose another agent by hand")
        case "declined":
            return _("had not taken this contact just before, and others were free")
        case "serves_first":
            return _first(found, names)
    return code(found.code)


def _reserved(found: Obstacle, names: Names, since: str) -> str:
    given = {"contact": found.contact_id[:8], "queue": names.queue(found.queue_id), "since": since}
    if found.before in _BEFORE:
        return _(
            "was offered contact %(contact)s of “%(queue)s” for %(since)s, %(why)s",
            **given,
            why=_BEFORE[found.before],
        )
    return _("was being offered contact %(contact)s of “%(queue)s” for %(since)s", **given)


def _first(found: Obstacle, names: Names) -> str:
    given = {"contact": found.contact_id[:8], "queue": names.queue(found.queue_id)}
    if found.before in _BEFORE:
        return _("had contact %(contact)s of “%(queue)s” to serve first, %(why)s", **given, why=_BEFORE[found.before])
    return _("had contact %(contact)s of “%(queue)s” to serve first", **given)

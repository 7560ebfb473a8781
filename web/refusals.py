"""What the engine refuses, in the visitor's language: one row a code. One that is not listed is told as it is."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from orchestrator.domain.kernel import Refused

REFUSALS: Final[dict[str, LazyString]] = {
    "already_taken": _l("A colleague was faster: this caller is being connected, or talks already."),
    "at_capacity": _l("You have as many callers as you may have at once; end one first."),
    "being_offered": _l("A call is being offered already; accept it or refuse it first."),
    "hold_first": _l("Put the caller on hold first; then take another."),
    "left_in_peace": _l("This customer was just called in vain, and is called again later."),
    "no_picking": _l("Nobody takes callers of this queue by hand; ask a leader to give one to you."),
    "not_waiting": _l("This caller does not wait any more."),
    "phone_gone": _l("The phone is not registered, so it cannot be rung; see that it is, then take the call."),
    "queue_closed": _l("That queue takes nobody at this hour."),
    "queue_full": _l("In that queue as many wait already as may."),
    "same_queue": _l("This caller waits in that queue already."),
    "sent_outside": _l("A number outside is being called for this caller; wait whether it answers."),
    "skill_missing": _l("This queue needs a skill that the agent does not have, or a higher level of it."),
    "switch_away": _l("The switch of this caller cannot be reached now; try again in a moment."),
    "which_one": _l("Several callers are on hold; say with whom you want to talk."),
    "wrapping_up": _l("The after-call work comes first; finish it."),
}


def words(refused: Refused) -> str:
    """The refusal as people are told it."""
    known = REFUSALS.get(refused.code)
    return refused.message if known is None else str(known)

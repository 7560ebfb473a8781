"""Codes of the domain in words. One that is not listed is a reason of the site's own, or shown as it is."""

from typing import Final

from flask_babel import LazyString, get_locale
from flask_babel import lazy_gettext as _l

from orchestrator.domain.routing.rules import RULES
from web.words import chosen

CODES: Final[dict[str, LazyString]] = {
    # A contact's end, and where it was then.
    "completed": _l("completed"),
    "abandoned": _l("abandoned"),
    "turned_away": _l("turned away"),
    "switch_lost": _l("lost with the switch"),
    "phone_lost": _l("the phone is lost with its switch"),
    "unattended": _l("left to the switch: we were away"),
    "unattended_served": _l("served without us"),
    "unattended_message": _l("left a message without us"),
    "unattended_abandoned": _l("hung up while we were away"),
    "unattended_lost": _l("taken without us, then lost with the switch"),
    "stopped": _l("stopped by us"),
    "demo_stopped": _l("the demo was stopped"),
    "answered": _l("answered"),
    "timed_out": _l("not answered in time"),
    "no_agent_in_time": _l("no agent in time"),
    "no_entry_point": _l("no entry point for the number"),
    "overflowed": _l("sent on to another place"),
    "blacklisted": _l("the number is on the blacklist"),
    "drained": _l("the switch is being worked on"),
    "maintenance": _l("maintenance"),
    "overloaded": _l("the switch had no room"),
    "trunk_full": _l("the trunk group had no room"),
    "queue_full": _l("the queue was full"),
    "nobody_signed_in": _l("nobody was signed in"),
    "closed": _l("closed at this time"),
    "wait": _l("waited for too long"),
    "length": _l("too many waited"),
    "nobody": _l("nobody signed in who could serve"),
    "nuisance": _l("nuisance"),
    "on": _l("on"),
    "off": _l("off"),
    "repair": _l("put right after a gap"),
    "arrived": _l("arrived"),
    "waiting": _l("waiting"),
    "offered": _l("ringing at an agent"),
    "connecting": _l("being connected"),
    "connected": _l("talking"),
    "held": _l("on hold"),
    "consulting": _l("hears music while the agent asks somebody"),
    "leaving": _l("leaving"),
    "ended": _l("ended"),
    "awaiting_callback": _l("waits to be called back"),
    "callback_later": _l("to be called back later"),
    "calling_back": _l("being called back"),
    "sent_outside": _l("a number outside is being called"),
    "talking_outside": _l("talking to a number outside"),
    "callback_failed": _l("not reached for the callback"),
    "called_again": _l("the customer called again"),
    "callback_cancelled": _l("the callback was called off"),
    "outbound": _l("called by us"),
    "dialling": _l("the number is being called"),
    "dialled": _l("dialled by the agent"),
    "own_phone_no_answer": _l("the agent's own phone was not picked up"),
    "own_phone_unreachable": _l("the agent's own phone could not be reached"),
    "dial_cancelled": _l("the agent thought better of it"),
    "number_busy": _l("the number was busy"),
    "number_no_answer": _l("the number did not answer"),
    "number_wrong": _l("there is no such number"),
    "number_barred": _l("the number refuses calls, or may not be called"),
    "number_hung_up": _l("they hung up before anybody talked"),
    "number_not_reached": _l("the number was not reached"),
    "dial_failed": _l("the call could not be made"),
    "customer_asked": _l("the customer asked for it"),
    "settled": _l("settled in another way"),
    "wrong_number": _l("wrong number"),
    "mistake": _l("asked for by mistake"),
    "live": _l("live"),
    # An offer's outcome.
    "accepted": _l("accepted"),
    "rejected": _l("rejected"),
    "withdrawn": _l("withdrawn"),
    "failed": _l("failed"),
    "lost": _l("lost"),
    "busy": _l("busy"),
    "no_answer": _l("no answer"),
    "caller_left": _l("the caller left"),
    "agent_signed_out": _l("the agent signed out"),
    "answered_elsewhere": _l("another agent answered"),
    "engine_restarted": _l("the engine was restarted"),
    "not_connected_in_time": _l("not connected in time"),
    "node_down": _l("the switch cannot be reached"),
    "joined_again": _l("asked to join again"),
    "agent_parked": _l("the agent is alone on the line"),
    "agent_away": _l("the agent was taken from the caller"),
    "callback_missed": _l("the customer was not reached"),
    "outside_full": _l("no line to the outside was free"),
    "not_allowed": _l("the number may not be called"),
    "no_outside": _l("nobody outside may be called"),
    "withheld": _l("there is no number to call"),
    "outside": _l("the number outside"),
    "NO_ANSWER": _l("no answer"),
    "USER_BUSY": _l("busy"),
    "desk": _l("at the desk"),
    "phone": _l("by phone"),
    # An agent's states and why.
    "signed_out": _l("signed out"),
    "not_confirmed": _l("not confirmed once the database was back"),
    "signed_in": _l("just signed in"),
    "ready": _l("ready"),
    "paused": _l("not ready"),
    "reserved": _l("reserved"),
    "ringing": _l("ringing"),
    "talking": _l("talking"),
    "wrapping_up": _l("wrapping up"),
    "cooling_down": _l("cooling down"),
    "phone_busy": _l("phone in use"),
    "phone_gone": _l("phone not registered"),
    "unregistered": _l("it said goodbye"),
    "ring_no_answer": _l("did not answer"),
    "phone_unreachable": _l("phone not reachable"),
    "desk_lost": _l("desk connection lost"),
    "removed": _l("removed from the configuration"),
    # Who or what ended something.
    "agent": _l("the agent"),
    "caller": _l("the caller"),
    "system": _l("the system"),
    "timer": _l("time was up"),
    "none": _l("no reason given"),
    # What people do with who waits, and why.
    "picked_by_hand": _l("picked by hand"),
    "moved": _l("moved to another queue"),
    "by_hand": _l("taken by hand"),
    "transfer": _l("passed on"),
    # Why a code that a phone dialled was refused.
    "not_talking": _l("nobody to park"),
    "place_empty": _l("nobody is there"),
    "place_taken": _l("the place is taken"),
    "places_full": _l("every place is taken"),
    "no_such_place": _l("no such place"),
    "skill_missing": _l("another skill is needed"),
    "no_picking": _l("nobody takes from this queue by hand"),
    "hold_first": _l("the other caller is not on hold"),
    "switch_away": _l("the switch cannot be reached"),
    "being_offered": _l("another contact is being offered"),
    "at_capacity": _l("too many at once"),
    "which_one": _l("several callers, and none is named"),
    "not_signed_in": _l("nobody is signed in there"),
    "too_late": _l("it came too late"),
    "park": _l("park"),
    "retrieve": _l("retrieve"),
    "parked": _l("parked"),
    "retrieved": _l("retrieved from a place"),
    "park_expired": _l("back after the time at a place"),
    "taken_up": _l("the caller came back"),
    "transferred": _l("passed on by an agent"),
    "consulted": _l("consulted before"),
    "cancelled": _l("taken back"),
    "missed": _l("not answered"),
    "left": _l("they hung up"),
    "brought_in": _l("with whoever they spoke with"),
    # A supervisor who hears a talk, and why.
    "listen": _l("listens"),
    "whisper": _l("whispers to the agent"),
    "barge": _l("speaks with both"),
    "talk_over": _l("the talk is over"),
    "told_again": _l("the switch is told again"),
    "not_begun_in_time": _l("the switch did not do it in time"),
    "taken_over": _l("taken over"),
    "coaching": _l("coaching"),
    "quality_check": _l("quality check"),
    "help_asked": _l("the agent asks for help"),
    "complaint": _l("complaint"),
    "trouble": _l("trouble in the call"),
    "staffing": _l("more agents are needed"),
    "end_of_day": _l("end of the shift"),
    "left_desk": _l("has left the desk"),
    "forced": _l("by a leader"),
    "agent_busy": _l("has a call, or after-call work"),
    "agent_not_ready": _l("not ready"),
    "agent_unreachable": _l("phone not registered"),
    "wrong_queue": _l("wrong queue"),
    "important": _l("important customer"),
    "waited_long": _l("has waited long"),
    "expert_needed": _l("an expert is needed"),
    "language_needed": _l("another language is needed"),
    "given": _l("given by a leader"),
    # Why a contact's requirement moved on.
    "expired": _l("its time was over"),
    "nobody_could": _l("nobody on duty could ever take it"),
    "identified": _l("the caller is known"),
    "not_identified": _l("the caller was not known in time"),
    "reconfigured": _l("the configuration changed"),
    # Why an agent was out, beside the agent's state.
    "level_too_low": _l("level too low"),
    "wrong_branch": _l("another branch"),
    "not_named": _l("somebody else is wanted"),
    "declined": _l("did not take it just now"),
    # What rules count in.
    "shift": _l("this shift"),
    "hour": _l("this hour"),
    "day": _l("this day"),
    # The parts of a contact's rank.
    "priority": _l("priority"),
    "entry": _l("entry point"),
    "level": _l("customer level"),
    "aged": _l("waiting"),
    # Which talks are recorded.
    "always": _l("always"),
    "on_demand": _l("when the agent asks for it"),
    "as_agent": _l("as the agent's setting says"),
    "as_queue": _l("as is set for the queue"),
    "never": _l("never"),
    # Why a recording or its mask ended.
    "limit": _l("its longest time was over"),
    "again": _l("told once more"),
    "finished": _l("the recording ended"),
    "leg_gone": _l("the line was closed"),
    "missing": _l("its file is missing"),
    "no_room": _l("no room on the disk"),
    "unreadable": _l("its file cannot be read or written"),
    "twice": _l("a second file has its name"),
    "damaged": _l("its file was changed or damaged"),
    # What a recording is now.
    "recording_writing": _l("being recorded"),
    "recording_finished": _l("about to be encrypted"),
    "recording_kept": _l("kept"),
    "recording_discarded": _l("too short to be kept"),
    "recording_lost": _l("lost"),
    "recording_deleted": _l("deleted after its time"),
    "recording_problems": _l("something is wrong with it"),
    "recording_held": _l("held for a case"),
    "stopped_early": _l("the file ended before the talk did"),
    "empty-file": _l("nothing was recorded"),
    "input-too-short": _l("too short to be kept"),
    "uri-failure": _l("the file could not be written"),
    # A branch that is the caller's own.
    "local": _l("that of the caller’s region"),
    # How a customer's file came to be.
    "first_call": _l("first call"),
    "demo": _l("demo"),
    # Parts of a contact.
    "caller_number": _l("number that called"),
    "caller_name": _l("name that the network told"),
    # Roles.
    "leader": _l("team leader"),
    "back_office": _l("back office"),
    "service_point": _l("service point"),
    "qa": _l("quality reviewer"),
    "ops": _l("operations"),
    "auditor": _l("auditor"),
    "admin": _l("administrator"),
    # Why an engine could become active.
    "lease_free": _l("nobody did before"),
    "given_up": _l("somebody gave it up before"),
    "conflict": _l("somebody else has decided about the same"),
    "later_epoch": _l("another engine has decided since"),
    "process_ended": _l("the process that did has ended"),
    "session_ended": _l("the one that did has lost its database session, and could not act any more"),
    "nothing_heard": _l("nothing was heard of the one that did"),
    "handed_over": _l("it was handed over"),
    # Why an engine is to follow.
    "asked_for": _l("somebody asked for it"),
    "switches_lost": _l("the one that decides has lost its switches"),
}

ORIGINS: Final[dict[str, LazyString]] = {
    "switch": _l("from the switch"),
    "command": _l("asked for"),
    "timer": _l("by the clock"),
    "policy": _l("by rule"),
    "config": _l("configuration"),
    "recovery": _l("after a restart"),
}


def origin(text: str) -> str:
    """What kind of input led to an event, in words."""
    words = ORIGINS.get(text)
    return text if words is None else str(words)


def code(text: str) -> str:
    """The code in words: the product's, else what the site calls it, else itself with spaces for underscores."""
    words = CODES.get(text)
    return str(words) if words is not None else chosen.name(text) or text.replace("_", " ")


def reason(text: str) -> str:
    """A reason that somebody chose, or that the system had, in words: what the site calls it comes first."""
    return text and (chosen.name(text) or code(text))


def rule(name: str) -> str:
    """A queue's rule in words, which stand beside the rule itself; a name of the log that no rule has, as it is."""
    known = RULES.get(name)
    if known is None:
        return name.replace("_", " ")
    return known.words.get(str(get_locale()).partition("_")[0], known.words["en"])

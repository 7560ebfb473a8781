"""What the sections and keys of the configuration are called on screens. A key that is not listed shows its name."""

from collections.abc import Mapping
from typing import Final

import msgspec
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _p

SECTION_NAMES: Final[Mapping[str, LazyString]] = {
    "queue": _l("Queues"),
    "entry": _l("Entry points"),
    "agent": _l("Agents"),
    "branch": _l("Branches"),
    "level": _l("Customers’ levels"),
    "rewrite": _l("Rewriting of numbers"),
    "trunk": _l("Trunk groups"),
    "limit": _l("Limits"),
    "outside": _l("Calls to the outside"),
    "recordings": _l("Recording"),
    "conference": _l("Conferences"),
    "desks": _l("Desks"),
    "calendar": _l("Calendars"),
    "notice": _l("Emergency notices"),
    "ordertype": _l("Types of work orders"),
    "pauses": _l("Reasons for not being ready"),
    "wrapup": _l("Reasons of wrap-up"),
}

KEYS: Final[Mapping[str, LazyString]] = {
    # --- everywhere
    "name": _p("of a thing", "Name"),
    "names": _l("Name in other languages"),
    "id": _l("Id"),
    "kind": _l("Kind"),
    "priority": _l("Priority"),
    # --- queues
    "skill": _l("Skill asked for"),
    "min_level": _l("Least level of the skill"),
    "rule": _l("Rule among agents of one level"),
    "ring_s": _l("A phone rings for"),
    "ring_at_once": _l("Phones that ring at once"),
    "wrap_up_s": _l("Time for wrap-up"),
    "wrap_up_most_s": _l("Wrap-up can be extended to"),
    "desk_grace_s": _l("A lost desk may come back within"),
    "cool_down_s": _l("Nothing is offered after a busy or rejecting phone for"),
    "max_wait_s": _l("Longest wait"),
    "answer_target_s": _l("Answered in time means within"),
    "short_abandon_s": _l("A short abandon is within"),
    "music": _l("Music"),
    "apology": _l("Spoken apology"),
    "record": _l("Record talks"),
    "mask_most_s": _l("A mask for card data ends by itself after"),
    "keep_days": _l("Recordings are kept for so many days (0: for good)"),
    "keep_days_of": _l("Days for single queues"),
    "archive_days": _l("Recordings are moved to other media after so many days (0: never)"),
    "least_s": _l("Shorter recordings are not kept"),
    "most": _l("Persons in a conference at most"),
    "announce_agent": _l("Tell callers the agent's number"),
    "tell_place_every_s": _l("Tell who waits their place, every (0: never)"),
    "level_first": _l("Higher level first"),
    "count_window": _l("Counted over"),
    "day_begins_h": _l("The day begins at (hour, UTC)"),
    "steps": _l("Steps by which it widens"),
    "for_s": _l("Holds for"),
    "agents": _l("Only these agents"),
    "pick": _l("Who may take a waiting caller by hand"),
    "park_s": _l("A parked caller comes back after"),
    "show_listening": _l("Show agents that a supervisor listens"),
    "strongest": _l("Strongest agent first"),
    "named_agent_s": _l("Wait for the agent asked for"),
    "last_agent_s": _l("Wait for the agent of last time"),
    "known_within_s": _l("Wait to know who calls"),
    "age_per_min": _l("Points for each minute waited"),
    "age_cap": _l("Points for waiting, at most"),
    "ring_most": _l("Phones that ring, at most"),
    "ring_next_s": _l("One more phone rings after"),
    "callback_tries": _l("Called back in vain, at most (times)"),
    "callback_again_s": _l("Left in peace after each"),
    "callback_most_wait_s": _l("A callback is given up after"),
    "callback_prompt": _l("Prompt that promises the callback"),
    # --- calls to the outside
    "allowed": _l("Numbers that may be called begin with"),
    "refused": _l("Numbers never called begin with"),
    "show": _l("Number shown to whom we call"),
    "show_for": _l("Number shown, by entry point"),
    "show_at": _l("Number shown where an agent dials, by branch"),
    "dial_queue": _l("Queue whose settings hold where an agent dials"),
    "at_most": _l("Calls to the outside at once, at most"),
    "region": _l("Country whose numbers come without a country code"),
    "national": _l("The trunk is given this country's numbers as dialled there"),
    # --- entry points
    "numbers": _l("Dialled numbers"),
    "queue": _l("Queue"),
    "agent": _l("Agent"),
    "bonus": _l("Points added to the priority"),
    "trunks": _l("Only calls of these trunk groups"),
    "callers": _l("Only callers whose numbers begin with"),
    "during": _l("Only while this calendar is open"),
    "hours": _l("Hours"),
    "closed": _l("Where callers go when it is closed"),
    "answer": _l("When the call is answered"),
    "answer_after_s": _l("Answered after"),
    "blacklisted": _l("What refused callers hear"),
    # --- the door
    "calendar": _l("Calendar"),
    "most_waiting": _l("Callers who wait, at most"),
    "overflow": _l("Overflow"),
    "when": _l("When"),
    "after_s": _l("After"),
    "over": _l("Over so many"),
    "of": _l("Whose number"),
    "match": _l("Begins with, or is"),
    "trunk": _l("Trunk group"),
    "length": _l("Length"),
    "strip": _l("Digits taken off"),
    "prepend": _l("Digits put before"),
    "peers": _l("Gateways or addresses"),
    "most_calls": _l("Calls at once, at most"),
    "calls_per_s": _l("Calls per second"),
    "burst": _l("Calls at once before that counts"),
    "zone": _l("Time zone"),
    "holidays": _l("Holidays of"),
    "on_holidays": _l("Hours on holidays"),
    "workdays_as": _l("Moved working days are like"),
    "days": _l("Single days"),
    "prompt": _l("Prompt"),
    "entries": _l("Entry points"),
    "on": _l("Switched on"),
    # --- agents
    "number": _l("Employee number"),
    "extension": _l("Extension"),
    "skills": _l("Skills and levels"),
    "team": _l("Team"),
    "branch": _l("Branch"),
    "order": _l("Place from the top"),
    "weight": _l("Weight"),
    "answers": _l("Answers by phone; or at the desk, and only then the phone rings and picks up by itself"),
    "capacity": _l("Contacts at once, by channel"),
    # --- branches
    "prefixes": _l("Beginnings of numbers of its region"),
    # --- reasons
    "reasons": _l("Reasons"),
    "queues": _l("Of these queues"),
    "most_s": _l("Longest"),
    # --- types of work orders
    "first": _l("First state"),
    "fields": _l("Fields"),
    "states": _l("States"),
    "moves": _l("Moves"),
    "may": _l("Who may do what"),
    "required": _l("Must be filled in"),
    "personal": _l("Personal"),
    "choices": _l("Choices"),
    "on_assign": _l("State once assigned"),
    "action": _l("Action"),
    "from": _l("From states"),
    "to": _l("To state"),
    "roles": _l("Roles"),
}


def section_name(kind: str) -> str:
    """What a section is called."""
    words = SECTION_NAMES.get(kind)
    return kind if words is None else str(words)


def as_read(text: str | None) -> str:
    """A value of the site's file as people read it: a text without its quotes."""
    if text is None:
        return ""
    return str(msgspec.json.decode(text)) if text.startswith('"') else text


def key_name(key: str) -> str:
    """What a key is called."""
    words = KEYS.get(key)
    return key if words is None else str(words)

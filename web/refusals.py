"""What is refused, in the visitor's language: by code, then by the sentence itself where a code has several.

Engine and services speak English, to programs and at the command line. What no pattern here fits is told as it was
said: sentences of the web's own are in the visitor's language already.
"""

import re
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from orchestrator.domain.kernel import Refused
from web.known import ANY, Known, Row, known

# What texts are for, as `domain.texts` and types of orders are told.
_FIELDS: Final[dict[str, LazyString]] = {
    "Name": _l("Name"),
    "Note": _l("Note"),
    "Company": _l("Company"),
    "Address": _l("Address"),
    "Reason": _l("Reason"),
    "Level": _l("Level"),
    # What sizing is asked on (`domain.sizing.seats.LABELS`).
    "Service level, percent": _l("Service level, percent"),
    "Answered within, seconds": _l("Answered within, seconds"),
    "Highest load, percent": _l("Highest load, percent"),
    "Shrinkage, percent": _l("Shrinkage, percent"),
    "Mean patience, seconds": _l("Mean patience, seconds"),
    "Calls without a free line, percent": _l("Calls without a free line, percent"),
    "Calls": _l("Calls"),
    "Interval, seconds": _l("Interval, seconds"),
    "Handling time, seconds": _l("Handling time, seconds"),
    "Customers": _l("Customers"),
    "Calls a day, percent of the customers": _l("Calls a day, percent of the customers"),
    "Busy hour, percent of the day": _l("Busy hour, percent of the day"),
}

_IS_NO_NUMBER: Final = _l("This is no telephone number; write it as +8613800138000.")
_HAS_DONE_WORK: Final = _l("There is no after-call work any more.")
_WORD: Final = _l("%(what)s: write a word of up to 40 letters a-z, digits, - and _.")
_NEWER: Final = _l("A newer Ringledger wrote this. Use that one to change it.")
_TAKEN_NAME: Final = _l("There is a user with this sign-in name already; choose another.")

REFUSALS: Final[dict[str, LazyString | tuple[Row, ...]]] = {
    "agent_away": (
        (r"Agent (?P<agent>.+) is not .*", _l("Agent %(agent)s is not signed in; choose somebody else, or a queue.")),
    ),
    "agent_busy": (
        (
            r"Agent (?P<agent>.+) has .*",
            _l("Agent %(agent)s has a call in hand, or its after-call work; choose somebody else, or a queue."),
        ),
    ),
    "agent_desk_lost": _l("The agent's desk is not connected, so nobody would see an offer there."),
    "agent_in_contact": _l("The agent is in a contact, and ready again after it."),
    "already_so": _l("The agent is so already, or will be after the contact."),
    "agent_not_ready": (
        (r"Agent (?P<agent>.+) is not .*", _l("Agent %(agent)s is not ready; choose somebody else, or a queue.")),
    ),
    "agent_unreachable": (
        (
            r"The phone of agent (?P<agent>.+) is .*",
            _l("The phone of agent %(agent)s is not registered; choose somebody else, or a queue."),
        ),
    ),
    "already_blacklisted": _l("This number is on the blacklist already; change that entry instead."),
    "already_held": _l("The caller is already on hold."),
    "already_signed_in": (
        (
            r"Agent (?P<agent>.+) is signed in at extension (?P<extension>.+); sign out there first\.",
            _l("Agent %(agent)s is signed in at extension %(extension)s; sign out there first."),
        ),
    ),
    "already_taken": _l("A colleague was faster: this caller is being connected, or talks already."),
    "at_capacity": _l("You have as many callers as you may have at once; end one first."),
    "bad_assignee": _l("Choose to whom the order is given: an agent, a user or a role."),
    "bad_configuration": _l("Something is wrong with the configuration; look at the draft, where it is said."),
    "bad_cursor": _l("This list cannot be gone on with from here; begin it again."),
    "bad_day": _l("Write a day as 2026-11-30, from 1970 to 2199."),
    "bad_days": ((r"From 1 to (?P<days>.+) days are .*", _l("From 1 to %(days)s days are played together.")),),
    "bad_desk": _l("This page does not say which desk it is; load it again."),
    "bad_expiry": ((r"A token lives from 1 to (?P<days>.+) days\.", _l("A token lives from 1 to %(days)s days.")),),
    "bad_extension": _l("An extension has up to 20 letters and digits, for example 1001."),
    "bad_field": (
        (r"(?P<what>.+): write a number, .*", _l("%(what)s: write a number, such as 12 or 3.5.")),
        (r"(?P<what>.+): choose one of (?P<known>.+)\.", _l("%(what)s: choose one of %(known)s.")),
        (r"(?P<what>.+): write true or false\.", _l("%(what)s: choose yes or no.")),
        (
            r"(?P<what>.+): this is no telephone number; .*",
            _l("%(what)s: this is no telephone number; write it as +8613800138000."),
        ),
        (r"(?P<what>.+): write a day as .*", _l("%(what)s: write a day as 2026-11-30.")),
        (r"(?P<what>.+): write a time as .*", _l("%(what)s: write a time as 14:30.")),
        (r"(?P<what>.+) is missing\.", _l("%(what)s is missing.")),
        (r"There is no field '(?P<what>.+)'\.", _l("There is no field %(what)s.")),
    ),
    "bad_fields": _l("Some fields are missing, or are none of this type; look at each again."),
    "bad_key": _l("This page does not say what it sends anew; load it again."),
    "bad_level": _l("There is no such customer level; choose one of the list."),
    "bad_limit": ((r"A page has 1 to (?P<most>.+) rows\.", _l("A page of a list has 1 to %(most)s rows.")),),
    "bad_number": _l("This is no telephone number; write it as it is dialled, or with + and country."),
    "bad_position": (
        (r"A position is a whole number\.", _l("A position is a whole number.")),
        (ANY, _l("The log has not come to this position.")),
    ),
    "bad_priority": (
        (
            r"Points are a whole number from (?P<low>.+) to (?P<high>.+)\.",
            _l("Points are a whole number from %(low)s to %(high)s."),
        ),
    ),
    "bad_queue": _l("There is no such queue; choose one of the list."),
    "bad_mode": _l("A call is heard in one of these ways: listen, whisper, barge."),
    "bad_state": _l("An agent is made one of these: ready, not ready, signed out."),
    "bad_reason": (
        (
            r"A reason is a code of up to 40 .*|A reason is a code of up to .+ letters, digits, - and _\.",
            _l("A reason is a code of up to 40 letters, digits, - and _."),
        ),
        (
            r"There is no reason .+; choose one of .+\.",
            _l("This reason is in no list any more. Load the page again, and choose."),
        ),
    ),
    "bad_request": _l("This request could not be read"),
    "bad_search": _l("Write a name, a company or a telephone number."),
    "bad_sign_in_name": _l(
        "A sign-in name has up to 40 small letters a-z, digits, dots and hyphens, and begins and ends with a letter or"
        " digit."
    ),
    "bad_seeds": (
        (r"A day is played with 1 to (?P<seeds>.+) seeds\.", _l("A day is played with 1 to %(seeds)s seeds.")),
    ),
    "bad_sizing": (
        (
            r"(?P<what>.+): write a number from (?P<low>.+) to (?P<high>.+)\.",
            _l("%(what)s: write a number from %(low)s to %(high)s."),
        ),
        (
            r"This is work for (?P<agents>.+) agents; up to (?P<most>.+) are sized\.",
            _l("This is work for %(agents)s agents; up to %(most)s are sized."),
        ),
    ),
    "bad_staff": (
        (
            r"(?P<agents>.+) agents worked on that day; leave at least one: (?P<most>.+) fewer at most\.",
            _l("%(agents)s agents worked on that day; leave at least one: %(most)s fewer at most."),
        ),
        (r"Up to (?P<most>.+) agents .*", _l("Up to %(most)s agents more or fewer can be asked for.")),
        (r"Nobody who worked .*", _l("Nobody who worked on that day serves this queue; choose another one, or all.")),
    ),
    "bad_text": (
        (
            r"(?P<what>.+): write up to (?P<most>.+) characters; these are (?P<length>.+)\.",
            _l("%(what)s: write up to %(most)s characters; these are %(length)s."),
        ),
        (
            r"(?P<what>.+): the character (?P<character>U\+.+) is no text; .*",
            _l("%(what)s: the character %(character)s is no text; take it out."),
        ),
        (r"Name: write what the draft is for\.", _l("Write what the draft is for.")),
        (r"(?P<what>.+) is too long\.", _l("%(what)s is too long.")),
    ),
    "bad_thing": (
        (r"There is no section (?P<section>.+)\.", _l("There is no section %(section)s.")),
        (
            r"An id has up to 40 .*",
            _l("An id has up to 40 small letters a-z, digits and -; it stays for ever, the name may change."),
        ),
    ),
    "bad_target": (
        (r"Say whom.*", _l("Say whom: one colleague, or one number outside.")),
        (ANY, _l("Say to whom: to one colleague, into one queue, or to one number outside.")),
    ),
    "bad_time": (
        (
            r"More time is from (?P<low>.+) to (?P<high>.+) seconds\.",
            _l("More time is from %(low)s to %(high)s seconds."),
        ),
        (
            r"The end lies in the past; to take .*",
            _l("The end lies in the past; to take the number's calls again now, let it expire."),
        ),
        (
            r"The end lies in the past; choose .*",
            _l("The end lies in the past; choose a later one, or none."),
        ),
        (
            r"(?P<time>.+) is in the future; it is (?P<now>.+) now\.",
            _l("%(time)s is in the future; it is %(now)s now."),
        ),
        (r"The log is empty: .*", _l("The log is empty: there is no time to go back to yet.")),
        (
            r"The bundle begins at (?P<begins>.+); of what was .*",
            _l("The bundle begins at %(begins)s; of what was before, it does not hold everything."),
        ),
        (
            r"(?P<time>.+) is before the beginning: the first event is of (?P<first>.+)\.",
            _l("%(time)s is before the beginning: the first event is of %(first)s."),
        ),
        (
            r"(?P<time>.+) does not exist in (?P<zone>.+): .*",
            _l("%(time)s does not exist in %(zone)s: the clocks were put forward over it."),
        ),
        (
            r"(?P<time>.+) exists twice in (?P<zone>.+): the clocks were put back\. Write which one, (?P<which>.+)\.",
            _l("%(time)s exists twice in %(zone)s: the clocks were put back. Write which one: %(which)s."),
        ),
        (ANY, _l("This is not a time; write it as 2026-01-31T10:15:00.")),
    ),
    "bad_stop": (
        (r"At most (?P<most>\d+) places .*", _l("At most %(most)s places to stop can be looked for at a time.")),
        (ANY, _l("This is no place to stop; write queue:ID:20 or event:OfferRejected.")),
    ),
    "bad_window": _l("The window must begin before it ends."),
    "bad_word": ((r"(?P<what>.+): write a word of up to 40 .*", _WORD),),
    "being_offered": _l("A call is being offered already; accept it or refuse it first."),
    "busy": _l("Others change this at the same moment; try again."),
    "changed_meanwhile": _l("Somebody else changed it meanwhile. Load the page again, and repeat what still applies."),
    "clashes": ((r".+: (?P<named>.+)\.", _l("Say what is to stay, yours or theirs: %(named)s.")),),
    "configuration_changed": (
        (
            r".+ is at version (?P<version>\d+);.+:\n *(?P<since>.+)\nNothing.*",
            _l(
                "Others changed the configuration: it is at version %(version)s. Since then: %(since)s. "
                "Look at the difference again."
            ),
        ),
        (ANY, _l("Others changed the configuration meanwhile. Look at the difference again.")),
    ),
    "conference_full": (
        (
            r"In a conference are (?P<most>\d+) at most; .*",
            _l("In a conference are %(most)s persons at most; let somebody go first."),
        ),
    ),
    "already_in": _l("They are in this conference already; choose somebody else."),
    "in_conference": _l("More than three hear each other; let the others go first."),
    "no_such_guest": _l("Whoever that was is not in the conference any more."),
    "aside": _l("You speak with one of them alone, or are about to; go back to the others first."),
    "last_one": _l("Besides you and the caller only they are there; talk with the caller alone instead."),
    "not_in_room": _l("They are not in the conference yet; wait until they are."),
    "not_together": _l("Bring the caller and whoever you asked together first; then invite more."),
    "consulting": (
        (r"You consult somebody about a caller.*", _l("You ask somebody about a caller; end that first.")),
        (
            r"The agent asks somebody .*",
            _l("The agent asks somebody about the caller; take the call over after that."),
        ),
        (ANY, _l("You ask somebody about this caller; end that first.")),
    ),
    "customer_erased": _l("This customer's data was erased; make a new customer."),
    "database_away": (
        (
            r"The database is away or cannot be read; try again soon\.",
            _l("The database is away or cannot be read; try again soon."),
        ),
        (ANY, _l("The database is away: nothing can be recorded. Calls go on; try again soon.")),
    ),
    "desk_elsewhere": _l("You work at another desk; take over here, or go on there."),
    "desk_lost": _l("Your desk is not connected; open it again first."),
    "draft_changed": (
        (
            r"Somebody changed (?P<thing>.+) in this draft since you looked\. .*",
            _l(
                "Somebody changed %(thing)s in this draft since you looked. Look at what is there now, then save yours."
            ),
        ),
        (ANY, _l("Somebody changed the draft since you looked. Look at the difference again.")),
    ),
    "draft_closed": _l("This draft is closed already; begin a new one."),
    "draft_full": (
        (
            r"A draft changes up to (?P<most>.+) things; apply this one first\.",
            _l("A draft changes up to %(most)s things; apply this one first."),
        ),
    ),
    "easy_password": _l("The password is little more than the sign-in name; choose another."),
    "empty_note": (
        (r"Write something into the note, or .*", _l("Write something into the note, or choose a reason.")),
        (ANY, _l("Write something into the note.")),
    ),
    "extension_taken": (
        (
            r"Extension (?P<extension>.+) is in use by another signed-in agent; choose another\.",
            _l("Extension %(extension)s is in use by another signed-in agent; choose another."),
        ),
    ),
    "future_day": _l("This day has not come yet; choose one that was."),
    "hold_first": _l("Put the caller on hold first; then take another."),
    "in_contact": (
        (r"You have a call in hand; .*", _l("You have a call in hand; end it first, then listen.")),
        (ANY, _l("You are in a contact; you are ready again after it.")),
    ),
    "internal_number": _l("That is a colleague’s number; pass a caller on to them, or ask them about one."),
    "key_reused": _l("This was sent once already, with other words. Load the page again, and send what is meant."),
    "keys_away": _l("The keys of personal data cannot be read; tell whoever runs this."),
    "left_in_peace": _l("This customer was just called in vain, and is called again later."),
    "long_password": _l("The password is too long; choose a shorter one."),
    "newer_configuration": _NEWER,
    "newer_order": _NEWER,
    "no_agents": _l("Nobody who worked on that day would be there; keep at least one of them."),
    "no_agent": (
        (
            r"The role agent needs .*",
            _l("The role agent needs to know which agent of the configuration this user is."),
        ),
    ),
    "no_calls": _l("Nobody called then; choose a day with calls."),
    "no_callback": _l("This customer is not to be called back, or not any more; look at the list again."),
    "no_name": _l("Give the person's name; it is what others see."),
    "no_number": (
        (r"This caller's number .*", _l("This caller’s number is withheld; nothing can be refused by it.")),
        (ANY, _IS_NO_NUMBER),
    ),
    "no_offer": _l("There is no offer to answer any more; the caller may have hung up."),
    "no_outside": _l("Nobody outside may be called: the configuration does not allow it."),
    "no_queue": _l("There is no open queue by whose settings a call could be made; tell an administrator."),
    "no_picking": _l("Nobody takes callers of this queue by hand; ask a leader to give one to you."),
    "no_such_agent": (
        (
            r"There is no agent with the employee number (?P<number>.*)\.",
            _l("There is no agent with the employee number %(number)s."),
        ),
    ),
    "no_such_blacklisting": _l("This is not on the blacklist any more."),
    "no_such_contact": _l("There is no such call any more."),
    "no_such_customer": _l("There is no such customer."),
    "no_such_draft": _l("There is no such draft."),
    "no_such_notice": _l("There is no such notice in the configuration any more."),
    "no_such_offer": (
        (
            r"The contact has (?P<offers>.+) offers; there is no offer (?P<offer>.+)\.",
            _l("The contact has %(offers)s offers; there is no offer %(offer)s."),
        ),
    ),
    "no_such_order": _l("There is no such order."),
    "no_such_queue": _l("There is no such queue any more, or it is closed."),
    "no_such_type": (
        (
            r"The type .+ of this order is unknown; .*",
            _l("The type of this order is unknown; ask an administrator."),
        ),
        (ANY, _l("There is no such type of order.")),
    ),
    "no_such_version": (
        (
            r"There is no version (?P<version>.+); the configuration is at (?P<now>.+)\.",
            _l("There is no version %(version)s; the configuration is at %(now)s."),
        ),
    ),
    "not_allowed": (
        (
            r"Your role may not .+ the type (?P<type>.+)\.",
            _l("Your role may not do this with orders of the type %(type)s."),
        ),
        (ANY, _l("This number may not be called.")),
    ),
    "not_held": _l("The caller is not on hold."),
    "not_now": (
        (
            r".+ is not possible while the order is (?P<state>.+); .*",
            _l("This is not possible while the order is as it is now: %(state)s."),
        ),
    ),
    "not_signed_in": (
        (
            r"Agent (?P<agent>.+) is not signed in; sign in first\.",
            _l("Agent %(agent)s is not signed in; sign in first."),
        ),
    ),
    "not_answered": (
        (r"Pick up your phone .*", _l("Pick up your phone first; then take the call over.")),
        (ANY, _l("Nobody has answered yet whom you could talk with in turn.")),
    ),
    "not_monitoring": _l("You do not listen to this call, or not any more."),
    "monitored": _l("Another supervisor listens to this call already; one at a time may."),
    "monitoring": _l("You listen to another call; end that first."),
    "no_seat": _l(
        "You have no seat as an agent, so no phone of yours could ring; an administrator says which is yours."
    ),
    "not_consulting": _l("Nobody is asked about this caller any more."),
    "no_such_recording": _l("There is no such recording."),
    "not_recorded": _l("Nothing is being recorded, so there is nothing to mask."),
    "own_number": _l("That is a number of this house; calling it would only come back here."),
    "recording_away": (
        (
            r"This recording lies on the machine of switch (?P<switch>.+), which .*",
            _l(
                "This recording lies on the machine of switch %(switch)s, which does not answer now. It is kept there;"
                " try again in a while."
            ),
        ),
    ),
    "recording_medium_away": (
        (
            r"This recording lies on the medium (?P<medium>.+), which .*",
            _l(
                "This recording lies on the medium %(medium)s, which is not there now. It is kept; once the medium is"
                " mounted it can be heard."
            ),
        ),
    ),
    "recording_unreadable": _l(
        "The disk on which this recording lies cannot be read now. Nothing is taken for lost: have that disk looked "
        "at, and try again then."
    ),
    "recording_deleted": (
        (r"This recording was deleted; .*", _l("This recording was deleted; there is nothing left to hold.")),
        (ANY, _l("This recording was kept for its time, and deleted.")),
    ),
    "recording_not_kept": _l("This recording is not sealed yet; try again in a moment."),
    "bad_case": _l("Write what the case is called: up to 40 letters, digits, / . # - and _."),
    "bad_length": _l("Write a length as seconds, or as minutes and seconds: 90 or 1:30."),
    "bad_order": _l("An order is called by eight digits and letters a to f, such as 7F3A-21C9."),
    "recording_damaged": _l("This recording is not what was recorded: its file was changed or damaged."),
    "recording_erased": _l("Whoever is heard in this recording was erased; nobody can hear it."),
    "recorded_by_rule": _l("This call is recorded by rule. It can be masked, but not ended."),
    "recording_not_allowed": _l("Calls of this queue are not recorded, not even when asked for."),
    "not_talking": (
        (r"Recording needs .*", _l("You are not in this conversation.")),
        (r"A caller is marked .*", _l("A caller is marked as a nuisance during the call.")),
        (
            r"Somebody is consulted about .*",
            _l("Somebody is asked about a caller with whom you talk; this conversation is over."),
        ),
        (r"No agent talks .*", _l("No agent talks in this call now.")),
        (r"A caller is passed on .*", _l("A caller is passed on from a conversation; this one is over.")),
        (ANY, _l("You are not in a conversation.")),
    ),
    "not_waiting": _l("This caller does not wait any more."),
    "not_wrapping_up": _HAS_DONE_WORK,
    "nothing_to_change": _l("The draft changes nothing of what is in force."),
    "number_held": (
        (
            r"This number belongs to customer (?P<customer>.+) already\. .*",
            _l("This number belongs to customer %(customer)s already. If both are one person, go on with that one."),
        ),
    ),
    "order_closed": _l("The order is closed; reopen it first."),
    "on_hold": (
        (r"The caller is on hold; .*", _l("The caller is on hold; take the call over once they talk again.")),
        (r"Nobody hears you now.*", _l("Nobody hears you now, so nobody would get the digits; talk again first.")),
        (ANY, _l("Talk with the caller again first; then ask somebody.")),
    ),
    "bad_digits": _l("Digits are 1 to 40 of 0 to 9, * and #."),
    "outside_full": _l("As many numbers outside are being called as may be at once; try again in a moment."),
    "no_reason": _l("Say why; it stands in the log beside your name."),
    "people_only": _l("Only a person may do this, so that it is known who did."),
    "phone_busy": _l("Your phone is in use; put it down, then listen."),
    "phone_gone": (
        (r".*then listen\.", _l("Your phone is not registered, so it cannot be rung; see that it is, then listen.")),
        (ANY, _l("The phone is not registered, so it cannot be rung; see that it is, then take the call.")),
    ),
    "queue_closed": _l("That queue takes nobody at this hour."),
    "queue_full": _l("In that queue as many wait already as may."),
    "same_agent": (
        (r"That is your own call; .*", _l("That is your own call; choose somebody else's.")),
        (ANY, _l("That is yourself; choose somebody else.")),
    ),
    "same_queue": _l("This caller waits in that queue already."),
    "place_empty": (
        (
            r"Nobody is parked at place (?P<place>.+); .*",
            _l("Nobody is parked at place %(place)s; look at the list again."),
        ),
        (ANY, _l("Nobody is parked there any more; look at the list again.")),
    ),
    "place_taken": (
        (
            r"Somebody is parked at place (?P<place>.+); .*",
            _l("Somebody is parked at place %(place)s; choose another, or none."),
        ),
    ),
    "places_full": _l("Somebody is parked at every place; retrieve one first, or pass the caller on."),
    "no_such_place": _l("Places are the whole numbers from 1 to 99."),
    "sent_outside": _l("A number outside is being called for this caller; wait whether it answers."),
    "short_password": _l("The password is too short; a few words make a good one."),
    "skill_missing": _l("This queue needs a skill that the agent does not have, or a higher level of it."),
    "stale": _l("That is over already. Look at what is now."),
    "last_node": (
        (
            r"No other switch would take calls: with (?P<node>.+) drained, .*",
            _l("No other switch would take calls: with %(node)s drained, every caller is refused."),
        ),
    ),
    "unknown_node": (
        (
            r"No switch is called (?P<node>.+); there are: (?P<known>.+)\.",
            _l("No switch is called %(node)s; there are: %(known)s."),
        ),
    ),
    "switch_away": _l("The switch of this caller cannot be reached now; try again in a moment."),
    "too_late": (
        (
            r"This came .+ s too late .*",
            _l("It was not done: it came too late. Look at what is now, and press again."),
        ),
    ),
    "too_long": _l("This is too much at once"),
    "too_many_calls": (
        (
            r"(?P<calls>.+) calls are too many for (?P<seeds>.+) seeds; ask with (?P<most>.+) seeds at most\.",
            _l("%(calls)s calls are too many for %(seeds)s seeds; ask with %(most)s seeds at most."),
        ),
        (
            r"(?P<calls>.+) calls are too many for .*",
            _l("%(calls)s calls are too many; ask for fewer days."),
        ),
    ),
    "under_way": _l("What was sent before has no answer yet; try again in a second."),
    "unknown_agent": _l("No agent of the configuration has this employee number."),
    "unknown_language": _l("There is no such language here."),
    "unknown_role": ((r"There is no role (?P<role>.+); .*", _l("There is no role %(role)s.")),),
    "unknown_token": _l("There is no such token."),
    "unknown_user": _l("There is no such user."),
    "unsure": _l("Nobody can say whether it was done; look before you ask for it again."),
    "user_exists": _TAKEN_NAME,
    "whatif_busy": _l("Another day is being played; wait until it is done, or cancel it."),
    "which_one": _l("Several callers are on hold; say with whom you want to talk."),
    "window_too_large": (
        (
            r"There are (?P<events>.+) events in this window, at most (?P<most>.+) can be looked through\.",
            _l("There are %(events)s events in this window, at most %(most)s can be looked through."),
        ),
        (ANY, _l("A window may be 31 days long at most.")),
    ),
    "who_asks": _l("Say in whose name this is asked."),
    "withheld": _l("There is no number that could be called; give one of 5 to 15 digits, best from + on."),
    "wrap_up_limit": _l("Your after-call work cannot be extended any further; finish it, or pause."),
    "wrapping_up": _l("The after-call work comes first; finish it."),
}


# Where one sentence about a field ends and the next begins.
_NEXT: Final = re.compile(r"(?<=\.) (?=\S)")


def field(name: str) -> str:
    """What something is called that people fill in, in the reader's language."""
    return str(_FIELDS.get(name, name))


def _state(name: str) -> str:
    from web.words.codes import code  # they know the site's own words, and need the app that this module is part of

    return code(name)


_KNOWN: Final[dict[str, Known]] = {
    each: known(words if isinstance(words, tuple) else ((ANY, words),), what=field, state=_state)
    for each, words in REFUSALS.items()
}


def words(refused: Refused) -> str:
    """The refusal as people are told it."""
    if refused.code == "bad_fields" and (found := _each(refused.message)):
        return found
    sentences = _KNOWN.get(refused.code)
    said = sentences.said(refused.message) if sentences is not None else None
    return refused.message if said is None else said


def _each(sentences: str) -> str:
    """What is wrong with several fields at once, where it is known of each; else nothing."""
    said = []
    for sentence in _NEXT.split(sentences):
        found = _KNOWN["bad_field"].said(sentence) or _KNOWN["bad_text"].said(sentence)
        if found is None:
            return ""
        said.append(found)
    return " ".join(said)

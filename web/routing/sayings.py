"""What the site's file's reader and its plan say, in the reader's language.

They speak English, to people at a command line. A sentence that is not listed is shown as it was said.
"""

from typing import Final

from flask_babel import lazy_gettext as _l

from web.known import Known, Row, known

_ROWS: Final[tuple[Row, ...]] = (
    (
        r"write a whole number from (?P<low>\S+) to (?P<high>\S+)\.",
        _l("Write a whole number from %(low)s to %(high)s."),
    ),
    (r"write seconds from (?P<low>\S+) to (?P<high>\S+)\.", _l("Write seconds from %(low)s to %(high)s.")),
    (
        r"write seconds from (?P<low>\S+) to (?P<high>\S+), or 0 for never\.",
        _l("Write seconds from %(low)s to %(high)s, or 0 for never."),
    ),
    (r"write a text that is not empty, in quotes\.", _l("Write a text that is not empty.")),
    (
        r"write up to (?P<most>\d+) characters without line breaks or control characters\.",
        _l("Write up to %(most)s characters without line breaks."),
    ),
    (
        r"write a word of up to (?P<most>\d+) letters a-z, digits, - and _, in quotes\.",
        _l("Write a word of up to %(most)s letters a-z, digits, - and _."),
    ),
    (
        r"write up to (?P<most>\d+) letters a-z and digits, in quotes\.",
        _l("Write up to %(most)s letters a-z and digits."),
    ),
    (r"write true or false, without quotes\.", _l("Choose yes or no.")),
    (r"(?P<key>\w+) is missing\.", _l("%(key)s is missing.")),
    (r"there is no (?P<kind>\w+) (?P<id>\S+); .*", _l("There is no %(kind)s %(id)s.")),
    (r"there is no such key; .*", _l("There is no such key.")),
    (
        r"(?P<value>.+) belongs to (?P<other>\S+); each needs its own\.",
        _l("%(value)s belongs to %(other)s; each needs its own."),
    ),
    (r"(?P<value>.+) stands here twice\.", _l("%(value)s stands here twice.")),
    (r"(?P<value>.+) is (?:no rule|none of these); .*", _l("%(value)s cannot be chosen.")),
    (
        r"(?P<value>.+) cannot be dialled; .*",
        _l("%(value)s cannot be dialled; write digits, or * for every number that no other entry point has."),
    ),
    (r"write queues with the days .*", _l("Write each queue once, with its days.")),
    (r"write skills with levels, such as .*", _l("Write each skill once, with its level.")),
    (
        r"write a list of .*beginnings of numbers, .*",
        _l("Write a list of beginnings of numbers, such as +8621."),
    ),
    (r"write a list of .*ids of agents, .*", _l("Write a list of ids of agents.")),
    (
        r"write a list of ids of queues, .*",
        _l("Write a list of ids of queues, or leave it out where any queue is meant."),
    ),
    (r"write a list of .*numbers, such as .*", _l("Write a list of numbers, such as 4008001001.")),
    (r"write a list of .+ tables, such as .*", _l("Write a list of rows, at least one.")),
    (
        r"write a list of (?:up to |1 to )(?P<most>.+), such as (?P<example>.+)\.",
        _l("Write a list of up to %(most)s, such as %(example)s."),
    ),
    (
        (
            r"(?P<value>\S+) begins with the code of (?P<country>\S+) and has no \+; "
            r"write \"(?P<with_plus>\S+)\", or \"(?P<there>\S+)\" .*"
        ),
        _l(
            "%(value)s begins with the code of %(country)s and has no +; write %(with_plus)s, or %(there)s for numbers "
            "that are dialled so there."
        ),
    ),
    (
        r"(?P<value>.+) begins no number; .*",
        _l("%(value)s begins no number; write digits, perhaps with + before them."),
    ),
    (r"write a number of 5 to 15 digits .*", _l("Write a number of 5 to 15 digits, such as +8675512345678.")),
    (
        r"(?P<value>.+) is no country; .*",
        _l("%(value)s is no country; write the two letters of ISO 3166, such as CN or HK."),
    ),
    (
        r"write entry points with the number that is shown .*",
        _l("Write entry points with the number that is shown for them."),
    ),
    (r"write branches with the number .*", _l("Write branches with the number that their agents show.")),
    (r"write how many contacts at once .*", _l("Write how many contacts at once by channel.")),
    (r"(?P<channel>.+): there is no such channel; .*", _l("There is no channel %(channel)s.")),
    (r"write hours by day, .*", _l("Write hours by day, such as mon-fri 08:30-18:00.")),
    (r"write hours by date, .*", _l("Write hours by date, such as 2026-12-31 09:00-12:00.")),
    (
        r"(?P<value>.+) is no time; .*",
        _l("%(value)s is no time; write from and to, such as 08:30-12:00, 22:00-06:00 or 00:00-24:00."),
    ),
    (
        r"(?P<value>.+): a span begins before .*",
        _l("%(value)s: a span begins before 24:00, ends at 24:00 at the latest, and is not empty."),
    ),
    (r"spans of one day must not overlap\.", _l("Spans of one day must not overlap.")),
    (
        r"(?P<value>.+): write a day or a range of days, .*",
        _l("%(value)s: write a day or a range of days, such as mon, sat or mon-fri."),
    ),
    (r"(?P<value>.+): write a date as .*", _l("%(value)s: write a date as 2026-12-31.")),
    (r"(?P<value>.+) is no time zone; .*", _l("%(value)s is no time zone; write one such as Asia/Shanghai.")),
    (
        r"(?P<value>.+) has no holidays that are known here; .*",
        _l("%(value)s has no holidays that are known here; write a country or its part, such as CN or DE-BY."),
    ),
    (
        r"(?P<value>.+) is no place; .*",
        _l(
            "%(value)s is no place; write one such as queue:sales, entry:branch, apology:closed, callback or"
            " outside:+8675512345678."
        ),
    ),
    (r'answer = "after" needs answer_after_s, .*', _l("Say how many seconds it is until the answer.")),
    (r"this calendar is never open; .*", _l("This calendar is never open; write hours.")),
    (
        r"more is taken off than the rule says is there; .*",
        _l("More is taken off than the rule says is there; give it more digits, or a length."),
    ),
    (r"(?P<row>.+): (?P<key>.+) belongs to (?P<when>.+) alone\.", _l("%(row)s: %(key)s belongs to %(when)s alone.")),
    (r"closed: this queue has no calendar\.", _l("Closed: this queue has no calendar.")),
    (r"(?P<when>.+): this is the queue itself\.", _l("%(when)s: this is the queue itself.")),
    (
        r"entry (?P<place>\w+): without for_s it holds for good, .*",
        _l("Line %(place)s: without a time it holds for good, and the next one never comes."),
    ),
    (
        r"entry (?P<place>\w+): min_level is for the queue's skill, .*",
        _l("Line %(place)s: the level is for the queue’s skill, which the other skills replace; write one of them."),
    ),
    (r"entry (?P<place>\w+): write a table, .*", _l("Line %(place)s: write a row.")),
    (r"write who may do what, .*", _l("Write who may do what: actions with roles.")),
    (r"write names in other languages, .*", _l("Write names by language, such as zh.")),
    (r"write the configuration's version, .*", _l("Write the configuration’s version, a whole number.")),
    (r"there is one such section, .*", _l("There is one such section, and its name is fixed.")),
    (r"write \[.+\] and its keys in the lines below\.", _l("Write its keys in the lines below.")),
    (
        r"an id has up to 40 small letters a-z, .*",
        _l("An id has up to 40 small letters a-z, digits and -; it stays for ever, the name may change."),
    ),
    (
        r"write an id of up to 40 small letters a-z, .*",
        _l("Write an id of up to 40 small letters a-z, digits and _, beginning with a letter."),
    ),
    (r"write (?:an id|the id of .+), in quotes\.", _l("Write an id, as it stands in the list.")),
    (r"write digits, perhaps with \+ before them, in quotes\.", _l("Write digits, perhaps with + before them.")),
    (r"write a gateway, profile or address, in quotes\.", _l("Write a gateway, profile or address.")),
    (r"write the beginning of a number, in quotes\.", _l("Write the beginning of a number, such as +8610.")),
    # --- types of orders, and lists of reasons
    (
        r"(?P<what>.+): there is no state (?P<state>.+) to assign to; .*",
        _l("%(what)s: there is no state %(state)s to assign to."),
    ),
    (r"(?P<what>.+): there is no state (?P<state>.+); .*", _l("%(what)s: there is no state %(state)s.")),
    (r"there is no state (?P<state>.+); .*", _l("There is no state %(state)s.")),
    (
        r"an order cannot begin in (?P<state>.+), which is not open\.",
        _l("An order cannot begin in %(state)s, which is not open."),
    ),
    (
        r"no state is done or closed: .*",
        _l("No state is done or closed: no order would ever be finished."),
    ),
    (r"(?P<what>.+) needs choices\.", _l("%(what)s needs choices.")),
    (r"(?P<what>.+) has choices but is no choice\.", _l("%(what)s has choices but is no choice.")),
    (
        r"(?P<action>.+) is there for every order; .*",
        _l("%(action)s is there for every order; name the move otherwise."),
    ),
    (
        r"(?P<action>.+) leads from (?P<state>.+) to two states\.",
        _l("%(action)s leads from %(state)s to two states."),
    ),
    (
        r"(?P<id>.+) is a word of the system itself; .*",
        _l("%(id)s is a word of the system itself; choose another id."),
    ),
    (
        r"(?P<id>.+) stands here (?:twice|.+ too|.+); a code means one thing, .*",
        _l("%(id)s stands here or elsewhere once more; a code means one thing, so each needs an id of its own."),
    ),
    # --- a plan's warnings and partings
    (
        r"the file was made from version (?P<made>.+), and the configuration is at version (?P<now>.+): .*",
        _l(
            "This was made from version %(made)s, and the configuration is at %(now)s: what was changed in between "
            "would be undone."
        ),
    ),
    (
        r"(?P<name>.+): days are known only until (?P<day>.+); .*",
        _l(
            "%(name)s: days are known only until %(day)s; apply the configuration again once the next ones are "
            "published, or write them yourself."
        ),
    ),
    (
        r"(?P<name>.+): nobody is told a place after (?P<seconds>.+) s: max_wait_s is over before",
        _l("%(name)s: nobody is told a place after %(seconds)s s; the longest wait is over before."),
    ),
    (
        r"(?P<name>.+): nobody waits (?P<seconds>.+) s for (?P<place>.+): max_wait_s is over before",
        _l("%(name)s: nobody waits %(seconds)s s for %(place)s; the longest wait is over before."),
    ),
    (
        r"(?P<name>.+): nobody is told a place after (?P<seconds>.+) s: max_wait_s is over before",
        _l("%(name)s: nobody is told a place after %(seconds)s s; the longest wait is over before."),
    ),
    (
        r"(?P<name>.+): (?P<place>.+) is never reached by length: most_waiting is (?P<most>.+)",
        _l("%(name)s: %(place)s is never reached by length; at most %(most)s may wait."),
    ),
    (
        r'(?P<name>\S+): (?P<key>\w+) "(?P<prefix>\d+)" fits short codes only; for numbers .* write "(?P<meant>\d+)"',
        _l(
            "%(name)s: %(key)s %(prefix)s fits short codes only; for numbers that are dialled %(meant)s… write "
            "%(meant)s."
        ),
    ),
    (
        r"(?P<one>.+) and (?P<other>.+) both take calls for (?P<number>.+); those that fit both reach .*",
        _l(
            "%(one)s and %(other)s both take calls for %(number)s; those that fit both reach %(one)s, whose id comes "
            "first."
        ),
    ),
    (
        r"step (?P<place>.+) of (?P<name>.+) asks for (?P<skill>.+), which no agent has: it is skipped; .*",
        _l("Step %(place)s of %(name)s asks for %(skill)s, which no agent has: it is skipped."),
    ),
    (
        r"(?P<name>.+) rings all up to ring_most = (?P<most>.+); ring_at_once says nothing beside .*",
        _l("%(name)s rings all, up to %(most)s; how many at once says nothing beside that rule."),
    ),
    (
        r"(?P<name>.+) ages by (?P<points>.+) a minute up to age_cap = 0, .*",
        _l("%(name)s ages by %(points)s a minute up to 0, so not at all; raise the cap."),
    ),
    (r"agents who say nothing themselves answer by phone", _l("Agents who say nothing themselves answer by phone")),
    (
        r"nobody outside is called any more; .*",
        _l("Nobody outside is called any more; who waits to be called back is given up after the tries."),
    ),
    (
        r"no agent can serve (?P<queue>\S+), which asks for (?P<skill>\S+) from level (?P<level>\d+); .*",
        _l("No agent can serve %(queue)s, which asks for %(skill)s from level %(level)s."),
    ),
    (r"no entry point leads to (?P<queue>\S+)", _l("No entry point leads to %(queue)s.")),
    (
        r'no entry point has the number ".+": .*',
        _l("No entry point has the number *: callers of unknown numbers hear an apology."),
    ),
    (
        r"(?P<agent>\S+) takes over number (?P<number>\S+) of (?P<other>[\w-]+): .*",
        _l("%(agent)s takes over number %(number)s of %(other)s: somebody new. To change a name, keep the id."),
    ),
    (
        r"callers who wait in it keep their place .*",
        _l("Callers who wait in it keep their place until they are served or their time is over."),
    ),
    (r"queues and agents decide what is recorded", _l("Queues and agents decide what is recorded.")),
    (
        r"as many persons may be in a conference as are usual; .*",
        _l("As many persons may be in a conference as are usual; whoever is in one stays."),
    ),
    (
        r"callers of its numbers reach the default entry point",
        _l("Callers of its numbers reach the default entry point."),
    ),
    (
        r"who is signed in stays so until sign-out, without any skill",
        _l("Whoever is signed in stays so until sign-out, without any skill."),
    ),
    (
        r"customers of this level are served like any other",
        _l("Customers of this level are served like any other."),
    ),
    (
        r"its agents keep it as theirs; .*",
        _l("Its agents keep it as theirs; no caller’s region is its own any more."),
    ),
    (
        r"numbers that it changed are taken as they come",
        _l("Numbers that it changed are taken as they come."),
    ),
    (r"its calls belong to no group", _l("Its calls belong to no group.")),
    (r"nobody is turned away for load", _l("Nobody is turned away for load.")),
    (r"whatever went by it is always open", _l("Whatever went by it is always open.")),
    (r"nobody hears it", _l("Nobody hears it.")),
    (
        r"nobody chooses from it any more; who is .*",
        _l("Nobody chooses from it any more; who is not ready for one of its reasons stays so."),
    ),
    (
        r"nobody chooses from it any more; what .*",
        _l("Nobody chooses from it any more; what was chosen keeps its name."),
    ),
    (
        r"no more orders of it are opened; .*",
        _l("No more orders of it are opened; those that are there keep its rules."),
    ),
    # --- where it stands, and then what it is
    (r"entry (?P<place>\w+): (?P<rest>.+)", _l("Line %(place)s: %(rest)s")),
    (r"(?P<key>\w+): (?P<rest>.+)", _l("%(key)s: %(rest)s")),
)


def said(sentence: str) -> str:
    """The sentence in the reader's language."""
    found = _SAYINGS.said(sentence)
    return sentence if found is None else found


_SAYINGS: Final[Known] = known(_ROWS, rest=said)

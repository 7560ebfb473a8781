"""What the site's file's reader and its plan say, in the reader's language.

They speak English, to people at a command line. A sentence that is not listed is shown as it was said.
"""

import re
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

_SAYINGS: Final[tuple[tuple[re.Pattern[str], LazyString], ...]] = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
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
        (r"write skills with levels, such as .*", _l("Write each skill once, with its level.")),
        (r"entry (?P<place>\w+): (?P<rest>.*)", _l("Line %(place)s: %(rest)s")),
        # --- a plan's warnings and partings
        (
            r"no agent can serve (?P<queue>\S+), which asks for (?P<skill>\S+) from level (?P<level>\d+); .*",
            _l("No agent can serve %(queue)s, which asks for %(skill)s from level %(level)s."),
        ),
        (r"no entry point leads to (?P<queue>\S+)", _l("No entry point leads to %(queue)s.")),
        (
            r'no entry point has the number "\*": .*',
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
    )
)


def said(sentence: str) -> str:
    """The sentence in the reader's language."""
    for pattern, words in _SAYINGS:
        found = pattern.fullmatch(sentence)
        if found is not None:
            given = found.groupdict()
            if "rest" in given:
                given["rest"] = said(given["rest"])
            return str(words) % given if given else str(words)
    return sentence

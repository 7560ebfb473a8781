"""Where a call goes when it arrives or is transferred: a few rules in the place of dialplan.xml."""

import re
from dataclasses import dataclass, field
from typing import TypeAlias

Action: TypeAlias = tuple[str, str]
"""An application of the switch and its argument, in which `$1` stands for the first group of the rule's pattern."""

INBOUND: tuple[Action, ...] = (
    (
        "multiset",
        "^^|RECORD_STEREO=true|RECORD_MIN_SEC=0|hold_music=local_stream://ringledger|park_after_bridge=true",
    ),
    ("park", ""),
)
"""What freeswitch/conf/dialplan.xml does with a caller: prepare it and wait for instructions, unanswered."""


@dataclass(frozen=True, slots=True)
class Rule:
    """In `context`, a number that `pattern` matches gets these actions."""

    context: str
    pattern: str
    actions: tuple[Action, ...]


DEFAULT: tuple[Rule, ...] = (
    Rule("ringledger-inbound", "^.*$", INBOUND),
    Rule("ringledger-agents", "^.*$", (("park", ""),)),
)


@dataclass(slots=True)
class Dialplan:
    """The rules, tried in order; the first that matches wins."""

    rules: tuple[Rule, ...] = DEFAULT
    _compiled: dict[str, re.Pattern[str]] = field(default_factory=dict, repr=False)

    def route(self, context: str, number: str) -> tuple[Action, ...]:
        """The actions for this number, empty when no rule matches: the switch then hangs up (NO_ROUTE_DESTINATION)."""
        for rule in self.rules:
            if rule.context != context:
                continue
            pattern = self._compiled.get(rule.pattern)
            if pattern is None:
                pattern = self._compiled[rule.pattern] = re.compile(rule.pattern, re.DOTALL)
            found = pattern.match(number)
            if found:
                first = found.group(1) if found.groups() else ""
                return tuple((application, argument.replace("$1", first)) for application, argument in rule.actions)
        return ()

"""Where a call goes when it arrives or is transferred: a few rules, read from freeswitch/conf/dialplan.xml.

So the simulated switch does with a caller what the real one is configured to do, variables included.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias
from xml.etree import ElementTree as ET

Action: TypeAlias = tuple[str, str]
"""An application of the switch and its argument, in which `$1` stands for the first group of the rule's pattern."""

CONF: Final = Path(__file__).parents[1] / "conf" / "dialplan.xml"

_SET_AT_START: Final = re.compile(r"\$\$\{[^}]*\}")
"""Values that the real switch puts in when it reads its configuration; the simulator has no such folders."""


@dataclass(frozen=True, slots=True)
class Rule:
    """In `context`, a number that `pattern` matches gets these actions."""

    context: str
    pattern: str
    actions: tuple[Action, ...]


@cache
def configured(path: Path = CONF) -> tuple[Rule, ...]:
    """The rules in a file of <context> elements. Conditions may look at the dialled number, or at nothing.

    Raises ValueError for a condition that looks at something else: the simulator must not guess.
    """
    root = ET.fromstring(f"<contexts>{path.read_text(encoding='utf-8')}</contexts>")  # noqa: S314 - a file of ours
    rules = []
    for context in root.iter("context"):
        for condition in context.iter("condition"):
            if condition.get("field", "destination_number") != "destination_number":
                raise ValueError(f"{path}: a condition on {condition.get('field')!r}: teach dialplan.py to look at it")
            actions = tuple(
                (action.get("application", ""), _SET_AT_START.sub("", action.get("data", "")))
                for action in condition.iter("action")
            )
            rules.append(Rule(context.get("name", ""), condition.get("expression", "^.*$"), actions))
    return tuple(rules)


@dataclass(slots=True)
class Dialplan:
    """The rules, tried in order; the first that matches wins."""

    rules: tuple[Rule, ...] = field(default_factory=configured)

    def route(self, context: str, number: str) -> tuple[Action, ...]:
        """The actions for this number, empty when no rule matches: the switch then hangs up (NO_ROUTE_DESTINATION)."""
        for rule in self.rules:
            if rule.context != context:
                continue
            found = re.match(rule.pattern, number, re.DOTALL)
            if found:
                first = found.group(1) if found.groups() else ""
                return tuple((application, argument.replace("$1", first)) for application, argument in rule.actions)
        return ()

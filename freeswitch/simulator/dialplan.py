"""Where a call goes when it arrives or is transferred: a few rules, read from freeswitch/conf/dialplan.xml.

So the simulated switch does with a caller what the real one is configured to do, variables included.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias
from xml.etree import ElementTree as ET

Action: TypeAlias = tuple[str, str]
"""An application of the switch and its argument, in which `$1` stands for the first group of the rule's pattern."""


CONF: Final = Path(__file__).parents[1] / "conf" / "dialplan.xml"

_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")

_OF_ITS_OWN: Final = re.compile(r"\$(\$\{(?:recordings_dir|ringledger_node)\})")
_SET_AT_START: Final = re.compile(r"\$\$\{[^}]*\}")
"""Values that the real switch puts in when it reads its configuration; the simulator has none, but for those that are
variables of its own.
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """In `context`, a number that `pattern` matches gets these actions; or, where one is named, a variable."""

    context: str
    pattern: str
    actions: tuple[Action, ...]
    variable: str = ""


@cache
def configured(path: Path = CONF) -> tuple[Rule, ...]:
    """The rules in a file of <context> elements. Conditions may look at the dialled number, a variable, or nothing.

    Raises ValueError for a condition that looks at something else: the simulator must not guess.
    """
    root = ET.fromstring(f"<contexts>{path.read_text(encoding='utf-8')}</contexts>")  # noqa: S314 - a file of ours
    rules = []
    for context in root.iter("context"):
        for condition in context.iter("condition"):
            looks_at = condition.get("field", "destination_number")
            variable = _VARIABLE.fullmatch(looks_at)
            if looks_at != "destination_number" and variable is None:
                raise ValueError(f"{path}: a condition on {looks_at!r}: teach dialplan.py to look at it")
            actions = tuple(
                (
                    action.get("application", ""),
                    _SET_AT_START.sub("", _OF_ITS_OWN.sub(r"\1", action.get("data", ""))),
                )
                for action in condition.iter("action")
            )
            pattern = condition.get("expression", "^.*$")
            rules.append(Rule(context.get("name", ""), pattern, actions, variable[1] if variable else ""))
    return tuple(rules)


@dataclass(slots=True)
class Dialplan:
    """The rules, tried in order; the first that matches wins."""

    rules: tuple[Rule, ...] = field(default_factory=configured)

    def route(self, context: str, number: str, variable: Callable[[str], str]) -> tuple[Action, ...]:
        """The actions for this number, empty when no rule matches: the switch then hangs up (NO_ROUTE_DESTINATION)."""
        for rule in self.rules:
            if rule.context != context:
                continue
            found = re.match(rule.pattern, variable(rule.variable) if rule.variable else number, re.DOTALL)
            if found:
                return tuple((application, _filled(argument, found)) for application, argument in rule.actions)
        return ()


def _filled(argument: str, found: re.Match[str]) -> str:
    for number, group in enumerate(found.groups(), 1):
        argument = argument.replace(f"${number}", group or "")
    return argument

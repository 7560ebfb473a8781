"""The table of the switch's api commands: a name, and a function that replies at once or in steps."""

from collections.abc import Callable
from typing import Final, TypeAlias

from freeswitch.simulator.core import Switch
from freeswitch.simulator.timeline import Steps, Thread

Command: TypeAlias = Callable[[Switch, str, list[Thread]], "str | Steps[str]"]
"""Takes the switch, the argument and a place for the thread that runs it; replies at once or in steps."""

COMMANDS: Final[dict[str, Command]] = {}


def command(name: str) -> Callable[[Command], Command]:
    """Make a function known as an api command."""

    def register(function: Command) -> Command:
        COMMANDS[name] = function
        return function

    return register

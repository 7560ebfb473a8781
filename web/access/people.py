"""What an administrator does with a user, from the page or from the command line: the change, and what follows for
sessions.
"""

from orchestrator.domain.access.users import Disable, Enable, Grant
from projections.reading import Reading


def grant(reading: Reading, user_id: str, command: Grant, *, actor: str) -> int:
    """Roles, teams and branches from now on. Sessions stay, and get new keys at their next request."""
    return reading.users.change(user_id, command, actor=actor)


def keep_out(reading: Reading, user_id: str, command: Disable, *, actor: str) -> int:
    """No sign-in any more; sessions are over."""
    position = reading.users.change(user_id, command, actor=actor)
    reading.sessions.end_all(user_id, reason="disabled", actor=actor)
    return position


def let_in(reading: Reading, user_id: str, command: Enable, *, actor: str) -> int:
    """May sign in again."""
    return reading.users.change(user_id, command, actor=actor)

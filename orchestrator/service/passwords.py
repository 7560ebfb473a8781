"""Passwords: hashed with argon2id, beside whatever else the process does."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import argon2

from orchestrator.domain.kernel import Refused

# OWASP's Password Storage Cheat Sheet, second row for argon2id: 19 MiB, two passes, one lane; about 40 ms.
_HASHER: Final = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
SHORTEST: Final = 12
# More would only be work for whoever wants to keep us busy.
LONGEST: Final = 256

Run = Callable[[Callable[..., Any], tuple[Any, ...]], Any]


def here(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401 - whatever the work returns
    """The work, done here and now."""
    return work(*arguments)


class Passwords:
    """`run(work, arguments)` says where the work is done: under gevent on its thread pool, since 40 ms of it would keep
    every desk waiting.
    """

    def __init__(self, run: Run = here) -> None:
        self._run = run
        self._nobody = _nobody()

    def check(self, password: str, user_id: str) -> None:
        """Raise `Refused` with advice where the password is too short, too long or the sign-in name itself."""
        if len(password) < SHORTEST:
            raise Refused("short_password", f"A password has at least {SHORTEST} characters; a few words make one.")
        if len(password) > LONGEST:
            raise Refused("long_password", f"A password has at most {LONGEST} characters.")
        if user_id in password.lower() and len(password) < len(user_id) + SHORTEST:
            raise Refused("easy_password", "The password is little more than the sign-in name; choose another.")

    def hash(self, password: str) -> str:
        """The PHC string that is stored."""
        return str(self._run(_HASHER.hash, (password,)))

    def fits(self, stored: str, password: str) -> bool:
        """Whether this is the password of that hash. An empty hash fits nothing, but takes as long."""
        return bool(self._run(_fits, (stored or self._nobody, password[: LONGEST + 1]))) and bool(stored)

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other costs than today's."""
        return _HASHER.check_needs_rehash(stored)


@cache
def _nobody() -> str:
    """The same work for a user who is not there, so that the clock does not tell who is. Made before anybody asks."""
    return _HASHER.hash("nobody's password")


def _fits(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
        return False

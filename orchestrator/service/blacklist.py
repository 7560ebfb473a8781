"""The blacklist as people and programs keep it: add, change, let expire, lift; and what agents marked during calls."""

import re
import time
import uuid
from collections.abc import Iterable, Sequence
from typing import Final

from orchestrator.domain.customers import blacklist
from orchestrator.domain.customers.blacklist import Blacklisting
from orchestrator.domain.kernel import Event, Instant, Record, Refused, derived_id, ident_of, stream
from orchestrator.domain.routing.numbers import written
from orchestrator.service.customers import e164
from orchestrator.service.deciding import Desk, Who, Written, checked_id
from orchestrator.store import DeskWriter, Log

KIND: Final = "blacklist"
_LIKE_A_NUMBER: Final = re.compile(r"\+?[0-9][0-9 ().-]{1,39}")


class Blacklists:
    """Keeps the list. Thread-safe. The log must have keys: numbers are sealed."""

    def __init__(self, desk: DeskWriter, log: Log, *, region: str) -> None:
        self._desk = Desk(desk, log)
        self._log = log
        self._region = region

    def every(self) -> list[tuple[Blacklisting, Record]]:
        """Every entry that was not lifted, with the record that made it; the latest first."""
        found: dict[str, tuple[Blacklisting, Record]] = {}
        for record in self._log.history(kinds=(KIND,)):
            ident = ident_of(record.stream)
            before = found.get(ident)
            after = blacklist.evolve(before[0] if before else None, record.event, ident)
            if after is not None:
                found[ident] = (after, before[1] if before else record)
        return [each for each in reversed(found.values()) if not each[0].lifted]

    def one(self, ident: str) -> tuple[Blacklisting, list[Record]] | None:
        """An entry, lifted or not, and everything that became of it, the first first; None where there is none."""
        history = list(self._log.stream(stream(KIND, checked_id(ident, "blacklisting"))))
        entry = _folded(history, ident)
        return None if entry is None else (entry, history)

    def add(
        self, who: Who, raw: str, reason: str, *, until: Instant = blacklist.FOR_EVER, note: str = "", key: str = ""
    ) -> Written:
        """Refuse this number's calls from now on; `Written.ident` is the entry's id.

        `Refused`: `no_number`, `already_blacklisted`, `bad_reason`, `bad_text`, `bad_time`.
        """
        number, now = self.canonical(raw), _now()
        ident = derived_id(KIND, who.actor, key) if key else str(uuid.uuid4())
        held = next((entry for entry, _ in self.every() if entry.number == number and entry.holds(now)), None)
        if held is not None and held.blacklisting_id != ident:
            raise Refused(
                "already_blacklisted",
                f"This number is on the blacklist already, as {held.blacklisting_id}; change that one instead.",
            )
        command = blacklist.Add(number=number, reason=reason, now=now, until=until, note=note)
        return self._do(who, ident, command, key)

    def change(
        self,
        who: Who,
        ident: str,
        *,
        reason: str | None = None,
        until: Instant | None = None,
        note: str | None = None,
        seen: int | None = None,
        key: str = "",
    ) -> Written:
        """Say why, until when, what else. `seen`: the version of the entry that the author knows; a later one is not
        overwritten.

        `Refused`: `no_such_blacklisting`, `bad_reason`, `bad_text`, `bad_time`, `changed_meanwhile`.
        """
        command = blacklist.Change(now=_now(), reason=reason, until=until, note=note)
        return self._do(who, ident, command, key, seen=seen)

    def expire(self, who: Who, ident: str, *, key: str = "") -> Written:
        """Let an entry end now; it stays in the list as one that is over. `Refused`: `no_such_blacklisting`."""
        now = _now()
        return self._do(who, ident, blacklist.Change(now=now, until=now), key)

    def lift(self, who: Who, ident: str, *, key: str = "") -> Written:
        """Take the number's calls again. `Refused`: `no_such_blacklisting`."""
        return self._do(who, ident, blacklist.Lift(), key)

    def list_marked(self, contact_id: str, number: str, actor: str) -> Written:
        """List the caller whom an agent marked during this contact; a repeat does nothing."""
        add = blacklist.Add(number=number, reason=blacklist.NUISANCE, now=_now())
        return self._do(Who(actor=actor), contact_id, add, "", about=stream("contact", contact_id))

    def canonical(self, raw: str) -> str:
        """The number as the runner compares it: E.164, or the digits of a short one. `Refused`: `no_number`."""
        text = raw.strip()
        number = (e164(text, self._region) or written(text)) if _LIKE_A_NUMBER.fullmatch(text) else ""
        if not number:
            raise Refused("no_number", "This is no telephone number; write it as +8613800138000.")
        return number

    def _do(
        self, who: Who, ident: str, command: blacklist.Command, key: str, about: str = "", *, seen: int | None = None
    ) -> Written:
        name = stream(KIND, checked_id(ident, "blacklisting"))

        def decide(before: Sequence[Record]) -> tuple[Event, ...]:
            if seen is not None and before and before[-1].version != seen:
                raise Refused("changed_meanwhile", "Somebody else changed this entry meanwhile; look at it again.")
            return blacklist.decide(_folded(before, ident), command)

        return self._desk.write(name, decide, who=who, key=key, about=lambda _before, _events: about or name)


def _folded(history: Iterable[Record], ident: str) -> Blacklisting | None:
    entry: Blacklisting | None = None
    for record in history:
        entry = blacklist.evolve(entry, record.event, ident)
    return entry


def _now() -> Instant:
    return Instant(time.time_ns() // 1000)

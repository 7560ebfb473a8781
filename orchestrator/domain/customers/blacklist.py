"""The blacklist: numbers whose calls are refused before anybody's phone rings.

Stream `blacklist-<id>`. A desk stream, written by the service that keeps the list; read by the runner.

     NumberBlacklisted ──▶ listed ──BlacklistingLifted──▶ lifted
                            │ ▲
                            └─┘ BlacklistingChanged

The number is sealed under the stream's key. An agent's mark during a call (`NuisanceMarked`, on the contact) holds
at once; the service then lists the number under the contact's id. A withheld number never matches.
"""

import re
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain import texts
from orchestrator.domain.kernel import Event, Instant, Personal, Refused

NUISANCE: Final = "nuisance"
FOR_EVER: Final = Instant(0)
_REASON: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_NUMBER: Final = re.compile(r"\+?[0-9]{2,20}")

# --- events ------------------------------------------------------------------------------------------------------


class NumberBlacklisted(Event, frozen=True, kw_only=True):
    """Calls from this number are refused from now on. Number as the rewriting rules give it, E.164 where it has one."""

    number: Personal
    reason: str
    until: Instant = FOR_EVER
    """When it is over; 0: never."""
    note: Personal = ""


class BlacklistingChanged(Event, frozen=True, kw_only=True):
    """Reason, end or note are others from now on."""

    reason: str
    until: Instant = FOR_EVER
    note: Personal = ""


class BlacklistingLifted(Event, frozen=True, kw_only=True):
    """Calls from this number are taken again."""


# --- state -------------------------------------------------------------------------------------------------------


class Blacklisting(Struct, frozen=True, kw_only=True):
    """One entry of the list."""

    blacklisting_id: str
    number: str
    reason: str
    until: Instant = FOR_EVER
    note: str = ""
    lifted: bool = False

    def holds(self, now: Instant) -> bool:
        """Whether calls from the number are refused at this moment."""
        return not self.lifted and (self.until == FOR_EVER or now < self.until)


def evolve(entry: Blacklisting | None, event: Event, blacklisting_id: str) -> Blacklisting | None:
    """The entry after one more event. Never raises."""
    if isinstance(event, NumberBlacklisted):
        return Blacklisting(
            blacklisting_id=blacklisting_id,
            number=event.number,
            reason=event.reason,
            until=event.until,
            note=event.note,
        )
    if entry is None:
        return None
    match event:
        case BlacklistingChanged():
            return replace(entry, reason=event.reason, until=event.until, note=event.note)
        case BlacklistingLifted():
            return replace(entry, lifted=True)
    return entry


# --- commands ----------------------------------------------------------------------------------------------------


class Add(Struct, frozen=True, kw_only=True):
    """Refuse this number's calls. `now`: what ends before it is no end."""

    number: str
    reason: str
    now: Instant
    until: Instant = FOR_EVER
    note: str = ""


class Change(Struct, frozen=True, kw_only=True):
    """Say why, until when, and what else is to be known. None leaves something as it is; `until` now lets it expire."""

    now: Instant
    reason: str | None = None
    until: Instant | None = None
    note: str | None = None


class Lift(Struct, frozen=True, kw_only=True):
    """Take this number's calls again."""


Command = Add | Change | Lift


# --- decide ------------------------------------------------------------------------------------------------------


def decide(entry: Blacklisting | None, command: Command) -> tuple[Event, ...]:
    """The events that follow from a command, `()` where it has come true already.

    Raises `Refused`: `no_number`, `bad_reason`, `bad_text`, `bad_time`, `no_such_blacklisting`.
    """
    match command:
        case Add():
            if entry is not None:
                return ()
            if not _NUMBER.fullmatch(command.number):
                raise Refused("no_number", "This is no telephone number; write it as +8613800138000.")
            _check_end(command.until, command.now)
            note = texts.lines(command.note, "Note", texts.LINE)
            reason = _reason(command.reason)
            return (NumberBlacklisted(number=command.number, reason=reason, until=command.until, note=note),)
        case Change() if entry is not None and not entry.lifted:
            return _change(entry, command)
        case Lift() if entry is not None:
            return () if entry.lifted else (BlacklistingLifted(),)
    raise Refused("no_such_blacklisting", "This is not on the blacklist (any more); see `ringledger blacklist list`.")


def _change(entry: Blacklisting, command: Change) -> tuple[Event, ...]:
    until = entry.until if command.until is None else command.until
    note = entry.note if command.note is None else texts.lines(command.note, "Note", texts.LINE)
    reason = entry.reason if command.reason is None else _reason(command.reason)
    if (reason, until, note) == (entry.reason, entry.until, entry.note):
        return ()
    if command.until is not None and until != FOR_EVER and until < command.now:
        raise Refused("bad_time", "The end lies in the past; to take the number's calls again now, let it expire.")
    return (BlacklistingChanged(reason=reason, until=until, note=note),)


def _check_end(until: Instant, now: Instant) -> None:
    if until != FOR_EVER and until <= now:
        raise Refused("bad_time", "The end lies in the past; choose a later one, or none.")


def _reason(text: str) -> str:
    word = text.strip().lower()
    if not _REASON.fullmatch(word):
        raise Refused("bad_reason", "A reason is a code of up to 40 small letters, digits, - and _.")
    return word


# --- the list ----------------------------------------------------------------------------------------------------


class Blacklist:
    """All entries, by number: what the runner asks."""

    def __init__(self) -> None:
        self._entries: dict[str, Blacklisting] = {}
        self._of_number: dict[str, dict[str, None]] = {}
        self.marked: dict[str, str] = {}
        """Contacts whose caller somebody marked, and by whom, that the service has not listed yet."""

    def __getstate__(self) -> tuple[dict[str, Blacklisting], dict[str, str]]:
        return self._entries, self.marked

    def __setstate__(self, kept: tuple[dict[str, Blacklisting], dict[str, str]]) -> None:
        """What may read otherwise once it is taken up again (an erased number) is found by what it reads as then."""
        self._entries, self.marked = kept
        self._of_number = {}
        for ident, entry in self._entries.items():
            self._of_number.setdefault(entry.number, {})[ident] = None

    def follow(self, blacklisting_id: str, event: Event) -> None:
        """Take over what became of one entry."""
        self.marked.pop(blacklisting_id, None)
        self._place(blacklisting_id, evolve(self._entries.get(blacklisting_id), event, blacklisting_id))

    def mark(self, contact_id: str, number: str, actor: str) -> None:
        """An agent marked this caller: it holds from now on, under the contact's id."""
        if number:
            self.marked[contact_id] = actor
            self._place(contact_id, Blacklisting(blacklisting_id=contact_id, number=number, reason=NUISANCE))

    def holds(self, number: str, now: Instant) -> bool:
        """Whether calls from this number are refused now. A withheld one, which is empty, never is."""
        entries = self._of_number.get(number, ()) if number else ()
        return any(self._entries[ident].holds(now) for ident in entries)

    def standing(self) -> dict[str, Blacklisting]:
        """Every entry that may hold, by id."""
        return dict(self._entries)

    def number_of(self, blacklisting_id: str) -> str:
        """The number of an entry."""
        return self._entries[blacklisting_id].number

    def _place(self, ident: str, entry: Blacklisting | None) -> None:
        before = self._entries.pop(ident, None)
        if before is not None:
            held = self._of_number[before.number]
            del held[ident]
            if not held:
                del self._of_number[before.number]
        # Of one whose key was destroyed nobody knows the number any more.
        if entry is not None and not entry.lifted and entry.number:
            self._entries[ident] = entry
            self._of_number.setdefault(entry.number, {})[ident] = None

"""Who may come in, as configured and as things stand: one index over numbers, trunks, limits, hours, notices, the
blacklist and entry points, with the counts that caps look at. A fold of the same events as everything else.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final, Protocol

from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.customers.blacklist import Blacklist
from orchestrator.domain.kernel import Event, Happened, Instant
from orchestrator.domain.routing.calendars import Calendars
from orchestrator.domain.routing.entries import Call, Entries, EntryPoint, Found
from orchestrator.domain.routing.limits import Limits
from orchestrator.domain.routing.notices import Notices
from orchestrator.domain.routing.numbers import Rewriting
from orchestrator.domain.routing.trunks import Trunks

KINDS: Final = ("rewrite", "trunk", "limit", "calendar", "notice", "blacklist")
OVERLOADED: Final = "overloaded"
SERVED: Final = "served"
TOLD: Final = "told"
MOST_TOLD: Final = 30
"""So many callers of a switch without a limit may hear at the same time that there is no room."""

# What `Admission.follow` counts by; every other event only where it changes the visit.
COUNTED: Final = frozenset(
    {contacts.ContactQueued, contacts.ContactTurnedAway, contacts.NuisanceMarked, contacts.ContactEnded}
)


_Counts = tuple[Mapping[str, int], Mapping[str, int], Mapping[str, str]]


class _Part(Protocol):
    def configure(self, ident: str, event: Event, /) -> None: ...


class Admission:
    """What admitting looks at."""

    def __init__(self, limits: Limits | None = None, blacklist: Blacklist | None = None) -> None:
        self.rewriting = Rewriting()
        self.trunks = Trunks()
        self.limits = limits or Limits()
        self.calendars = Calendars()
        self.notices = Notices()
        self.blacklist = blacklist or Blacklist()
        self.entries = Entries()
        self._parts = self._by_kind()
        self._calls_of_trunk: Counter[str] = Counter()
        self._visits_of_queue: Counter[str] = Counter()
        self._hearing: dict[str, str] = {}
        """Contacts whose callers hear at this moment that there is no room, and their switch."""
        self._hearing_on: Counter[str] = Counter()

    # --- keeping it true --------------------------------------------------------------------------------------------
    def configure(self, kind: str, ident: str, event: Event) -> None:
        """Take over what was configured or listed."""
        if kind == "blacklist":
            self.blacklist.follow(ident, event)
        else:
            self._parts[kind].configure(ident, event)

    def configure_entry(self, before: EntryPoint | None, after: EntryPoint | None) -> None:
        """Take over one entry point's settings."""
        self.entries.configure(before, after)

    def follow(self, before: Contact | None, after: Contact, record: Happened) -> None:
        """Count a contact on or off."""
        if before is None or before.visit is not after.visit:
            was, now = _queue_of(before), _queue_of(after)
            if was != now:
                _count(self._visits_of_queue, was, -1)
                _count(self._visits_of_queue, now, 1)
        event = record.event
        if type(event) not in COUNTED:
            return
        match event:
            case contacts.ContactQueued() if before is not None and not before.queue_id:
                _count(self._calls_of_trunk, after.trunk_id, 1)
            case contacts.ContactTurnedAway() if event.reason == OVERLOADED and event.prompt:
                self._hearing[after.contact_id] = after.node
                _count(self._hearing_on, after.node, 1)
            case contacts.ContactEnded() if after.queue_id:
                _count(self._calls_of_trunk, after.trunk_id, -1)
            case contacts.ContactEnded():
                _count(self._hearing_on, self._hearing.pop(after.contact_id, ""), -1)
        self.remember(before, after, record)

    def remember(self, before: Contact | None, after: Contact, record: Happened) -> None:
        """Take what stays when the contact has ended: it was let in, or told of a limit, or its caller was marked."""
        event = record.event
        match event:
            case contacts.ContactQueued() if before is not None and not before.queue_id:
                self.limits.take(SERVED, after.node, record.about.at)
            case contacts.ContactTurnedAway() if event.reason == OVERLOADED and event.prompt:
                self.limits.take(TOLD, after.node, record.about.at)
            case contacts.NuisanceMarked():
                self.blacklist.mark(after.contact_id, after.from_number, record.about.actor)

    def counts(self) -> _Counts:
        """Whom it counts: calls of each trunk group, visits of each queue, and who hears that there is no room."""
        return self._calls_of_trunk, self._visits_of_queue, self._hearing

    def count_in(self, others: _Counts) -> None:
        """Count these other contacts as well."""
        calls, visits, hearing = others
        self._calls_of_trunk.update(calls)
        self._visits_of_queue.update(visits)
        self._hearing |= hearing
        self._hearing_on.update(hearing.values())

    def with_parts(self, limits: Limits, blacklist: Blacklist) -> "Admission":
        """The same, configured alike, with other limits and another blacklist; it counts nobody yet."""
        found = Admission(limits, blacklist)
        found.rewriting, found.trunks, found.calendars = self.rewriting, self.trunks, self.calendars
        found.notices, found.entries = self.notices, self.entries
        found._parts = found._by_kind()
        return found

    def _by_kind(self) -> Mapping[str, _Part]:
        return {
            "rewrite": self.rewriting,
            "trunk": self.trunks,
            "limit": self.limits,
            "calendar": self.calendars,
            "notice": self.notices,
        }

    # --- asking -----------------------------------------------------------------------------------------------------
    def find_entry(self, contact: Contact, now: Instant) -> Found:
        """The entry point that takes this contact."""
        call = Call(contact.to_number, contact.from_number, contact.trunk_id, now)
        return self.entries.find(call, self.calendars)

    def visits(self, queue_id: str) -> int:
        """How many wait in this queue, also while somebody's phone rings for them."""
        return self._visits_of_queue[queue_id]

    def may_tell(self, node: str, now: Instant) -> bool:
        """Whether this switch bears one more who hears that it is overloaded."""
        if self.limits.of(node) is None:
            return self._hearing_on[node] < MOST_TOLD
        return self.limits.room(TOLD, node, now)

    def trunk_is_full(self, trunk_id: str) -> bool:
        """Whether this trunk group brings no more calls in."""
        most = self.trunks.most_calls(trunk_id)
        return bool(most) and self._calls_of_trunk[trunk_id] >= most

    def standing(self) -> dict[str, object]:
        """What caps and limits look at, and who is refused: for comparing one fold with another."""
        return {
            "calls": dict(self._calls_of_trunk),
            "visits": dict(self._visits_of_queue),
            "limits": self.limits.standing(),
            "hearing": dict(self._hearing),
            "blacklist": self.blacklist.standing(),
        }


def _queue_of(contact: Contact | None) -> str:
    return contact.visit.queue_id if contact is not None and contact.visit is not None else ""


def _count(counter: Counter[str], key: str, by: int) -> None:
    if key:
        counter[key] += by
        if not counter[key]:
            del counter[key]

"""What became of each caller, as the callers themselves have it and as the ledger has it, side by side.

A caller must be one contact of the ledger, which ended once, as the caller says that it did. Four things excuse:

    cut       the switch was killed under the call: the caller says no end, and the ledger says `switch_lost`
    unseen    the same, so soon after the call that no engine had heard of it (or none was there to hear)
    unheard   the caller came and gave up while no engine decided anything at all
    untold    it was being joined with an agent, and the whole talk passed while no engine decided anything at all

The first two are not taken where the ledger shows that it was told of something that came later on that same switch.
A switch tells us of a talk or an end before the caller hears of it: one that was killed in between has told only us, so
that caller is cut off too, and not taken where something later was told.
"""

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct, field

SLACK_S: Final = 1.0
"""News of different calls overtake each other, and accounts are a moment apart."""


class Call(Struct, frozen=True, kw_only=True):
    """One call by its caller's own account. `run`: which start of the switch it lived in. Times in seconds."""

    name: str
    run: int
    at: float
    joined: tuple[float, ...] = ()
    """Each time that it heard an agent."""
    ended_at: float = 0.0
    end: str = ""
    """hung-up, was-hung-up with its cause, or empty where it says no end."""


class Ring(Struct, frozen=True, kw_only=True):
    """One call to a phone, by the phone's own account. `leg` is the ledger's name of it."""

    leg: str
    run: int
    answered: bool = False
    ended_at: float = 0.0
    over: bool = False


class Known(Struct, frozen=True, kw_only=True):
    """One contact by the ledger."""

    contact: str
    name: str
    ends: tuple[str, ...] = ()
    """Reasons; one, where all is well."""
    ended_at: float = 0.0
    """When the ledger was told of the first end."""
    joined: int = 0
    """Talks with an agent."""
    joined_at: float = 0.0
    """When it was told of the first of them."""
    legs: tuple[str, ...] = ()
    """The phones' legs that were made for it."""


class Verdict(Struct, kw_only=True):
    """What the comparison found; each list has a sentence for each finding."""

    calls: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    """The callers by what became of them, excuses included."""
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    ghosts: list[str] = field(default_factory=list)
    suspects: list[str] = field(default_factory=list)
    """The contacts of what was found, whose stories tell more."""
    longest_alone_s: float = 0.0
    """How long a phone outlived its caller at most."""

    @property
    def whole(self) -> bool:
        return not (self.lost or self.doubled or self.ghosts)

    def text(self) -> str:
        lists = {"lost": self.lost, "doubled": self.doubled, "ghosts": self.ghosts}
        lines = [f"{name}: {line}" for name, found in lists.items() for line in found]
        return "\n".join([f"{self.calls} callers: {dict(self.fates)}", *lines])


class Accounts(Struct, frozen=True, kw_only=True):
    """Both sides."""

    calls: Sequence[Call]
    known: Sequence[Known]
    rings: Sequence[Ring]
    killed: Collection[int]
    """The starts of the switch that ended by SIGKILL."""
    decided_at: Sequence[float]
    """When engines wrote the ledger, in order."""
    answered: int
    """How many calls the phones answered, by their own account."""


def compare(accounts: Accounts) -> Verdict:
    """What became of everybody, and where the two sides do not agree."""
    verdict = Verdict(calls=len(accounts.calls))
    by_name: dict[str, list[Known]] = defaultdict(list)
    for contact in accounts.known:
        by_name[contact.name].append(contact)
    told = _told_until(accounts.calls, by_name)

    def cut_off(call: Call, moment: float) -> bool:
        """Whether the switch died before it can have told what happened at this moment."""
        return call.run in accounts.killed and moment > told.get(call.run, 0.0) - SLACK_S

    for call in accounts.calls:
        contacts = by_name[call.name]
        if len(contacts) > 1 or len(call.joined) > 1 or any(_twice(contact) for contact in contacts):
            verdict.doubled.append(f"{call} is {contacts}")
            verdict.suspects += [contact.contact for contact in contacts]
        elif fate := _fate(call, contacts[0] if contacts else None, cut_off, accounts.decided_at):
            verdict.fates[fate] += 1
        else:
            verdict.lost.append(f"{call} is {contacts[0] if contacts else 'unknown to the ledger'}")
            verdict.suspects += [contact.contact for contact in contacts]
    names = {call.name for call in accounts.calls}
    verdict.ghosts += [f"{contact} is nobody's" for contact in accounts.known if contact.name not in names]
    talks = sum(contact.joined for contact in accounts.known)
    if talks > accounts.answered:
        verdict.ghosts.append(f"{talks} talks are known, and phones answered {accounts.answered} calls")
    _compare_rings(verdict, accounts)
    return verdict


CutOff = Callable[[Call, float], bool]


def _twice(contact: Known) -> bool:
    return len(contact.ends) > 1 or contact.joined > 1


def _told_until(calls: Iterable[Call], by_name: dict[str, list[Known]]) -> dict[int, float]:
    """By start of the switch, the last moment of which the ledger was told."""
    told: dict[int, float] = {}
    for call in calls:
        for contact in by_name.get(call.name, ()):
            moments = [call.at]
            moments += [call.ended_at for reason in contact.ends if reason != "switch_lost" and call.end]
            told[call.run] = max(told.get(call.run, 0.0), *moments)
    return told


def _fate(call: Call, contact: Known | None, cut_off: CutOff, decided_at: Sequence[float]) -> str:
    """What became of a caller in one word; empty where the two sides do not agree and nothing excuses it."""
    if contact is None:
        if not call.end or call.joined:
            return "unseen" if cut_off(call, call.at) else ""
        return "unheard" if cut_off(call, call.at) or _silent(decided_at, call.at, call.ended_at) else ""
    (reason,) = contact.ends or ("",)
    talked = bool(call.joined)
    if talked and not contact.joined and reason == "abandoned" and call.end == "hung-up":
        return "untold" if _silent(decided_at, call.joined[0], call.ended_at) else ""
    if talked != bool(contact.joined):
        excused = cut_off(call, call.joined[0]) if talked else not call.end and cut_off(call, contact.joined_at)
        if not excused:
            return ""
    if not call.end:
        hung_up_by_us = reason == "turned_away" and not talked and cut_off(call, contact.ended_at)
        return "cut" if hung_up_by_us or (reason == "switch_lost" and cut_off(call, float("inf"))) else ""
    if reason == "switch_lost":
        return "cut" if cut_off(call, call.ended_at) else ""
    if call.end == "hung-up":
        wanted = "completed" if talked else "abandoned"
        return wanted if reason == wanted else ""
    return reason if reason == "turned_away" and not talked else ""


def _silent(decided_at: Sequence[float], since: float, until: float) -> bool:
    """Whether no engine wrote anything between these moments."""
    first = bisect(decided_at, since + SLACK_S)
    return first == len(decided_at) or decided_at[first] > until - SLACK_S


def _compare_rings(verdict: Verdict, accounts: Accounts) -> None:
    """Phones ring for contacts of the ledger, and nobody is on the line at the end."""
    of_leg = {leg: contact for contact in accounts.known for leg in contact.legs}
    left_at = {call.name: call.ended_at for call in accounts.calls if call.end}
    for ring in accounts.rings:
        contact = of_leg.get(ring.leg)
        if contact is None:
            verdict.ghosts.append(f"{ring} rang for nobody")
        elif not ring.over and ring.run not in accounts.killed:
            verdict.ghosts.append(f"{ring} is on the line still")
        elif ring.over and ring.answered and contact.name in left_at:
            alone_s = ring.ended_at - left_at[contact.name]
            verdict.longest_alone_s = max(verdict.longest_alone_s, alone_s)

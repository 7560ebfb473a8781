"""One run: an installation under calls, its processes killed by a plan, and both sides' accounts compared afterwards.

python -m tests.acceptance.chaos --seconds 300 --seed 7        as `make chaos`
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Any, Final, Self

from msgspec import Struct, field

from orchestrator.audit.verify import verify
from orchestrator.control import Client, ControlError, control_path
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import LIVE_KINDS, Record, Refused, ident_of, kind_of
from orchestrator.runner import inputs
from tests.acceptance.chaos.callers import Peers, SimulatedPeers
from tests.acceptance.chaos.fates import Accounts, Known, Verdict, compare
from tests.acceptance.chaos.place import WIDE_S, Place
from tests.acceptance.chaos.plan import Kill, kills
from tests.acceptance.chaos.real import RealPeers
from tests.acceptance.chaos.recorded import Found, compare_recordings, told
from tests.lab.patience import until

_DESK_LOOK_S: Final = 0.5
_SWITCH_DOWN_S: Final = 1.0
"""After so long a service manager has a switch started again."""
_MISSED_S: Final = 30.0
"""How long it is waited for a process that is to be killed and is not there, for it is being started again."""
_SUSPECTS: Final = 5
"""Of so many contacts the story is told where something was found."""
_FIRST: Final = 2001
RATE: Final = 20.0
REAL_RATE: Final = 5.0
"""Calls a second on the simulated switch and on a real one, on which signalling and sound cost what they cost."""

Say = Callable[[str], None]


class Setting(Struct, frozen=True, kw_only=True):
    """What a run is made of."""

    seed: int
    seconds: float
    per_second: float = RATE
    talk_s: float = 5.0
    gaps_s: tuple[float, float] = (2.0, 8.0)
    """Between one kill and the next."""
    real: bool = False
    """Whether the switch is a FreeSWITCH."""

    @property
    def calls(self) -> int:
        """How many callers try to call."""
        return round(self.seconds * self.per_second)

    @property
    def extensions(self) -> list[str]:
        """Of as many agents as these calls keep busy, and some more."""
        return [str(_FIRST + number) for number in range(ceil(self.per_second * (self.talk_s + 1) * 1.2))]


class Killed(Struct, frozen=True):
    """Who was killed."""

    at: float
    """Seconds since 1970."""
    after_s: float
    """Since the first call."""
    kind: str
    pid: int

    def __str__(self) -> str:
        return f"{self.at:.3f}, {self.after_s:6.1f} s: killed {self.kind} ({self.pid})"


class Outcome(Struct, kw_only=True):
    """What a run came to."""

    setting: Setting
    accounts: Accounts = Accounts(calls=(), known=(), rings=(), killed=(), decided_at=(), answered=0)
    verdict: Verdict = field(default_factory=Verdict)
    recordings: Found = field(default_factory=Found)
    wrong: list[str] = field(default_factory=list)
    """What else is not as it must be, a sentence each."""
    killed: list[Killed] = field(default_factory=list)
    stories: list[str] = field(default_factory=list)
    """What the log has of the contacts of which something was found, and of the switch."""
    load: float = 0.0
    """Of the machine, at the end."""

    @property
    def whole(self) -> bool:
        return self.verdict.whole and not self.recordings.wrong and not self.wrong

    def text(self) -> str:
        """The seed, what was done, and what is wrong."""
        setting = self.setting
        head = f"seed {setting.seed}, {setting.seconds:g} s, {setting.per_second:g} calls/s of {setting.talk_s:g} s"
        recordings = f"recordings of talks: {dict(self.recordings.fates)}"
        wrong = [*self.wrong, self.verdict.text(), recordings, *self.recordings.wrong]
        return "\n".join([head, *map(str, self.killed), *wrong, *self.stories])

    def figures(self) -> Iterator[dict[str, Any]]:
        """As the lines of `make bench`."""
        verdict, setting = self.verdict, self.setting
        yield _figure(
            "calls",
            verdict.calls,
            "calls",
            switch="real" if setting.real else "simulated",
            seed=setting.seed,
            seconds=setting.seconds,
            calls_per_s=setting.per_second,
            fates=dict(verdict.fates.most_common()),
            found_no_switch=setting.calls - verdict.calls,
            load=self.load,
        )
        for name, found in (("lost", verdict.lost), ("doubled", verdict.doubled), ("ghosts", verdict.ghosts)):
            yield _figure(name, len(found), "found", at_most=0)
        recordings = self.recordings
        yield _figure(
            "recordings", len(recordings.wrong), "faults", at_most=0, fates=dict(recordings.fates.most_common())
        )
        yield _figure("wrong", len(self.wrong), "other faults", at_most=0)
        yield _figure("kills", len(self.killed), "kills", **Counter(each.kind for each in self.killed))
        silence_s, after = self.silence()
        yield _figure("longest_without_decision_s", round(silence_s, 2), "s", after=after)
        if self.accounts.rings:
            yield _figure("longest_alone_s", round(verdict.longest_alone_s, 2), "s")

    def silence(self) -> tuple[float, str]:
        """The longest time in which nothing was decided while callers came, and what had been killed last before."""
        came = [call.at for call in self.accounts.calls]
        if not came:
            return 0.0, ""
        first, last = min(came), max(came)
        moments = [first, *(at for at in self.accounts.decided_at if first < at < last), last]
        length_s, until_then = max((later - earlier, later) for earlier, later in pairwise(moments))
        return length_s, next((each.kind for each in reversed(self.killed) if each.at < until_then), "")


def _figure(name: str, value: float, unit: str, **more: object) -> dict[str, Any]:
    return {"name": f"chaos.{name}", "value": value, "unit": unit, **more}


class _Desks:
    """Every agent's desk: signs in, and is ready again whenever it was stood down."""

    def __init__(self, home: Path) -> None:
        self._client = Client(control_path(home))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="desks", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(30)
        self._client.close()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                for agent in self._client.ask("agents"):
                    self._look(agent["number"], agent["state"])
            except (ControlError, Refused):
                pass  # nobody decides at the moment: the next look finds the next engine
            self._stopping.wait(_DESK_LOOK_S)

    def _look(self, number: str, state: str) -> None:
        if state == "signed_out":
            self._client.do(inputs.SignIn(agent=number))
        if state in {"signed_out", "paused"}:
            self._client.do(inputs.Ready(agent=number))


def play(setting: Setting, folder: Path, say: Say = lambda _: None) -> Outcome:
    """A run from its beginning to its end. AssertionError, with the story, where something does not come to be."""
    peers = _peers(setting, folder)
    outcome = Outcome(setting=setting)
    plan = kills(setting.seed, setting.seconds, setting.gaps_s)
    try:
        peers.start()
        with Place(folder, peers.switch, setting.extensions) as place:
            try:
                _play(place, peers, plan, outcome, say)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{outcome.text()}\n{place.said()}") from error
            _judge(place, peers, outcome)
    finally:
        peers.stop()
    outcome.load = round(os.getloadavg()[0], 1)
    return outcome


def _peers(setting: Setting, folder: Path) -> Peers:
    talk_ms = round(setting.talk_s * 1_000)
    if setting.real:
        return RealPeers(
            folder, setting.extensions, calls=setting.calls, per_second=setting.per_second, talk_ms=talk_ms
        )
    return SimulatedPeers(
        folder,
        setting.extensions,
        seed=setting.seed,
        calls=setting.calls,
        per_second=setting.per_second,
        talk_ms=talk_ms,
    )


def _play(place: Place, peers: Peers, plan: list[Kill], outcome: Outcome, say: Say) -> None:
    until(place.serves, "an engine to be active and to have its switch", within_s=WIDE_S)
    with _Desks(place.home):
        until(lambda: _ready(place), "every agent to be ready", within_s=WIDE_S)
        until(lambda: place.health().get("ok"), "every component to be there", within_s=WIDE_S)
        peers.begin()
        _carry_out(plan, place, peers, outcome, say)
        say("the last one is killed; the callers come to their ends")
        callers_s = outcome.setting.seconds + WIDE_S
        until(lambda: not peers.channels() and peers.over(), "every caller to come to an end", within_s=callers_s)
        until(lambda: _contacts(place) == 0, "every contact to come to an end", within_s=WIDE_S)
        until(lambda: _ready(place), "every agent to be ready again", within_s=WIDE_S)
    until(lambda: not place.unsealed(), "every recording that is finished to be sealed", within_s=WIDE_S)
    until(lambda: _ended_day(place), "everybody to be signed out", within_s=WIDE_S)
    outcome.wrong += place.differences()
    until(lambda: not peers.channels(), "the switch to have no channel left", within_s=WIDE_S)


def _carry_out(plan: list[Kill], place: Place, peers: Peers, outcome: Outcome, say: Say) -> None:
    waiting = threading.Event()
    began = time.monotonic()
    for kill in plan:
        waiting.wait(max(0.0, began + kill.at_s - time.monotonic()))
        if kill.kind == "switch":
            pid = peers.kill()
        else:
            pid = until(partial(place.kill, kill.kind), f"{kill.kind} to be there", within_s=_MISSED_S)
        outcome.killed.append(Killed(time.time(), time.monotonic() - began, kill.kind, pid))
        say(str(outcome.killed[-1]))
        if kill.kind == "switch":
            waiting.wait(_SWITCH_DOWN_S)
            peers.start()


def _ready(place: Place) -> bool:
    agents = place.ask("agents")
    return bool(agents) and all(agent["state"] == "ready" for agent in agents)


def _contacts(place: Place) -> int | None:
    status = place.ask("status")
    return None if status is None else int(status["contacts"])


def _ended_day(place: Place) -> bool:
    try:
        place.client.do(inputs.EndAll(reason="evening"))
    except (ControlError, Refused):
        return False
    status = place.ask("status")
    return status is not None and not status["shifts"]


# --- afterwards ------------------------------------------------------------------------------------------------------
def _judge(place: Place, peers: Peers, outcome: Outcome) -> None:
    """What must hold of log and callers, once everything stands still."""
    status = place.run.stop(patience_s=60)
    if status:
        outcome.wrong.append(f"`ringledger run` ended with status {status}")
    outcome.wrong += place.mend_recordings()
    records = place.opened()
    report = verify(iter(records), expect_contacts=1, settled=True)
    if not report.ok:
        outcome.wrong.append(report.text())
    outcome.accounts = Accounts(
        calls=peers.calls(),
        known=known(records),
        rings=peers.rings(),
        killed=peers.killed,
        decided_at=[record.about.at / 1e6 for record in records if kind_of(record.stream) in LIVE_KINDS],
        answered=peers.answered(),
    )
    outcome.verdict = compare(outcome.accounts)
    outcome.recordings = compare_recordings(told(records), place.lying(), outcome.accounts.decided_at)
    suspects = [*outcome.verdict.suspects, *outcome.recordings.suspects]
    outcome.stories = list(_stories(records, suspects[:_SUSPECTS]))


def _stories(records: list[Record], contacts: list[str]) -> Iterator[str]:
    """Of these contacts and, where there are any, of the switch, the engines and the outages between."""
    streams = {f"contact-{contact}" for contact in contacts}
    for record in records if contacts else ():
        if record.stream in streams or kind_of(record.stream) in {"node", "engine"}:
            event = str(record.event)[:200]
            at, origin = record.about.at / 1e6, record.about.origin
            yield f"{record.position:>7} {at:.3f} {origin:<8} {record.stream[:16]} {event}"


def known(records: list[Record]) -> list[Known]:
    """The contacts of the log, in order of arrival."""
    names: dict[str, str] = {}
    ends: dict[str, list[str]] = {}
    legs: dict[str, list[str]] = {}
    joined: Counter[str] = Counter()
    ended_at: dict[str, float] = {}
    joined_at: dict[str, float] = {}
    for record in records:
        if kind_of(record.stream) != "contact":
            continue
        contact = ident_of(record.stream)
        match record.event:
            case c.ContactArrived(caller_number=number):
                names[contact] = number
                ends[contact], legs[contact] = [], []
            case c.ContactEnded(reason=reason):
                ends[contact].append(reason)
                ended_at.setdefault(contact, record.about.at / 1e6)
            case c.ContactConnected():
                joined[contact] += 1
                joined_at.setdefault(contact, record.about.at / 1e6)
            case c.OfferMade(reservations=reservations) | c.OfferWidened(reservations=reservations):
                legs[contact] += [reservation.leg for reservation in reservations]
    return [
        Known(
            contact=contact,
            name=name,
            ends=tuple(ends[contact]),
            ended_at=ended_at.get(contact, 0.0),
            joined=joined[contact],
            joined_at=joined_at.get(contact, 0.0),
            legs=tuple(legs[contact]),
        )
        for contact, name in names.items()
    ]

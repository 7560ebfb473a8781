"""Calls that switches served by themselves, imported from the files in which they say so (mod_json_cdr; of one that was
killed meanwhile, its first word): this machine's (`call_files`), and those of others, which are fetched
(`calls_elsewhere`).

Nothing of a file is believed that does not have the shape of its kind. One that cannot be read is put aside; one whose
call is in the log goes. A call is imported once: the contact's id derives from it, and the engine knows which it has
(`runner/unattended.py`).
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote

import gevent
import msgspec
import structlog

from orchestrator.domain.kernel import SECOND, Instant, Refused
from orchestrator.domain.switch.causes import SWITCH_RESTARTED
from orchestrator.runner.inputs import ImportCall
from orchestrator.runner.unattended import contact_of
from orchestrator.service.call_files import AT_ONCE, LARGEST, Place, Told, Unreached, Unreadable, message_of
from orchestrator.service.customers import Caller, Whose
from orchestrator.steady import Spawn
from orchestrator.store import StoreError

log = structlog.get_logger(__name__)

LONGEST_VALUE: Final = 2_048
EVERY_S: Final = 5.0
# Files looked at before anybody else has a turn.
_IN_A_TURN: Final = 50
# Files of which one warning tells.
_TOLD: Final = 20
# A clock that is wrong by more is not believed.
AHEAD: Final = 86_400 * SECOND
_EARLIEST: Final = Instant(946_684_800 * SECOND)  # 2000-01-01
LOST_AFTER: Final = 12 * 3_600 * SECOND
"""How long after it took a call a switch may be away before that call counts as lost."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CAUSE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,63}")
_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
_NODE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,63}")
_MS: Final = re.compile(r"[0-9]{1,9}")
_INSTANT: Final = re.compile(r"[0-9]{1,17}")
# The phone that answered, by its leg's name: sofia/internal/EXTENSION@HOST, or EXTENSION-0x… where it registered so.
_PHONE: Final = re.compile(r"sofia/internal/([A-Za-z0-9_][A-Za-z0-9_.]{0,31})(?:-0x[0-9a-f]{1,16})?@.*", re.DOTALL)

Identify = Callable[[Sequence[str]], Sequence[Caller | None]]
Carry = Callable[[ImportCall], int]
Past = Callable[[Sequence[str]], Mapping[str, Whose]]


_READ: Final = (
    "uuid",
    "ringledger_unattended",
    "ringledger_node",
    "ringledger_contact",
    "ringledger_message",
    "bridge_channel",
    "hangup_cause",
    "record_ms",
)


class _Profile(msgspec.Struct):
    destination_number: str = ""
    caller_id_number: str = ""
    caller_id_name: str = ""
    network_addr: str = ""


class _Times(msgspec.Struct):
    created_time: str = "0"
    bridged_time: str = "0"
    hangup_time: str = "0"


class _Stage(msgspec.Struct):
    caller_profile: _Profile
    times: _Times


class _Record(msgspec.Struct):
    variables: dict[str, object]
    callflow: list[_Stage]
    core: str = msgspec.field(name="core-uuid", default="")


class _First(msgspec.Struct):
    """The first word (freeswitch/conf/taken.lua); each value encoded as in an address."""

    uuid: str
    core: str
    node: str
    contact: str
    dialled: str
    caller_number: str
    caller_name: str
    host: str
    arrived_at: str
    taken_at: str


_decoder: Final = msgspec.json.Decoder(_Record)
_first_decoder: Final = msgspec.json.Decoder(_First)


class Here(msgspec.Struct, frozen=True):
    """The switches whose files lie in this folder, and the run ids by which they are known now."""

    nodes: tuple[str, ...]
    cores: Mapping[str, str] = {}
    """Switch by run id."""
    running: Mapping[str, str] = {}
    """Run id by switch, of those that answer now."""

    def node_of(self, named: str, core: str) -> str:
        """The switch that wrote a record: as it says itself, also where it is not configured any more; as its run id
        says, where its configuration is of before it was told its name; or the only one that there is. Raises
        `Unreadable` where nobody can say.
        """
        if named in self.nodes or _NODE.fullmatch(named):
            return named
        known = self.cores.get(core, "")
        if not named and (known in self.nodes or len(self.nodes) == 1):
            return known if known in self.nodes else self.nodes[0]
        raise Unreadable("nobody can say which of the switches here wrote it")

    def is_over(self, node: str, core: str) -> bool:
        """Whether this run of the switch is over for certain: it answers, and is another one."""
        return self.running.get(node, core) != core

    def goes_on(self, node: str, core: str) -> bool:
        """Whether this run of the switch answers."""
        return self.running.get(node) == core


def read(data: bytes, leg: str, here: Here, now: Instant) -> ImportCall:
    """The call that this file tells of, whose name says `leg`. Raises `Unreadable`."""
    if len(data) > LARGEST:
        raise Unreadable(f"it has more than {LARGEST} bytes")
    try:
        # The switch passes on whatever bytes a caller's name has.
        record = _decoder.decode(data.decode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable(f"it is no JSON of a call record ({type(error).__name__})") from None
    if not record.callflow:
        raise Unreadable("it tells of no call")
    said = record.variables
    values = {name: unquote(str(said[name])[:LONGEST_VALUE]) for name in _READ if name in said}
    if values.get("uuid") != leg or not _UUID.fullmatch(leg):
        raise Unreadable("its name and its call do not agree")
    if values.get("ringledger_unattended") != "yes":
        raise Unreadable("its call was not served by the switch alone")
    node = here.node_of(values.get("ringledger_node", ""), record.core)
    # The last stage comes first: there the call ended, and in the oldest one it arrived.
    last, first = record.callflow[0], record.callflow[-1]
    arrived, ended = _instant(first.times.created_time), _instant(last.times.hangup_time)
    if not arrived or not ended:
        raise Unreadable("it does not say when the call began and ended")
    joined = _instant(last.times.bridged_time)
    clock_off = not _EARLIEST <= arrived <= ended <= now + AHEAD
    if clock_off:
        arrived, ended = _in_order(arrived, ended, now)
        joined = Instant(min(max(joined, arrived), ended)) if joined else joined
    phone = _PHONE.fullmatch(values.get("bridge_channel", "")) if joined else None
    message = message_of(leg)
    length = values.get("record_ms", "")
    profile = first.caller_profile
    return ImportCall(
        node=node,
        leg=leg,
        dialled=profile.destination_number[:LONGEST_VALUE],
        caller_number=profile.caller_id_number[:LONGEST_VALUE],
        caller_name=profile.caller_id_name[:LONGEST_VALUE],
        host=profile.network_addr[:LONGEST_VALUE],
        cause=_matching(_CAUSE, values.get("hangup_cause", "")) or "UNKNOWN",
        arrived_at=arrived,
        # One who talked with us before, and was lost then, was joined before the switch took over; so is the time.
        joined_at=joined if arrived <= joined <= ended else Instant(0),
        ended_at=ended,
        extension=phone[1] if phone else "",
        earlier=_matching(_ID, values.get("ringledger_contact", "")),
        message=message if values.get("ringledger_message") == message else "",
        message_ms=int(length) if _MS.fullmatch(length) else 0,
        clock_off=clock_off,
    )


class GoesOn(NamedTuple):
    """A call may go on: this run of its switch took it, and is not over for certain. From `lost_at` on it counts as
    lost, unless that run answers.
    """

    node: str
    core: str
    lost_at: Instant

    def is_over(self, here: Here, now: Instant) -> bool:
        """Whether it is not waited for any more."""
        over = here.is_over(self.node, self.core)
        return over or (now >= self.lost_at and not here.goes_on(self.node, self.core))


def read_first(data: bytes, leg: str, here: Here, now: Instant) -> ImportCall | GoesOn:
    """The call whose first word this is, where the switch that took it died, or was not heard of for long; `message`:
    where one lies there, which nobody finished. Raises `Unreadable`.
    """
    try:
        first = _first_decoder.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable(f"it is no JSON of a first word ({type(error).__name__})") from None
    said = {name: unquote(getattr(first, name)[: 3 * LONGEST_VALUE]) for name in first.__struct_fields__}
    if said["uuid"] != leg or not _UUID.fullmatch(leg) or not _UUID.fullmatch(said["core"]):
        raise Unreadable("its name, its call and its switch's run do not agree")
    node = here.node_of(said["node"], said["core"])
    arrived, taken = _instant(said["arrived_at"]), _instant(said["taken_at"])
    if not arrived or not taken:
        raise Unreadable("it does not say when the call began and was taken")
    clock_off = not _EARLIEST <= arrived <= taken <= now + AHEAD
    if clock_off:
        arrived, taken = _in_order(arrived, taken, now)
    goes_on = GoesOn(node, said["core"], Instant(taken + LOST_AFTER))
    if not goes_on.is_over(here, now):
        return goes_on
    return ImportCall(
        node=node,
        leg=leg,
        dialled=said["dialled"][:LONGEST_VALUE],
        caller_number=said["caller_number"][:LONGEST_VALUE],
        caller_name=said["caller_name"][:LONGEST_VALUE],
        host=said["host"][:LONGEST_VALUE],
        cause=SWITCH_RESTARTED if here.is_over(node, said["core"]) else "UNKNOWN",
        arrived_at=arrived,
        taken_at=taken,
        earlier=_matching(_ID, said["contact"]),
        message=message_of(leg),
        clock_off=clock_off,
    )


def _in_order(begun: Instant, later: Instant, now: Instant) -> tuple[Instant, Instant]:
    """These two as they can be true: what is of before all calls, or of after today, is of now; nothing ends before it
    begins.
    """
    later = later if _EARLIEST <= later <= now + AHEAD else now
    return (begun if _EARLIEST <= begun <= later else later), later


def _instant(text: str) -> Instant:
    return Instant(int(text)) if _INSTANT.fullmatch(text) else Instant(0)


def _matching(shape: re.Pattern[str], text: str) -> str:
    return text if shape.fullmatch(text) else ""


class Lying(NamedTuple):
    """A place where files lie, and whose they are. `spoken_of`: the calls of which anything is said there, where that
    can be seen at once, in a folder of this machine.
    """

    place: Place
    here: Callable[[], Here]
    spoken_of: Callable[[], Collection[str]] | None = None


class Importer:
    """Looks for files again and again, in the background, and has each call imported."""

    def __init__(
        self,
        sources: Sequence[Lying],
        *,
        carry: Carry,
        identify: Identify,
        clock: Callable[[], Instant],
        whose: Past,
        earlier: Callable[[str], str],
    ) -> None:
        """`carry` takes the command into the log, and returns its position; 0 where it is there. Raises `Refused`.
        `whose` says of which of these contacts the log tells, and whose they are; `earlier` as which contact a leg had
        been with us, empty where nobody knows.
        """
        self._watches = [_Watch(source) for source in sources]
        self._carry = carry
        self._identify = identify
        self._clock = clock
        self._whose = whose
        self._earlier = earlier
        self._more = False
        self._greenlet: gevent.Greenlet | None = None

    def start(self, spawn: Spawn) -> None:
        """Begin to look."""
        self._greenlet = spawn("importer", self._look_for_ever)

    def stop(self) -> None:
        """Look no more. What was not imported is found by the next engine."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def _look_for_ever(self) -> None:
        while True:
            try:
                self.look()
            except StoreError as error:
                # The files stay, and are read when the database is there again.
                log.warning("calls-not-imported", error=type(error).__name__)
            gevent.sleep(self.pause_s)

    @property
    def pause_s(self) -> float:
        """How long the next look may wait: after a long outage there are more files than one look takes."""
        return 0.0 if self._more else EVERY_S

    def said_of(self, legs: Mapping[str, str]) -> list[str]:
        """Of whom of these callers (leg → switch) this machine's switches say that they took them. Only whether a file
        is there is looked at, for there is one of no other call: what stands in it is read when it is imported.
        """
        found = []
        for source in (watch.source for watch in self._watches):
            if source.spoken_of is not None:
                nodes = source.here().nodes
                theirs = [leg for leg, node in legs.items() if node in nodes and _UUID.fullmatch(leg)]
                there = source.spoken_of() if theirs else ()
                found += [leg for leg in theirs if leg in there]
        return found

    def look(self) -> int:
        """Import what is there, so many at a time; how many calls were. A place that cannot be reached keeps no other
        waiting, nor does a file that the disk refuses, nor one that leads to an error that nobody foresaw: that is
        raised once all were looked at.
        """
        imported, self._more = 0, False
        unforeseen: Exception | None = None
        for watch in self._watches:
            try:
                waiting = watch.source.place.waiting()
                watch.forget_all_but(waiting)
                here, before = watch.source.here(), imported
                for number, (leg, mark) in enumerate(waiting.items(), 1):
                    if number % _IN_A_TURN == 0:
                        gevent.sleep(0)
                        here = watch.source.here()
                    if watch.goes_on(leg, mark, here, self._clock()):
                        continue
                    try:
                        imported += self._import(watch, leg, mark)
                    except (Unreached, StoreError):
                        raise
                    except FileNotFoundError:
                        continue  # it got another name, or is gone: the next look sees which
                    except OSError as error:
                        watch.refused[leg] = f"{type(error).__name__}: {error.strerror or error}"
                    except Exception as error:  # noqa: BLE001 - raised below
                        unforeseen = unforeseen or error
                    else:
                        watch.refused.pop(leg, None)
                watch.warn()
                # With nothing new it would be the same look again.
                self._more |= len(waiting) >= AT_ONCE and imported > before
            except OSError as error:
                # The files stay, and are read when disk or machine are there again.
                log.warning("calls-not-imported", error=f"{type(error).__name__}: {error}")
        if unforeseen is not None:
            raise unforeseen
        return imported

    def _import(self, watch: "_Watch", leg: str, mark: str) -> bool:
        """Whether this file's call is in the log now, and was not before."""
        told: Told | None = None
        source = watch.source
        try:
            told = source.place.told(leg)
            command = (read_first if told.first else read)(told.data, leg, source.here(), self._clock())
        except Unreadable as error:
            if told is None or told.settled:
                source.place.put_aside(leg, str(error), "" if told is None else told.digest)
            return False
        if isinstance(command, GoesOn):
            watch.going_on[leg] = (mark, command)
            return False
        if told.first and not told.settled:
            return False
        if command.message and not told.message:
            command = msgspec.structs.replace(command, message="", message_ms=0)
        try:
            new = self._carried(command)
        except Refused as refused:
            log.info("call-not-imported-yet", leg=leg, why=refused.code)
            return False
        source.place.done(leg, told.digest)
        return new

    def _carried(self, command: ImportCall) -> bool:
        """Have it imported, where the log does not tell of it yet; whether it did not. Asked first, for looking for who
        calls makes a customer of who is none: also of somebody who was erased since it was imported.
        """
        contact_id, earlier = contact_of(command.leg), command.earlier or self._earlier(command.leg)
        told = self._whose([each for each in (contact_id, earlier) if each])
        if contact_id in told:
            return False
        return self._carry(self._known(command, told.get(earlier))) > 0

    def _known(self, command: ImportCall, earlier: Whose | None) -> ImportCall:
        """The command with the customer who called, where that is somebody: whose the call was when it waited with us,
        or by its number. Of one who was erased since then it names nobody.
        """
        if earlier is not None and earlier.erased:
            return msgspec.structs.replace(command, caller_number="", caller_name="")
        if earlier is not None and earlier.customer_id:
            return msgspec.structs.replace(command, customer_id=earlier.customer_id)
        (caller,) = self._identify([command.caller_number])
        return command if caller is None else msgspec.structs.replace(command, customer_id=caller.customer_id)


class _Watch:
    """A place, and what is known of the files there from earlier looks."""

    def __init__(self, source: Lying) -> None:
        self.source = source
        self.going_on: dict[str, tuple[str, GoesOn]] = {}
        """First words that wait, each with the mark under which it was read."""
        self.refused: dict[str, str] = {}
        """Files that the disk refused, and why."""
        self._said: dict[str, str] = {}

    def forget_all_but(self, waiting: Collection[str]) -> None:
        """Files that are not there any more are nobody's."""
        for known in (self.going_on, self.refused, self._said):
            for leg in known.keys() - waiting:
                del known[leg]

    def goes_on(self, leg: str, mark: str, here: Here, now: Instant) -> bool:
        """Whether this is a first word that was read, and still has to wait: nothing else can come of it."""
        known, call = self.going_on.get(leg, ("", None))
        if call is None or not mark or known != mark or call.is_over(here, now):
            self.going_on.pop(leg, None)
            return False
        return True

    def warn(self) -> None:
        """Say which files could not be used, each once for each reason."""
        news = {leg: why for leg, why in self.refused.items() if self._said.get(leg) != why}
        if news:
            log.warning("call-files-refused", files=dict(list(news.items())[:_TOLD]), more=max(0, len(news) - _TOLD))
        self._said = dict(self.refused)

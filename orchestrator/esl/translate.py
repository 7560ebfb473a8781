"""What the switch says, in our words: an event becomes facts. Pure, and never raises on any input.

Whatever cannot be read is left out and said in `Reading.flaws`; a fact is never made of a guess. Strings of callers
pass through untouched: they are hostile until the core has cleaned them (law 10). Names of legs, contacts and offers
are checked here, because they become names of streams and words of commands.
"""

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.switch import contexts
from orchestrator.domain.switch import facts as f
from orchestrator.esl.events import HEADERS, SwitchEvent

_NAME = re.compile(r"[0-9A-Za-z-]{1,64}")
_NUMBER = re.compile(r"[0-9]{1,18}")
_CAUSE = re.compile(r"[A-Z0-9_]{1,64}")
_EXTENSION = re.compile(r"[0-9A-Za-z_.+-]{1,64}")
# The Reason of a BYE (RFC 3326) from a FreeSWITCH that shuts down, which Q.850 has no number for.
_SHUT_DOWN = re.compile(r"SIP;cause=[0-9]{3};text=\"SYSTEM_SHUTDOWN\"")
_DIGIT = re.compile(r"[0-9A-DFa-d*#]")
# switch_channel.c counts the length of a digit in samples of 8 kHz, whatever the codec.
_SAMPLES_PER_MS = 8
# transfer_source keeps its value for the rest of the call, so an older one speaks of an earlier transfer. It holds
# whole seconds (rounded down); in every capture the unbridging that it causes follows in the same 20 ms tick.
_TRANSFER_FRESH = 3 * SECOND // 2
_TRANSFERS = frozenset({"bl_xfer", "att_xfer"})


class Reading(Struct, frozen=True):
    """The facts of one event, and in words what of it could not be read."""

    facts: tuple[f.Fact, ...]
    flaws: tuple[str, ...] = ()


def checked_name(value: str) -> str:
    """The value where it can name a leg, a contact, an offer or a job; otherwise empty."""
    return value if _NAME.fullmatch(value) else ""


def checked_extension(value: str) -> str:
    """The value where it can name a phone; otherwise empty."""
    return value if _EXTENSION.fullmatch(value) else ""


def translate(node: str, event: SwitchEvent) -> tuple[f.Fact, ...]:
    """The facts in this event of the switch `node`; none where it says nothing that concerns us."""
    rule = RULES.get(event.name)
    return rule(_Reader(node, event)) if rule else ()


def reading(node: str, event: SwitchEvent) -> Reading:
    """As `translate`, together with what could not be read, for the log and the counters."""
    reader = _Reader(node, event)
    rule = RULES.get(event.name)
    facts = rule(reader) if rule else ()
    own = (event.flaws,) if event.flaws else ()
    return Reading(facts, own + tuple(reader.flaws))


class _Reader:
    """Reads checked values out of one event and notes what was wrong with the others."""

    __slots__ = ("event", "flaws", "node")

    def __init__(self, node: str, event: SwitchEvent) -> None:
        self.node = node
        self.event = event
        self.flaws: list[str] = []

    def fault(self, header: str, value: str) -> None:
        self.flaws.append(f"{self.event.name}: {header} {'is missing' if not value else 'cannot be used'}")

    def name(self, field: str, value: str, *, needed: bool = False) -> str:
        """The value where it can be a name of ours, otherwise empty."""
        if _NAME.fullmatch(value):
            return value
        if value or needed:
            self.fault(HEADERS[field], value)
        return ""

    def number(self, field: str, value: str) -> int | None:
        if _NUMBER.fullmatch(value):
            return int(value)
        self.fault(HEADERS[field], value)
        return None

    @property
    def at(self) -> Instant | None:
        number = self.number("timestamp", self.event.timestamp)
        return None if number is None else Instant(number)

    @property
    def leg(self) -> str:
        return self.name("leg", self.event.leg, needed=True)

    @property
    def contact(self) -> str:
        return self.name("contact", self.event.contact) if self.event.contact else ""

    @property
    def offer(self) -> str:
        return self.name("offer", self.event.offer) if self.event.offer else ""

    @property
    def inbound(self) -> bool:
        return self.event.direction == "inbound"


def _created(r: _Reader) -> tuple[f.Fact, ...]:
    leg = r.leg
    if not leg:
        return ()
    return (f.LegCreated(node=r.node, at=r.at, leg=leg, contact=r.contact, offer=r.offer, inbound=r.inbound),)


def _parked(r: _Reader) -> tuple[f.Fact, ...]:
    leg, e = r.leg, r.event
    if not leg:
        return ()
    return (
        f.LegParked(
            node=r.node,
            at=r.at,
            leg=leg,
            contact=r.contact,
            offer=r.offer,
            inbound=r.inbound,
            dialled=e.dialled,
            caller_number=e.caller_number,
            caller_name=e.caller_name,
            context=e.context,
            trunk=e.gateway or e.profile,
            host=e.host,
            early=not r.inbound and e.answer_state == "early",
            account=checked_extension(e.account) if r.inbound else "",
        ),
    )


def _ringing(r: _Reader) -> tuple[f.Fact, ...]:
    # On a leg that came to us PROGRESS_MEDIA only says that we send sound before answering; no phone rings.
    if r.inbound:
        return ()
    return _plain_fact(r, f.LegRinging)


def _plain_fact(
    r: _Reader,
    kind: type[f.LegRinging] | type[f.LegAnswered] | type[f.LegHeld] | type[f.LegResumed] | type[f.LegUnattended],
) -> tuple[f.Fact, ...]:
    leg = r.leg
    return (kind(node=r.node, at=r.at, leg=leg, contact=r.contact, offer=r.offer),) if leg else ()


def _pair(r: _Reader) -> tuple[str, str]:
    """The two legs of a bridge, the first one first; empty names where they cannot be read."""
    e = r.event
    first = r.name("bridge_a", e.bridge_a or e.leg, needed=True)
    second = r.name("bridge_b", e.bridge_b or e.other, needed=True)
    return (first, second) if first and second else ("", "")


def _bridged(r: _Reader) -> tuple[f.Fact, ...]:
    leg, other = _pair(r)
    if not leg:
        return ()
    return (f.LegBridged(node=r.node, at=r.at, leg=leg, contact=r.contact, offer=r.offer, other=other),)


def _unbridged(r: _Reader) -> tuple[f.Fact, ...]:
    leg, other = _pair(r)
    if not leg:
        return ()
    at, contact, offer = r.at, r.contact, r.offer
    apart = f.LegUnbridged(node=r.node, at=at, leg=leg, contact=contact, offer=offer, other=other)
    # A pair taken apart by a hang-up carries its cause; one taken apart by a transfer carries none.
    target = _transfer_target(r.event.transfer, at) if not r.event.cause else None
    if target is None:
        return (apart,)
    return apart, f.LegTransferred(node=r.node, at=at, leg=leg, contact=contact, offer=offer, target=target)


def _transfer_target(source: str, at: Instant | None) -> str | None:
    """Where a transfer that was made just now leads (`EPOCH:UUID:bl_xfer:TARGET`); None where there was none."""
    parts = source.split(":", 3)
    if len(parts) != 4 or parts[2] not in _TRANSFERS or at is None or not _NUMBER.fullmatch(parts[0]):  # noqa: PLR2004
        return None
    if not 0 <= at - int(parts[0]) * SECOND <= _TRANSFER_FRESH:
        return None
    return parts[3].partition("/")[0]


def _hung_up(r: _Reader) -> tuple[f.Fact, ...]:
    leg, e = r.leg, r.event
    if not leg:
        return ()
    cause = e.cause if _CAUSE.fullmatch(e.cause) else ""
    if not cause:
        r.fault(HEADERS["cause"], e.cause)
    # On a leg that came to us the same variable speaks of a re-INVITE that its phone refused, not of the call.
    status = r.number("sip_refusal", e.sip_refusal) if e.sip_refusal and not r.inbound else 0
    gone = f.LegHungUp(
        node=r.node,
        at=r.at,
        leg=leg,
        contact=r.contact,
        offer=r.offer,
        cause=cause or "UNKNOWN",
        inbound=r.inbound,
        sip_status=status or 0,
        by_far_end=e.disposition.startswith("recv_"),
        shut_down=e.disposition == "recv_bye" and _SHUT_DOWN.fullmatch(e.sip_reason) is not None,
    )
    # Nobody may have been there to hear that the switch took this caller: it still says so at the end.
    taken = _plain_fact(r, f.LegUnattended) if r.inbound and e.context == contexts.UNATTENDED else ()
    return (*taken, gone)


def _digit(r: _Reader) -> tuple[f.Fact, ...]:
    leg, e = r.leg, r.event
    if not leg:
        return ()
    if not _DIGIT.fullmatch(e.digit):
        r.fault(HEADERS["digit"], e.digit)
        return ()
    samples = r.number("digit_samples", e.digit_samples) or 0
    return (
        f.DigitPressed(
            node=r.node,
            at=r.at,
            leg=leg,
            contact=r.contact,
            offer=r.offer,
            digit=e.digit.upper(),
            duration_ms=samples // _SAMPLES_PER_MS,
        ),
    )


def _recording_started(r: _Reader) -> tuple[f.Fact, ...]:
    leg, e = r.leg, r.event
    if not leg or not e.record_path:
        return ()
    return (f.RecordingStarted(node=r.node, at=r.at, leg=leg, contact=r.contact, offer=r.offer, path=e.record_path),)


def _recording_stopped(r: _Reader) -> tuple[f.Fact, ...]:
    leg, e = r.leg, r.event
    if not leg or not e.record_path:
        return ()
    return (
        f.RecordingStopped(
            node=r.node,
            at=r.at,
            leg=leg,
            contact=r.contact,
            offer=r.offer,
            path=e.record_path,
            length_ms=r.number("record_ms", e.record_ms) or 0,
            cause=e.record_cause,
        ),
    )


def _job(r: _Reader) -> tuple[f.Fact, ...]:
    job = r.name("job", r.event.job, needed=True)
    if not job:
        return ()
    ok, answer = verdict(r.event.body)
    return (f.JobDone(node=r.node, at=r.at, job=job, ok=ok, answer=answer),)


def verdict(reply: str) -> tuple[bool, str]:
    """Whether a reply of the switch is a good one, and its first line without +OK or -ERR.

    `-ERR ORIGINATOR_CANCEL` is a good one: our `originate` has no originator that could cancel. It ends so when its leg
    was answered and bridged before the job came to park it (25 of 25 on a real switch), which is how we like it. A leg
    that died instead has a hang-up of its own.
    """
    first = reply.strip().split("\n", 1)[0].strip()
    for prefix in ("+OK", "-ERR"):
        if first.startswith(prefix):
            answer = first[len(prefix) :].strip()
            return prefix == "+OK" or answer == "ORIGINATOR_CANCEL", answer
    return not first.startswith("-"), first


def _heartbeat(r: _Reader) -> tuple[f.Fact, ...]:
    core = r.name("core", r.event.core, needed=True)
    sessions = r.number("sessions", r.event.sessions)
    # Without a count there is no fact: a wrong zero would say that every call is gone.
    return () if not core or sessions is None else (f.Heartbeat(node=r.node, at=r.at, core=core, sessions=sessions),)


def _stopping(r: _Reader) -> tuple[f.Fact, ...]:
    return (f.SwitchStopping(node=r.node, at=r.at),)


def _custom(r: _Reader) -> tuple[f.Fact, ...]:
    rule = CUSTOM_RULES.get(r.event.subclass)
    return rule(r) if rule else ()


def _conference(r: _Reader) -> tuple[f.Fact, ...]:
    e = r.event
    # Events of the room itself (created, destroyed, a file ended) name no leg and are no news of one.
    if not e.leg or not e.action:
        return ()
    leg = r.leg
    if not leg:
        return ()
    return (
        f.ConferenceChanged(
            node=r.node,
            at=r.at,
            leg=leg,
            contact=r.contact,
            offer=r.offer,
            conference=e.conference,
            action=e.action,
        ),
    )


def _extension(r: _Reader) -> str:
    value = r.event.from_user or r.event.user
    if not checked_extension(value):
        r.fault(HEADERS["from_user"], value)
    return checked_extension(value)


def _registered(r: _Reader) -> tuple[f.Fact, ...]:
    extension = _extension(r)
    if not extension:
        return ()
    expires = r.number("expires", r.event.expires) or 0
    return (f.PhoneRegistered(node=r.node, at=r.at, extension=extension, expires_s=expires),)


def _phone_gone(r: _Reader) -> tuple[f.Fact, ...]:
    extension = _extension(r)
    expired = r.event.subclass == "sofia::expire"
    return (f.PhoneGone(node=r.node, at=r.at, extension=extension, expired=expired),) if extension else ()


_Rule = Callable[[_Reader], tuple[f.Fact, ...]]

RULES: Mapping[str, _Rule] = {
    "CHANNEL_CREATE": _created,
    "CHANNEL_PARK": _parked,
    "CHANNEL_PROGRESS": _ringing,
    "CHANNEL_PROGRESS_MEDIA": _ringing,
    "CHANNEL_ANSWER": lambda r: _plain_fact(r, f.LegAnswered),
    "CHANNEL_BRIDGE": _bridged,
    "CHANNEL_UNBRIDGE": _unbridged,
    "CHANNEL_HOLD": lambda r: _plain_fact(r, f.LegHeld),
    "CHANNEL_UNHOLD": lambda r: _plain_fact(r, f.LegResumed),
    "CHANNEL_HANGUP_COMPLETE": _hung_up,
    "DTMF": _digit,
    "RECORD_START": _recording_started,
    "RECORD_STOP": _recording_stopped,
    "BACKGROUND_JOB": _job,
    "HEARTBEAT": _heartbeat,
    "SHUTDOWN": _stopping,
    "CUSTOM": _custom,
}
CUSTOM_RULES: Mapping[str, _Rule] = {
    "conference::maintenance": _conference,
    "ringledger::unattended": lambda r: _plain_fact(r, f.LegUnattended),
    "sofia::register": _registered,
    "sofia::unregister": _phone_gone,
    "sofia::expire": _phone_gone,
}

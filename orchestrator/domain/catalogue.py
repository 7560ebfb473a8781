"""Every event there is: its stored name, its class, its version, the streams it lives in.

The stored name is declared here once and never changes, so code can move without breaking history. To change the shape
of an event, raise its version and add an upcaster: a function from the old body (a dict) to the next one.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from orchestrator.domain import engine, spools
from orchestrator.domain.access import bundles, tokens, users
from orchestrator.domain.contacts import (
    consult_events,
    contacts,
    dial_events,
    guest_events,
    keeping,
    monitor_events,
    outward_events,
    park_events,
    speaking,
    transfer_events,
    unattended,
)
from orchestrator.domain.contacts import recording as talk_recording
from orchestrator.domain.customers import blacklist, notes, people
from orchestrator.domain.kernel import Event
from orchestrator.domain.routing import (
    branches,
    calendars,
    conference,
    configuration,
    drafts,
    entries,
    levels,
    limits,
    notices,
    numbers,
    outside,
    queues,
    recording,
    trunks,
)
from orchestrator.domain.staff import agents, answering, forcing, presence, reasons, shifts
from orchestrator.domain.switch import nodes
from orchestrator.domain.work import orders, ordertypes

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


class Entry(Struct, frozen=True, kw_only=True):
    """One kind of event. `upcasters[n]` turns a body of version n + 1 into one of version n + 2."""

    name: str
    cls: type[Event]
    kind: str
    """The kind of stream that it lives in."""
    version: int = 1
    upcasters: tuple[Upcaster, ...] = ()
    adopts_key_of: Callable[[Event], str | None] | None = None
    """For an event that hangs its stream's key under another subject's key: the stream of that subject."""


def _customer_of(event: Event) -> str | None:
    return f"customer-{event.customer_id}" if isinstance(event, contacts.ContactIdentified) else None


def _contact_of(event: Event) -> str | None:
    return f"contact-{event.contact_id}" if isinstance(event, notes.ContactNoted) else None


def _heard_in(event: Event) -> str | None:
    """Who is heard in a recording: whoever its contact turns out to be; of an orphan nobody knows."""
    if not isinstance(event, keeping.RecordingSealed) or not event.contact_id:
        return None
    return f"contact-{event.contact_id}"


def _wisher_of(event: Event) -> str | None:
    """Whose an order is: the customer's, or else whoever the contact turns out to be."""
    if not isinstance(event, orders.OrderOpened) or not (event.customer_id or event.contact_id):
        return None
    return f"customer-{event.customer_id}" if event.customer_id else f"contact-{event.contact_id}"


_BY_KIND: dict[str, tuple[type[Event], ...]] = {
    "contact": (
        contacts.EntryPointMissing,
        contacts.VisitWidened,
        contacts.VisitRevised,
        contacts.OfferWidened,
        contacts.OfferDelivered,
        contacts.OfferAcceptRequested,
        contacts.OfferRejectRequested,
        contacts.OfferAnswered,
        contacts.OfferAccepted,
        contacts.OfferExtended,
        contacts.OfferDeclined,
        contacts.OfferRejected,
        contacts.OfferTimedOut,
        contacts.OfferWithdrawn,
        contacts.OfferFailed,
        contacts.ContactConnected,
        contacts.HoldFailed,
        contacts.ContactHeld,
        contacts.ContactResumed,
        contacts.HangUpRequested,
        contacts.AgentSegmentEnded,
        contacts.NumberAnnounced,
        contacts.RecordingBegun,
        talk_recording.RecordingAsked,
        talk_recording.RecordingEndAsked,
        talk_recording.RecordingFailed,
        talk_recording.MaskAsked,
        talk_recording.RecordingMasked,
        talk_recording.MaskFailed,
        talk_recording.UnmaskAsked,
        talk_recording.RecordingUnmasked,
        contacts.CallerParked,
        contacts.LegClosed,
        contacts.LegOverdue,
        contacts.ContactEnded,
        dial_events.ContactDialled,
        dial_events.BranchNumberMissing,
        dial_events.NumberDialled,
        dial_events.NumberDelivered,
        dial_events.NumberSounded,
        dial_events.NumberAnswered,
        dial_events.DialEnded,
        outward_events.CallbackAsked,
        outward_events.CallbackDialled,
        outward_events.CallbackAnswered,
        outward_events.CallbackMissed,
        outward_events.CallbackMoved,
        outward_events.CallbackResumed,
        outward_events.CallbackEnded,
        outward_events.OutsideDialled,
        outward_events.OutsideAnswered,
        outward_events.OutsideExtended,
        outward_events.OutsideMissed,
        outward_events.OutsideConnected,
        outward_events.OutsideSegmentEnded,
        contacts.OverflowDeferred,
        contacts.PlaceTold,
        contacts.PlaceDeferred,
        contacts.AnswerRequested,
        contacts.NuisanceMarked,
        contacts.ContactPicked,
        contacts.ContactMoved,
        contacts.ContactReprioritised,
        park_events.ContactParked,
        park_events.ParkEnded,
        consult_events.ConsultAsked,
        consult_events.ConsultAnswered,
        consult_events.ConsultSwitched,
        consult_events.ConsultJoined,
        consult_events.MemberJoined,
        consult_events.ConsultExtended,
        consult_events.ConsultClosed,
        consult_events.ContactRejoined,
        guest_events.GuestInvited,
        guest_events.GuestAnswered,
        guest_events.GuestJoined,
        guest_events.GuestExtended,
        guest_events.GuestClosed,
        guest_events.RoomInherited,
        guest_events.GuestHoldAsked,
        guest_events.GuestHeld,
        guest_events.GuestRecalled,
        guest_events.PlacesSwapped,
        guest_events.AsideIntended,
        guest_events.AsideAsked,
        guest_events.AsideBegun,
        guest_events.AsideEnded,
        guest_events.AsideExtended,
        guest_events.AgentReturned,
        guest_events.MemberMuteAsked,
        guest_events.MemberMuted,
        guest_events.MemberUnmuted,
        guest_events.MemberMuteFailed,
        monitor_events.MonitorAsked,
        monitor_events.MonitorDelivered,
        monitor_events.MonitorAnswered,
        monitor_events.MonitorModeAsked,
        monitor_events.MonitorBegun,
        monitor_events.MonitorExtended,
        monitor_events.MonitorClosed,
        monitor_events.TalkTakenOver,
        speaking.MuteAsked,
        speaking.AgentMuted,
        speaking.UnmuteAsked,
        speaking.AgentUnmuted,
        speaking.MuteFailed,
        speaking.KeysPressed,
    ),
    "shift": (
        shifts.AgentSignedIn,
        shifts.AgentMadeReady,
        shifts.AgentPaused,
        shifts.AgentStoodDown,
        shifts.AgentReleased,
        shifts.AgentCooledDown,
        shifts.CoolDownEnded,
        shifts.AgentConnected,
        shifts.WrapUpEnded,
        shifts.WrapUpExtended,
        shifts.WrapUpPostponed,
        shifts.PauseRequested,
        shifts.SignOutRequested,
        shifts.AgentSignedOut,
        forcing.AgentForced,
        presence.DeskAttached,
        presence.DeskLost,
        presence.DeskGraceExtended,
        presence.DeskReturned,
        presence.DeskGraceEnded,
        presence.DeskTakenOver,
    ),
    "node": (
        nodes.NodeConnected,
        nodes.NodeLost,
        nodes.NodeDied,
        nodes.NodeDrained,
        nodes.NodeUndrained,
        nodes.NodeReconciled,
        nodes.NodeRepaired,
        nodes.SnapshotFailed,
        nodes.NodeOverloaded,
        nodes.NodeRelieved,
        nodes.StrayLegFound,
        nodes.StrayLegOverdue,
        nodes.StrayLegClosed,
        nodes.UnknownTalkFound,
        nodes.UnknownTalkEnded,
        nodes.PhoneCodeDialled,
        nodes.PhoneRegistered,
        nodes.PhoneUnregistered,
        nodes.PhonesCompared,
    ),
    "recording": (
        keeping.RecordingEndangered,
        keeping.RecordingDiscarded,
        keeping.RecordingHeld,
        keeping.RecordingReleased,
        keeping.RecordingDeleted,
        keeping.RecordingArchived,
    ),
    "hold": (keeping.RecordingKeyCopied,),
    "engine": (
        engine.DatabaseReturned,
        engine.EngineActivated,
        engine.HandoverAsked,
        engine.HandoverBegun,
        engine.SpoolBegun,
    ),
    "spool": (spools.SpoolGivenUp, spools.SpoolPutAside),
    "agent": (agents.AgentRemoved,),
    "queue": (queues.QueueRemoved,),
    "entry": (entries.EntryPointRemoved,),
    "level": (levels.LevelConfigured, levels.LevelRemoved),
    "branch": (branches.BranchRemoved,),
    "outside": (outside.OutsideRemoved,),
    "recordings": (recording.RecordingsRemoved,),
    "conference": (conference.ConferenceConfigured, conference.ConferenceRemoved),
    "desks": (answering.DesksConfigured, answering.DesksRemoved),
    "rewrite": (numbers.RewriteConfigured, numbers.RewriteRemoved),
    "trunk": (trunks.TrunkConfigured, trunks.TrunkRemoved),
    "limit": (limits.LimitConfigured, limits.LimitRemoved),
    "calendar": (calendars.CalendarConfigured, calendars.CalendarRemoved),
    "notice": (notices.NoticeConfigured, notices.NoticeRemoved),
    "blacklist": (blacklist.NumberBlacklisted, blacklist.BlacklistingChanged, blacklist.BlacklistingLifted),
    "user": (
        users.UserCreated,
        users.PasswordChanged,
        users.UserDisabled,
        users.UserEnabled,
        users.LanguageChanged,
        users.UserSignedIn,
        users.SignInRemembered,
        users.SignInFailed,
        users.SessionEnded,
        users.PersonalDataRevealed,
        users.RecordingPlayed,
        users.RecordingExported,
    ),
    "token": (tokens.TokenRevoked,),
    "bundle": (bundles.BundleMade,),
    "customer": (
        people.CustomerCreated,
        people.CustomerProfileChanged,
        people.CustomerNumberAdded,
        people.CustomerNoted,
        people.CustomerErased,
    ),
    "draft": (
        drafts.DraftBegun,
        drafts.DraftShared,
        drafts.DraftEdited,
        drafts.RemovalDrafted,
        drafts.EditWithdrawn,
        drafts.DraftRebased,
        drafts.DraftApplied,
        drafts.DraftDiscarded,
    ),
    "ordertype": (ordertypes.OrderTypeConfigured, ordertypes.OrderTypeRemoved),
    "pauses": (reasons.PauseReasonsConfigured, reasons.PauseReasonsRemoved),
    "wrapup": (reasons.WrapUpReasonsConfigured, reasons.WrapUpReasonsRemoved),
    "order": (
        orders.OrderAssigned,
        orders.OrderNoted,
        orders.OrderAmended,
        orders.OrderMoved,
        orders.OrderDone,
        orders.OrderReopened,
        orders.OrderClosed,
    ),
}


def _told_at_once(body: dict[str, Any]) -> dict[str, Any]:
    """HoldRequested and ResumeRequested of version 1: the switch was told whenever they were pressed."""
    return {**body, "not_before": 0}


def _not_extended(body: dict[str, Any]) -> dict[str, Any]:
    """WrapUpStarted of version 1: after-call work could not be extended."""
    return {**body, "at_most": body["until"]}


def _with_first_limits(body: dict[str, Any]) -> dict[str, Any]:
    """QueueConfigured of version 1 knew neither desks nor longer after-call work."""
    return {**body, "wrap_up_most_ms": 300_000, "desk_grace_ms": 15_000}


def _with_counting(body: dict[str, Any]) -> dict[str, Any]:
    """QueueConfigured of version 2 said nothing of targets. These were the trade's usual ones when it was written."""
    return {**body, "answer_target_ms": 20_000, "short_abandon_ms": 5_000}


def _without_a_number(body: dict[str, Any]) -> dict[str, Any]:
    """QueueConfigured of version 4 told no caller the agent's number; it begins when somebody applies it anew."""
    return {**body, "announce_agent": False}


def _recorded_by_word(body: dict[str, Any]) -> dict[str, Any]:
    """QueueConfigured of version 5 recorded every talk or none."""
    return {**body, "record": recording.ALWAYS if body.get("record", True) else recording.NEVER}


def _in_no_team(body: dict[str, Any]) -> dict[str, Any]:
    """AgentConfigured of version 1 knew no teams."""
    return {**body, "team": ""}


def _answers_as_site(body: dict[str, Any]) -> dict[str, Any]:
    """AgentConfigured of version 5 said `phone` also for whoever was told nothing; no site said anything."""
    answer = body.get("answer", answering.BY_PHONE)
    return {**body, "answer": answering.AS_SITE if answer == answering.BY_PHONE else answer}


def _with(**usual: Any) -> Upcaster:  # noqa: ANN401 - whatever a field holds
    """What fields that came later mean in what was written before them."""
    return lambda body: {**body, **usual}


_UNRULED_QUEUE = _with(
    level_first=True,
    count_window="shift",
    day_begins_h=16,
    steps=(),
    named_agent_ms=30_000,
    last_agent_ms=0,
    known_within_ms=300,
    age_per_min=0,
    age_cap=0,
    ring_most=5,
    ring_next_ms=5_000,
    calendar="",
    most_waiting=0,
    overflow=(),
    pick="skilled",
)
_WITHOUT_CONDITIONS = _with(
    agent_id="",
    bonus=0,
    trunks=(),
    callers=(),
    during="",
    hours="",
    closed="apology:closed",
    answer="at_once",
    answer_after_ms=0,
    blacklisted="",
)
_OF_ONE_STEP = _with(
    bonuses={},
    steps=(),
    known_by=0,
    age_per_min=0,
    age_cap=0,
    waiting_since=0,
    hops=(),
    overflow_at=0,
    answer_at=0,
    notices=(),
)


# Stored names differ from class names only where a class was renamed after it had made history.
_SPECIAL: dict[type[Event], Entry] = {
    contacts.HoldRequested: Entry(
        name="HoldRequested",
        cls=contacts.HoldRequested,
        kind="contact",
        version=3,
        upcasters=(_told_at_once, _with(then="")),
    ),
    contacts.ResumeRequested: Entry(
        name="ResumeRequested", cls=contacts.ResumeRequested, kind="contact", version=2, upcasters=(_told_at_once,)
    ),
    shifts.WrapUpStarted: Entry(
        name="WrapUpStarted", cls=shifts.WrapUpStarted, kind="shift", version=2, upcasters=(_not_extended,)
    ),
    agents.AgentConfigured: Entry(
        name="AgentConfigured",
        cls=agents.AgentConfigured,
        kind="agent",
        version=6,
        upcasters=(
            _in_no_team,
            _with(branch="", order=0, weight=1, capacity={}),
            _with(record=recording.AS_QUEUE),
            _with(answer=answering.BY_PHONE),
            _answers_as_site,
        ),
    ),
    entries.EntryPointConfigured: Entry(
        name="EntryPointConfigured",
        cls=entries.EntryPointConfigured,
        kind="entry",
        version=2,
        upcasters=(_WITHOUT_CONDITIONS,),
    ),
    contacts.ContactArrived: Entry(
        name="ContactArrived",
        cls=contacts.ContactArrived,
        kind="contact",
        version=3,
        upcasters=(_with(host="", trunk_id="", to_number="", from_number=""), _with(came_at=0)),
    ),
    **{
        cls: Entry(name=cls.__name__, cls=cls, kind="contact", version=2, upcasters=(_with(clock_off=False),))
        for cls in (unattended.UnattendedCallEnded, unattended.UnattendedCallLost)
    },
    contacts.ContactTurnedAway: Entry(
        name="ContactTurnedAway",
        cls=contacts.ContactTurnedAway,
        kind="contact",
        version=2,
        upcasters=(_with(answered=True, cause="NORMAL_CLEARING", hops=()),),
    ),
    contacts.QueueVisitEnded: Entry(
        name="QueueVisitEnded", cls=contacts.QueueVisitEnded, kind="contact", version=2, upcasters=(_with(cause=""),)
    ),
    contacts.ContactQueued: Entry(
        name="ContactQueued",
        cls=contacts.ContactQueued,
        kind="contact",
        version=3,
        upcasters=(_OF_ONE_STEP, _with(came_at=0)),
    ),
    transfer_events.ContactTransferred: Entry(
        name="ContactTransferred",
        cls=transfer_events.ContactTransferred,
        kind="contact",
        version=2,
        upcasters=(_with(taken=False),),
    ),
    shifts.AgentReserved: Entry(
        name="AgentReserved",
        cls=shifts.AgentReserved,
        kind="shift",
        version=2,
        upcasters=(_with(channel="voice", by_hand=False),),
    ),
    contacts.RecordingFinished: Entry(
        name="RecordingFinished",
        cls=contacts.RecordingFinished,
        kind="contact",
        version=2,
        upcasters=(_with(cause=""),),
    ),
    contacts.OfferMade: Entry(
        name="OfferMade",
        cls=contacts.OfferMade,
        kind="contact",
        version=3,
        upcasters=(_with(next_at=0, by_hand=False), _with(again=0, after_ms=0)),
    ),
    queues.QueueConfigured: Entry(
        name="QueueConfigured",
        cls=queues.QueueConfigured,
        kind="queue",
        version=8,
        upcasters=(
            _with_first_limits,
            _with_counting,
            _UNRULED_QUEUE,
            _without_a_number,
            _recorded_by_word,
            _with(show_listening=False),
            _with(park_ms=180_000),
        ),
    ),
    configuration.ConfigurationApplied: Entry(
        name="ConfigurationApplied",
        cls=configuration.ConfigurationApplied,
        kind="config",
        version=2,
        upcasters=(_with(reason="", draft=""),),
    ),
    contacts.ContactIdentified: Entry(
        name="ContactIdentified",
        cls=contacts.ContactIdentified,
        kind="contact",
        version=2,
        upcasters=(_with(level="", last_agent=""),),
        adopts_key_of=_customer_of,
    ),
    notes.ContactNoted: Entry(name="ContactNoted", cls=notes.ContactNoted, kind="note", adopts_key_of=_contact_of),
    keeping.RecordingSealed: Entry(
        name="RecordingSealed",
        cls=keeping.RecordingSealed,
        kind="recording",
        version=3,
        upcasters=(_with(node=""), _with(length_ms=-1)),
        adopts_key_of=_heard_in,
    ),
    recording.RecordingsConfigured: Entry(
        name="RecordingsConfigured",
        cls=recording.RecordingsConfigured,
        kind="recordings",
        version=3,
        upcasters=(_with(keep_days=0, keep_days_of={}, least_ms=0), _with(archive_days=0)),
    ),
    outside.OutsideConfigured: Entry(
        name="OutsideConfigured",
        cls=outside.OutsideConfigured,
        kind="outside",
        version=3,
        # Without a region numbers are compared as they were then, until somebody applies the rules anew.
        upcasters=(_with(show_at={}, dial_queue=""), _with(region="", national=False)),
    ),
    branches.BranchConfigured: Entry(
        name="BranchConfigured",
        cls=branches.BranchConfigured,
        kind="branch",
        version=2,
        upcasters=(_with(region=""),),
    ),
    guest_events.GuestPromoted: Entry(
        name="GuestPromoted",
        cls=guest_events.GuestPromoted,
        kind="contact",
        version=2,
        upcasters=(_with(agent_by=0, agent_cut_short=False),),
    ),
    users.RolesGranted: Entry(
        name="RolesGranted", cls=users.RolesGranted, kind="user", version=2, upcasters=(_with(branches=()),)
    ),
    tokens.TokenIssued: Entry(
        name="TokenIssued", cls=tokens.TokenIssued, kind="token", version=2, upcasters=(_with(branches=()),)
    ),
    orders.OrderOpened: Entry(name="OrderOpened", cls=orders.OrderOpened, kind="order", adopts_key_of=_wisher_of),
}


def _entries() -> tuple[Entry, ...]:
    plain = (Entry(name=cls.__name__, cls=cls, kind=kind) for kind, all_ in _BY_KIND.items() for cls in all_)
    return (*plain, *_SPECIAL.values())


BY_CLASS: Mapping[type[Event], Entry] = MappingProxyType({entry.cls: entry for entry in _entries()})
CATALOGUE: Mapping[str, Entry] = MappingProxyType({entry.name: entry for entry in _entries()})

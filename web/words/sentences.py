"""The sentence of every event: one row an event. None tells personal data."""

from collections.abc import Callable
from typing import Any, Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from orchestrator.domain import engine, spools
from orchestrator.domain.access import bundles, tokens, users
from orchestrator.domain.contacts import consult_events as cs
from orchestrator.domain.contacts import dial_events as d
from orchestrator.domain.contacts import events as c
from orchestrator.domain.contacts import guest_events as g
from orchestrator.domain.contacts import monitor_events as mo
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.contacts import park_events as pk
from orchestrator.domain.contacts import recording as r
from orchestrator.domain.contacts import speaking as v
from orchestrator.domain.contacts import transfer_events as t
from orchestrator.domain.contacts.consults import CALLER, CONSULTED, TOGETHER
from orchestrator.domain.contacts.parks import PARKED
from orchestrator.domain.contacts.transfers import AGENT, PHONE_LOST, QUEUE, TRANSFER
from orchestrator.domain.contacts.unattended import UnattendedCallEnded, UnattendedCallLost
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
from web.words.codes import code, reason
from web.words.kept import KEPT
from web.words.names import Names, duration

Fill = Callable[[Any, Names], dict[str, object]]
"""What the placeholders of a sentence stand for."""


def _nothing(_event: Any, _names: Names) -> dict[str, object]:  # noqa: ANN401 - whichever event
    return {}


def _agent(event: Any, names: Names) -> dict[str, object]:  # noqa: ANN401 - whichever event has a shift
    return {"agent": names.of_shift(event.shift_id)}


def _state(event: Any, _names: Names) -> dict[str, object]:  # noqa: ANN401 - whichever event moves an order
    return {"state": code(event.state)}


def _queued(event: c.ContactQueued, names: Names) -> dict[str, object]:
    words = ""
    if event.position and event.estimate_ms >= 0:
        told = {"place": event.position, "wait": duration(event.estimate_ms)}
        words = str(_l(", place %(place)s; expected to wait %(wait)s", **told))
    elif event.position:
        words = str(_l(", place %(place)s", place=event.position))
    if event.takes_up:
        words += str(_l("; takes up the place of the callback that was asked for"))
    return {"queue": names.queue(event.queue_id), "expected": words}


def _called_off(event: o.CallbackEnded, _names: Names) -> dict[str, object]:
    return {"reason": f"{code(event.reason)} ({reason(event.why)})" if event.why else code(event.reason)}


def _told(event: c.PlaceTold, _names: Names) -> dict[str, object]:
    wait = str(_l("; expected to wait %(wait)s", wait=duration(event.estimate_ms))) if event.estimate_ms >= 0 else ""
    return {"place": event.position, "wait": wait}


def _segment_ended(event: c.AgentSegmentEnded, _names: Names) -> dict[str, object]:
    if event.ended_by == TRANSFER:
        return {"how": str(_l("the caller is passed on"))}
    if event.ended_by == PARKED:
        return {"how": str(_l("the caller is parked"))}
    if event.ended_by == PHONE_LOST:
        return {"how": str(_l("the agent's phone is lost with its switch, and the caller waits again"))}
    return {"how": str(_l("hung up first: %(ended_by)s", ended_by=code(event.ended_by)))}


def _parked(event: pk.ContactParked, names: Names) -> dict[str, object]:
    return {"agent": names.agent(event.agent_id), "place": event.place}


def _code_dialled(event: nodes.PhoneCodeDialled, names: Names) -> dict[str, object]:
    agent = names.agent(event.agent_id) if event.agent_id else "–"
    done = str(_l("; done for %(agent)s", agent=agent))
    refused = str(_l("; refused to %(agent)s: %(why)s", agent=agent, why=code(event.refused)))
    return {"wish": code(event.wish), "place": event.place or "–", "what": refused if event.refused else done}


def _park_ended(event: pk.ParkEnded, names: Names) -> dict[str, object]:
    to = str(_l("; it rings at %(agent)s", agent=names.agent(event.agent_id))) if event.agent_id else ""
    return {"place": event.place, "outcome": code(event.outcome), "to": to}


def _transferred(event: t.ContactTransferred, names: Names) -> dict[str, object]:
    target = str(_l("a number outside"))
    if event.to == AGENT:
        target = names.agent(event.to_agent)
    elif event.to == QUEUE:
        target = f"“{names.queue(event.queue_id)}”"
    return {"agent": names.agent(event.agent_id), "target": target}


def _consulted(event: cs.ConsultAsked | g.GuestInvited, names: Names) -> dict[str, object]:
    held = event.reservation
    return {"target": names.agent(held.agent_id) if held is not None else str(_l("a number outside"))}


_WITH_WHOM: Final = {
    CALLER: _l("the caller"),
    CONSULTED: _l("whoever is asked"),
    TOGETHER: _l("both of them"),
}
_HEARS: Final = {
    CALLER: _l("The agent talks with the caller; the other one hears music"),
    CONSULTED: _l("The agent talks with whoever is asked; the other one hears music"),
    TOGETHER: _l("All three hear each other"),
}


def _joined(event: cs.ConsultJoined, _names: Names) -> dict[str, object]:
    return {"how": str(_HEARS.get(event.hears, _HEARS[CONSULTED]))}


def _switched(event: cs.ConsultSwitched, _names: Names) -> dict[str, object]:
    return {"who": str(_WITH_WHOM.get(event.to, _WITH_WHOM[CONSULTED]))}


def _digits(event: v.KeysPressed, _names: Names) -> dict[str, object]:
    how_many = str(_l("%(count)s keys", count=event.count)) if event.count else str(_l("keys"))
    return {"keys": how_many, "who": str(_l("the caller")) if event.to == CALLER else str(_l("whoever is asked"))}


def _monitored(event: mo.MonitorAsked, names: Names) -> dict[str, object]:
    agent = names.agent(event.reservation.agent_id)
    return {"agent": agent, "mode": code(event.mode), "reason": code(event.reason)}


def _forced(event: forcing.AgentForced, names: Names) -> dict[str, object]:
    return {"state": code(event.to), "who": names.actor(event.by), "reason": reason(event.reason)}


def _coded(name: str) -> Fill:
    return lambda event, _names: {name: code(getattr(event, name))}


def _chosen(name: str) -> Fill:
    return lambda event, _names: {name: reason(getattr(event, name))}


def _by_switch(event: UnattendedCallEnded, names: Names) -> dict[str, object]:
    if not event.joined_at:
        return {"how": _by_clock(event, str(_l("nobody answered")))}
    who = names.agent(event.agent_id) if event.agent_id else event.extension or str(_l("the fallback group"))
    length = duration((event.ended_at - event.joined_at) // 1000)
    return {"how": _by_clock(event, str(_l("%(who)s talked for %(length)s", who=who, length=length)))}


def _by_clock(event: UnattendedCallEnded | UnattendedCallLost, said: str) -> str:
    """With a word where its times are not certain."""
    return (
        str(_l("%(said)s (the switch's clock was wrong: its times are not certain)", said=said))
        if event.clock_off
        else said
    )


SENTENCES: Final[dict[type[Event], tuple[LazyString, Fill]]] = {
    # --- contacts
    c.ContactArrived: (
        _l("A call arrived for %(dialled)s on switch %(node)s"),
        lambda e, _: {"dialled": e.dialled, "node": e.node},
    ),
    UnattendedCallEnded: (_l("The switch served this call by itself, because we were away: %(how)s"), _by_switch),
    UnattendedCallLost: (
        _l(
            "The switch took this call by itself after %(after)s, because we were away, and then died: "
            "nothing more is known"
        ),
        lambda e, _: {"after": _by_clock(e, str(duration((e.taken_at - e.arrived_at) // 1000)))},
    ),
    c.EntryPointMissing: (_l("Alarm: no entry point serves %(dialled)s"), lambda e, _: {"dialled": e.dialled or "–"}),
    c.ContactQueued: (_l("Waits in “%(queue)s”%(expected)s"), _queued),
    c.VisitWidened: (
        _l("Step %(step)s of the search begins: %(reason)s"),
        lambda e, _: {"step": e.step + 1, "reason": code(e.reason)},
    ),
    c.VisitRevised: (_l("What is asked of agents is set anew: %(reason)s"), _coded("reason")),
    c.ContactTurnedAway: (_l("Turned away: %(reason)s"), _coded("reason")),
    c.QueueVisitEnded: (
        _l("Left the queue: %(outcome)s"),
        lambda e, _: {"outcome": code(e.outcome) + (f" ({code(e.cause)})" if e.cause else "")},
    ),
    c.OverflowDeferred: (_l("Should have been sent on, but no place takes the caller: waits on"), _nothing),
    c.PlaceTold: (_l("The caller hears: place %(place)s%(wait)s"), _told),
    c.PlaceDeferred: (_l("The caller's place could not be told now"), _nothing),
    c.AnswerRequested: (_l("The line is answered: billing begins"), _nothing),
    c.NuisanceMarked: (_l("The agent marked the caller as a nuisance"), _nothing),
    c.ContactIdentified: (_l("The caller is a known customer"), _nothing),
    c.OfferMade: (
        _l("Offered to %(agents)s"),
        lambda e, n: {"agents": ", ".join(n.agent(held.agent_id) for held in e.reservations)},
    ),
    c.OfferWidened: (
        _l("Offered to more agents: %(agents)s"),
        lambda e, n: {"agents": ", ".join(n.agent(held.agent_id) for held in e.reservations) or "–"},
    ),
    c.OfferDelivered: (_l("Rings at %(agent)s"), _agent),
    c.OfferAcceptRequested: (_l("%(agent)s accepted at the desk"), _agent),
    c.OfferRejectRequested: (_l("%(agent)s refused at the desk"), _agent),
    c.OfferAnswered: (_l("%(agent)s picked up"), _agent),
    c.OfferAccepted: (_l("%(agent)s gets the call"), _agent),
    c.OfferExtended: (_l("The offer goes on: %(cause)s"), _coded("cause")),
    c.OfferDeclined: (
        _l("%(agent)s dropped out of the offer: %(outcome)s"),
        lambda e, n: {"agent": n.of_shift(e.shift_id), "outcome": code(e.outcome)},
    ),
    c.OfferRejected: (_l("Offer rejected (%(cause)s)"), _coded("cause")),
    c.OfferTimedOut: (_l("Nobody answered the offer"), _nothing),
    c.OfferWithdrawn: (_l("Offer withdrawn: %(cause)s"), _coded("cause")),
    c.OfferFailed: (_l("The phone could not be rung (%(cause)s)"), _coded("cause")),
    c.ContactConnected: (_l("Talks with %(agent)s"), lambda e, n: {"agent": n.agent(e.agent_id)}),
    c.NumberAnnounced: (_l("The caller hears the agent's number: %(number)s"), lambda e, _: {"number": e.number}),
    c.HoldRequested: (_l("Hold was asked for"), _nothing),
    c.ResumeRequested: (_l("The agent wants to go on"), _nothing),
    c.HoldFailed: (
        _l("The switch did not do it: hold, or end of hold (%(cause)s)"),
        lambda e, _: {"cause": e.cause},
    ),
    c.ContactHeld: (_l("On hold"), _nothing),
    c.ContactResumed: (_l("Talks again"), _nothing),
    c.HangUpRequested: (_l("To be ended by %(reason)s"), _coded("reason")),
    c.AgentSegmentEnded: (_l("The conversation ended; %(how)s"), _segment_ended),
    t.ContactTransferred: (_l("%(agent)s passes the caller on to %(target)s"), _transferred),
    pk.ContactParked: (_l("%(agent)s parks the caller at place %(place)s"), _parked),
    pk.ParkEnded: (_l("Not at place %(place)s any more: %(outcome)s%(to)s"), _park_ended),
    cs.ConsultAsked: (_l("The agent asks %(target)s; the caller hears music"), _consulted),
    cs.ConsultAnswered: (_l("Whoever is asked picked up"), _nothing),
    cs.ConsultSwitched: (_l("The agent wants to talk with %(who)s"), _switched),
    cs.ConsultJoined: (_l("%(how)s"), _joined),
    cs.MemberJoined: (_l("One more is in the room of all three"), _nothing),
    cs.ConsultExtended: (_l("The consultation goes on: %(cause)s"), _coded("cause")),
    cs.ConsultClosed: (_l("Nobody is asked any more: %(outcome)s"), _coded("outcome")),
    cs.ContactRejoined: (_l("The agent talks with the caller again"), _nothing),
    g.GuestInvited: (_l("The agent invites %(target)s into the conference"), _consulted),
    g.GuestAnswered: (_l("Whoever is invited picked up"), _nothing),
    g.GuestJoined: (_l("One more is in the conference; all hear each other"), _nothing),
    g.GuestExtended: (_l("More time for whoever is invited: %(cause)s"), _coded("cause")),
    g.GuestClosed: (_l("One fewer is in the conference, or invited to it: %(outcome)s"), _coded("outcome")),
    g.GuestPromoted: (_l("Who was asked first is in the conference no more; the next takes the place"), _nothing),
    g.GuestHoldAsked: (_l("One of the conference is to be on hold"), _nothing),
    g.GuestHeld: (_l("One of the conference hears music, and nobody hears them; the others go on"), _nothing),
    g.GuestRecalled: (_l("Whoever was apart is brought into the conference"), _nothing),
    g.PlacesSwapped: (_l("Who was asked first is to be apart; the next in the conference takes the place"), _nothing),
    g.AsideIntended: (_l("The agent wants to speak with them alone first"), _nothing),
    g.AsideAsked: (_l("The agent leaves the conference to speak with one of them alone"), _nothing),
    g.AsideBegun: (_l("Agent and guest speak alone; the others go on"), _nothing),
    g.AsideEnded: (_l("The agent goes back into the conference: %(outcome)s"), _coded("outcome")),
    g.AsideExtended: (_l("More time for the agent who speaks with one of them alone: %(cause)s"), _coded("cause")),
    g.AgentReturned: (_l("The agent is in the conference again"), _nothing),
    g.MemberMuteAsked: (
        _l("One of the conference is to be muted: %(on)s"),
        lambda e, _n: {"on": str(_l("yes") if e.on else _l("no"))},
    ),
    g.MemberMuted: (_l("Nobody hears this one of the conference"), _nothing),
    g.MemberUnmuted: (_l("This one of the conference is heard again"), _nothing),
    g.MemberMuteFailed: (_l("Whether this one of the conference is heard, nobody knows: %(cause)s"), _coded("cause")),
    g.RoomInherited: (
        _l("The agent leaves the conference; %(agent)s has the caller from now on"),
        lambda e, n: {"agent": n.agent(e.agent_id)},
    ),
    mo.MonitorAsked: (_l("%(agent)s wants to hear the talk: %(mode)s (%(reason)s)"), _monitored),
    mo.MonitorDelivered: (_l("The supervisor's phone rings"), _nothing),
    mo.MonitorAnswered: (_l("The supervisor's phone is picked up"), _nothing),
    mo.MonitorModeAsked: (
        _l("The supervisor changes over: %(mode)s (%(reason)s)"),
        lambda e, _: {"mode": code(e.mode), "reason": code(e.reason)},
    ),
    mo.MonitorBegun: (_l("The supervisor hears the talk: %(mode)s"), _coded("mode")),
    mo.MonitorExtended: (_l("More time for the supervisor: %(cause)s"), _coded("cause")),
    mo.MonitorClosed: (_l("The supervisor hears no more: %(outcome)s"), _coded("outcome")),
    mo.TalkTakenOver: (
        _l("%(agent)s takes the caller over (%(reason)s)"),
        lambda e, n: {"agent": n.agent(e.agent_id), "reason": code(e.reason)},
    ),
    v.MuteAsked: (_l("The agent wants to be muted"), _nothing),
    v.AgentMuted: (_l("Muted: nobody hears the agent"), _nothing),
    v.UnmuteAsked: (_l("The agent wants to be heard again"), _nothing),
    v.AgentUnmuted: (_l("The agent is heard again"), _nothing),
    v.MuteFailed: (
        _l("Alarm: the switch did not mute, or unmute, the agent (%(cause)s)"),
        lambda e, _: {"cause": e.cause},
    ),
    v.KeysPressed: (_l("The agent pressed %(keys)s for %(who)s"), _digits),
    c.RecordingBegun: (_l("Recording began"), _nothing),
    c.RecordingFinished: (
        _l("Recording finished, %(length)s long"),
        lambda e, _: {"length": duration(e.length_ms)},
    ),
    r.RecordingAsked: (_l("The agent wants the call recorded"), _nothing),
    r.RecordingEndAsked: (_l("The recording is to end: %(reason)s"), _coded("reason")),
    r.RecordingFailed: (_l("Alarm: what should be recorded is not (%(cause)s)"), _coded("cause")),
    r.MaskAsked: (_l("The recording is to be masked for card data"), _nothing),
    r.RecordingMasked: (_l("Masked: silence is recorded"), _nothing),
    r.MaskFailed: (
        _l("Alarm: the switch did not do what was asked of the mask (%(cause)s)"),
        lambda e, _: {"cause": e.cause},
    ),
    r.UnmaskAsked: (_l("Sound is to be recorded again: %(reason)s"), _coded("reason")),
    r.RecordingUnmasked: (_l("The mask is over: %(reason)s"), _coded("reason")),
    c.LegClosed: (_l("A line was closed (%(cause)s)"), lambda e, _: {"cause": e.cause}),
    c.CallerParked: (_l("The caller is out of the conversation and hears music"), _nothing),
    c.LegOverdue: (_l("The switch was asked whether a line is still open"), _nothing),
    c.ContactEnded: (
        _l("Ended: %(reason)s (was %(phase)s)"),
        lambda e, _: {"reason": code(e.reason), "phase": code(e.phase)},
    ),
    # --- calls to the outside
    d.ContactDialled: (
        _l("%(agent)s calls a number outside over switch %(node)s"),
        lambda e, n: {"agent": n.agent(e.agent_id), "node": e.node},
    ),
    d.BranchNumberMissing: (
        _l("Alarm: the branch %(branch)s has no number to be shown; the common one is"),
        lambda e, _: {"branch": e.branch},
    ),
    d.NumberDialled: (_l("The agent is there: the number is called"), _nothing),
    d.NumberDelivered: (_l("It rings at the number; the agent hears so"), _nothing),
    d.NumberSounded: (_l("Nobody has answered; the agent hears what the network plays"), _nothing),
    d.NumberAnswered: (_l("Whoever was called answered"), _nothing),
    d.DialEnded: (_l("They do not come to talk: %(outcome)s"), _coded("outcome")),
    o.CallbackAsked: (
        _l("Is to be called back and keeps the place; called %(tries)s times at most"),
        lambda e, _: {"tries": e.tries},
    ),
    o.CallbackDialled: (_l("The agent is there: the customer is called"), _nothing),
    o.CallbackAnswered: (_l("The customer answered"), _nothing),
    o.CallbackMissed: (_l("The customer was not reached: %(cause)s"), _coded("cause")),
    o.CallbackMoved: (_l("Will be called back over another switch: %(node)s"), lambda e, _: {"node": e.node}),
    o.CallbackResumed: (_l("Waits in turn again to be called back"), _nothing),
    o.CallbackEnded: (_l("Is not called back any more: %(reason)s"), _called_off),
    o.OutsideDialled: (_l("A number outside is called for the caller"), _nothing),
    o.OutsideAnswered: (_l("The number outside answered"), _nothing),
    o.OutsideExtended: (_l("The call outside goes on: %(cause)s"), _coded("cause")),
    o.OutsideMissed: (_l("Nobody was reached outside: %(cause)s"), _coded("cause")),
    o.OutsideConnected: (_l("Talks to a number outside"), _nothing),
    o.OutsideSegmentEnded: (_l("The talk outside ended; hung up first: %(ended_by)s"), _coded("ended_by")),
    c.ContactPicked: (
        _l("Picked by hand for %(agent)s: %(reason)s"),
        lambda e, n: {"agent": n.agent(e.agent_id), "reason": code(e.reason)},
    ),
    c.ContactMoved: (
        _l("Moved from “%(from_queue)s” to “%(to_queue)s”: %(reason)s"),
        lambda e, n: {
            "from_queue": n.queue(e.from_queue),
            "to_queue": n.queue(e.to_queue),
            "reason": code(e.reason),
        },
    ),
    c.ContactReprioritised: (
        _l("Given %(given)s points instead of %(was)s: %(reason)s"),
        lambda e, _: {"given": e.given, "was": e.was, "reason": code(e.reason)},
    ),
    # --- files of recordings
    **KEPT,
    # --- shifts
    shifts.AgentSignedIn: (
        _l("%(agent)s signed in at extension %(extension)s"),
        lambda e, n: {"agent": n.agent(e.agent_id), "extension": e.extension},
    ),
    shifts.AgentMadeReady: (_l("Ready"), _nothing),
    shifts.AgentPaused: (_l("Not ready: %(reason)s"), _chosen("reason")),
    forcing.AgentForced: (_l("%(who)s made the agent so: %(state)s (%(reason)s)"), _forced),
    shifts.AgentStoodDown: (_l("Stood down: %(reason)s"), _coded("reason")),
    shifts.AgentReserved: (_l("Reserved for an offer"), _nothing),
    shifts.AgentReleased: (_l("Released from the offer: %(outcome)s"), _coded("outcome")),
    shifts.AgentCooledDown: (_l("Nothing is offered for a moment: %(cause)s"), _coded("cause")),
    shifts.CoolDownEnded: (_l("May be offered calls again"), _nothing),
    shifts.AgentConnected: (_l("Talking"), _nothing),
    shifts.WrapUpStarted: (_l("Wrap-up began"), _nothing),
    shifts.WrapUpEnded: (
        _l("Wrap-up ended by %(how)s: %(code)s"),
        lambda e, _: {"how": code(e.how), "code": reason(e.code or "none")},
    ),
    shifts.WrapUpPostponed: (_l("Wrap-up comes later: another caller is in hand"), _nothing),
    shifts.WrapUpExtended: (_l("More time for wrap-up"), _nothing),
    presence.DeskAttached: (_l("Works at a desk in the browser"), _nothing),
    presence.DeskLost: (_l("The desk is not connected any more"), _nothing),
    presence.DeskReturned: (_l("The desk is connected again"), _nothing),
    presence.DeskGraceExtended: (_l("The desk has more time to come back: we were away"), _nothing),
    presence.DeskGraceEnded: (_l("The desk has not come back: no more offers"), _nothing),
    presence.DeskTakenOver: (_l("Works at another desk from now on"), _nothing),
    shifts.PauseRequested: (_l("Wants to be not ready after this call: %(reason)s"), _chosen("reason")),
    shifts.SignOutRequested: (_l("Wants to sign out after this call: %(reason)s"), _coded("reason")),
    shifts.AgentSignedOut: (_l("Signed out: %(reason)s"), _coded("reason")),
    # --- switches
    nodes.NodeConnected: (_l("The switch is connected"), _nothing),
    nodes.NodeLost: (_l("Alarm: the switch is lost (%(why)s)"), lambda e, _: {"why": e.why}),
    nodes.NodeDied: (
        _l("Alarm: the switch counts as dead, nothing was heard of it for %(silent)s; its calls are closed"),
        lambda e, _: {"silent": duration(e.silent_ms)},
    ),
    nodes.NodeDrained: (_l("The switch is drained: it takes no new calls (%(reason)s)"), _coded("reason")),
    nodes.NodeUndrained: (_l("The switch takes new calls again"), _nothing),
    nodes.NodeReconciled: (_l("Ledger and switch agree; calls are served"), _nothing),
    nodes.NodeRepaired: (
        _l(
            "Repaired: %(adopted)s calls adopted, %(corrected)s lines corrected, %(doubted)s doubted, %(strays)s "
            "stray lines"
        ),
        lambda e, _: {"adopted": e.adopted, "corrected": e.corrected, "doubted": e.doubted, "strays": e.strays},
    ),
    nodes.StrayLegFound: (_l("A line without a call was found and is hung up"), _nothing),
    nodes.StrayLegClosed: (_l("The stray line is gone"), _nothing),
    nodes.UnknownTalkFound: (
        _l("Phone %(extension)s talks with a caller of whom nothing is recorded; they go on"),
        lambda e, _: {"extension": e.extension},
    ),
    nodes.UnknownTalkEnded: (_l("The talk of which nothing was recorded is over"), _nothing),
    nodes.PhoneCodeDialled: (_l("A phone dialled a code (%(wish)s, place %(place)s)%(what)s"), _code_dialled),
    nodes.PhoneRegistered: (_l("Phone %(extension)s is registered"), lambda e, _: {"extension": e.extension}),
    nodes.PhoneUnregistered: (
        _l("Phone %(extension)s is not registered any more: %(why)s"),
        lambda e, _: {"extension": e.extension, "why": code(e.why)},
    ),
    nodes.PhonesCompared: (
        _l("The switch listed its phones: %(registered)s registered, %(gone)s not, %(forgotten)s no longer known"),
        lambda e, _: {
            "registered": len(e.registered),
            "gone": len(e.unregistered),
            "forgotten": len(e.forgotten),
        },
    ),
    nodes.StrayLegOverdue: (_l("The switch was asked whether a stray line is still open"), _nothing),
    # --- configuration
    agents.AgentConfigured: (
        _l("Agent %(number)s configured, extension %(extension)s"),
        lambda e, _: {"number": e.number, "extension": e.extension},
    ),
    agents.AgentRemoved: (_l("Agent removed"), _nothing),
    queues.QueueConfigured: (_l("Queue “%(name)s” configured"), lambda e, _: {"name": e.name}),
    levels.LevelConfigured: (_l("Customer level “%(name)s” configured"), lambda e, _: {"name": e.name}),
    levels.LevelRemoved: (_l("Customer level removed"), _nothing),
    branches.BranchConfigured: (_l("Branch “%(name)s” configured"), lambda e, _: {"name": e.name}),
    branches.BranchRemoved: (_l("Branch removed"), _nothing),
    outside.OutsideConfigured: (
        _l("Calls to the outside allowed: %(allowed)s, %(at_most)s at once"),
        lambda e, _: {"allowed": ", ".join(e.allowed), "at_most": e.at_most},
    ),
    recording.RecordingsConfigured: (
        _l("Recording: %(rule)s; a mask ends by itself after %(longest)s; kept for %(days)s days (0: for good)"),
        lambda e, _: {"rule": code(e.rule), "longest": duration(e.mask_most_ms), "days": e.keep_days},
    ),
    recording.RecordingsRemoved: (_l("Queues and agents decide what is recorded"), _nothing),
    conference.ConferenceConfigured: (
        _l("In a conference are %(most)s persons at most"),
        lambda e, _: {"most": e.most},
    ),
    conference.ConferenceRemoved: (_l("In a conference are as many persons as are usual"), _nothing),
    answering.DesksConfigured: (
        _l("Agents who say nothing themselves answer so: %(answer)s"),
        lambda e, _: {"answer": code(e.answer)},
    ),
    answering.DesksRemoved: (_l("Agents who say nothing themselves answer by phone"), _nothing),
    outside.OutsideRemoved: (_l("Nobody outside is called any more"), _nothing),
    queues.QueueRemoved: (_l("Queue removed"), _nothing),
    entries.EntryPointConfigured: (_l("Entry point “%(name)s” configured"), lambda e, _: {"name": e.name}),
    entries.EntryPointRemoved: (_l("Entry point removed"), _nothing),
    numbers.RewriteConfigured: (_l("Rewriting rule “%(name)s” configured"), lambda e, _: {"name": e.name}),
    numbers.RewriteRemoved: (_l("Rewriting rule removed"), _nothing),
    trunks.TrunkConfigured: (_l("Trunk group “%(name)s” configured"), lambda e, _: {"name": e.name}),
    trunks.TrunkRemoved: (_l("Trunk group removed"), _nothing),
    limits.LimitConfigured: (
        _l("Limit of a switch: %(calls)s new calls a second"),
        lambda e, _: {"calls": e.calls_per_s},
    ),
    limits.LimitRemoved: (_l("The switch has no limit any more"), _nothing),
    calendars.CalendarConfigured: (_l("Calendar “%(name)s” configured"), lambda e, _: {"name": e.name}),
    calendars.CalendarRemoved: (_l("Calendar removed"), _nothing),
    notices.NoticeConfigured: (
        _l("Notice “%(name)s”: %(state)s"),
        lambda e, _: {"name": e.name, "state": code("on" if e.on else "off")},
    ),
    notices.NoticeRemoved: (_l("Notice removed"), _nothing),
    configuration.ConfigurationApplied: (
        _l("Configuration applied: %(count)s changes"),
        lambda e, _: {"count": len(e.changed)},
    ),
    drafts.DraftBegun: (
        _l("Draft of the configuration begun, from version %(version)s"),
        lambda e, _: {"version": e.base},
    ),
    drafts.DraftShared: (_l("Draft shared with others"), _nothing),
    drafts.DraftEdited: (_l("Drafted: %(thing)s"), lambda e, _: {"thing": e.thing}),
    drafts.RemovalDrafted: (_l("Drafted: %(thing)s is to be removed"), lambda e, _: {"thing": e.thing}),
    drafts.EditWithdrawn: (_l("Drafted: %(thing)s is to stay as it is"), lambda e, _: {"thing": e.thing}),
    drafts.DraftRebased: (_l("Draft goes on from version %(version)s"), lambda e, _: {"version": e.base}),
    drafts.DraftApplied: (_l("Draft became version %(version)s"), lambda e, _: {"version": e.version}),
    drafts.DraftDiscarded: (_l("Draft discarded"), _nothing),
    # --- customers
    people.CustomerCreated: (_l("Customer's file opened (%(source)s)"), lambda e, _: {"source": code(e.source)}),
    people.CustomerProfileChanged: (_l("Customer's file changed"), _nothing),
    people.CustomerNumberAdded: (_l("A number added to the customer's file"), _nothing),
    people.CustomerNoted: (_l("A note on the customer"), _nothing),
    people.CustomerErased: (_l("The customer's personal data was destroyed"), _nothing),
    notes.ContactNoted: (_l("A note on the contact"), _nothing),
    # --- the blacklist
    blacklist.NumberBlacklisted: (_l("A number was blacklisted: %(reason)s"), _coded("reason")),
    blacklist.BlacklistingChanged: (_l("An entry of the blacklist was changed: %(reason)s"), _coded("reason")),
    blacklist.BlacklistingLifted: (_l("A number was taken off the blacklist"), _nothing),
    # --- work orders
    ordertypes.OrderTypeConfigured: (_l("Type of work “%(name)s” configured"), lambda e, _: {"name": e.name}),
    ordertypes.OrderTypeRemoved: (_l("Type of work removed"), _nothing),
    reasons.PauseReasonsConfigured: (_l("Reasons for not being ready configured"), _nothing),
    reasons.PauseReasonsRemoved: (_l("Reasons for not being ready removed"), _nothing),
    reasons.WrapUpReasonsConfigured: (_l("Wrap-up reasons configured"), _nothing),
    reasons.WrapUpReasonsRemoved: (_l("Wrap-up reasons removed"), _nothing),
    orders.OrderOpened: (_l("Work order opened (%(type)s)"), lambda e, _: {"type": e.type_id}),
    orders.OrderAssigned: (_l("Work order given to %(assignee)s"), lambda e, _: {"assignee": e.assignee}),
    orders.OrderNoted: (_l("A note on the work order"), _nothing),
    orders.OrderAmended: (_l("Fields of the work order changed"), _nothing),
    orders.OrderMoved: (_l("Work order moved on: %(state)s"), _state),
    orders.OrderDone: (_l("Work order done: %(state)s"), _state),
    orders.OrderReopened: (_l("Work order reopened: %(state)s"), _state),
    orders.OrderClosed: (_l("Work order closed: %(state)s"), _state),
    # --- the engine itself
    nodes.SnapshotFailed: (
        _l("Alarm: the switch does not say which calls it has (%(failures)s failures)"),
        lambda e, _: {"failures": e.failures},
    ),
    nodes.NodeOverloaded: (
        _l("Alarm: the switch does late what it is told"),
        _nothing,
    ),
    nodes.NodeRelieved: (_l("The switch keeps up again"), _nothing),
    engine.EngineActivated: (
        _l("The engine on %(host)s decides from now on (epoch %(epoch)s): %(why)s"),
        lambda e, _: {"host": e.host, "epoch": e.epoch, "why": code(e.why)},
    ),
    engine.HandoverAsked: (_l("Another engine is to follow: %(why)s"), lambda e, _: {"why": code(e.why)}),
    engine.HandoverBegun: (_l("The engine hands over to another one that stood by"), _nothing),
    engine.SpoolBegun: (
        _l("Alarm: the database is away; events go to the spool, and calls go on"),
        _nothing,
    ),
    engine.DatabaseReturned: (
        _l("The database is back after %(away)s; %(held)s pieces of news had waited, %(spooled)s events were spooled"),
        lambda e, _: {"away": duration(e.away_ms), "held": e.held, "spooled": e.spooled},
    ),
    spools.SpoolPutAside: (
        _l("Alarm: a spool was put aside (%(why)s): %(stored)s of its events are in the log, %(left)s are not"),
        lambda e, _: {"why": code(e.why), "stored": e.stored, "left": e.left},
    ),
    spools.SpoolGivenUp: (
        _l("The spool of epoch %(epoch)s was given up: %(reason)s"),
        lambda e, _: {"epoch": e.epoch, "reason": e.reason},
    ),
    # --- users and programs
    users.UserCreated: (_l("User added"), _nothing),
    users.PasswordChanged: (_l("Password changed"), _nothing),
    users.RolesGranted: (
        _l("Roles granted: %(roles)s"),
        lambda e, _: {"roles": ", ".join(map(code, e.roles)) or code("none")},
    ),
    users.UserDisabled: (_l("User kept out: %(reason)s"), _coded("reason")),
    users.UserEnabled: (_l("User let in again"), _nothing),
    users.LanguageChanged: (_l("Language changed to %(language)s"), lambda e, _: {"language": e.language}),
    users.UserSignedIn: (_l("Signed in"), _nothing),
    users.SignInRemembered: (
        _l("Signed in while the database was away; recorded when it was back"),
        _nothing,
    ),
    users.SignInFailed: (_l("A sign-in failed: %(reason)s"), _coded("reason")),
    users.SessionEnded: (_l("Session ended: %(reason)s"), _coded("reason")),
    users.PersonalDataRevealed: (
        _l("Had %(field)s of %(subject)s shown"),
        lambda e, _: {"field": e.field, "subject": e.subject},
    ),
    tokens.TokenIssued: (_l("Token issued for the role %(role)s"), lambda e, _: {"role": code(e.role)}),
    tokens.TokenRevoked: (_l("Token revoked"), _nothing),
    bundles.BundleMade: (
        _l("Bundle made of %(events)s events and %(lines)s lines of the tape"),
        lambda e, _: {"events": e.events, "lines": e.lines},
    ),
}

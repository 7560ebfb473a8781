"""Calls that the switch makes: `originate` and the `bridge` application (switch_ivr_originate.c)."""

from collections.abc import Callable
from typing import Final

from freeswitch.simulator import sip
from freeswitch.simulator.bus import Headers
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.core import Switch
from freeswitch.simulator.parties import Robot
from freeswitch.simulator.people import Phone
from freeswitch.simulator.text import braces, separate
from freeswitch.simulator.timeline import MILLISECOND, SECOND, Steps, Thread
from freeswitch.simulator.trunk import Near

_NOBODY: Final = "0000000000"
"""What the switch shows as caller when nobody said whom to show."""

_TO_A_PEER: Final = "sofia/gateway/node-"

_USUAL_TALK_MS: Final = 15_000

LIVES: Final[dict[str, Callable[[Switch, Channel], Steps[None]]]] = {}
"""The thread of a leg that is called; `model` fills this in, since a leg's life may call another one."""


def originate(
    switch: Switch,
    endpoint: str,
    *,
    timeout_s: int,
    owner: Channel | None = None,
    thread: list[Thread] | None = None,
) -> Steps[tuple[Channel | None, str]]:
    """Call one endpoint and wait for an answer: the answered leg, or None and the cause.

    `owner` is the leg for which it is called; `thread` holds the thread that waits where there is no owner.
    """
    found = braces(endpoint)
    if found is None:
        return None, "DESTINATION_OUT_OF_ORDER"
    variables, target = found
    left, cause = switch.refuse_originates
    if left:
        switch.refuse_originates = (left - 1, cause)
        return None, cause
    phone, problem = _find(switch, target)
    if phone is None:
        return None, problem
    peer = _peer(switch, target)
    uuid = variables.get("origination_uuid") or switch.new_uuid()
    if uuid in switch.legs:
        return None, "DESTINATION_OUT_OF_ORDER"
    if len(switch.legs) >= switch.options.max_sessions:
        return None, "DESTINATION_OUT_OF_ORDER"
    leg = _make(switch, uuid, phone, variables, owner)
    if peer:
        leg.party = Near(switch, peer, phone.extension)
    leg.originator = thread[0] if thread else owner.thread if owner is not None else None
    switch.tell(leg, "CHANNEL_OUTGOING")
    switch.adopt(leg, LIVES["outbound"](switch, leg))
    wanted = variables.get("originate_timeout", "")
    # The switch looks at a clock of whole seconds here: two seconds may be one and a bit.
    until = (switch.now // SECOND + (int(wanted) if wanted.isdigit() else timeout_s)) * SECOND
    outcome = yield from _wait(switch, leg, until, early=variables.get("ignore_early_media") != "true", owner=owner)
    leg.originator = None
    leg.wake()
    if outcome:
        return None, outcome
    switch.tell(leg, "CHANNEL_OUTGOING")
    return leg, ""


def originate_first(
    switch: Switch, endpoints: str, *, timeout_s: int, owner: Channel
) -> Steps[tuple[Channel | None, str]]:
    """Call several endpoints at once, a comma between two, and wait for the first answer; the others are told to stop.
    One endpoint, of any form, is called as `originate` does it.
    """
    if "," not in endpoints or endpoints.startswith("{"):
        return (yield from originate(switch, endpoints, timeout_s=timeout_s, owner=owner))
    legs, cause = [], "DESTINATION_OUT_OF_ORDER"
    for endpoint in endpoints.split(","):
        phone, problem = _find(switch, endpoint)
        if phone is None:
            cause = problem
            continue
        leg = _make(switch, switch.new_uuid(), phone, {}, owner)
        leg.originator = owner.thread
        switch.tell(leg, "CHANNEL_OUTGOING")
        switch.adopt(leg, LIVES["outbound"](switch, leg))
        legs.append(leg)
    until = (switch.now // SECOND + timeout_s) * SECOND
    answered = yield from _first(switch, legs, until, owner)
    for leg in legs:
        leg.originator = None
        leg.wake()
        if leg is not answered:
            cause = leg.cause or "NO_ANSWER"
            switch.hangup(leg, "LOSE_RACE" if answered else "NO_ANSWER", by="send_cancel")
    return answered, "" if answered else cause


def _first(switch: Switch, legs: list[Channel], until: int, owner: Channel) -> Steps[Channel | None]:
    """The first of these legs that is answered; None once there is none left, no time, or nobody to call for."""
    while owner.up and switch.now < until and (ringing := [leg for leg in legs if leg.up]):
        for leg in ringing:
            if leg.answered:
                return leg
        yield until - switch.now
    return None


def _wait(switch: Switch, leg: Channel, until: int, *, early: bool, owner: Channel | None) -> Steps[str]:
    """Wait for the phone; empty when it answered, else the cause."""
    poll = switch.options.originate_poll_ms * MILLISECOND
    while True:
        if not leg.up:
            return leg.cause
        if leg.answered or (early and leg.early):
            yield poll - switch.now % poll  # it is seen at the next look only
            return leg.cause
        if leg.state not in {"CS_INIT", "CS_ROUTING", "CS_CONSUME_MEDIA", "CS_NEW"}:
            return "ORIGINATOR_CANCEL"  # somebody bridged the leg while it rang
        if owner is not None and not owner.up:
            switch.hangup(leg, "ORIGINATOR_CANCEL", by="send_cancel")
            return "ORIGINATOR_CANCEL"
        if switch.now >= until:
            switch.hangup(leg, "NO_ANSWER", by="send_cancel")
            return "NO_ANSWER"
        yield until - switch.now


def _find(switch: Switch, target: str) -> tuple[Phone | None, str]:
    """The phone behind a dial string, or the cause why there is none."""
    kind, _, address = target.partition("/")
    if kind == "error":
        return None, address.upper()
    if kind == "sofia" and address.startswith("gateway/"):
        return _outsider(switch, address.removeprefix("gateway/"))
    if kind != "user":
        return None, "CHAN_NOT_IMPLEMENTED"
    switch.bus.burn()  # the look-up of the directory
    extension, _, domain = address.partition("@")
    phone = switch.phones.get(extension)
    if phone is None or (domain and domain != switch.options.domain):
        switch.bus.burn()
        return None, "SUBSCRIBER_ABSENT"
    asked: Headers = {"API-Command": "sofia_contact", "API-Command-Argument": f"*/{extension}@{domain}"}
    switch.bus.emit("API", asked)
    return (phone, "") if phone.registered else (None, "USER_NOT_REGISTERED")


def _peer(switch: Switch, target: str) -> str:
    """The other switch to which this dial string leads; empty where it leads to none."""
    gateway = target.removeprefix(_TO_A_PEER).partition("/")[0]
    return gateway if target.startswith(_TO_A_PEER) and gateway in switch.options.peers else ""


def _outsider(switch: Switch, address: str) -> tuple[Phone | None, str]:
    """Whoever has this number outside, or on another switch (mod_sofia looks at the gateway alone)."""
    gateway, _, number = address.partition("/")
    if gateway.removeprefix("node-") in switch.options.peers:
        return Phone(extension=number), ""
    if gateway not in switch.options.gateways:
        return None, "INVALID_GATEWAY"
    usual = Phone(extension=number, talk_ms=_USUAL_TALK_MS)
    phone = switch.outsiders.setdefault(number, usual)
    return (phone, "") if phone.registered else (None, "GATEWAY_DOWN")


def _make(switch: Switch, uuid: str, phone: Phone, variables: dict[str, str], owner: Channel | None) -> Channel:
    options = switch.options
    extension = phone.extension
    outside = switch.outsiders.get(extension) is phone
    profile, port = options.agents_profile, options.agents_port
    name_of_leg = sip.leg_name(extension, profile)
    if outside:
        profile, port, name_of_leg = (
            options.trunk_profile,
            options.trunk_port,
            f"sofia/{options.trunk_profile}/{extension}",
        )
    leg = Channel(uuid, name_of_leg, inbound=False, now=switch.now)
    number = variables.get("origination_caller_id_number", "")
    name = variables.get("origination_caller_id_name", "")
    if owner is not None:
        number = number or owner.caller("Caller-ID-Number")
        name = name or owner.caller("Caller-ID-Name")
    leg.profile = {
        "Caller-ID-Name": name,
        "Caller-ID-Number": number or _NOBODY,
        "Orig-Caller-ID-Name": name,
        "Orig-Caller-ID-Number": number or _NOBODY,
        "Callee-ID-Name": "Outbound Call",
        "Callee-ID-Number": extension,
        "Network-Addr": "127.0.0.1",
        "ANI": number or _NOBODY,
        "Destination-Number": extension,
        "Source": "src/switch_ivr_originate.c",
        "Context": "default",
    }
    leg.introduce(switch.now)
    leg.headers["Channel-Presence-ID"] = f"{extension}@{options.domain}"
    sip.outbound_variables(
        leg,
        extension=extension,
        domain=options.domain,
        profile=profile,
        port=port,
        call=switch.new_uuid(),
    )
    for key, value in {**({} if outside or "~" in extension else options.directory_variables), **variables}.items():
        leg.set(key, value)
    if owner is not None:
        leg.partner = owner.uuid
        leg.other = {"Other-Type": "originator", **owner.face()}
        leg.set("originator", owner.uuid)
    leg.party = Robot(switch, phone)
    return leg


def command(switch: Switch, line: str, thread: list[Thread]) -> Steps[str]:
    """The api command `originate`: its reply, once there is an answer or a reason why not."""
    words = _words(line)
    if not 2 <= len(words) <= 7:  # noqa: PLR2004 - see the usage
        return (
            "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] "
            "[<cid_name>] [<cid_num>] [<timeout_sec>]\n"
        )
    endpoint, extension, *rest = words
    timeout = int(rest[4]) if len(rest) > 4 and rest[4].isdigit() else 60  # noqa: PLR2004 - the fifth optional word
    leg, cause = yield from originate(switch, endpoint, timeout_s=timeout, thread=thread)
    if leg is None:
        return f"-ERR {cause}\n"
    switch.flip(leg)
    leg.headers["Channel-HIT-Dialplan"] = "true"
    if extension.startswith("&") and len(extension) > 1:
        name, _, argument = extension[1:].partition("(")
        leg.actions.append((name, argument.split(")", 1)[0]))
        leg.go("CS_EXECUTE")
    else:
        leg.show("Destination-Number", extension)
        leg.show("Context", rest[1] if len(rest) > 1 else "default")
        leg.transferring = True
        leg.go("CS_ROUTING")
    return f"+OK {leg.uuid}\n"


def _words(line: str) -> list[str]:
    return separate(line, " ") if line.strip() else []

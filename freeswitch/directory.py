"""Agents' SIP accounts as FreeSWITCH reads them: a static directory, made from our configuration.

Pure: accounts in, XML out. The file holds no password, only the digest that RFC 2617 calls A1 (user, realm, password),
which is all that the switch needs to check a phone; still, whoever has it can register: keep the file private.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import md5
from xml.etree import ElementTree as ET

DOMAIN = "ringledger"
"""The one SIP domain and digest realm of all phones (conf/sofia.xml forces it)."""

CONTEXT = "ringledger-agents"

# An extension becomes part of a dial string and of a SIP address: nothing that means something there may be in it.
EXTENSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}")

# How an agent's phone is reached. `${…}` is filled in by the switch at each call, from its registrations.
#   outbound_redirect_fatal   a phone that answers 302 must not send our caller elsewhere
#   hold_music                what the caller hears while this phone is on hold
#   hold_hangup_xfer_exten    a phone that hangs up while on hold takes its caller with it unless this is set; the
#                             caller's own park_after_bridge (dialplan.xml) is looked at first: the value is never used
#   rdnis                     the same for a phone that dies in the last instant before the bridge: the caller is sent
#                             to this extension of its own context, that is, parked again (switch_ivr_bridge.c,
#                             uuid_bridge_on_soft_execute)
#   bridge_generate_comfort_noise   -1 is silence: while this phone sends nothing (muted, or a phone that is quiet when
#                             its agent is), the caller is sent silence, over which the agent's number is heard
#   presence_id               none: nobody subscribes to presence here, and mod_sofia starts its presence thread at the
#                             first presence event by holding up every event of the switch for 500 ms
#                             (sofia_presence.c, sofia_presence_event_handler): the first call was told of that late
OF_A_PHONE = (
    ("outbound_redirect_fatal", "true"),
    ("hold_music", "local_stream://ringledger"),
    ("hold_hangup_xfer_exten", "left-alone"),
    ("rdnis", "left-alone"),
    ("bridge_generate_comfort_noise", "-1"),
    ("presence_id", ""),
)
DIAL_STRING = (
    f"{{{','.join(f'{name}={value}' for name, value in OF_A_PHONE)}}}"
    "${sofia_contact(internal/${dialed_user}@${dialed_domain})}"
)


# A phone that asks for the call of another (INVITE with Replaces, and with a Call-Info header) would be let into it as
# a third party (mod_sofia.c, sofia_sla_function). This is done on its own leg just before that, and ends it.
NO_BARGING = "hangup CALL_REJECTED"


@dataclass(frozen=True, slots=True)
class Phone:
    """One agent's SIP account."""

    extension: str
    password: str

    def __repr__(self) -> str:
        return f"Phone({self.extension!r})"  # a password has no business in a log or a traceback


def directory_xml(phones: Iterable[Phone]) -> str:
    """The directory section's one domain, UTF-8 XML text.

    Raises ValueError naming an extension that could not be dialled safely, has no password, or appears twice.
    """
    domain = ET.Element("domain", name=DOMAIN)
    ET.SubElement(_child(domain, "params"), "param", name="dial-string", value=DIAL_STRING)
    users = _child(_child(domain, "groups", name=None), "group", name="agents")
    users = _child(users, "users")
    seen: set[str] = set()
    for phone in phones:
        if not EXTENSION.fullmatch(phone.extension):
            raise ValueError(
                f"extension {phone.extension!r}: use 1 to 32 letters (a-z), digits, '_', '.' or '-', "
                "beginning with a letter, a digit or '_'"
            )
        if phone.extension in seen:
            raise ValueError(f"extension {phone.extension!r} belongs to two agents: give one of them another extension")
        if not phone.password:
            raise ValueError(f"extension {phone.extension!r} has no password: a phone without one would be anybody's")
        seen.add(phone.extension)
        user = _child(users, "user", name=None)
        user.set("id", phone.extension)
        ET.SubElement(_child(user, "params"), "param", name="a1-hash", value=_a1(phone))
        variables = _child(user, "variables")
        ET.SubElement(variables, "variable", name="user_context", value=CONTEXT)
        ET.SubElement(variables, "variable", name="execute_on_sip_barge", value=NO_BARGING)
    ET.indent(domain)
    return ET.tostring(domain, encoding="unicode") + "\n"


def _a1(phone: Phone) -> str:
    # MD5 is what SIP digest authentication (RFC 3261, 22.4) asks for, not our choice of a hash.
    text = f"{phone.extension}:{DOMAIN}:{phone.password}"
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _child(parent: ET.Element, tag: str, *, name: str | None = None) -> ET.Element:
    return ET.SubElement(parent, tag, {} if name is None else {"name": name})

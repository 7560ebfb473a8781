"""What kind of switch this is: names, limits and habits. Figures are a real one's unless a line says otherwise."""

from dataclasses import dataclass, field

from freeswitch.directory import DIAL_STRING
from freeswitch.simulator.dialplan import Dialplan
from freeswitch.simulator.text import braces

_FOUND = braces(DIAL_STRING)
_OF_DIAL_STRING = _FOUND[0] if _FOUND else {}


@dataclass(slots=True, kw_only=True)
class Options:
    """Everything that one switch may do differently from another."""

    hostname: str = "simulator"
    switchname: str = "simulator"
    version: str = "1.11.1-release~64bit"
    ipv4: str = "127.0.0.1"
    ipv6: str = "::1"

    domain: str = "ringledger"
    """The SIP domain in which phones register and are dialled (`user/EXT@DOMAIN`)."""
    trunk_profile: str = "trunk"
    trunk_port: int = 5080
    agents_profile: str = "internal"
    agents_port: int = 5060
    gateways: tuple[str, ...] = ("outside",)
    """Over what numbers outside are called (`sofia/gateway/NAME/NUMBER`); on the trunk's profile."""
    peers: tuple[str, ...] = ()
    """The other switches, to whose phones a trunk leads (`sofia/gateway/node-NAME/EXTENSION~LEG`)."""
    inbound_context: str = "ringledger-inbound"
    agents_context: str = "ringledger-agents"
    dialplan: Dialplan = field(default_factory=Dialplan)
    directory_variables: dict[str, str] = field(default_factory=lambda: dict(_OF_DIAL_STRING))
    """Variables that the directory's dial string puts on every agent's leg."""
    late_negotiation: bool = False
    """Whether codecs are agreed on only when a call is answered; then answering shows early media first."""
    presence: bool = False
    """Whether the agents' profile tells presence (PRESENCE_IN at each change of state)."""

    tick_ms: int = 20
    """How often a leg looks at what others did to it: one packet of media."""
    spread_us: int = 400
    """Events of different legs overtake each other within this time; 0 keeps them in order."""
    originate_poll_ms: int = 20
    """An originate looks at its leg only so often (switch_ivr_originate.c sleeps 20 ms)."""
    invite_ms: int = 2
    """How long a phone's answer to an INVITE takes to arrive. A loopback network, not measured."""
    show_lag_ms: int = 60
    """`show channels` reads a table written behind the switch's back; it lags by up to about this long."""
    reinvite_ms: int = 20
    """A phone's acknowledgement of hold or resume."""

    patience_s: int = 0
    """After how long a silence of the orchestrator it serves callers by itself (conf/deadman.lua); 0: never."""
    swept_per_s: int = 10
    """How many of those who wait already it takes out of their wait each second then."""
    fallback: str = ""
    """The dial string of the phones that it rings for them, at once."""
    recordings: str = ""
    """Where the real switch's configuration has its folder of recordings (`$${recordings_dir}`)."""
    node: str = ""
    """What the real switch's configuration calls it (`$${ringledger_node}`)."""
    unattended: str = ""
    """The folder in which it says, a file a call, what became of them; empty: nowhere."""
    story: str = ""
    """The file in which callers and phones say what became of their calls (story.py); empty: they say nothing."""
    heartbeat_s: int = 20
    max_sessions: int = 1_000
    sessions_per_second: int = 500
    queue_limit: int = 100_000
    """Events waiting for one client (MAX_QUEUE_LEN of mod_event_socket)."""
    lost_limit: int = 500
    """A client that missed more than this is dropped (MAX_MISSED of mod_event_socket)."""
    poll_ms: int = 20
    """A silent client is told its events only so often (mod_event_socket polls its socket for 20 ms); 0: at once."""

    write_recordings: bool = True
    """Whether recordings become files. Virtual time has no use for them."""
    burn: float = 0.0
    """How often, per event, one more sequence number is drawn and never fired (0 to 1), beyond what commands burn."""

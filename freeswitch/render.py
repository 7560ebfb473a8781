"""A FreeSWITCH home that serves Ringledger: our configuration, filled in, and the command line that starts it.

Standard library only. Nothing here starts or stops anything: `render` writes files, `arguments` names the program.
Every folder is private to its owner, because FreeSWITCH keeps a copy of its whole configuration among its logs.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from shutil import copyfile

from freeswitch.directory import DOMAIN, Phone, directory_xml

CONF = Path(__file__).with_name("conf")

# What may stand in a value: FreeSWITCH expands variables and macros in the text of its configuration before it reads
# it as XML, so quoting alone would not help.
SAFE = re.compile(r"[A-Za-z0-9_./:@%+,=~-]*")

GATEWAY = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
NUMBER = re.compile(r"\+?[0-9]{1,32}")
NODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
NODE_PEER = re.compile(r"([0-9.]{7,15}|\[[0-9a-f:]{2,39}\]):[0-9]{1,5}")
PEER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}:[0-9]{1,5}")

LAST_PORT = 65_535
SHORTEST_PASSWORD = 8
MOST_RUNG = 20
"""Phones that ring at once for a caller whom the switch serves by itself, where nobody says which."""

LOG_LEVELS = ("alert", "crit", "err", "warning", "notice", "info", "debug")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchPlan:
    """What one switch of ours is told. Ports are on `sip_ip` (SIP, RTP) and on the loopback (command socket)."""

    esl_port: int
    esl_password: str = field(repr=False)
    sip_port: int
    """Where agents' phones register."""
    trunk_port: int
    """Where callers arrive."""
    rtp_first: int
    rtp_last: int
    recordings: Path
    sounds: Path
    """Made by `python -m freeswitch.prompts`: the music, and one folder of prompts a language."""
    phones: Sequence[Phone] = ()
    sip_ip: str = "127.0.0.1"
    trunk_peers: Sequence[str] = ("127.0.0.0/8",)
    """Networks whose calls are taken without a password."""
    peer_ip: str = "127.0.0.1"
    peer_port: int = 0
    """Where the other switches bring their callers; 0 where there are none."""
    nodes: Mapping[str, str] = field(default_factory=dict)
    """The other switches by name, and HOST:PORT of each where it takes our callers."""
    outside: Mapping[str, str] = field(default_factory=lambda: {"outside": "127.0.0.1:5090"})
    """Trunks over which numbers outside are called: the name that the site's configuration uses, and HOST:PORT."""
    patience_s: int = 0
    """After how long without a sign of life of the orchestrator the switch serves callers by itself; 0: never."""
    fallback: Sequence[str] = ()
    """Who is rung for them then, at once: extensions, or TRUNK/NUMBER; where it is empty the first phones."""
    fallback_ring_s: int = 30
    node: str = ""
    """What the site calls this switch; the files about calls that it served alone say so."""
    language: str = "zh"
    """Whose prompts a caller hears: `en`, `zh` or `yue`."""
    codecs: str = "PCMA,PCMU"
    swept_per_s: int = 10
    """How many of those who waited already are taken out of their wait each second."""
    max_sessions: int = 1000
    sessions_per_second: int = 100
    heartbeat_s: int = 5
    log_level: str = "warning"
    realtime: bool = True
    """Whether the switch may go before all other programs, which it does by itself where it is allowed to (root, or
    CAP_SYS_NICE). Sound and our commands wait for nobody then (docs/decisions/0060).
    """

    @property
    def unattended(self) -> Path:
        """Where the switch says, a file a call, what became of those whom it served by itself."""
        return self.recordings.with_name("unattended")


def render(home: Path, plan: SwitchPlan) -> None:
    """Write the configuration of `plan` under `home`, replacing what an earlier run left there.

    Raises ValueError, naming the field, for a value that the switch would misread.
    """
    conf = home / "conf"
    for folder in ("conf", "log", "run", "db", "scripts", "htdocs", "grammar", "certs", "storage", "cache", "tmp"):
        (home / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    for place in (plan.recordings, plan.unattended):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    rendered = {
        "vars.xml": _variables(plan),
        "peers.xml": _peers(plan.trunk_peers),
        "gateways.xml": _gateways(plan.outside),
        "nodes.xml": '<X-PRE-PROCESS cmd="include" data="between.xml"/>\n' if plan.peer_port else "",
        "node_gateways.xml": _node_gateways(plan.nodes),
        "node_peers.xml": _peers(sorted({peer.rpartition(":")[0].strip("[]") for peer in plan.nodes.values()})),
        "directory.xml": directory_xml(plan.phones),
    }
    for source in sorted(CONF.glob("*.xml")):
        copyfile(source, conf / source.name)
    for name, text in rendered.items():
        _write(conf / name, text)
    for source in sorted(CONF.glob("*.lua")):
        copyfile(source, home / "scripts" / source.name)


def render_directory(home: Path, phones: Iterable[Phone]) -> None:
    """Write the phones alone, for a switch that runs: it reads them at its next `reloadxml`."""
    _write(home / "conf" / "directory.xml", directory_xml(phones))


def arguments(binary: Path, home: Path, plan: SwitchPlan) -> list[str]:
    """The command that runs this switch in the foreground, without a console and without asking routers for ports.

    `binary` stands in PREFIX/bin; its modules are those of its own prefix.
    """
    modules = binary.resolve().parent.parent / "lib" / "freeswitch" / "mod"
    folders = {
        "-conf": home / "conf",
        "-log": home / "log",
        "-run": home / "run",
        "-db": home / "db",
        "-mod": modules,
        "-scripts": home / "scripts",
        "-htdocs": home / "htdocs",
        "-grammar": home / "grammar",
        "-certs": home / "certs",
        "-recordings": plan.recordings,
        "-storage": home / "storage",
        "-cache": home / "cache",
        "-sounds": plan.sounds,
        "-temp": home / "tmp",
    }
    places = [part for option, folder in folders.items() for part in (option, str(folder))]
    priority = () if plan.realtime else ("-np",)
    return [str(binary), "-nf", "-nc", *priority, "-nonat", "-nonatmap", *places]


def _variables(plan: SwitchPlan) -> str:
    for name in ("esl_port", "sip_port", "trunk_port", "rtp_first", "rtp_last"):
        port = getattr(plan, name)
        if not 1 <= port <= LAST_PORT:
            raise ValueError(f"{name} is {port}: a port is 1 to {LAST_PORT}")
    if plan.peer_port > LAST_PORT:
        raise ValueError(f"peer_port is {plan.peer_port}: a port is 1 to {LAST_PORT}")
    if plan.nodes and not plan.peer_port:
        raise ValueError("nodes: there are other switches, so this one needs a peer_port of its own")
    if plan.rtp_last <= plan.rtp_first:
        raise ValueError(f"rtp_last is {plan.rtp_last}: it must lie above rtp_first, {plan.rtp_first}")
    if plan.log_level not in LOG_LEVELS:
        raise ValueError(f"log_level is {plan.log_level!r}: one of {', '.join(LOG_LEVELS)}")
    if len(plan.esl_password) < SHORTEST_PASSWORD:
        raise ValueError(f"esl_password: give it {SHORTEST_PASSWORD} characters or more, it rules every call")
    values = {
        "esl_ip": "127.0.0.1",
        "esl_port": plan.esl_port,
        "esl_password": plan.esl_password,
        "sip_ip": ip_address(plan.sip_ip),
        "sip_port": plan.sip_port,
        "trunk_port": plan.trunk_port,
        "peer_ip": ip_address(plan.peer_ip),
        "peer_port": plan.peer_port,
        "rtp_first": plan.rtp_first,
        "rtp_last": plan.rtp_last,
        "max_sessions": plan.max_sessions,
        "sessions_per_second": plan.sessions_per_second,
        "heartbeat_s": plan.heartbeat_s,
        "log_level": plan.log_level,
        # mod_logfile wants each level by name, from the wanted one up.
        "log_levels": ",".join(LOG_LEVELS[: LOG_LEVELS.index(plan.log_level) + 1]),
        "codecs": plan.codecs,
        "language": plan.language,
        "sounds_dir": plan.sounds.resolve(),
        "recordings_dir": plan.recordings.resolve(),
        "unattended_dir": plan.unattended.resolve(),
        "unattended_ring_s": plan.fallback_ring_s,
        "ringledger_node": plan.node,
        "ringledger_patience_s": plan.patience_s,
        "ringledger_sweep": plan.swept_per_s,
        "ringledger_fallback_group": _fallback(plan),
    }
    lines = []
    for name, value in values.items():
        text = str(value)
        if not SAFE.fullmatch(text):
            shown = "its value" if name == "esl_password" else repr(text)
            raise ValueError(
                f"{name}: {shown} has a character that FreeSWITCH would misread; keep to A-Z a-z 0-9 _./:@%+,=~-"
            )
        lines.append(f'<X-PRE-PROCESS cmd="set" data="{name}={text}"/>')
    return "\n".join(lines) + "\n"


def _fallback(plan: SwitchPlan) -> str:
    """The dial string of the fallback group."""
    if plan.patience_s < 0:
        raise ValueError(f"patience_s is {plan.patience_s}: give seconds, or 0 for a switch that waits for ever")
    found = []
    for who in plan.fallback or [phone.extension for phone in plan.phones][:MOST_RUNG]:
        trunk, _, number = who.rpartition("/")
        if trunk in plan.outside and NUMBER.fullmatch(number):
            found.append(f"sofia/gateway/{trunk}/{number}")
        elif not trunk and any(phone.extension == who for phone in plan.phones):
            found.append(f"user/{who}@{DOMAIN}")
        else:
            raise ValueError(f"fallback: {who!r} is neither the extension of a phone here nor TRUNK/NUMBER")
    return ",".join(found)


def _peers(networks: Iterable[str]) -> str:
    return "".join(f'<node type="allow" cidr="{ip_network(network)}"/>\n' for network in networks)


def _gateways(outside: Mapping[str, str]) -> str:
    """One gateway a trunk: it registers nowhere, and shows the number that each call says."""
    for name, peer in outside.items():
        if not GATEWAY.fullmatch(name):
            raise ValueError(f"outside: {name!r} is no name for a trunk; use small letters a-z, digits, - and _")
        if not PEER.fullmatch(peer):
            raise ValueError(f"outside.{name}: {peer!r} is no HOST:PORT such as 192.0.2.1:5060")
    return _each_a_gateway(outside, "ringledger-agents")


def _node_gateways(nodes: Mapping[str, str]) -> str:
    for name, peer in nodes.items():
        if not NODE.fullmatch(name):
            raise ValueError(f"nodes: {name!r} is no name for a switch; use small letters a-z, digits and -")
        if not NODE_PEER.fullmatch(peer):
            raise ValueError(f"nodes.{name}: {peer!r} is no ADDRESS:PORT such as 192.0.2.1:5070")
    return _each_a_gateway({f"node-{name}": peer for name, peer in nodes.items()}, "ringledger-nodes")


def _each_a_gateway(peers: Mapping[str, str], context: str) -> str:
    found = []
    for name, peer in sorted(peers.items()):
        settings = {"proxy": peer, "register": "false", "caller-id-in-from": "true", "context": context}
        lines = "".join(f'<param name="{key}" value="{value}"/>' for key, value in settings.items())
        found.append(f'<gateway name="{name}">{lines}</gateway>\n')
    return f"<gateways>\n{''.join(found)}</gateways>\n"


def _write(path: Path, text: str) -> None:
    """Replace the file in one step: the switch may be reading it."""
    fresh = path.with_name(path.name + ".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)

"""What a real FreeSWITCH of ours is given: its configuration, the agents' SIP accounts, music and prompts.

Rendered from the log's configuration and the settings by `ringledger switch-files FOLDER`; the switch itself is
installed and started by whoever runs the machine.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from freeswitch import passwords
from freeswitch.prompts.__main__ import make
from freeswitch.render import SwitchPlan, arguments, render
from orchestrator.domain.kernel import ident_of
from orchestrator.domain.staff.agents import Agent, evolve
from orchestrator.settings import Settings, SettingsError, Switch
from orchestrator.store import Log

LANGUAGES = ("zh", "yue", "en")
"""In which callers hear prompts; the first where none is chosen."""

PATIENCE_S = 15
"""After how long without a sign of life of ours a switch serves callers by itself. A take-over takes seconds."""

SIP_PORT = 5060
TRUNK_PORT = 5080
# Even to odd, 500 calls of two legs; conf/switch.xml reads them.
RTP_FIRST, RTP_PORTS = 16_384, 2_000


def extensions(log: Log) -> list[str]:
    """The extensions of the agents configured now, sorted."""
    agents: dict[str, Agent | None] = {}
    for record in log.history(kinds=("agent",)):
        ident = ident_of(record.stream)
        agents[ident] = evolve(agents.get(ident), record.event, ident)
    return sorted({agent.extension for agent in agents.values() if agent is not None})


def write(  # noqa: PLR0913 - what one switch is given
    settings: Settings,
    log: Log,
    folder: Path,
    say: Callable[[str], None],
    *,
    node: str = "",
    sip_port: int = SIP_PORT,
    trunk_port: int = TRUNK_PORT,
    rtp_first: int = RTP_FIRST,
    language: str = LANGUAGES[0],
    patience_s: int = PATIENCE_S,
    fallback: Sequence[str] = (),
) -> None:
    """Write everything below `folder` and say how the switch is started.

    Passwords of phones are made once and kept in `RINGLEDGER_HOME/keys/phones.json`. Raises `SettingsError` where
    RINGLEDGER_SWITCHES does not name the switch.
    """
    switch = _switch(settings, node)
    phones = passwords.phones(settings.keys / "phones.json", extensions(log))
    plan = SwitchPlan(
        esl_port=switch.port,
        esl_password=switch.password,
        sip_port=sip_port,
        trunk_port=trunk_port,
        rtp_first=rtp_first,
        rtp_last=rtp_first + RTP_PORTS - 1,
        recordings=settings.recordings,
        sounds=settings.home / "sounds",
        phones=phones,
        node=switch.name,
        language=language,
        patience_s=patience_s,
        fallback=fallback,
        max_sessions=1_000,
        **_between(settings, switch),
    )
    for line in make(plan.sounds):
        say(line)
    render(folder, plan)
    say(f"{len(phones)} phones; their passwords are in {settings.keys / 'phones.json'}")
    if plan.nodes:
        say(f"callers of {', '.join(sorted(plan.nodes))} arrive on {plan.peer_ip}:{plan.peer_port}")
    say(f"callers arrive on {plan.sip_ip}:{trunk_port}, phones register on {plan.sip_ip}:{sip_port}")
    binary = settings.freeswitch or Path("freeswitch")
    say("start it with: " + " ".join(arguments(binary, folder, plan)))


def _between(settings: Settings, switch: Switch) -> dict[str, Any]:
    """The trunk to the other switches, where there are any: where they find this one, and it them."""
    others = {other.name: str(other.peer) for other in settings.switches if other.name != switch.name}
    if switch.peer is None or not others:
        return {}
    return {"peer_ip": switch.peer.host, "peer_port": switch.peer.port, "nodes": others}


def _switch(settings: Settings, node: str) -> Switch:
    for switch in settings.switches:
        if node in ("", switch.name):
            return switch
    raise SettingsError(
        "RINGLEDGER_SWITCHES does not name this switch; set it to esl://:PASSWORD@127.0.0.1:8021/?name=NAME with a "
        "password of 12 characters or more, and give the same NAME here."
    )

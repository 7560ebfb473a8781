"""What the command socket answers to questions, from the live state: no database is asked."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.clock import SiteClock
from orchestrator.domain.kernel import SECOND, Refused
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.world import World
from orchestrator.esl.node import Link
from orchestrator.leader import Lease
from orchestrator.loop import Engine
from orchestrator.replay.picture import picture
from orchestrator.settings import Settings
from orchestrator.store import SINCE


class Questions:
    """The questions by name. Personal fields are masked: this is no way round who may see them."""

    def __init__(
        self,
        engine: Engine,
        links: Mapping[str, Link],
        lease: Lease,
        settings: Settings,
        clock: SiteClock,
        spool: Callable[[], dict[str, object]],
        since: Callable[[str], dict[str, object]],
    ) -> None:
        self._engine = engine
        self._links = links
        self._lease = lease
        self._settings = settings
        self._clock = clock
        self._spool = spool
        self._since = since
        self._known: dict[str, Callable[[], object]] = {
            "status": self._status,
            "picture": self._picture,
            "calls": lambda: self._picture()["contacts"],
            "queues": lambda: self._picture()["queues"],
            "agents": lambda: agents(self._engine.runner.world),
            "nodes": lambda: nodes(self._engine.runner.world, self._links),
        }

    def answer(self, question: str) -> object:
        """The answer. Raises `Refused` for a question that nobody knows."""
        name, _, rest = question.partition(" ")
        if name == SINCE:
            return self._since(rest)
        if question not in self._known:
            raise Refused("unknown_question", f"Ask one of: {', '.join(sorted(self._known))}.")
        return self._known[question]()

    def _picture(self) -> dict[str, Any]:
        return picture(self._engine.runner.world, self._clock(), position=self._engine.position)

    def _status(self) -> dict[str, object]:
        world = self._engine.runner.world
        return {
            "site": self._settings.site,
            "epoch": self._lease.epoch,
            "active": self._lease.may_write(),
            "position": self._engine.position,
            "spool": self._spool(),
            "clock": {
                "host_off_s": round(self._clock.host_off / SECOND, 3),
                "database_off_s": round(self._clock.database_off / SECOND, 3),
            },
            "contacts": len(world.contacts),
            "shifts": len(world.shifts),
            "config_version": world.config_version,
            "nodes": {name: {"up": link.up, "backlog": link.backlog} for name, link in self._links.items()},
        }


def agents(world: World) -> list[dict[str, object]]:
    """Every configured agent with what they do now, by employee number."""
    rows: list[dict[str, object]] = []
    for agent in sorted(world.agents.values(), key=lambda agent: agent.number):
        shift = world.shifts.get(world.shift_of_agent.get(agent.agent_id, ""))
        contact = world.contacts.get(shift.contact_id) if shift is not None and shift.contact_id else None
        state = shift.status if shift is not None else "signed_out"
        if state == "talking" and contact is not None and contact.status == "held":
            state = "held"
        rows.append(
            {
                "number": agent.number,
                "agent_id": agent.agent_id,
                "extension": shift.extension if shift is not None else agent.extension,
                "phone": world.phone(shift.extension if shift is not None else agent.extension),
                "state": state,
                "reason": shift.reason if shift is not None else "",
                "since": shift.since if shift is not None else None,
                "contact_id": shift.contact_id if shift is not None else "",
                "cooling_until": shift.cooling_until if shift is not None else None,
                "next": (shift.next_sign_out and "signed_out") or shift.next_pause if shift is not None else "",
                "desk": _desk(shift) if shift is not None else None,
                "skills": agent.skills,
            }
        )
    return rows


def nodes(world: World, links: Mapping[str, Link]) -> list[dict[str, object]]:
    """Every switch that was ever heard of, by name: whether it is there, takes calls, and what it has now."""
    contacts = Counter(contact.node for contact in world.contacts.values())
    far = Counter(world.far_legs.values())
    return [
        {
            "node": node.node_id,
            "configured": node.node_id in links,
            "status": "in_step" if node.in_step else node.status,
            "since": node.since,
            "drained": node.drained,
            "behind": node.behind,
            "contacts": contacts[node.node_id],
            "phones": sum(phone.registered for phone in node.phones.values()),
            "phones_rung_for_others": far[node.node_id],
        }
        for node in sorted(world.nodes.values(), key=lambda node: node.node_id)
    ]


def _desk(shift: Shift) -> dict[str, object] | None:
    """Where the agent's desk stands (attached, lost, absent) and since when; None where there never was one."""
    desk = shift.desk
    return None if desk is None else {"desk_id": desk.desk_id, "state": desk.state, "since": desk.since}

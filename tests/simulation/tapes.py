"""Recordings in the simulation: what agents ask for, and what must hold of every file that a switch writes."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Protocol

from orchestrator.domain.contacts.consults import CONSULTING
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.routing.recording import ALWAYS, NEVER, rule_of
from orchestrator.domain.world import World
from orchestrator.runner import inputs as i

# So long after both hear each other, or after the engine was away, what should be recorded is.
BEGINS_WITHIN = 5 * SECOND


class Tapes(Protocol):
    """What the rules look at in a switch."""

    def talks_with(self, leg: str) -> str:
        """The leg that this one hears; empty where it hears none."""

    def taped(self, leg: str) -> Mapping[str, bool]:
        """The files into which this leg is recorded, and whether silence is written."""


class Wants:
    """What agents want of recordings, sensible or not."""

    def __init__(self, dice: Random, often: float) -> None:
        self._dice = dice
        self._often = often

    def wish(self, number: str) -> i.AgentCommand | None:
        """Something that this agent wants now; mostly nothing."""
        if self._dice.random() >= self._often:
            return None
        kinds = (i.StartRecording, i.StopRecording, i.MaskRecording, i.MaskRecording, i.UnmaskRecording)
        return self._dice.choice(kinds)(agent=number)


def rule_for(world: World, contact: Contact) -> str:
    """What the configuration says of this talk, put together anew."""
    agent = world.agents.get(contact.segment.agent_id) if contact.segment is not None else None
    queue = world.queues[contact.queue_id].settings.record
    return rule_of(world.recordings.rule, queue, agent.record if agent is not None else "as_queue")


def broken(world: World, tapes: Tapes, now: Instant, slack: Instant, *, whole: bool) -> Iterator[tuple[str, str]]:
    """Each rule that does not hold now, and of whom. `whole`: nothing is lost between switch and engine."""
    for contact in world.contacts.values():
        taped = tapes.taped(contact.caller_leg)
        yield from _masks_broken(world, contact, taped, whole=whole)
        talk_id, since = _talk(contact)
        own = [file for file in taped if talk_id and talk_id in file]
        rule, who = rule_for(world, contact) if talk_id and contact.segment else "", contact.contact_id
        if own and rule == NEVER:
            yield "recorded", f"{who} is recorded, which must never be"
        # A switch that cannot be reached is told nothing, and records on as it was told before.
        late = whole and since and now > max(since, slack) + BEGINS_WITHIN and world.in_step(contact.node)
        if late and rule == ALWAYS and not own and tapes.talks_with(contact.caller_leg):
            yield "recorded", f"{who} is not recorded, which must always be"
        if late and len(own) < len(taped):
            yield "recorded", f"{who} was passed on, and is recorded in the file of the earlier talk"


def _talk(contact: Contact) -> tuple[str, int]:
    """The talk with an agent that goes on, and since when; of whoever waits, since when they wait."""
    if contact.segment is not None and contact.status in ("connected", "held", CONSULTING):
        return contact.segment.taped_as, contact.segment.since
    if contact.carried:
        return contact.carried, 0
    return "", contact.visit.queued_at if contact.visit is not None else 0


def _masks_broken(
    world: World, contact: Contact, taped: Mapping[str, bool], *, whole: bool
) -> Iterator[tuple[str, str]]:
    recording, who = contact.recording, contact.contact_id
    # What is to end is silent to its end, and of no mask any more.
    going = recording if recording is not None and not recording.ending else None
    for file, silent in taped.items():
        known = going is not None and file.endswith(f"/{going.file}")
        if silent and known and going is not None and not going.hushed:
            yield "masked", f"silence is recorded of {who}, and the log does not say so"
        # Where the end of the file was lost, the log learns of it with the end of the leg.
        if silent and recording is None and whole:
            yield "masked", f"silence is recorded of {who}, of which the log knows no recording"
        if known and going is not None and going.masked and not going.wish and not silent:
            yield "masked", f"the log says that {who} is masked, and sound is recorded"
    if recording is not None and recording.hushed and world.timers.due_of(("mask", who)) is None:
        yield "masks_end", f"nobody will look at the mask of {who}"

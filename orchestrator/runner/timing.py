"""What a timer means when it is due."""

from collections.abc import Iterator

from orchestrator.domain.contacts.commands import CheckOverdue, ExpireOffer, ExpireVisit
from orchestrator.domain.kernel import Instant
from orchestrator.domain.staff.shifts import EndCoolDown, EndWrapUp
from orchestrator.domain.timers import LEG_GRACE
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids, TellContact, TellShift
from orchestrator.runner.inputs import TimerFired
from orchestrator.runner.telling import Tell


def on_timer(world: World, fired: TimerFired, now: Instant, _ids: Ids) -> Iterator[Tell]:
    """The commands that a due timer stands for; none where the thing it was set for is gone."""
    # A timer read from a tape was never taken out by `due`; one taken out is no longer there.
    world.timers.cancel((fired.what, fired.ident))
    contact = world.contacts.get(fired.ident)
    match fired.what:
        case "offer" if contact is not None and contact.offer is not None:
            node = world.nodes.get(contact.node)
            up = node is not None and node.status == "connected"
            yield TellContact(fired.ident, ExpireOffer(offer_id=contact.offer.offer_id, node_up=up))
        case "visit" if contact is not None:
            queue = world.queues.get(contact.queue_id)
            prompt = queue.settings.apology if queue is not None else "no_agent_in_time"
            yield TellContact(fired.ident, ExpireVisit(prompt=prompt, now=now))
        case "legs" if contact is not None:
            yield TellContact(fired.ident, CheckOverdue(again_at=Instant(now + LEG_GRACE)))
        case "wrap_up":
            yield TellShift(fired.ident, EndWrapUp(how="timer"))
        case "cool_down":
            yield TellShift(fired.ident, EndCoolDown())

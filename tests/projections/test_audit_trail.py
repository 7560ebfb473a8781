"""The audit trail."""

from orchestrator.domain.access.users import PersonalDataRevealed, UserCreated
from orchestrator.domain.catalogue import CATALOGUE, Entry
from orchestrator.domain.kernel import Event
from orchestrator.domain.staff import shifts
from orchestrator.store import DeskWriter
from projections import audit_trail
from projections.audit_trail import Filter
from projections.catalogue import PROJECTIONS
from tests.projections.kit import MORNING, ReadKit
from tests.projections.test_contact_log import served
from tests.projections.test_rebuild import ALL
from tests.store.kit import record

TRAIL = PROJECTIONS["audit_trail"]


class ParcelWeighed(Event, frozen=True, kw_only=True):
    """An event of a newer program."""

    grams: int


class QueueRemoved(Event, frozen=True, kw_only=True):
    """An event that we know, in a shape of a newer program."""

    why: str


def _same(body: dict[str, object]) -> dict[str, object]:
    return body


NEWER = {
    "ParcelWeighed": Entry(name="ParcelWeighed", cls=ParcelWeighed, kind="parcel"),
    "QueueRemoved": Entry(name="QueueRemoved", cls=QueueRemoved, kind="queue", version=3, upcasters=(_same, _same)),
}


def test_every_event_has_its_row_with_who_and_when(kit: ReadKit) -> None:
    """Feature 11.6."""
    served(kit, "c1")
    kit.tell("shift-s1", shifts.AgentSignedIn(agent_id="a1", extension="1001"), 3, actor="agent:a1", about="contact-c1")
    kit.build(TRAIL)
    rows = kit.read(lambda c: audit_trail.trail(c, Filter())).items
    assert len(rows) == 9
    latest = rows[0]
    assert (latest.stream, latest.name, latest.actor) == ("shift-s1", "AgentSignedIn", "agent:a1")
    assert (latest.at, latest.version, latest.unknown_version) == (MORNING + 3_000_000, 1, None)
    of_contact = kit.read(lambda c: audit_trail.trail(c, Filter(about="contact-c1"))).items
    assert {row.stream for row in of_contact} == {"contact-c1", "shift-s1"}
    by_agent = kit.read(lambda c: audit_trail.trail(c, Filter(actor="agent:a1"))).items
    assert [row.name for row in by_agent] == ["AgentSignedIn"]
    early = kit.read(lambda c: audit_trail.trail(c, Filter(until=MORNING + 1_000_000))).items
    assert [row.name for row in early] == ["ContactArrived"]


def test_an_event_of_an_unknown_name_or_version_is_kept_shown_and_stops_nobody(kit: ReadKit) -> None:
    """Bad input: an event of an unknown version is kept, shown, never dropped; no model stumbles over it."""
    newer = DeskWriter(kit.kit.source, kit.kit.vault, catalogue={**CATALOGUE, **NEWER})
    kit.build(*ALL)
    newer.append_desk([record("parcel-p1", 1, ParcelWeighed(grams=3), at=1)])
    newer.append_desk([record("queue-sales", 1, QueueRemoved(why="merged"), at=2)])
    served(kit, "c1")
    end = kit.log.position()
    for projection in ALL:
        kit.keep_up(projection)
        assert kit.position(projection) == end
    rows = kit.read(lambda c: audit_trail.trail(c, Filter(unknown=True))).items
    assert [(row.stream, row.name, row.unknown_version) for row in rows] == [
        ("queue-sales", "QueueRemoved", 3),
        ("parcel-p1", "ParcelWeighed", 1),
    ]
    assert len(kit.read(lambda c: audit_trail.trail(c, Filter())).items) == 10


def test_who_looked_at_whom_is_found_from_either_side(kit: ReadKit) -> None:
    """Feature 5.8: reveal is an audited act."""
    kit.tell("user-ann", UserCreated(name="Ann"), actor="admin:root")
    kit.tell("user-ann", PersonalDataRevealed(subject="contact-c1", field="caller_number"), actor="user:ann")
    served(kit, "c1")
    kit.build(TRAIL)
    (looked,) = kit.read(lambda c: audit_trail.looked_at(c, "contact-c1")).items
    assert (looked.actor, looked.stream) == ("user:ann", "user-ann")
    (by_name,) = kit.read(lambda c: audit_trail.trail(c, Filter(names=("PersonalDataRevealed",)))).items
    assert by_name == looked
    assert [row.position for row in kit.read(lambda c: audit_trail.trail(c, Filter(stream="user-ann"))).items] == [2, 1]

"""What the verifier knows of places that callers are told: only whoever waits is told one, and only then."""

from msgspec.structs import replace

from orchestrator.audit import verify
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import Event, Instant, Record, ident_of
from tests.audit.test_by_hand import changed, rules_of
from tests.runner.scene import Scene

Log = list[Record]


def played() -> Log:
    """Two callers who are told their places; one is served, the other leaves."""
    scene = Scene(1, tell_place_every_ms=15_000)
    first, second = scene.park(), scene.park(number="+8613900139000")
    scene.wait(15_000)
    scene.ready(1)
    ring = scene.ring_of(first)
    scene.answer(ring)
    scene.bridge(first, ring)
    scene.wait(15_000)
    for leg in (first, ring.leg, second):
        scene.hang_up(leg)
    scene.wait(60_000)
    return scene.records


def moved(log: Log, kind: type[Event], *, behind: type[Event]) -> Log:
    """The log as if the last event of a kind had been decided just after the last of another in the same stream."""
    told = [record for record in log if isinstance(record.event, kind)]
    anchor = next(record for record in reversed(log) if isinstance(record.event, behind))
    late = next(record for record in reversed(told) if record.stream == anchor.stream)
    order: Log = []
    for record in log:
        if record is not late:
            order.append(record)
        if record is anchor:
            order.append(replace(late, about=anchor.about))
    versions: dict[str, int] = {}
    numbered = []
    for record in order:
        versions[record.stream] = versions.get(record.stream, 0) + 1
        mine = ident_of(record.stream) == ident_of(late.stream)
        numbered.append(replace(record, version=versions[record.stream]) if mine else record)
    return numbered


def test_a_log_of_places_that_were_told_is_whole() -> None:
    log = played()
    assert [record.event.position for record in log if isinstance(record.event, c.PlaceTold)] == [1, 2, 1]
    report = verify(log, expect_contacts=2)
    assert report.ok, report.text()


def test_a_place_that_nobody_who_waits_was_told_is_found() -> None:
    """Complaint 20."""
    log = played()
    assert rules_of(moved(log, c.PlaceTold, behind=c.QueueVisitEnded)) == {"place_told"}
    assert rules_of(moved(log, c.PlaceTold, behind=c.OfferAccepted)) == {"place_told"}


def test_a_place_before_the_first_and_a_time_that_is_over_are_found() -> None:
    """Complaint 20."""
    log = played()
    assert rules_of(changed(log, c.PlaceTold, position=0)) == {"place_told"}
    assert rules_of(changed(log, c.PlaceTold, again_at=Instant(1))) == {"place_told"}

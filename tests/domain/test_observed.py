"""What was counted of a day, beside the live state: kept for a day, and never told by half."""

from orchestrator.domain.contacts.contacts import QueueVisitEnded
from orchestrator.domain.kernel import Event, Instant, Provenance, Record
from orchestrator.domain.observed import KEPT, QUARTER, Observed
from orchestrator.domain.routing.counted import Day
from tests.projections.test_contact_log import arrived, queued

DAY = 96 * QUARTER


class Told:
    """A state that is told of visits."""

    def __init__(self) -> None:
        self.world = Observed()
        self._count = 0

    def visit(self, began: int, wait_us: int = 1_000_000) -> None:
        """Somebody who came then, and was answered."""
        self._count += 1
        stream = f"contact-c{self._count}"
        for version, (event, at) in enumerate(
            (
                (arrived(), began),
                (queued(), began),
                (QueueVisitEnded(visit_id="v1", queue_id="sales", outcome="answered"), began + wait_us),
            ),
            1,
        ):
            self.world.apply(_record(stream, version, event, at))

    def counted(self, day: int) -> list[Day] | None:
        return self.world.counted(Instant(day * DAY), Instant((day + 1) * DAY))


def _record(stream: str, version: int, event: Event, at: int) -> Record:
    return Record(
        stream=stream, version=version, event=event, event_id=f"{stream}-{version}", about=Provenance(at=Instant(at))
    )


def answered(found: list[Day] | None) -> int:
    assert found is not None
    return sum(day.answered for day in found)


def test_a_day_is_whole_to_its_end_and_not_told_by_half_afterwards() -> None:
    """Feature 11.3: every quarter of a day and of the next one; by then the first is not known any more."""
    told = Told()
    for quarter in range(10 * 96, 12 * 96):
        told.visit(quarter * QUARTER)
        if quarter >= 11 * 96:
            assert answered(told.counted(11)) == quarter - 11 * 96 + 1
    assert told.counted(10) is None
    assert len(told.world.quarters) == KEPT


def test_a_visit_belongs_to_the_quarter_in_which_it_began() -> None:
    told = Told()
    told.visit(5 * DAY - 1, wait_us=60_000_000)
    assert (answered(told.counted(4)), answered(told.counted(5))) == (1, 0)


def test_a_clock_that_was_wrong_by_years_for_a_moment_costs_no_later_day_its_counts() -> None:
    """Bad input of issue 7: put forward, then put right; and the other way round."""
    for wrong in (30_000 * DAY, 3 * DAY):
        told = Told()
        told.visit(10 * DAY)
        told.visit(wrong)
        for quarter in range(10 * 96 + 1, 14 * 96):
            told.visit(quarter * QUARTER)
            day = quarter // 96
            assert answered(told.counted(day)) == quarter % 96 + 1
        assert told.counted(wrong // DAY) is None


def test_what_began_before_all_that_is_kept_is_not_counted_as_if_it_were_all() -> None:
    """Bad input of issue 7: a clock that was put back by two days shows no count, rather than half of one."""
    told = Told()
    for quarter in range(10 * 96, 13 * 96):
        told.visit(quarter * QUARTER)
    told.visit(10 * DAY + 1)
    assert told.counted(10) is None

"""A time slider sees what the fold from the beginning sees, wherever it is dragged."""

import random

from orchestrator.domain.kernel import Instant
from orchestrator.replay import Scrubber, as_of
from orchestrator.replay.picture import picture
from tests.audit.test_verify import busy_day
from tests.replay.conftest import store
from tests.store.kit import Kit


def test_dragging_back_and_forth_shows_what_a_fold_from_the_beginning_shows(kit: Kit) -> None:
    """Feature 11.2: states are remembered every few records, and thinned out when there are too many."""
    store(kit, busy_day().records)
    moments = [record.about.at for record in kit.log.history()]
    dice = random.Random(7)
    scrubber = Scrubber(kit.log, spacing=3, kept=5)
    for _ in range(60):
        instant = Instant(dice.choice(moments) + dice.choice((-1, 0, 1)))
        seen, whole = scrubber.as_of(instant), as_of(kit.log, instant)
        assert seen.position == whole.position
        assert picture(seen.world, instant, position=0, personal=True) == picture(
            whole.world, instant, position=0, personal=True
        )


def test_a_state_that_was_handed_out_is_the_callers_alone(kit: Kit) -> None:
    """Feature 11.2: whatever is folded into one of them, the next look is not touched by it."""
    last = store(kit, busy_day().records)
    scrubber = Scrubber(kit.log, spacing=3)
    middle = scrubber.at_position(last // 2)
    before = picture(middle, Instant(0), position=0)
    for record in scrubber.steps(last // 2, 1_000):
        middle.apply(record)
    assert picture(scrubber.at_position(last // 2), Instant(0), position=0) == before


def test_steps_are_the_next_records_in_order(kit: Kit) -> None:
    """Feature 11.3, event by event."""
    last = store(kit, busy_day().records)
    scrubber = Scrubber(kit.log)
    assert [record.position for record in scrubber.steps(2, 3)] == [3, 4, 5]
    assert scrubber.steps(last, 3) == []

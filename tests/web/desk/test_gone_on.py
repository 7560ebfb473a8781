"""At whose desk the begun forms of a caller are who went from one agent to the next, also once the call is over."""

import pytest

from orchestrator.runner import inputs
from orchestrator.store.filed import FiledLog
from projections.live import LiveView
from tests.runner.scene import Scene
from web.desk.begun import with_desk
from web.desk.picture import desk_of


class Handed(Scene):
    """The first agent has passed a caller on to the second, and does the after-call work of it."""

    def __init__(self) -> None:
        super().__init__(2, wrap_up_ms=60_000)
        self.caller, self.first = self.talk()
        self.ready(2)
        self.contact_id = self.live(self.caller).contact_id
        asked = inputs.Transfer(agent="1001", about=self.contact_id, to_agent="1002")
        assert self.refusal(asked) == ""
        self.hang_up(self.first.leg)

    def with_desks(self) -> list[str]:
        """With which agents' desks the caller's begun forms are."""
        view = LiveView(FiledLog(()))
        for record in self.records:
            before, after = view.world.apply(record)
            view.calls.fold(record, before, after, view.world)
        desks = {agent_id: desk_of(view, agent_id) for agent_id in ("a1", "a2")}
        return [each for each, desk in desks.items() if desk is not None and with_desk(desk) == self.contact_id]


@pytest.fixture
def handed() -> Handed:
    return Handed()


def test_the_forms_are_with_the_second_agent_once_that_talk_is_over_too(handed: Handed) -> None:
    """Feature 4.4: the first one, whose after-call work goes on, must not get and send what the second one typed."""
    ring = handed.ring_of(handed.caller)
    handed.ringing(ring)
    assert handed.with_desks() == []
    handed.answer(ring)
    handed.bridge(handed.caller, ring)
    assert handed.with_desks() == ["a2"]
    handed.hang_up(handed.caller)
    handed.hang_up(ring.leg)
    assert (handed.status(1), handed.status(2)) == ("wrapping_up", "wrapping_up")
    assert handed.contact(handed.caller) is None
    assert handed.with_desks() == ["a2"]


def test_the_forms_come_back_to_whoever_talked_last_where_nobody_else_came_to_talk(handed: Handed) -> None:
    handed.hang_up(handed.caller)
    assert handed.status(1) == "wrapping_up"
    assert handed.with_desks() == ["a1"]

"""At whose desk the begun forms of a caller are who went from one agent to the next, and who may read them."""

import pytest

from orchestrator.runner import inputs
from orchestrator.store.filed import FiledLog
from projections.live import LiveView
from tests.runner.scene import Scene
from tests.runner.test_consult import Consulted
from tests.runner.test_guests import NUMBER, Room
from tests.runner.test_monitor import Monitored
from tests.runner.test_park import Park
from web.desk.begun import had_by, with_desk
from web.desk.picture import Desk, desk_of


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
        return with_desks(self, self.contact_id)


def desks_of(scene: Scene) -> dict[str, Desk | None]:
    """The desks of the first three agents, as they are drawn."""
    view = LiveView(FiledLog(()))
    for record in scene.records:
        before, after = view.world.apply(record)
        view.calls.fold(record, before, after, view.world)
    return {agent_id: desk_of(view, agent_id) for agent_id in ("a1", "a2", "a3")}


def with_desks(scene: Scene, contact_id: str) -> list[str]:
    """With which agents' desks this caller's begun forms are; each of them may read them."""
    desks = desks_of(scene)
    found = [each for each, desk in desks.items() if desk is not None and with_desk(desk) == contact_id]
    assert set(found) <= set(readers(scene, contact_id))
    return found


def readers(scene: Scene, contact_id: str) -> list[str]:
    """The agents who may read what was begun about this contact."""
    return [f"a{number}" for number in (1, 2, 3) if contact_id in had_by(scene.shift(number))]


@pytest.fixture
def handed() -> Handed:
    return Handed()


def test_the_forms_are_with_the_second_agent_once_that_talk_is_over_too(handed: Handed) -> None:
    """Feature 4.4: the first one, whose after-call work goes on, must not get and send what the second one typed."""
    ring = handed.ring_of(handed.caller)
    handed.ringing(ring)
    assert handed.with_desks() == []
    assert readers(handed, handed.contact_id) == ["a1"], "not whoever it rings at"
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


def test_the_forms_are_with_the_colleague_once_a_consultation_is_completed() -> None:
    """Feature 4.4: as long as one agent only asks the other, they are that one's own."""
    scene = Consulted()
    contact_id = scene.it.contact_id
    scene.both_talk()
    assert (with_desks(scene, contact_id), readers(scene, contact_id)) == (["a1"], ["a1"])
    assert scene.press(inputs.CompleteConsult) == ""
    scene.joined(scene.caller, scene.colleague().leg)
    assert with_desks(scene, contact_id) == ["a2"]


def test_the_forms_are_with_the_supervisor_once_they_have_taken_the_caller_over() -> None:
    scene = Monitored()
    contact_id = scene.it.contact_id
    ring = scene.hears()
    assert (with_desks(scene, contact_id), readers(scene, contact_id)) == (["a1"], ["a1"])
    assert scene.take_over() == ""
    scene.bridge(scene.caller, ring)
    assert with_desks(scene, contact_id) == ["a3"]


def test_the_forms_are_with_whoever_retrieves_a_parked_caller() -> None:
    scene = Park()
    contact_id = scene.it.contact_id
    scene.leave()
    assert with_desks(scene, contact_id) == ["a1"], "in the after-call work of whoever parked them"
    scene.wait(30_000)
    assert (with_desks(scene, contact_id), readers(scene, contact_id)) == ([], [])
    assert scene.fetch(2) == ""
    scene.join()
    assert with_desks(scene, contact_id) == ["a2"]


def test_the_forms_are_with_the_colleague_who_has_the_caller_in_the_room_from_then_on() -> None:
    """Decision 0094: nobody is moved, and the data moves all the same."""
    room = Room()
    contact_id = room.it.contact_id
    room.joins("1003")
    assert (with_desks(room, contact_id), readers(room, contact_id)) == (["a1"], ["a1"])
    room.hang_up(room.ring.leg)
    assert with_desks(room, contact_id) == ["a2"]


@pytest.mark.parametrize("first", ("1002", NUMBER))
def test_the_desk_of_whoever_is_invited_rings_be_it_a_colleague_or_a_number_who_was_asked_first(first: str) -> None:
    """Feature 4.3: a colleague, or a number outside."""
    room = Room(first=first)
    room.invites("1003")
    desk = desks_of(room)["a3"]
    assert desk is not None
    assert [(ring.contact_id, ring.invited, ring.accepted) for ring in desk.rings] == [
        (room.it.contact_id, True, False)
    ]
    assert {"accept", "reject"} <= desk.may
    room.enters(room.pick_up())
    desk = desks_of(room)["a3"]
    assert desk is not None
    assert [(ring.accepted, ring.together) for ring in desk.rings] == [(True, True)]
    assert "reject" in desk.may

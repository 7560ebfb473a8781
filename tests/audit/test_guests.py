"""What the verifier knows of a conference of more than three: a log as it should be, and ways in which it is wrong."""

from collections.abc import Callable

import pytest

from orchestrator.audit import verify
from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts import guest_events as g
from orchestrator.domain.contacts.consult_events import ConsultJoined
from orchestrator.domain.kernel import Instant
from orchestrator.domain.staff import shifts
from tests.audit.test_by_hand import Log, changed, rules_of, without
from tests.runner.test_guests import NUMBER, Room


def played() -> Log:
    """Three come to three, one in vain; the holder leaves, then whoever has the caller, then the caller."""
    room = Room()
    fourth, fifth = room.joins("1003"), room.joins(NUMBER)
    room.lets_go(NUMBER)
    room.hang_up(fifth)
    room.invites("1004")
    room.wait(30_000)
    room.hang_up(room.told[-1].leg)
    sixth = room.joins("1005")
    for leg in (room.ring.leg, room.first, room.caller, fourth, sixth):
        room.hang_up(leg)
    room.wait(20_000)
    return room.records


def test_a_log_with_a_conference_is_whole() -> None:
    report = verify(played(), expect_contacts=1)
    assert report.ok, report.text()
    assert (report.counts.guests, report.counts.segments, report.counts.transfers) == (4, 3, 2)
    assert "4 more invited" in report.text()


BROKEN: dict[str, tuple[Callable[[Log], Log], str]] = {
    "a guest of nobody": (lambda log: changed(log, g.GuestInvited, segment_id="other"), "guest"),
    "a guest without time to answer": (lambda log: changed(log, g.GuestInvited, answer_by=Instant(0)), "guest"),
    "a guest before three are together": (lambda log: without(log, ConsultJoined, 1), "guest"),
    "a guest who is invited and not held": (lambda log: without(log, shifts.AgentReserved, 2), "half_done"),
    "a guest who is held on": (lambda log: without(log, shifts.AgentReleased), "half_done"),
    "a guest who is let go for nothing": (lambda log: without(log, g.GuestClosed, 1), "unfounded"),
    "a guest in the room who never answered": (lambda log: without(log, g.GuestAnswered), "guest"),
    "a place that is taken from outside the room": (lambda log: without(log, g.GuestJoined), "guest"),
    "a room that is over, and guests in it": (lambda log: without(log, g.GuestPromoted), "half_done"),
    "a room that is passed on to nobody in it": (lambda log: changed(log, g.RoomInherited, leg="other"), "guest"),
    "a caller who is left to somebody else": (
        lambda log: changed(log, contacts.OfferMade, 1, offer_id="other"),
        "consult",
    ),
    "guests of a talk that ended": (lambda log: without(log, g.RoomInherited), "guest"),
}


@pytest.mark.parametrize(("damage", "rule"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_is_found(damage: Callable[[Log], Log], rule: str) -> None:
    assert rule in rules_of(damage(played()))

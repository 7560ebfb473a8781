"""Calls that a switch served alone, in the contact log and on the customer's timeline (feature 12.3)."""

from orchestrator.domain.contacts import unattended
from orchestrator.domain.contacts.unattended import ImportCall, UnattendedCallEnded, UnattendedCallLost
from orchestrator.domain.kernel import Instant
from projections import contact_log, customer_timeline
from projections.catalogue import PROJECTIONS
from tests.projections.kit import MORNING, ReadKit


def test_it_is_one_row_and_one_entry_with_the_times_of_the_switch(kit: ReadKit) -> None:
    """Complaint 24: it is imported an hour later, and stands where it was."""
    for name in ("contact_log", "customer_timeline"):
        kit.build(PROJECTIONS[name])
    second = 1_000_000
    call = UnattendedCallEnded(
        arrived_at=Instant(MORNING),
        joined_at=Instant(MORNING + 10 * second),
        ended_at=Instant(MORNING + 70 * second),
        extension="1001",
        agent_id="a1",
    )
    command = ImportCall(
        node="n1",
        leg="leg-1",
        dialled="4001",
        caller_number="+8613800138000",
        customer_id="cu-1",
        cause="NORMAL_CLEARING",
        call=call,
    )
    for event in unattended.decide(command):
        kit.tell("contact-c1", event, 3_600)
    for name in ("contact_log", "customer_timeline"):
        kit.keep_up(PROJECTIONS[name])
    row = kit.read(lambda c: contact_log.find(c, "c1"))
    assert row is not None
    assert (row.arrived_at, row.connected_at, row.ended_at) == (call.arrived_at, call.joined_at, call.ended_at)
    assert (row.talk_ms, row.wait_ms, row.queue_id) == (60_000, None, "")
    assert (row.outcome, row.agent_id, row.customer_id) == ("unattended_served", "a1", "cu-1")
    (entry,) = kit.read(lambda c: customer_timeline.timeline(c, "cu-1", limit=10)).items
    assert (entry.at, entry.what) == (call.arrived_at, "unattended_served")
    assert (entry.detail.agents, entry.detail.talk_ms, entry.detail.ended_at) == (["a1"], 60_000, call.ended_at)


def test_one_with_which_the_switch_died_stands_where_it_was_taken_and_nobody_talked(kit: ReadKit) -> None:
    for name in ("contact_log", "customer_timeline"):
        kit.build(PROJECTIONS[name])
    call = UnattendedCallLost(arrived_at=Instant(MORNING), taken_at=Instant(MORNING + 10_000_000))
    command = ImportCall(
        node="n1", leg="leg-1", dialled="4001", customer_id="cu-1", cause="SWITCH_RESTARTED", call=call
    )
    for event in unattended.decide(command):
        kit.tell("contact-c1", event, 3_600)
    for name in ("contact_log", "customer_timeline"):
        kit.keep_up(PROJECTIONS[name])
    row = kit.read(lambda c: contact_log.find(c, "c1"))
    assert row is not None
    assert (row.arrived_at, row.connected_at, row.ended_at) == (call.arrived_at, None, call.taken_at)
    assert (row.outcome, row.talk_ms, row.agent_id) == ("unattended_lost", 0, "")
    (entry,) = kit.read(lambda c: customer_timeline.timeline(c, "cu-1", limit=10)).items
    assert (entry.at, entry.what, entry.detail.ended_at) == (call.arrived_at, "unattended_lost", call.taken_at)

"""The contact log."""

from orchestrator.domain.contacts import contacts
from orchestrator.domain.kernel import Instant
from orchestrator.vault import open_text
from projections import contact_log
from projections.catalogue import PROJECTIONS
from projections.contact_log import Search
from tests.projections.kit import MORNING, ReadKit

CONTACT_LOG = PROJECTIONS["contact_log"]
NUMBER = "+8613800138000"


def arrived(number: str = NUMBER) -> contacts.ContactArrived:
    return contacts.ContactArrived(node="n1", leg="leg-1", dialled="4001", caller_number=number, caller_name="Ann")


def queued(queue_id: str = "sales") -> contacts.ContactQueued:
    return contacts.ContactQueued(
        visit_id="v1",
        queue_id=queue_id,
        entry_id="main",
        skill="sell",
        min_level=1,
        priority=0,
        music="m",
        leave_by=Instant(0),
    )


def served(kit: ReadKit, ident: str, begin: float = 0.0, agent: str = "a1") -> None:
    """A call that waits 12 s, talks 8 s, is held for 5 s, talks 4 s more."""
    stream = f"contact-{ident}"
    kit.tell(stream, arrived(), begin)
    kit.tell(stream, queued(), begin + 1)
    joined = contacts.ContactConnected(segment_id="s1", offer_id="o1", shift_id="sh1", agent_id=agent, leg="leg-2")
    kit.tell(stream, joined, begin + 13)
    kit.tell(stream, contacts.QueueVisitEnded(visit_id="v1", queue_id="sales", outcome="answered"), begin + 13)
    kit.tell(stream, contacts.ContactHeld(segment_id="s1"), begin + 21)
    kit.tell(stream, contacts.ContactResumed(segment_id="s1"), begin + 26)
    ended = contacts.AgentSegmentEnded(segment_id="s1", shift_id="sh1", ended_by="caller", cause="NORMAL_CLEARING")
    kit.tell(stream, ended, begin + 30)
    kit.tell(stream, contacts.ContactEnded(reason="completed", phase="connected"), begin + 30)


def test_a_served_call_is_one_row_with_its_times_by_our_clock(kit: ReadKit) -> None:
    """Feature 5.1. Hold is neither talk nor wrap-up (complaint 24)."""
    kit.build(CONTACT_LOG)
    served(kit, "c1")
    assert kit.keep_up(CONTACT_LOG) == 8
    row = kit.read(lambda c: contact_log.find(c, "c1"))
    assert row is not None
    assert (row.arrived_at, row.queued_at, row.connected_at) == (MORNING, MORNING + 1_000_000, MORNING + 13_000_000)
    assert (row.wait_ms, row.talk_ms, row.hold_ms) == (12_000, 12_000, 5_000)
    assert (row.agent_id, row.queue_id, row.outcome, row.ended_by) == ("a1", "sales", "completed", "caller")


def test_a_callers_number_is_kept_as_it_is_sealed_in_the_log_and_opens_with_its_key(kit: ReadKit) -> None:
    """Feature 12.8: a copy in a read model is no less sealed than the first."""
    kit.build(CONTACT_LOG)
    served(kit, "c1")
    kit.keep_up(CONTACT_LOG)
    row = kit.read(lambda c: contact_log.find(c, "c1"))
    assert row is not None
    key = kit.kit.vault.keys(["contact-c1"])["contact-c1"]
    assert key is not None
    assert open_text(key, "contact-c1", "caller_number", row.caller_number) == NUMBER
    assert NUMBER not in str(kit.rows(CONTACT_LOG))


def test_a_live_contact_is_told_from_one_that_is_over(kit: ReadKit) -> None:
    kit.build(CONTACT_LOG)
    served(kit, "c1")
    kit.tell("contact-c2", arrived(), 40)
    kit.keep_up(CONTACT_LOG)
    assert [row.contact_id for row in kit.read(lambda c: contact_log.search(c, Search(live=True))).items] == ["c2"]
    assert [row.contact_id for row in kit.read(lambda c: contact_log.search(c, Search(live=False))).items] == ["c1"]

"""The contact log."""

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.dial_events import ContactDialled, DialEnded
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.customers import people
from orchestrator.domain.kernel import SECOND, Instant, Refused
from orchestrator.vault import Tampered, open_text
from projections import contact_log
from projections.base import Connection, live_place, schema_of
from projections.catalogue import PROJECTIONS
from projections.contact_log import CONTACTS, Contact, Search
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


def test_the_wait_of_a_caller_who_was_found_late_begins_when_they_came(kit: ReadKit) -> None:
    """Feature 12.4: nobody heard of the caller for half a minute, in which they waited all the same."""
    kit.build(CONTACT_LOG)
    came_at = Instant(MORNING + 70 * SECOND)
    kit.tell("contact-c1", replace(arrived(), came_at=came_at, found="resync"), 100)
    kit.tell("contact-c1", replace(queued(), came_at=came_at, waiting_since=came_at), 100)
    kit.tell("contact-c1", contacts.QueueVisitEnded(visit_id="v1", queue_id="sales", outcome="abandoned"), 105)
    kit.tell("contact-c1", queued("other"), 105)
    kit.tell("contact-c1", contacts.QueueVisitEnded(visit_id="v1", queue_id="other", outcome="abandoned"), 107)
    kit.keep_up(CONTACT_LOG)
    row = kit.read(lambda c: contact_log.find(c, "c1"))
    assert row is not None
    assert (row.arrived_at, row.queued_at, row.wait_ms) == (came_at, came_at, 37_000)


def test_a_served_call_is_one_row_with_its_times_by_our_clock(kit: ReadKit) -> None:
    """Feature 11.6. Hold is neither talk nor wrap-up (complaint 24)."""
    kit.build(CONTACT_LOG)
    served(kit, "c1")
    assert kit.keep_up(CONTACT_LOG) == 8
    row = kit.read(lambda c: contact_log.find(c, "c1"))
    assert row is not None
    assert (row.arrived_at, row.queued_at, row.connected_at) == (MORNING, MORNING + 1_000_000, MORNING + 13_000_000)
    assert (row.wait_ms, row.talk_ms, row.hold_ms) == (12_000, 12_000, 5_000)
    assert (row.agent_id, row.queue_id, row.outcome, row.ended_by) == ("a1", "sales", "completed", "caller")


def test_a_contact_that_was_passed_on_counts_it_and_both_talks(kit: ReadKit) -> None:
    """Feature 4.4: one contact, whoever served it."""
    kit.build(CONTACT_LOG)
    kit.tell("contact-c1", arrived())
    for at, agent_id in ((10, "a1"), (40, "a2")):
        connected = contacts.ContactConnected(
            segment_id=f"g-{agent_id}", offer_id=f"o-{agent_id}", shift_id="s", agent_id=agent_id, leg="l"
        )
        kit.tell("contact-c1", connected, at)
        passed = agent_id == "a1"
        if passed:
            kit.tell(
                "contact-c1",
                ContactTransferred(
                    segment_id="g-a1",
                    shift_id="s",
                    agent_id="a1",
                    to="agent",
                    visit_id="v",
                    queue_id="q",
                    to_agent="a2",
                ),
                at + 5,
            )
        ended = contacts.AgentSegmentEnded(
            segment_id=f"g-{agent_id}", shift_id="s", ended_by="transfer" if passed else "caller", cause=""
        )
        kit.tell("contact-c1", ended, at + 5)
    kit.keep_up(CONTACT_LOG)
    row = kit.read(lambda c: contact_log.find(c, "c1"))
    assert row is not None
    assert (row.transfers, row.agent_id, row.talk_ms, row.ended_by) == (1, "a2", 10_000, "caller")


def test_a_callers_number_is_kept_as_it_is_sealed_in_the_log_and_opens_with_its_key(kit: ReadKit) -> None:
    """Feature 5.8: a copy in a read model is no less sealed than the first."""
    kit.build(CONTACT_LOG)
    served(kit, "c1")
    kit.keep_up(CONTACT_LOG)
    row = kit.read(lambda c: contact_log.find(c, "c1"))
    assert row is not None
    key = kit.kit.vault.keys(["contact-c1"])["contact-c1"]
    assert key is not None
    assert open_text(key, "contact-c1", "caller_number", row.caller_number) == NUMBER
    assert NUMBER not in str(kit.rows(CONTACT_LOG))


def test_a_contact_that_an_agent_dialled_is_outbound_found_by_its_number_and_has_waited_for_nothing(
    kit: ReadKit,
) -> None:
    """Feature 1.2: one row, with who dialled and who was called; no wait, and no abandonment."""
    kit.build(CONTACT_LOG)
    stream = "contact-c3"
    dialled = ContactDialled(
        node="n1", shift_id="sh1", agent_id="a1", caller_number=NUMBER, show="+862161000000", queue_id="sales"
    )
    kit.tell(stream, dialled, 0)
    kit.tell(stream, DialEnded(outcome="number_busy", cause="USER_BUSY"), 8)
    kit.tell(stream, contacts.ContactEnded(reason="number_busy", phase="dialling"), 9)
    kit.keep_up(CONTACT_LOG)
    served(kit, "c1", 20)
    kit.keep_up(CONTACT_LOG)
    caller = kit.read(lambda c: contact_log.caller(c, kit.kit.vault, NUMBER))
    inbound, row = kit.read(lambda c: contact_log.search(c, Search(caller=caller))).items
    assert (row.direction, row.agent_id, row.queue_id, row.outcome) == ("outbound", "a1", "sales", "number_busy")
    assert (row.queued_at, row.wait_ms, row.connected_at) == (None, None, None)
    assert inbound.direction == "inbound"


def test_a_live_contact_is_told_from_one_that_is_over(kit: ReadKit) -> None:
    kit.build(CONTACT_LOG)
    served(kit, "c1")
    kit.tell("contact-c2", arrived(), 40)
    kit.keep_up(CONTACT_LOG)
    assert [row.contact_id for row in kit.read(lambda c: contact_log.search(c, Search(live=True))).items] == ["c2"]
    assert [row.contact_id for row in kit.read(lambda c: contact_log.search(c, Search(live=False))).items] == ["c1"]


def filled(kit: ReadKit, count: int) -> None:
    """So many rows in the live generation; ten of each arrive at the same instant."""
    kit.build(CONTACT_LOG)
    with kit.connection.transaction(), kit.connection.cursor() as cursor:
        place = live_place(cursor, "contact_log")
        assert place is not None
        cursor.execute("SELECT set_config('search_path', %s, true)", (schema_of("contact_log", place.generation),))
        rows = [
            Contact(
                contact_id=f"c{number * 7919 % count:05}",
                arrived_at=MORNING + number // 10,
                node="n1",
                dialled="4001",
                trunk="",
                caller_number="",
                caller_name="",
                agent_id=f"a{number % 50}",
                queue_id="sales" if number % 2 else "orders",
                outcome="completed" if number % 3 else "abandoned",
            )
            for number in range(count)
        ]
        for first in range(0, count, 2_000):
            CONTACTS.insert(cursor, rows[first : first + 2_000])


def test_ten_thousand_contacts_are_read_page_by_page_each_once_and_in_order(kit: ReadKit) -> None:
    """Feature 11.6. Ten arrive at each instant, so that a page ends in the middle of those more often than not."""
    filled(kit, 10_000)
    for wanted, expected in (
        (Search(), 10_000),
        (Search(agent_id="a7"), 200),
        (Search(queue_id="sales", outcome="abandoned"), 1_667),
        (Search(since=MORNING + 100, until=MORNING + 300), 2_000),
        (Search(agent_id="nobody"), 0),
    ):
        seen: list[tuple[int, str]] = []
        cursor = ""
        while True:
            page = kit.read(lambda c, w=wanted, at=cursor: contact_log.search(c, w, cursor=at, limit=333))  # type: ignore[misc]
            seen += [(row.arrived_at, row.contact_id) for row in page.items]
            cursor = page.next_cursor
            if not cursor:
                break
        assert len(seen) == expected
        assert seen == sorted(set(seen), reverse=True)


def test_a_contact_that_arrives_between_two_pages_neither_repeats_nor_hides_a_row(kit: ReadKit) -> None:
    kit.build(CONTACT_LOG)
    for number in range(6):
        kit.tell(f"contact-c{number}", arrived(), number)
    kit.keep_up(CONTACT_LOG)
    first = kit.read(lambda c: contact_log.search(c, Search(), limit=3))
    kit.tell("contact-c9", arrived(), 9)
    kit.keep_up(CONTACT_LOG)
    second = kit.read(lambda c: contact_log.search(c, Search(), cursor=first.next_cursor, limit=3))
    assert [row.contact_id for row in (*first.items, *second.items)] == ["c5", "c4", "c3", "c2", "c1", "c0"]
    assert second.next_cursor == ""


@pytest.mark.parametrize(
    "cursor", ("x", "!!", "W10", "WzFd", "WyJhIiwiYiJd", "bnVsbA", "WzEsMl0", "\u0000", "W1tdLCJhIl0")
)
def test_a_forged_cursor_is_refused(kit: ReadKit, cursor: str) -> None:
    kit.build(CONTACT_LOG)
    with pytest.raises(Refused) as refused:
        kit.read(lambda c: contact_log.search(c, Search(), cursor=cursor))
    assert refused.value.code == "bad_cursor"


@pytest.mark.parametrize("limit", (0, -1, 501))
def test_a_page_of_no_size_is_refused(kit: ReadKit, limit: int) -> None:
    kit.build(CONTACT_LOG)
    with pytest.raises(Refused, match="1 to 500"):
        kit.read(lambda c: contact_log.search(c, Search(), limit=limit))


def called(kit: ReadKit, number: str) -> list[str]:
    """The contacts that a search for this number finds, the latest first."""
    kit.keep_up(CONTACT_LOG)

    def look(connection: Connection) -> list[str]:
        wanted = Search(caller=contact_log.caller(connection, kit.kit.vault, number))
        return [row.contact_id for row in contact_log.search(connection, wanted).items]

    return kit.read(look)


def test_contacts_are_found_by_number_through_whom_it_belongs_to(kit: ReadKit) -> None:
    """Feature 11.6: the log's blind index says whose it is; the number itself is in no table."""
    kit.tell("customer-k1", people.CustomerCreated(number="+8613912345678"))
    served(kit, "c1")
    kit.tell("contact-c1", contacts.ContactIdentified(customer_id="k1"), 40)
    served(kit, "c2", 50)
    kit.build(CONTACT_LOG)
    assert called(kit, "+8613912345678") == ["c1"], "their other number leads to what they called about"
    assert called(kit, NUMBER) == ["c2", "c1"], "and the number that called to every contact from it"
    assert called(kit, "+8613700000000") == []


@pytest.mark.parametrize("written", ("13800138000", "+86 138 0013 8000", "008613800138000"))
def test_a_contact_is_found_by_the_number_that_called_though_nobody_has_it(kit: ReadKit, written: str) -> None:
    """Feature 11.6: no customer is known, or one with other numbers; the table holds a keyed hash and no number."""
    kit.build(CONTACT_LOG)
    kit.tell("contact-c1", arrived(written))
    kit.tell("contact-c2", arrived("anonymous"), 1)
    kit.keep_up(CONTACT_LOG)
    assert called(kit, NUMBER) == ["c1"]
    (rows,) = kit.rows(CONTACT_LOG).values()
    assert not any("13800138000" in str(value) for row in rows for value in row)


def test_nobody_is_found_by_the_number_of_an_erased_customer(kit: ReadKit) -> None:
    """Feature 5.8, law 11: neither before the model hears of it, nor after, nor once it is built anew."""
    kit.tell("customer-k1", people.CustomerCreated(number=NUMBER))
    served(kit, "c1")
    kit.tell("contact-c1", contacts.ContactIdentified(customer_id="k1"), 40)
    kit.build(CONTACT_LOG)
    assert called(kit, NUMBER) == ["c1"]
    kit.kit.desk.erase("customer-k1")
    kit.kit.vault.forget()
    assert called(kit, NUMBER) == []
    kit.tell("customer-k1", people.CustomerErased(), 60)
    kit.keep_up(CONTACT_LOG)
    kept = kit.rows(CONTACT_LOG)
    kit.build(CONTACT_LOG)
    assert kit.rows(CONTACT_LOG) == kept
    row = kit.read(lambda c: contact_log.find(c, "c1"))
    assert row is not None
    assert row.caller_token == ""


def test_an_erased_customers_contacts_stay_and_cannot_be_read(kit: ReadKit) -> None:
    """Feature 5.8, law 11: the copies in a read model are under the same key."""
    kit.tell("customer-k1", people.CustomerCreated(number=NUMBER))
    served(kit, "c1")
    kit.tell("contact-c1", contacts.ContactIdentified(customer_id="k1"), 40)
    kit.build(CONTACT_LOG)
    kit.kit.desk.erase("customer-k1")
    kit.kit.vault.forget()
    row = kit.read(lambda c: contact_log.find(c, "c1"))
    assert row is not None
    assert row.talk_ms == 12_000
    assert kit.kit.vault.keys(["contact-c1"])["contact-c1"] is None
    assert kit.site.open("contact-c1", "caller_number", row.caller_number) == "‹erased›"
    assert kit.log.find_by_blind_index(kit.kit.vault.token("number", NUMBER)) == []


def test_sealed_text_that_was_moved_to_another_row_does_not_open(kit: ReadKit) -> None:
    served(kit, "c1")
    served(kit, "c2")
    kit.build(CONTACT_LOG)
    row = kit.read(lambda c: contact_log.find(c, "c1"))
    assert row is not None
    assert kit.site.open("contact-c1", "caller_number", row.caller_number) == NUMBER
    for stream, field in (("contact-c2", "caller_number"), ("contact-c1", "caller_name")):
        with pytest.raises(Tampered):
            kit.site.open(stream, field, row.caller_number)


def test_an_offer_that_rang_in_vain_is_missed_and_one_that_we_took_back_is_not(kit: ReadKit) -> None:
    decision = contacts.Decision(
        rule="longest_idle", config_version=1, skill="sell", min_level=1, candidates=(), others={}
    )
    kit.tell("contact-c1", arrived())
    for offer_id, cls in (("o1", contacts.OfferTimedOut), ("o2", contacts.OfferWithdrawn)):
        made = contacts.OfferMade(
            offer_id=offer_id, visit_id="v1", queue_id="sales", reservations=(), deadline=Instant(0), decision=decision
        )
        kit.tell("contact-c1", made)
        kit.tell("contact-c1", cls(offer_id=offer_id, cause="x"))
    kit.build(CONTACT_LOG)
    row = kit.read(lambda c: contact_log.find(c, "c1"))
    assert row is not None
    assert (row.offers, row.missed) == (2, 1)

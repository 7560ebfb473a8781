"""The read model of recordings: found by everything that issue 5 names, and what became of each."""

from collections.abc import Callable

import pytest

from orchestrator.domain.access import users
from orchestrator.domain.contacts import contacts, keeping
from orchestrator.domain.contacts.outward_events import OutsideConnected
from orchestrator.domain.contacts.recording import RecordingFailed
from orchestrator.domain.customers import people
from orchestrator.domain.kernel import Refused
from orchestrator.domain.work import orders
from projections import contact_log, recordings_found
from projections.catalogue import PROJECTIONS
from projections.recordings import Recording
from projections.recordings_found import Search
from tests.projections.kit import MORNING, ReadKit
from tests.projections.test_contact_log import NUMBER, arrived, queued

MODEL = PROJECTIONS["recordings"]
ORDER = "7f3a21c9-0000-4000-8000-000000000001"


def talk(
    kit: ReadKit, ident: str, at: float = 0.0, *, agent: str = "a1", queue: str = "sales", length_s: int = 60
) -> str:
    """A call with one recorded talk; the file."""
    stream, file = f"contact-{ident}", f"{ident}-talk.wav"
    kit.tell(stream, arrived(), at)
    kit.tell(stream, queued(queue), at + 1)
    joined = contacts.ContactConnected(segment_id=f"{ident}-talk", offer_id="o", shift_id="s", agent_id=agent, leg="l")
    kit.tell(stream, joined, at + 5)
    kit.tell(stream, contacts.RecordingBegun(file=file), at + 6)
    kit.tell(stream, contacts.RecordingFinished(file=file, length_ms=length_s * 1000), at + 6 + length_s)
    return file


def seal(kit: ReadKit, ident: str, at: float = 100.0) -> None:
    """Its recording is kept."""
    event = keeping.RecordingSealed(
        contact_id=ident, file=f"{ident}-talk.wav", digest="d1", length=960_044, key="a2V5", node="sw1"
    )
    kit.tell(f"recording-{ident}-talk", event, at)


def test_how_long_a_recording_is_whose_end_nobody_heard_is_told_by_its_file(kit: ReadKit) -> None:
    """Feature 8.2: of incidents above all. What nobody can tell is found by no length."""
    kit.build(MODEL)
    for ident, length_ms in (("c1", 1_800_000), ("c2", -1)):
        kit.tell(f"contact-{ident}", arrived(), 0)
        kit.tell(f"contact-{ident}", contacts.RecordingBegun(file=f"{ident}-talk.wav"), 1)
        sealed = keeping.RecordingSealed(
            contact_id=ident, file=f"{ident}-talk.wav", digest="d", length=1, key="a2V5", length_ms=length_ms,
            found=keeping.UNFINISHED,
        )  # fmt: skip
        kit.tell(f"recording-{ident}-talk", sealed, 100)
    kit.keep_up(MODEL)
    assert row_of(kit, "c1-talk.wav").length_ms == 1_800_000
    assert found(kit, Search(least_ms=60_000)) == ["c1"]
    assert found(kit, Search(most_ms=5_000)) == []
    assert found(kit, Search(most_ms=1_800_000)) == ["c1"]


def found(kit: ReadKit, wanted: Search) -> list[str]:
    return [row.contact_id for row in kit.read(lambda c: recordings_found.search(c, kit.kit.vault, wanted)).items]


def row_of(kit: ReadKit, file: str) -> Recording:
    kit.keep_up(MODEL)
    row = kit.read(lambda c: recordings_found.find(c, file))
    assert row is not None
    return row


def test_a_recording_is_found_by_agent_queue_time_length_order_name_and_number(kit: ReadKit) -> None:
    """Feature 8.2. A word that is wrong is refused, and narrows nothing."""
    kit.build(MODEL, PROJECTIONS["customers"])
    talk(kit, "c1", 0)
    talk(kit, "c2", 1_000, agent="a2", queue="orders", length_s=10)
    talk(kit, "c3", 2_000, agent="a2", queue="orders", length_s=300)
    kit.tell("customer-k1", people.CustomerCreated(number="+8613900139000", region="CN"), 2_001)
    kit.tell("customer-k1", people.CustomerProfileChanged(name="王小明"), 2_002)
    kit.tell("contact-c3", contacts.ContactIdentified(customer_id="k1"), 2_400)
    opened = orders.OrderOpened(type_id="t", state="open", contact_id="c2", customer_id="")
    kit.tell(f"order-{ORDER}", opened, 1_005)
    for model in ("customers", "recordings"):
        kit.keep_up(PROJECTIONS[model])
    cases = {
        "c3 c2 c1": Search(),
        "c3 c2": Search(agents=("a2",)),
        "": Search(agents=()),
        "c1": Search(queue_id="sales"),
        "c2": Search(order="7F3A-21C9"),
        "c2 ": Search(order=ORDER),
        "c3": Search(name="小明"),
        " ": Search(name="小红"),
        "c3 ": Search(least_ms=61_000),
        "c2 c1": Search(most_ms=60_000),
        "c1 ": Search(until=MORNING + 500_000_000),
        "c3 c2 ": Search(since=MORNING + 500_000_000),
        "c2  ": Search(queue_id="orders", agents=("a2",), most_ms=60_000),
        "  ": Search(sight=("a3",)),
        " c1": Search(sight=("a1",)),
    }
    for expected, wanted in cases.items():
        assert found(kit, wanted) == expected.split(), wanted
    caller = kit.read(lambda c: contact_log.caller(c, kit.kit.vault, NUMBER))
    assert found(kit, Search(caller=caller)) == ["c3", "c2", "c1"]
    known = kit.read(lambda c: contact_log.caller(c, kit.kit.vault, "+8613900139000"))
    assert found(kit, Search(caller=known)) == ["c3"], "whoever has this number, from whichever they called"
    nobody = kit.read(lambda c: contact_log.caller(c, kit.kit.vault, "+8613700137000"))
    assert found(kit, Search(caller=nobody)) == []
    for wrong, code in ((Search(order="123"), "bad_order"), (Search(order="order one"), "bad_order")):
        with pytest.raises(Refused) as refused:
            found(kit, wrong)
        assert refused.value.code == code
    assert NUMBER not in str(kit.rows(MODEL)), "feature 5.8"


def test_pages_follow_each_other_without_a_gap(kit: ReadKit) -> None:
    """Several begin in the same instant."""
    kit.build(MODEL)
    files = [talk(kit, f"c{place}", 0) for place in range(7)]
    kit.keep_up(MODEL)
    seen, cursor = [], ""
    while True:
        page = kit.read(lambda c, at=cursor: recordings_found.search(c, kit.kit.vault, Search(), cursor=at, limit=3))  # type: ignore[misc]
        seen += [row.file for row in page.items]
        cursor = page.next_cursor
        if not cursor:
            break
    assert seen == sorted(files, reverse=True)


def test_what_becomes_of_a_recording(kit: ReadKit) -> None:
    """Issue 5: alarms, lost, discarded, held, deleted."""
    kit.build(MODEL)
    file = talk(kit, "c1")
    row = row_of(kit, file)
    assert (row.agent_id, row.queue_id, row.state, row.length_ms) == ("a1", "sales", "finished", 60_000)
    stream = "recording-c1-talk"
    steps: list[tuple[object, Callable[[Recording], object], object]] = [
        (keeping.RecordingEndangered(contact_id="c1", file=file, why="no_room"), lambda r: r.problem, "no_room"),
        (
            keeping.RecordingSealed(contact_id="c1", file=file, digest="d", length=9, key="a", node="sw2"),
            lambda r: (r.state, r.problem, r.digest, r.bytes, r.node),
            ("kept", "", "d", 9, "sw2"),
        ),
        (
            keeping.RecordingHeld(contact_id="c1", file=file, hold_id="h", case="c", reason="w"),
            lambda r: r.holds,
            1,
        ),
        (
            keeping.RecordingReleased(contact_id="c1", file=file, hold_id="h", case="c", reason="w"),
            lambda r: r.holds,
            0,
        ),
        (
            keeping.RecordingArchived(contact_id="c1", file=file, medium="tape-7"),
            lambda r: (r.state, r.medium),
            ("kept", "tape-7"),
        ),
        (keeping.RecordingEndangered(contact_id="c1", file=file, why="lost"), lambda r: r.state, "lost"),
        (keeping.RecordingDeleted(contact_id="c1", file=file, days=9), lambda r: r.state, "deleted"),
    ]
    for event, look, expected in steps:
        kit.tell(stream, event)  # type: ignore[arg-type]
        assert look(row_of(kit, file)) == expected
    short = talk(kit, "c2", length_s=1)
    kit.tell(
        "recording-c2-talk", keeping.RecordingDiscarded(contact_id="c2", file=short, length_ms=1_000, least_ms=2_000)
    )
    assert row_of(kit, short).state == "discarded"
    kit.tell("contact-c2", contacts.RecordingBegun(file="c2-b.wav"))
    kit.tell("contact-c2", contacts.RecordingFinished(file="c2-b.wav", length_ms=0, cause="empty-file"))
    assert row_of(kit, "c2-b.wav").state == "discarded"
    assert [row.file for row in kit.read(lambda c: recordings_found.of_contact(c, "c2"))] == []


def test_a_full_disk_leaves_a_part_that_says_so_and_a_recording_that_never_began_is_lost(kit: ReadKit) -> None:
    """Issue 5: disk full: alarm, the call goes on, the recording is marked."""
    kit.build(MODEL)
    part = talk(kit, "c1")
    kit.tell("contact-c1", RecordingFailed(file=part, cause="stopped_early"))
    seal(kit, "c1")
    row = row_of(kit, part)
    assert (row.state, row.problem) == ("kept", "stopped_early")
    kit.tell("contact-c1", RecordingFailed(file="c1-talk-2.wav", cause="-ERR Cannot record session!"))
    row = row_of(kit, "c1-talk-2.wav")
    assert (row.state, row.problem, row.agent_id) == ("lost", "-ERR Cannot record session!", "a1")
    assert found(kit, Search(problems=True)) == ["c1", "c1"]
    assert found(kit, Search(state="lost")) == ["c1"]


def test_each_talk_has_its_own_agent_and_what_goes_outside_belongs_to_whoever_passed_it_on(kit: ReadKit) -> None:
    """Feature 4.4: a recording that is told of late is no less its own talk's."""
    kit.build(MODEL)
    talk(kit, "c1", agent="a1")
    for segment, event in (
        (
            "g2",
            contacts.ContactConnected(segment_id="g2", offer_id="o", shift_id="s", agent_id="a2", leg="l"),
        ),
        ("g3", OutsideConnected(segment_id="g3", leg="l")),
    ):
        kit.tell("contact-c1", event, 200)
        kit.tell("contact-c1", contacts.RecordingBegun(file=f"{segment}.wav"), 201)
    kit.tell("contact-c1", contacts.RecordingBegun(file="c1-talk-2.wav"), 202)
    agents = {file: row_of(kit, file).agent_id for file in ("c1-talk.wav", "g2.wav", "g3.wav", "c1-talk-2.wav")}
    assert agents == {"c1-talk.wav": "a1", "g2.wav": "a2", "g3.wav": "a2", "c1-talk-2.wav": "a1"}


def test_an_orphan_has_a_row_of_its_own_that_no_team_sees(kit: ReadKit) -> None:
    kit.build(MODEL)
    sealed = keeping.RecordingSealed(contact_id="", file="x.wav", digest="d", length=9, key="k", found="orphan")
    kit.tell("recording-x", sealed, 7)
    row = row_of(kit, "x.wav")
    assert (row.begun_at, row.contact_id, row.state) == (MORNING + 7_000_000, "", "kept")
    assert found(kit, Search(sight=("a1",))) == []
    assert kit.read(lambda c: recordings_found.find(c, "x.wav", sight=("a1",))) is None


def test_who_is_erased_is_found_by_no_number_and_who_heard_it_is_known(kit: ReadKit) -> None:
    """Features 5.8, 8.2."""
    kit.build(MODEL)
    file = talk(kit, "c1")
    kit.tell("customer-k1", people.CustomerCreated(number=NUMBER, region="CN"), 100)
    kit.tell("contact-c1", contacts.ContactIdentified(customer_id="k1"), 101)
    kit.tell("contact-c1", contacts.ContactEnded(reason="completed", phase="connected"), 102)
    kit.tell("user-ann", users.RecordingPlayed(contact_id="c1", file=file, address="10.0.0.1"), 103, actor="user:ann")
    copied = users.RecordingExported(contact_id="c1", file=file, reason="court", address="10.0.0.1")
    kit.tell("user-ann", copied, 104, actor="user:ann")
    assert (row_of(kit, file).heard, row_of(kit, file).customer_id) == (1, "k1")
    uses = kit.read(lambda c: recordings_found.uses(c, file)).items
    assert [(use.what, use.actor) for use in uses] == [("exported", "user:ann"), ("played", "user:ann")]
    assert "court" not in str(kit.rows(MODEL))
    caller = kit.read(lambda c: contact_log.caller(c, kit.kit.vault, NUMBER))
    assert found(kit, Search(caller=caller)) == ["c1"]
    kit.kit.desk.erase("customer-k1")
    assert found(kit, Search(caller=caller)) == [], "the keys go first"
    kit.tell("customer-k1", people.CustomerErased(), 105)
    assert row_of(kit, file).caller_token == ""

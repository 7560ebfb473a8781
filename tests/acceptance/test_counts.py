"""A busy quarter of a minute on a real switch: callers, phones, switch and ledger, asked one by one, tell one story."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.recording import WITHOUT_A_FILE
from orchestrator.domain.engine import DatabaseReturned
from orchestrator.domain.staff import shifts as s
from orchestrator.runner import inputs
from tests.acceptance.conftest import REAL, Build
from tests.acceptance.house import House
from tests.acceptance.test_spool import await_word
from tests.contract.driver import RealDriver, sessions
from tests.lab.caller import Account, SippCaller
from tests.lab.patience import until
from tests.lab.phone import BaresipPhone

KINDS = REAL
CALLS, PER_SECOND, TALK_MS, WRAP_UP_S = 24, 3, 2_000, 2
AGENTS = {"801": "1001", "802": "1002", "803": "1003"}


@pytest.mark.slow
def test_the_ledger_counts_what_callers_and_phones_count_and_the_switch_is_empty(build: Build) -> None:
    """Issue 2, point 4. More callers than three agents can serve: some are answered, some give up while they wait."""
    house = build(wrap_up_s=WRAP_UP_S)
    house.open()
    driver = house.driver
    assert isinstance(driver, RealDriver)
    plan = driver.real.plan
    phones = [
        driver.stack.enter_context(BaresipPhone(driver.folder, driver.real.phone(extension), plan.sip_port))
        for extension in AGENTS.values()
    ]
    house.sign_in(*AGENTS)
    callers = SippCaller(driver.folder, plan.trunk_port, calls=CALLS, per_second=PER_SECOND, talk_ms=TALK_MS)
    with callers:
        account = callers.await_end(60)
    assert_all_agree(house, phones, callers, account)
    house.assert_nowhere("31201234567")
    assert house.refusal(inputs.Ready(agent="801")) == "not_signed_in"


@pytest.mark.slow
def test_they_tell_one_story_though_the_database_is_killed_while_callers_wait_and_talk(build: Build) -> None:
    """Feature 12.2: nobody notices. What was decided meanwhile is in the log, in its order, once."""
    house = build(wrap_up_s=WRAP_UP_S)
    house.open()
    driver = house.driver
    assert isinstance(driver, RealDriver)
    plan = driver.real.plan
    phones = [
        driver.stack.enter_context(BaresipPhone(driver.folder, driver.real.phone(extension), plan.sip_port))
        for extension in AGENTS.values()
    ]
    house.sign_in(*AGENTS)
    await_word(house)
    callers = SippCaller(driver.folder, plan.trunk_port, calls=CALLS, per_second=PER_SECOND, talk_ms=3 * TALK_MS)
    with callers:
        house.ledger.await_event(c.ContactConnected, count=len(AGENTS))
        house.ledger.await_event(c.ContactQueued, count=2 * len(AGENTS))
        house.kill_database()
        house.engines[-1].await_log("events go to the spool")
        until(lambda: callers.account().hung_up >= CALLS // 2, "half of the callers to have come and gone in the dark")
        assert callers.account().hung_up < CALLS
        house.restart_database()
        account = callers.await_end(60)
    returned = house.ledger.await_event(DatabaseReturned)
    assert returned.spooled > 5 * CALLS // 4
    assert_all_agree(house, phones, callers, account)


def assert_all_agree(house: House, phones: list[BaresipPhone], callers: SippCaller, account: Account) -> None:
    """The day is over, and what callers, phones, switch and folder of recordings say is what the ledger says."""
    driver = house.driver
    house.await_no_contacts()
    report = house.close_day(contacts=CALLS)

    # The callers' own account.
    assert (account.successful, account.failed, account.refused) == (CALLS, 0, ()), callers.last_words()
    assert account.answered == account.hung_up + account.was_hung_up == CALLS
    counts = report.counts
    assert counts.contacts == counts.queued_contacts == counts.ended_contacts == CALLS
    served = counts.ended_by_reason.get("completed", 0)
    assert served == len(house.ledger.all(c.ContactConnected)) == counts.segments
    assert counts.ended_by_reason.get("abandoned", 0) == CALLS - served
    assert 0 < served < CALLS, "both kinds of caller are wanted here"
    assert [segment.ended_by for segment in house.ledger.all(c.AgentSegmentEnded)] == ["caller"] * served

    # The phones' own account. A phone that answers by itself may have done so when its caller had just left, and an
    # offer may be withdrawn in the instant between its ring and our hearing of it: then the phone knows of one more.
    made, rung = len(house.ledger.all(c.OfferMade)), len(house.ledger.all(c.OfferDelivered))
    answered, withdrawn = len(house.ledger.all(c.OfferAnswered)), len(house.ledger.all(c.OfferWithdrawn))

    def closed() -> int:
        return sum(phone.look()["CALL_CLOSED"] for phone in phones)

    until(lambda: closed() >= rung, f"the phones to have closed {rung} calls")
    assert rung <= closed() <= made <= rung + withdrawn
    established = sum(phone.counts["CALL_ESTABLISHED"] for phone in phones)
    assert served <= answered <= established <= answered + withdrawn
    assert counts.offers == made == len(house.ledger.all(s.AgentReserved))

    # The switch's, and the folder of recordings.
    with driver.control() as control:
        assert sessions(control) == 0
        # Its table is written a moment behind its sessions.
        until(lambda: "0 total." in control.api("show channels count"), "the switch's table to be empty")
    files = {finished.file for finished in house.ledger.all(c.RecordingFinished)}
    assert files == {begun.file for begun in house.ledger.all(c.RecordingBegun)}
    assert served - talks_under(house, 0.1) <= len(files) <= served  # a recording takes 10 ms to begin
    # Of a talk of less than a frame the switch leaves no file, and says so.
    empty = {finished.file for finished in house.ledger.all(c.RecordingFinished) if finished.cause in WITHOUT_A_FILE}
    assert {file for file in files if not (driver.recordings / file).is_file()} == empty


@pytest.mark.slow
def test_where_nobody_gives_up_phones_callers_and_ledger_count_the_same(build: Build) -> None:
    """Issue 2, point 4, to the last call: one caller at a time, so that no offer is ever withdrawn."""
    house = build(wrap_up_s=WRAP_UP_S)
    house.open()
    driver = house.driver
    assert isinstance(driver, RealDriver)
    plan = driver.real.plan
    phones = [
        driver.stack.enter_context(BaresipPhone(driver.folder, driver.real.phone(extension), plan.sip_port))
        for extension in AGENTS.values()
    ]
    house.sign_in(*AGENTS)
    for served in range(1, len(AGENTS) + 1):
        with SippCaller(driver.folder, plan.trunk_port, calls=1, per_second=1, talk_ms=TALK_MS) as caller:
            account = caller.await_end(60)
        assert (account.successful, account.answered) == (1, 1), caller.last_words()
        house.await_no_contacts()
        assert len(house.ledger.all(c.ContactConnected)) == served
    report = house.close_day(contacts=len(AGENTS))
    until(lambda: sum(phone.look()["CALL_CLOSED"] for phone in phones) >= len(AGENTS), "the phones to have closed all")
    established = sum(phone.counts["CALL_ESTABLISHED"] for phone in phones)
    closed = sum(phone.counts["CALL_CLOSED"] for phone in phones)
    assert established == closed == report.counts.offers == report.counts.segments == len(AGENTS)
    assert len(house.ledger.all(c.OfferDelivered)) == len(house.ledger.all(c.OfferAnswered)) == len(AGENTS)
    with driver.control() as control:
        assert sessions(control) == 0


def talks_under(house: House, seconds: float) -> int:
    """How many talks were shorter than this."""
    began = {r.event.segment_id: r.about.at for r in house.ledger.records if isinstance(r.event, c.ContactConnected)}
    ended = {r.event.segment_id: r.about.at for r in house.ledger.records if isinstance(r.event, c.AgentSegmentEnded)}
    return sum(at - began[segment] < seconds * 1e6 for segment, at in ended.items())

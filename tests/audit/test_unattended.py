"""The verifier agrees with calls that a switch served alone, and with nothing that only looks so (feature 12.3)."""

import pytest
from msgspec.structs import replace

from orchestrator.audit.verify import verify
from orchestrator.domain.contacts import events as e
from orchestrator.domain.contacts import unattended
from orchestrator.domain.contacts.unattended import ImportCall, UnattendedCallEnded, UnattendedCallLost
from orchestrator.domain.kernel import Event, Instant, Provenance, Record

CALL = UnattendedCallEnded(arrived_at=Instant(1_000_000), joined_at=Instant(2_000_000), ended_at=Instant(9_000_000))
IMPORTED = ImportCall(node="n1", leg="leg-1", dialled="4001", cause="NORMAL_CLEARING", call=CALL)
MESSAGE = replace(
    IMPORTED, call=replace(CALL, joined_at=Instant(0)), message="message-leg-1.wav", message_ms=4_000, customer_id="k"
)

TAKEN = UnattendedCallLost(arrived_at=Instant(1_000_000), taken_at=Instant(2_000_000))
LOST = replace(IMPORTED, cause="SWITCH_RESTARTED", call=TAKEN)


def records(events: tuple[Event, ...]) -> list[Record]:
    about = Provenance(at=Instant(20_000_000), actor="system", origin="import", node="n1")
    return [
        Record(stream="contact-c1", version=n, event=event, event_id=f"e{n}", about=about, position=n)
        for n, event in enumerate(events, start=1)
    ]


@pytest.mark.parametrize("command", (pytest.param(IMPORTED, id="served"), pytest.param(MESSAGE, id="message")))
def test_an_imported_call_is_in_order_and_counted_apart(command: ImportCall) -> None:
    report = verify(records(unattended.decide(command)), expect_contacts=0)
    assert not report.problems
    assert (report.counts.contacts, report.counts.queued_contacts, report.counts.unattended) == (1, 0, 1)
    assert "unattended  1 calls" in report.text()


@pytest.mark.parametrize("message", ("", "message-leg-1.wav"))
def test_one_with_which_the_switch_died_is_counted_by_itself(message: str) -> None:
    report = verify(records(unattended.decide(replace(LOST, message=message))), expect_contacts=0)
    assert not report.problems
    assert (report.counts.unattended, report.counts.unattended_lost) == (1, 1)
    assert report.counts.ended_by_reason == {"unattended_lost": 1}
    assert "unattended  1 calls that a switch served alone, 1 of them until it died" in report.text()


def _live(command: ImportCall) -> tuple[Event, ...]:
    arrived, *rest = unattended.decide(command)
    assert isinstance(arrived, e.ContactArrived)
    return (replace(arrived, found="live"), *rest)


@pytest.mark.parametrize(
    "events",
    (
        pytest.param(_live(IMPORTED), id="decided about here"),
        pytest.param(_live(LOST), id="decided about here, and lost"),
        pytest.param(
            unattended.decide(replace(LOST, call=replace(TAKEN, taken_at=Instant(1)))), id="taken before it arrived"
        ),
        pytest.param(
            unattended.decide(replace(IMPORTED, call=replace(CALL, ended_at=Instant(1)))), id="over before it began"
        ),
    ),
)
def test_one_that_only_looks_so_is_refused(events: tuple[Event, ...]) -> None:
    assert [problem.rule for problem in verify(records(events), expect_contacts=0).problems] == ["unattended"]

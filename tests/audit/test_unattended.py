"""The verifier agrees with calls that a switch served alone, and with nothing that only looks so (feature 12.3)."""

import pytest
from msgspec.structs import replace

from orchestrator.audit.verify import verify
from orchestrator.domain.contacts import events as e
from orchestrator.domain.contacts import unattended
from orchestrator.domain.contacts.unattended import ImportCall, UnattendedCallEnded
from orchestrator.domain.kernel import Event, Instant, Provenance, Record

CALL = UnattendedCallEnded(arrived_at=Instant(1_000_000), joined_at=Instant(2_000_000), ended_at=Instant(9_000_000))
IMPORTED = ImportCall(node="n1", leg="leg-1", dialled="4001", cause="NORMAL_CLEARING", call=CALL)
MESSAGE = replace(
    IMPORTED, call=replace(CALL, joined_at=Instant(0)), message="message-leg-1.wav", message_ms=4_000, customer_id="k"
)


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


def _live() -> tuple[Event, ...]:
    arrived, *rest = unattended.decide(IMPORTED)
    assert isinstance(arrived, e.ContactArrived)
    return (replace(arrived, found="live"), *rest)


@pytest.mark.parametrize(
    "events",
    (
        pytest.param(_live(), id="decided about here"),
        pytest.param(
            unattended.decide(replace(IMPORTED, call=replace(CALL, ended_at=Instant(1)))), id="over before it began"
        ),
    ),
)
def test_one_that_only_looks_so_is_refused(events: tuple[Event, ...]) -> None:
    assert [problem.rule for problem in verify(records(events), expect_contacts=0).problems] == ["unattended"]

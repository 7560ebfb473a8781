"""Programs ask how one thing was at an instant."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.domain.contacts.contacts import ContactConnected
from tests.web.api.conftest import Programs
from tests.web.day import CUSTOMER, Day

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(microseconds: int) -> str:
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat()


def test_queues_agents_contacts_customers_and_the_configuration_are_told_as_of_an_instant(
    day: Day, program: Programs
) -> None:
    """Feature 11.2: exact to the event; masked, whoever looks."""
    ops = program("ops")
    connected = next(record for record in day.centre.records if isinstance(record.event, ContactConnected))
    contact, at = connected.stream.removeprefix("contact-"), iso(connected.about.at)
    before = iso(connected.about.at - 1)
    assert ops.found(f"/asof/contacts/{contact}", at=at)["thing"]["status"] == "connected"
    assert ops.found(f"/asof/contacts/{contact}", at=before)["thing"]["status"] != "connected"
    assert [each["contact_id"] for each in ops.found("/asof/contacts", at=at)["items"]] == [contact]
    assert ops.found("/asof/queues/sales", at=at)["thing"]["talking"] == 1
    assert [each["talking"] for each in ops.found("/asof/queues", at=before)["items"]] == [0]
    agent = ops.found("/asof/agents/1001", at=at)["thing"]
    assert (agent["shift"]["state"], agent["name"]) == ("talking", "***")
    assert ops.found("/asof/agents", at=at)["clock_put_back_ms"] == 0
    auditor = program("auditor")
    assert auditor.found(f"/asof/customers/{CUSTOMER}", at=at)["thing"]["numbers"][0]["number"] == "***"
    assert "[queue.sales]" in auditor.found("/asof/configuration", at=at)["thing"]["toml"]


@pytest.mark.parametrize(
    ("was", "now"),
    (
        (f"/asof/customers/{CUSTOMER}", f"/customers/{CUSTOMER}"),
        ("/asof/orders/nobody", "/orders/nobody"),
        ("/asof/configuration", "/configuration"),
    ),
)
def test_whoever_may_not_see_a_thing_as_it_is_may_not_see_it_as_it_was(
    day: Day, program: Programs, was: str, now: str
) -> None:
    """The past is no way around a role."""
    at = iso(day.centre.records[-1].about.at)
    assert program("ops").refused(403, "GET", now) == program("ops").refused(403, "GET", was, query_string={"at": at})


def test_whoever_audits_sees_each_thing_as_it_was(day: Day, program: Programs) -> None:
    """They may read every event, so what these come to is no secret to them; leaders do not look into the past."""
    at, auditor = iso(day.centre.records[-1].about.at), program("auditor")
    for path in (f"/asof/customers/{CUSTOMER}", f"/asof/contacts/{day.contacts[0]}", "/asof/configuration"):
        assert auditor.found(path, at=at)["thing"]
        assert program("leader").refused(403, "GET", path, query_string={"at": at})
    assert auditor.refused(404, "GET", "/asof/orders/nobody", query_string={"at": at})


def test_what_was_not_there_and_what_is_no_instant_of_the_log_is_refused(day: Day, program: Programs) -> None:
    """Bad input of issue 7: before the beginning, in the future, none at all, nobody of that name."""
    ops = program("ops")
    at = iso(day.centre.records[-1].about.at)
    assert ops.refused(404, "GET", "/asof/contacts/nobody", query_string={"at": at})
    for wrong in ({"at": "2025-12-31T00:00:00Z"}, {"at": "2190-01-01T00:00:00Z"}, {}):
        assert ops.refused(400, "GET", "/asof/queues", query_string=wrong) == "bad_time"

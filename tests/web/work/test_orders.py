"""A work order from its opening to its end, by what its type allows whom."""

import pytest

from tests.web.conftest import Browser
from tests.web.office import Office

QUESTION = {"field.question": "Where is <b>my</b> parcel?", "field.waybill": "SF1001"}


def enquiry(office: Office, browser: Browser, key: str = "k1", **fields: str) -> str:
    """An enquiry opened with the form; its path."""
    browser.get("/orders/new?type=enquiry")
    answer = browser.submit("/orders/", type="enquiry", key=key, **{**QUESTION, **fields})
    return office.follow(browser, answer).request.path


def test_an_order_is_opened_assigned_done_reopened_and_closed(office: Office) -> None:
    """Feature 6.1, simple: states, names and who may do what come from the type's data."""
    clerk = office.as_role("back_office")
    path = enquiry(office, clerk)
    page = ""
    for form, fields, state in (
        ("assign", {"assignee": "me"}, "Assigned"),
        ("moves", {"action": "done", "note": "It is in Suzhou."}, "Answered"),
        ("moves", {"action": "reopen"}, "Open"),
        ("moves", {"action": "close"}, "Closed"),
    ):
        page = office.follow(clerk, clerk.submit(f"{path}/{form}", key=f"step-{state}", **fields)).text
        assert f"</span> {state}</span>" in page, state
    assert "It is in Suzhou." in page
    assert path not in clerk.get("/orders/").text
    assert path in clerk.get("/orders/?kind=closed").text


def test_what_was_written_is_shown_as_text(office: Office) -> None:
    """XSS in a field."""
    page = office.as_role("back_office")
    shown = page.get(enquiry(office, page)).text
    assert "&lt;b&gt;my&lt;/b&gt;" in shown
    assert "<b>my</b>" not in shown


def test_the_form_is_made_of_the_types_fields(office: Office) -> None:
    """Feature 6.1: fields are data, in the reader's language."""
    clerk = office.as_role("back_office")
    clerk.set_cookie("ringledger-language", "zh")
    page = clerk.get("/orders/new?type=pickup").text
    assert "取件地址" in page
    assert 'name="field.window"' in page
    assert "上午" in page
    assert 'type="date"' in page


def test_a_form_that_is_sent_twice_opens_one_order(office: Office) -> None:
    """A replayed POST."""
    clerk = office.as_role("back_office")
    first, second = enquiry(office, clerk), enquiry(office, clerk)
    assert first == second
    assert enquiry(office, clerk, key="k2") != first


def test_a_missing_field_is_refused_by_its_name(office: Office) -> None:
    clerk = office.as_role("back_office")
    clerk.get("/orders/new?type=enquiry")
    answer = clerk.submit("/orders/", type="enquiry", key="k", **{"field.waybill": "SF1"})
    assert answer.status_code == 400
    assert "What is asked" in answer.text or "question" in answer.text


def test_a_service_point_does_its_orders_but_opens_and_closes_none(office: Office) -> None:
    """Feature 12.6: by role, and by the type."""
    clerk, point = office.as_role("back_office"), office.as_role("service_point")
    path = enquiry(office, clerk)
    office.follow(clerk, clerk.submit(f"{path}/assign", assignee="role:service_point", key="a"))
    assert path in point.get("/orders/?whose=mine").text
    assert point.submit("/orders/", type="enquiry", key="x", **QUESTION).status_code == 403
    assert point.submit(f"{path}/moves", action="close", key="c").status_code == 403
    done = office.follow(point, point.submit(f"{path}/moves", action="done", key="d"))
    assert "Answered" in done.text


def test_a_move_that_does_not_fit_the_state_is_refused(office: Office) -> None:
    clerk = office.as_role("back_office")
    path = enquiry(office, clerk)
    answer = clerk.submit(f"{path}/moves", action="fly", key="r")
    assert answer.status_code == 409


@pytest.mark.parametrize("path", ("/orders/nobody", "/orders/..%2fetc", f"/orders/{'x' * 2_000}"))
def test_what_is_not_there_is_not_found(office: Office, path: str) -> None:
    assert office.as_role("back_office").get(path).status_code == 404

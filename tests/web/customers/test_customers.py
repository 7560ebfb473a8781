"""Customers are found however one asks, and their page tells everything in order."""

import pytest

from orchestrator.domain.switch.facts import LegParked
from orchestrator.runner.inputs import IdentifyContact
from tests.audit.centre import NODE, Centre, live
from tests.web.conftest import Browser
from tests.web.office import Office

WANG = {"number": "138 0013 8000", "name": "王芳", "company": "远大物流", "address": "Pudong, 1", "level": "vip"}


def made(office: Office, browser: Browser, **fields: str) -> str:
    """A customer made with the form; the page of it."""
    browser.get("/customers/new")
    return office.follow(browser, browser.submit("/customers/", key="once", **fields)).request.path


@pytest.mark.parametrize("asked", ("13800138000", "+86 138-0013-8000", "王芳", "芳", "远大", ""))
def test_a_customer_is_found_by_number_name_or_company(office: Office, asked: str) -> None:
    """Feature 5.1."""
    clerk = office.as_role("back_office")
    path = made(office, clerk, **WANG)
    page = clerk.get("/customers/", query_string={"q": asked}).text
    assert path in page
    assert "王芳" in page


def test_nobody_is_found_by_what_is_not_theirs(office: Office) -> None:
    clerk = office.as_role("back_office")
    path = made(office, clerk, **WANG)
    for other in ("李", "13900139000", "王方"):
        assert path not in clerk.get("/customers/", query_string={"q": other}).text


def test_the_number_is_masked_until_it_is_revealed_which_is_recorded(office: Office) -> None:
    """Feature 5.8: a clerk sees 138****8000, and who had it shown stands in the log."""
    clerk = office.as_role("back_office")
    path = made(office, clerk, **WANG)
    page = clerk.get(path).text
    assert "138****8000" in page
    assert "13800138000" not in page
    subject = f"customer-{path.rpartition('/')[2]}"
    shown = clerk.submit("/reveal", subject=subject, field="number")
    assert "13800138000" in shown.text
    revealed = [r for r in office.site.reading.log.history() if type(r.event).__name__ == "PersonalDataRevealed"]
    assert [record.about.actor for record in revealed] == ["user:back-office-1"]


def test_the_number_that_called_is_masked_on_the_timeline_too(office: Office) -> None:
    """Feature 5.8: as the network sent it, without a country code."""
    centre = Centre()
    arrived = LegParked(
        node=NODE,
        leg="c1",
        inbound=True,
        dialled="4000",
        caller_number="13800138000",
        context="ringledger-inbound",
    )
    centre.give(arrived, 100)
    contact_id = next(iter(centre.world.contacts))
    clerk = office.as_role("back_office")
    path = made(office, clerk, **WANG)
    centre.give(IdentifyContact(contact_id=contact_id, customer_id=path.rpartition("/")[2]))
    office.reads.store(live(centre.records))
    office.keep_up()
    page = clerk.get(path).text
    assert "number that called" in page
    assert "13800138000" not in page


def test_notes_corrections_and_orders_stand_on_the_timeline_the_latest_first(office: Office) -> None:
    """Feature 5.3, simple."""
    clerk = office.as_role("back_office")
    path = made(office, clerk, **WANG)
    office.follow(clerk, clerk.submit(f"{path}/notes", text="Wants the invoice by mail.", key="n1"))
    office.follow(clerk, clerk.submit(f"{path}/profile", name="王芳芳", level="gold", key="p1"))
    fields = {"field.question": "Where is my parcel?", "field.waybill": "SF100"}
    order = clerk.submit("/orders/", type="enquiry", customer=path.rpartition("/")[2], key="o1", **fields)
    office.follow(clerk, order)
    page = clerk.get(path).text
    places = [page.index(words) for words in ("Enquiry", "File corrected", "Wants the invoice by mail.")]
    assert places == sorted(places)
    assert "王芳芳" in page
    assert "GOLD" in page


def test_a_form_that_is_sent_twice_makes_one_customer_and_one_note(office: Office) -> None:
    """A replayed POST."""
    clerk = office.as_role("back_office")
    path = made(office, clerk, **WANG)
    again = clerk.submit("/customers/", key="once", **WANG)
    assert again.headers["Location"].startswith(path)
    for _ in range(2):
        office.follow(clerk, clerk.submit(f"{path}/notes", text="Once only.", key="same"))
    assert clerk.get(path).text.count("Once only.") == 1


def test_a_form_that_somebody_comes_back_to_and_changes_is_another_wish(office: Office) -> None:
    """The back button: the form has its old key, and what was changed in it is not dropped."""
    clerk = office.as_role("back_office")
    path = made(office, clerk, **WANG)
    for text in ("Calls back on Monday.", "Calls back on Tuesday.", "Calls back on Tuesday."):
        office.follow(clerk, clerk.submit(f"{path}/notes", text=text, key="same"))
    page = clerk.get(path).text
    assert page.count("Calls back on Monday.") == 1
    assert page.count("Calls back on Tuesday.") == 1


def test_a_number_that_somebody_has_is_refused_with_who(office: Office) -> None:
    clerk = office.as_role("back_office")
    path = made(office, clerk, **WANG)
    answer = clerk.submit("/customers/", key="another", number="+8613800138000", name="Somebody else")
    assert answer.status_code == 409
    assert path.rpartition("/")[2] in answer.text


def test_a_name_with_markup_stays_a_name(office: Office) -> None:
    """XSS in a caller's name."""
    clerk = office.as_role("back_office")
    path = made(office, clerk, name="<script>alert(1)</script>", number="13800138001")
    for page in (clerk.get(path).text, clerk.get("/customers/").text):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_a_page_that_is_behind_says_so(office: Office) -> None:
    """The write is kept; the read model has not come that far."""
    clerk = office.as_role("back_office")
    path = made(office, clerk, **WANG)
    page = clerk.get(f"{path}?after={10**12}")
    assert page.status_code == 200
    assert "does not show it yet" in page.text


@pytest.mark.parametrize("path", ("/customers/nobody", "/customers/..%2f..%2fetc", f"/customers/{'x' * 2_000}"))
def test_who_is_not_there_is_not_found(office: Office, path: str) -> None:
    assert office.as_role("back_office").get(path).status_code == 404


def test_an_auditor_sees_and_writes_nothing(office: Office) -> None:
    """Feature 12.6."""
    clerk, auditor = office.as_role("back_office"), office.as_role("auditor")
    path = made(office, clerk, **WANG)
    assert auditor.get(path).status_code == 200
    assert auditor.submit(f"{path}/notes", text="I was here").status_code == 403

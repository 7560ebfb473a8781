"""A customer's file and notes on contacts, case by case."""

import pytest

from orchestrator.domain.customers import notes, people
from orchestrator.domain.customers.people import (
    AddNote,
    AddNumber,
    ChangeProfile,
    Create,
    Customer,
    CustomerCreated,
    CustomerErased,
    CustomerNoted,
    CustomerNumberAdded,
    CustomerProfileChanged,
    Erase,
    Number,
)
from orchestrator.domain.kernel import Event, Instant, Refused
from tests.domain.cases import Case

FIRST, SECOND = "+8613800138000", "+862162798000"
CREATED = CustomerCreated(number=FIRST, region="CN")
NAMED = CustomerProfileChanged(name="王芳", level="vip")


def evolve(customer: Customer | None, event: Event, at: Instant, ident: str) -> Customer | None:
    return people.evolve(customer, event, ident)


def given(*history: Event) -> Case[Customer, people.Command]:
    return Case(evolve, people.decide, history)


def test_a_customer_made_by_hand_may_have_no_number() -> None:
    """Feature 5.1."""
    customer = given().when(Create()).then(CustomerCreated(number="", source="desk"))
    assert customer is not None
    assert customer.numbers == ()
    given(CREATED).when(Create(number=FIRST)).then()


def test_of_a_profile_only_what_changes_is_recorded() -> None:
    """Feature 5.1: name, company, address, level."""
    customer = (
        given(CREATED, NAMED)
        .when(ChangeProfile(name=" 王芳 ", company="Acme", level="Gold"))
        .then(CustomerProfileChanged(company="Acme", level="gold"))
    )
    assert customer is not None
    assert (customer.name, customer.company, customer.address, customer.level) == ("王芳", "Acme", "", "gold")
    given(CREATED, NAMED).when(ChangeProfile(name="")).then(CustomerProfileChanged(name=""))
    given(CREATED, NAMED).when(ChangeProfile()).then()


@pytest.mark.parametrize(
    ("command", "code"),
    (
        (ChangeProfile(name="a\nb\x00"), "bad_text"),
        (ChangeProfile(name="Wang\u202egnaF"), "bad_text"),
        (ChangeProfile(name="x" * 81), "bad_text"),
        (ChangeProfile(level="<b>"), "bad_word"),
        (AddNumber(number=SECOND, label="my phone!"), "bad_word"),
        (AddNote(text=" "), "empty_note"),
        (AddNote(text="x" * 4_001), "bad_text"),
    ),
)
def test_what_is_no_text_is_refused(command: people.Command, code: str) -> None:
    """Bad input; complaint: a name that reads like another."""
    given(CREATED).when(command).refused(code)


def test_a_second_number_is_theirs_too_and_the_same_again_is_nothing() -> None:
    """Feature 5.1: many numbers."""
    added = CustomerNumberAdded(number=SECOND, region="CN", label="work")
    customer = given(CREATED).when(AddNumber(number=SECOND, region="CN", label="work")).then(added)
    assert customer is not None
    assert customer.numbers == (
        Number(number=FIRST, region="CN"),
        Number(number=SECOND, region="CN", label="work"),
    )
    given(CREATED, added).when(AddNumber(number=SECOND)).then()
    given(CREATED).when(AddNumber(number=FIRST)).then()


def test_who_was_erased_is_not_written_about_any_more() -> None:
    """Feature 5.8."""
    customer = given(CREATED, NAMED).when(Erase()).then(CustomerErased())
    assert customer is not None
    assert customer.erased
    given(CREATED, CustomerErased()).when(Erase()).then()
    for command in (ChangeProfile(name="x"), AddNumber(number=SECOND), AddNote(text="x")):
        given(CREATED, CustomerErased()).when(command).refused("customer_erased")


def test_nobody_is_written_about_who_is_not_there() -> None:
    for command in (ChangeProfile(name="x"), AddNumber(number=SECOND), AddNote(text="x"), Erase()):
        given().when(command).refused("no_such_customer")
    assert given(NAMED, CustomerNoted(text="x")).state is None


def test_a_note_on_a_contact_has_a_text_or_a_reason_or_both() -> None:
    """Feature 5.3; wrap-up reason and note."""
    (event,) = notes.decide("c1", notes.NoteContact(text=" wants\r\nto know ", code="call_back"))
    assert event == notes.ContactNoted(contact_id="c1", text="wants\nto know", code="call_back")
    later = notes.ContactNoted(contact_id="c1", text="done", code="")
    kept = notes.evolve(notes.evolve(None, event, "c1"), later, "c1")
    assert kept == notes.Notes(contact_id="c1", texts=("wants\nto know", "done"), code="call_back")
    for command, code in ((notes.NoteContact(), "empty_note"), (notes.NoteContact(code="<x>"), "bad_word")):
        with pytest.raises(Refused) as refused:
            notes.decide("c1", command)
        assert refused.value.code == code

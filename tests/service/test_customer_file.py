"""The file on a customer: made, corrected, found by any number, noted, erased; one number, one customer."""

import threading

import pytest

from orchestrator.domain.customers.people import ChangeProfile
from orchestrator.domain.kernel import Refused
from orchestrator.service.customer_file import CustomerFile, NumberHeld
from orchestrator.service.customers import Customers
from orchestrator.service.deciding import Who
from orchestrator.service.regions import region_of
from orchestrator.store import DeskWriter, KeyShelf, Log
from orchestrator.vault import ERASED, Vault
from tests.service.test_work import call
from tests.store.kit import Kit

ANN = Who(actor="agent:ann", roles=("agent",))
FIRST, SECOND = "+8613800138000", "+862162798000"


@pytest.fixture
def file(kit: Kit) -> CustomerFile:
    return CustomerFile(kit.desk, kit.log, kit.vault, region="CN")


def test_a_customer_is_made_by_hand_in_one_step_and_found_by_the_number_however_written(
    kit: Kit, file: CustomerFile
) -> None:
    """Feature 5.1 (simple)."""
    made = file.create(ANN, ChangeProfile(name="王芳", level="vip"), number="138 0013 8000")
    assert (made.position, made.version) == (kit.log.position(), 2)
    found = file.find_by_number("+86 138-0013-8000")
    assert found == made.ident
    customer = file.customer(made.ident)
    assert customer is not None
    assert (customer.name, customer.level, customer.number, customer.region) == ("王芳", "vip", FIRST, "CN")
    assert file.find_by_number("13800138001") is None
    assert file.find_by_number("anonymous") is None


def test_who_was_made_by_hand_is_who_calls(kit: Kit, file: CustomerFile) -> None:
    """Feature 5.2: the next call finds the customer, by the first number and by the others."""
    made = file.create(ANN, ChangeProfile(name="Wang"), number=FIRST)
    file.add_number(ANN, made.ident, "021 6279 8000", label="Work")
    calls = Customers(kit.desk, kit.log, kit.vault, region="CN")
    assert calls.identify("13800138000") == made.ident
    assert calls.identify("+86 21 6279 8000") == made.ident


def test_a_customer_is_made_from_the_contact_of_an_unknown_caller(kit: Kit, file: CustomerFile) -> None:
    """Feature 5.2."""
    call(kit, "c1")
    made = file.create(ANN, ChangeProfile(name="Wang"), contact_id="c1")
    customer = file.customer(made.ident)
    assert customer is not None
    assert customer.number == FIRST
    with pytest.raises(Refused) as refused:
        file.create(ANN, ChangeProfile(), contact_id="c2")
    assert refused.value.code == "no_such_contact"


def test_a_number_of_somebody_else_is_refused_and_says_whose_it_is(kit: Kit, file: CustomerFile) -> None:
    """Feature 5.1: one number, one customer; merging comes later and the message says so."""
    wang = file.create(ANN, ChangeProfile(name="Wang"), number=FIRST).ident
    chen = file.create(ANN, ChangeProfile(name="Chen")).ident
    before = kit.log.position()
    with pytest.raises(NumberHeld) as refused:
        file.add_number(ANN, chen, FIRST)
    assert (refused.value.code, refused.value.customer_id) == ("number_held", wang)
    assert FIRST not in refused.value.message
    assert "merged" in refused.value.message
    with pytest.raises(NumberHeld):
        file.create(ANN, ChangeProfile(name="Chen"), number=FIRST)
    assert kit.log.position() == before
    assert not file.add_number(ANN, wang, FIRST).changed
    with pytest.raises(Refused) as no_number:
        file.add_number(ANN, chen, "1001")
    assert no_number.value.code == "no_number"


def test_of_two_who_give_one_number_to_different_customers_at_once_one_is_told(kit: Kit, file: CustomerFile) -> None:
    ids = [file.create(ANN, ChangeProfile(name=f"C{n}")).ident for n in range(4)]
    barrier = threading.Barrier(len(ids))
    outcomes: list[str] = []

    def race(customer_id: str) -> None:
        source = kit.another_source()
        vault = Vault.unlock(kit.kek, KeyShelf(source))
        mine = CustomerFile(DeskWriter(source, vault), Log(source, vault=vault), vault, region="CN")
        barrier.wait(20)
        try:
            mine.add_number(ANN, customer_id, SECOND)
            outcomes.append(customer_id)
        except NumberHeld as held:
            outcomes.append(f"not {held.customer_id}")

    threads = [threading.Thread(target=race, args=(ident,)) for ident in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    holder = file.find_by_number(SECOND)
    assert holder is not None
    assert sorted(outcomes) == sorted([holder, *[f"not {holder}"] * 3])


def test_a_replayed_request_makes_no_second_customer_number_or_note(kit: Kit, file: CustomerFile) -> None:
    """Bad input: a replayed POST."""
    first = file.create(ANN, ChangeProfile(name="Wang"), number=FIRST, key="k1")
    file.add_number(ANN, first.ident, SECOND, key="k2")
    file.note(ANN, first.ident, "calls often", key="k3")
    after = kit.log.position()
    again = file.create(ANN, ChangeProfile(name="Wang"), number=FIRST, key="k1")
    assert (again.ident, again.position, again.changed) == (first.ident, first.position, False)
    assert not file.add_number(ANN, first.ident, SECOND, key="k2").changed
    assert not file.note(ANN, first.ident, "calls often", key="k3").changed
    assert kit.log.position() == after
    assert file.note(ANN, first.ident, "calls often", key="k4").changed


def test_a_note_on_a_contact_is_kept_though_nobody_knows_who_called(kit: Kit, file: CustomerFile) -> None:
    """Feature 5.3: wrap-up reason and note."""
    call(kit, "c1")
    written = file.note_contact(ANN, "c1", "wants to know\nwhere it is", code="call_back")
    (record,) = kit.log.stream("note-c1")
    assert (record.position, record.about.correlation) == (written.position, "contact-c1")
    file.note_contact(ANN, "c1", "called back")
    kept = file.notes("c1")
    assert kept is not None
    assert (kept.texts, kept.code) == (("wants to know\nwhere it is", "called back"), "call_back")
    with pytest.raises(Refused) as refused:
        file.note_contact(ANN, "c9", "x")
    assert refused.value.code == "no_such_contact"
    kit.desk.erase("contact-c1")
    erased = file.notes("c1")
    assert erased is not None
    assert set(erased.texts) == {ERASED}


def test_an_erased_customer_is_unreadable_and_not_found_and_a_repeat_finishes_a_broken_erasure(
    kit: Kit, file: CustomerFile
) -> None:
    """Feature 5.8: first the event, then the key; whoever dies in between leaves something that a repeat puts right."""
    made = file.create(ANN, ChangeProfile(name="Wang", address="Nanjing Road 1"), number=FIRST)
    file.note(ANN, made.ident, "calls often")
    file.erase(ANN, made.ident)
    customer = file.customer(made.ident)
    assert customer is not None
    assert customer.erased
    assert {customer.name, customer.address, customer.number} == {ERASED}
    assert file.find_by_number(FIRST) is None
    position = kit.log.position()
    assert not file.erase(ANN, made.ident).changed
    assert kit.log.position() == position
    with pytest.raises(Refused) as refused:
        file.change(ANN, made.ident, ChangeProfile(name="Wang"))
    assert refused.value.code == "customer_erased"
    with pytest.raises(Refused) as nobody:
        file.erase(ANN, "nobody")
    assert nobody.value.code == "no_such_customer"


@pytest.mark.parametrize(
    ("number", "zh", "en"),
    (
        ("+8613800138000", "北京市", "Beijing"),
        ("+862162798000", "上海市", "Shanghai"),
        ("+85225550123", "香港", "Hong Kong"),
        ("+442079460018", "英国", "London"),
        ("+12125550123", "美国", "New York, NY"),
        ("", "", ""),
        ("anonymous", "", ""),
    ),
)
def test_the_region_of_a_number_is_told_in_the_readers_language(number: str, zh: str, en: str) -> None:
    """Complaint 23 and the screen's needs: an unknown caller is shown with number and region."""
    assert (region_of(number, "zh"), region_of(number, "en")) == (zh, en)
    assert region_of(number, "fr") == en

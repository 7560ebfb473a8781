"""Who is calling, on the screen whose phone rings."""

from collections.abc import Callable

import pytest

from orchestrator.domain.customers import people
from projections.screen_pop import ScreenPop, screen_pop
from tests.projections.kit import ReadKit
from tests.projections.lives import PICKUP, call, order
from tests.projections.test_customer_timeline import ALL, NUMBER, follow, known, opened, tell

Pop = Callable[..., ScreenPop]


@pytest.fixture
def pop(kit: ReadKit) -> Pop:
    """The screen pop, asked for as the reader."""
    kit.build(*ALL)
    known(kit)
    tell(kit, ("ordertype-pickup", PICKUP), *call("c1", NUMBER, "k1"))
    for place in range(7):
        tell(kit, *order(f"w{place}", customer="k1")[:2], begin=20 + 2 * place)
    tell(kit, *order("old", customer="k1"), begin=40)
    follow(kit)

    def asked(number: str, customer_id: str = "", language: str = "zh") -> ScreenPop:
        return kit.read(
            lambda c: screen_pop(
                c, kit.kit.vault, number=number, customer_id=customer_id, country="CN", language=language
            )
        )

    return asked


def test_a_known_caller_pops_with_open_orders_and_what_was_last(kit: ReadKit, pop: Pop) -> None:
    """Complaint 23; feature 4.4: exact match, open orders only, the latest first."""
    found = pop("13800138000", "k1")
    assert found.customer is not None
    assert opened(kit, "customer-k1", "name", found.customer.name) == "王芳"
    assert (found.number, found.region) == (NUMBER, "北京市")
    assert [each.order_id for each in found.orders] == ["w6", "w5", "w4", "w3", "w2"]
    assert found.more_orders
    assert found.types["pickup"].settings == PICKUP
    assert len(found.entries) == 8
    assert {each.kind for each in found.entries} == {"order"}


def test_the_exact_number_finds_the_caller_before_the_engine_has_said_who_it_is(pop: Pop) -> None:
    """Complaint 23: by E.164, however the network writes it; nobody whose number only looks like it."""
    for raw in ("13800138000", "+86 138 0013 8000", "008613800138000"):
        customer = pop(raw).customer
        assert customer is not None
        assert customer.customer_id == "k1"
    for raw in ("13800138001", "1380013800", "38000", "%", "' OR 1=1 --"):
        assert pop(raw).customer is None


def test_an_unknown_caller_pops_with_number_and_region_in_the_readers_language(pop: Pop) -> None:
    """Complaint 23; feature 5.2."""
    unknown = pop("02162798000", language="en")
    assert (unknown.number, unknown.region, unknown.customer) == ("+862162798000", "Shanghai", None)
    assert (unknown.orders, unknown.entries) == ((), ())
    withheld = pop("anonymous")
    assert (withheld.number, withheld.region, withheld.customer) == ("anonymous", "", None)


def test_the_same_offer_asked_for_again_pops_the_same(pop: Pop) -> None:
    """Complaint 23: idempotent; a page that is loaded again shows what it showed."""
    assert pop("13800138000", "k1") == pop("13800138000", "k1") == pop("13800138000")


def test_an_erased_customer_does_not_pop_by_number_and_the_file_says_that_it_was_erased(kit: ReadKit, pop: Pop) -> None:
    """Feature 5.8."""
    tell(kit, ("customer-k1", people.CustomerErased()), begin=60)
    kit.kit.desk.erase("customer-k1")
    follow(kit)
    assert pop("13800138000").customer is None
    still = pop("13800138000", "k1").customer
    assert still is not None
    assert still.erased

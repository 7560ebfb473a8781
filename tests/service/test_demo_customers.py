"""The demo's known callers: there once, for the numbers that call, and never again over what people did."""

import tomllib
from pathlib import Path

from orchestrator.domain.kernel import kind_of
from orchestrator.service import configuration, demo_customers
from orchestrator.service.customer_file import CustomerFile
from orchestrator.service.customers import Customers
from orchestrator.service.deciding import Who
from orchestrator.service.work import Work
from orchestrator.settings import Settings
from tests.postgres import settings_for
from tests.store.kit import Kit

DEMO = Path(__file__).parents[2] / "freeswitch" / "simulator" / "demo.toml"


def demo_settings(kit: Kit) -> Settings:
    return settings_for(kit.kek.parent.parent, RINGLEDGER_KEK_FILE=str(kit.kek))


def test_whoever_calls_from_a_known_number_of_the_demo_is_known_with_name_and_orders(kit: Kit) -> None:
    """Issue: an agent at a fresh `make run` sees known customers with open orders pop up."""
    settings = demo_settings(kit)
    configuration.apply_defaults(settings, kit.database.writer)
    assert demo_customers.ensure(settings, kit.database.writer) == 10
    file = CustomerFile(kit.desk, kit.log, kit.vault, region="CN")
    calls = Customers(kit.desk, kit.log, kit.vault, region="CN")
    streams = tomllib.loads(DEMO.read_text(encoding="utf-8"))["streams"]
    (known,) = [stream for stream in streams if stream["number_prefix"] == demo_customers.NUMBERS]
    assert not known.get("names")
    before = kit.log.position()
    for digit in range(10):
        whose = calls.identify(f"{demo_customers.NUMBERS}{digit}")
        assert whose is not None
        customer = file.customer(whose)
        assert customer is not None
        assert customer.name
    assert kit.log.position() == before
    work = Work(kit.desk, kit.log, region="CN")
    orders = [work.order(name[len("order-") :]) for name in kit.log.versions(["order"])]
    assert sorted(order.type_id for order in orders if order is not None) == [
        "complaint",
        "delivery",
        "enquiry",
        "enquiry",
        "pickup",
    ]
    assert sum(order is not None and order.kind == "open" for order in orders) == 4


def test_the_next_start_changes_nothing_and_brings_nobody_back(kit: Kit) -> None:
    """Feature 5.8: an erased customer of the demo stays erased."""
    settings = demo_settings(kit)
    configuration.apply_defaults(settings, kit.database.writer)
    demo_customers.ensure(settings, kit.database.writer)
    file = CustomerFile(kit.desk, kit.log, kit.vault, region="CN")
    whose = file.find_by_number(f"{demo_customers.NUMBERS}0")
    assert whose is not None
    file.erase(Who(actor="user:ann"), whose)
    before = kit.log.position()
    assert demo_customers.ensure(settings, kit.database.writer) == 0
    assert kit.log.position() == before
    assert file.find_by_number(f"{demo_customers.NUMBERS}0") is None


def test_a_site_with_types_of_its_own_gets_the_people_without_orders(kit: Kit) -> None:
    assert demo_customers.ensure(demo_settings(kit), kit.database.writer) == 10
    assert {kind_of(name) for name in kit.log.versions(["customer", "order"])} == {"customer"}

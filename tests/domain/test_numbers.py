"""Numbers rewritten by rules: first match wins, nothing is guessed, and nothing takes long."""

import time

import pytest

from orchestrator.domain.routing.numbers import RewriteConfigured, RewriteRemoved, Rewriting, written

CHINA = {
    "mobile": RewriteConfigured(name="Mobile", of="caller", match="1*", length=11, prepend="+86", order=10),
    "landline": RewriteConfigured(name="Landline", of="caller", match="0*", strip=1, prepend="+86", order=20),
    "abroad": RewriteConfigured(name="Abroad", of="caller", match="00*", strip=2, prepend="+", order=15),
    "access": RewriteConfigured(name="Access code", of="dialled", match="95*", trunk="carrier", strip=2, prepend="400"),
    "hotline": RewriteConfigured(name="Hot line", of="dialled", match="88001", strip=5, prepend="4008001001"),
}


def rewriting(rules: dict[str, RewriteConfigured] = CHINA) -> Rewriting:
    found = Rewriting()
    for rule_id, rule in rules.items():
        found.configure(rule_id, rule)
    return found


@pytest.mark.parametrize(
    ("raw", "number"),
    (
        ("13800138000", "+8613800138000"),
        ("02162798000", "+862162798000"),
        ("004915112345678", "+4915112345678"),
        ("+8613800138000", "+8613800138000"),
        ("10086", "10086"),
        ("021-6279 8000", "+862162798000"),
        ("anonymous", ""),
        ("", ""),
        ("0", ""),
        ("+86138\n00138000", ""),
        ("1" * 3_000, ""),
    ),
)
def test_a_caller_becomes_e164_by_the_first_rule_that_matches(raw: str, number: str) -> None:
    """Feature 1.1. Withheld numbers and what is none are nobody's."""
    assert rewriting().caller(raw, "") == number


def test_dialled_number_and_access_code_may_differ_by_trunk() -> None:
    """Feature 1.1."""
    rules = rewriting()
    assert rules.dialled("951001", "carrier") == "4001001"
    assert rules.dialled("951001", "other") == "951001"
    assert rules.dialled("88001", "") == "4008001001"
    assert rules.dialled("880012", "") == "880012", "a number is no beginning of another"


def test_order_decides_and_then_the_id_and_a_removed_rule_is_gone() -> None:
    """Feature 1.1: `0*` would match `00…`, too; the rule with the lower order is asked first."""
    rules = rewriting()
    rules.configure("abroad", RewriteRemoved())
    assert rules.caller("004915112345678", "") == "+8604915112345678"
    twins = {name: RewriteConfigured(name=name, of="caller", match="1*", prepend=name) for name in ("9", "8")}
    assert rewriting(twins).caller("123", "") == "8123"


def test_a_hostile_number_costs_no_time() -> None:
    """Bad input: thousands of rules, and a number made to be slow."""
    rules = Rewriting()
    for number in range(1_000):
        rules.configure(f"r{number}", RewriteConfigured(name="x", of="caller", match=f"{number}9*", order=number))
    begun = time.process_time()
    for _ in range(100):
        rules.caller("9" * 100_000, "")
    assert time.process_time() - begun < 1


def test_signs_between_digits_are_no_part_of_a_number() -> None:
    assert written("+86 (21) 6279-8000") == "+862162798000"

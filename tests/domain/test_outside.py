"""Which numbers may be called: pure rules over what anybody may have typed or sent. Features 3.5, 3.10; law 10."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.routing.outside import (
    Outside,
    OutsideConfigured,
    OutsideRemoved,
    dialled,
    evolve,
    meant,
    shown,
    why_not,
)
from orchestrator.domain.routing.spelling import LONGEST, SHORTEST, callable_number, spellings

RULES = OutsideConfigured(
    allowed=("+86", "95"), refused=("+8690",), show="1000000", show_for={"main": "2000000"}, at_most=2
)


def rules(*allowed: str, refused: tuple[str, ...] = (), region: str = "CN", national: bool = False) -> Outside:
    """Rules that hold."""
    found = evolve(None, OutsideConfigured(allowed=allowed, refused=refused, region=region, national=national))
    assert found is not None
    return found


def tried(outside: Outside, typed: str, region: str = "") -> str:
    """What becomes of a number that is typed: the number that is called, or why it is not."""
    number = meant(outside, typed, region)
    return why_not(outside, number, 0) or number


@pytest.mark.parametrize(
    ("raw", "number"),
    (
        ("+86 138-0013-8000", "+8613800138000"),
        ("0755 (1234) 5678", "075512345678"),
        ("anonymous", ""),
        ("", ""),
        ("+", ""),
        ("110", ""),
        ("++8613800138000", ""),
        ("+861380013800012345", ""),
        ("12345\n67890", ""),
        ("１２３４５６", ""),
        ("12345;x=1", ""),
    ),
)
def test_a_number_is_what_a_machine_may_call_and_nothing_else(raw: str, number: str) -> None:
    assert callable_number(raw) == number


@given(st.text(max_size=60))
def test_whatever_comes_a_number_has_digits_alone_and_a_bounded_length(raw: str) -> None:
    number = callable_number(raw)
    digits = number.removeprefix("+")
    assert not number or (digits.isascii() and digits.isdigit() and SHORTEST <= len(digits) <= LONGEST)


def test_the_longest_prefix_decides_and_where_both_are_as_long_it_is_refused() -> None:
    outside = rules("+86", "+869011", refused=("+8690", "+8691"))
    assert why_not(outside, "+8613800138000", 0) == ""
    assert why_not(outside, "+869000000", 0) == "not_allowed"
    assert why_not(outside, "+869011000", 0) == ""
    assert why_not(rules("+86", refused=("+86",)), "+8613800138000", 0) == "not_allowed"
    assert why_not(outside, "13800138000", 0) == "not_allowed"


def test_calls_at_once_are_bounded_and_nobody_is_called_without_rules_or_a_number() -> None:
    outside = evolve(None, RULES)
    assert outside is not None
    assert [why_not(outside, "+8675512345678", calling) for calling in (0, 1, 2)] == ["", "", "outside_full"]
    assert why_not(outside, "", 0) == "withheld"
    assert why_not(None, "+8675512345678", 0) == "no_outside"


SHANGHAI = "+862188880000"


@pytest.mark.parametrize(
    "typed",
    (
        "+862188880000", "02188880000", "021 8888-0000", "(021) 8888 0000", "862188880000", "0086 21 8888 0000",
        "+86 (0)21 8888 0000", "2188880000", "\u3000+862188880000 ", "0086 021 88880000",
    ),
)  # fmt: skip
def test_however_a_number_is_typed_it_is_one_and_its_rules_hold(typed: str) -> None:
    """Toll fraud: no way of writing a number leads past a prefix that is refused."""
    assert tried(rules("+86"), typed) == SHANGHAI
    assert tried(rules("0"), typed) == SHANGHAI
    for refused in ("+8621", "021", "008621", "+86218888"):
        assert tried(rules("+86", "0", refused=(refused,)), typed) == "not_allowed"


@pytest.mark.parametrize("typed", ("+19005551234", "0019005551234", "00 1 900 555 1234"))
def test_a_national_prefix_that_is_allowed_opens_no_other_country(typed: str) -> None:
    """`0` is where the country's own numbers begin; `00` leads abroad, to premium numbers as well."""
    assert tried(rules("0", "1", "+86"), typed) == "not_allowed"
    assert tried(rules("00", refused=("+1900",)), typed) == "not_allowed"
    assert tried(rules("00", refused=("001900",)), typed) == "not_allowed"
    assert tried(rules("00"), typed) == "+19005551234"


@pytest.mark.parametrize(
    "typed", ("442071234567", "12125551234", "00000", "0001900555", "4420712345", "+0862188880000")
)
def test_digits_that_are_no_number_here_are_none_since_a_trunk_might_take_them_for_one_elsewhere(typed: str) -> None:
    assert tried(rules("+", "0", "1", "4", "+86"), typed) == "withheld"


@pytest.mark.parametrize(
    "typed",
    (
        "+8621888800\uff10\uff10", "\u0661\u0662\u0663\u0664\u0665\u0666", "021-CALL-NOW1", "*0218888000",
        "02188880000#", "021,8888000", "0218888p0000", "0218888w0000", "0218888;ext=1", "+86+2188880",
        "0218888%30000", "sip:02188880000", "0218\u200b8880000",
    ),
)  # fmt: skip
def test_pauses_keys_letters_and_foreign_digits_make_no_number(typed: str) -> None:
    assert tried(rules("+", "0", "1"), typed) == "withheld"


@pytest.mark.parametrize("typed", ("110", "120", "+86110", "0086119", "11012", "12012345", "+86120", "+1911", "+44999"))
def test_no_emergency_number_is_called_however_it_is_written(typed: str) -> None:
    assert tried(rules("+", "1", "0", "00"), typed) == "withheld"


def test_short_codes_are_looked_at_as_typed_and_as_the_trunk_may_know_them() -> None:
    assert tried(rules("955"), "95588") == "95588"
    assert tried(rules("+86", "0"), "95588") == "not_allowed", "what is allowed in the country is no short code"
    assert tried(rules("95", refused=("9558",)), "95588") == "not_allowed"
    assert tried(rules("95", refused=("+8695",)), "95588") == "not_allowed"
    assert tried(rules("95588", refused=("9558", "+8695")), "95588") == "95588", "the longest prefix decides here, too"
    assert tried(rules("+86", refused=("9558",)), "+8695588") == "not_allowed", "written with the country's code"


def test_a_number_is_read_where_whoever_types_it_is() -> None:
    """A branch in Hong Kong dials as one dials there; the site's rules hold for what it means."""
    outside = rules("+86", "+852", refused=("+852900",))
    assert tried(outside, "21234567", "HK") == "+85221234567"
    assert tried(outside, "90012345", "HK") == "not_allowed"
    assert tried(outside, "001 86 21 8888 0000", "HK") == SHANGHAI
    assert tried(rules("1212", region="US"), "(212) 555-1234") == "+12125551234"
    assert tried(rules("011", region="US", refused=("0118835",)), "01188351234567") == "not_allowed"


def test_a_trunk_may_be_given_the_countrys_numbers_as_they_are_dialled_there() -> None:
    outside = rules("+", national=True)
    numbers = (SHANGHAI, "+8613800138000", "+12125551234", "95588", "+8690012345")
    assert [dialled(outside, each) for each in numbers] == [
        "02188880000", "13800138000", "+12125551234", "95588", "+8690012345",
    ]  # fmt: skip
    assert dialled(rules("+"), SHANGHAI) == SHANGHAI


def test_rules_of_old_are_compared_as_then_until_they_are_applied_anew() -> None:
    outside = rules("+86", "0", region="")
    assert tried(outside, "02188880000") == "02188880000"
    assert tried(outside, "+862188880000") == SHANGHAI
    assert tried(outside, "2188880000") == "not_allowed"
    assert tried(rules("0", region=""), "02188880000", "HK") == "02188880000"


@pytest.mark.parametrize("region", ("CN", "HK", "US", "AU"))
@given(typed=st.from_regex(r"\+?[0-9]{5,15}", fullmatch=True))
def test_what_is_meant_means_itself_and_reaches_the_trunk_as_itself(region: str, typed: str) -> None:
    """A number that was looked at once is not another one when it is looked at again, or dialled."""
    outside = rules("+", region=region, national=True)
    number = meant(outside, typed)
    if number:
        assert meant(outside, number) == number
        assert meant(outside, dialled(outside, number)) == number
        assert number in spellings(number, region)


def test_what_is_shown_is_the_entry_points_own_number_or_the_general_one() -> None:
    assert [shown(RULES, entry) for entry in ("main", "other", "")] == ["2000000", "1000000", "1000000"]


def test_rules_that_are_removed_allow_nothing() -> None:
    now = evolve(None, RULES)
    assert now is not None
    assert now.settings == RULES
    assert evolve(now, OutsideRemoved()) is None


@given(
    typed=st.text(max_size=40) | st.from_regex(r"[+0-9 ().-]{0,20}", fullmatch=True),
    region=st.sampled_from(("", "CN", "HK")),
)
def test_whatever_is_typed_nothing_is_raised(typed: str, region: str) -> None:
    outside = rules("+", "0", region="CN", national=True)
    number = meant(outside, typed, region)
    assert why_not(outside, number, 0) in ("", "withheld", "not_allowed")
    assert dialled(outside, typed) is not None

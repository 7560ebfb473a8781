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
from orchestrator.domain.routing.spelling import LONGEST, SHORTEST, callable_number, spellings, with_its_prefix

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


@pytest.mark.parametrize(
    ("region", "prefix", "meant"),
    (
        ("CN", "755", "0755"), ("CN", "7551", "07551"), ("CN", "21", "021"), ("CN", "10", "010"), ("CN", "2", "02"),
        ("CN", "1", ""), ("CN", "13", ""), ("CN", "400", ""), ("CN", "95588", ""), ("CN", "10086", ""),
        ("CN", "12345", ""), ("CN", "0755", ""), ("CN", "+86755", ""), ("CN", "00", ""), ("", "755", ""),
        ("GB", "20", "020"), ("RU", "495", "8495"), ("US", "212", ""), ("IT", "06", ""), ("SG", "6", ""),
    ),
)  # fmt: skip
def test_of_a_towns_numbers_without_their_prefix_it_is_known_how_they_are_dialled(
    region: str, prefix: str, meant: str
) -> None:
    """One that fits numbers as they are dialled, or known short codes, is what it says; one without a region, too."""
    assert with_its_prefix(prefix, region) == meant


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
    assert tried(rules("+86", "95"), "+8695588") == "withheld", "with the country's code before it it is no number"


@pytest.mark.parametrize(
    "typed",
    (
        "021110", "021 119", "0571120", "571120", "21110", "+8621110", "+86 0571 119", "+8610119", "010119",
        "02111012345", "+862112012345",
    ),
)  # fmt: skip
@pytest.mark.parametrize("where", ("CN", "HK"))
def test_no_towns_police_firemen_or_ambulance_is_called_behind_its_area_code(typed: str, where: str) -> None:
    assert tried(rules("+", "0", "1", "2", "5", "00", refused=("+8621",)), typed, where) == "withheld"


def test_emergency_behind_an_area_code_is_none_in_other_countries_either() -> None:
    german = rules("+", "0", region="DE")
    assert tried(rules("+", "00"), "008621110") == "withheld"
    for typed in ("089110", "+4930112", "+49 30 112", "+39 02 112", "+1 212 911", "+861011012345"):
        assert tried(german, typed) == "withheld", typed
    assert tried(german, "089 11223344") == "+498911223344"
    assert tried(german, "+7 495 101 2424") == "+74951012424", "in Moscow numbers begin so"
    assert tried(rules("+"), "02112345") == "+862112345", "a town's hot line, no number of emergency"


@pytest.mark.parametrize("typed", ("02112", "+862112", "+86 21 8888", "0218888"))
def test_what_is_dialled_within_a_town_alone_is_no_number(typed: str) -> None:
    assert tried(rules("+", "0"), typed) == "withheld"


@pytest.mark.parametrize(
    ("typed", "region"),
    (
        ("+1 011 371 12345678", "US"),
        ("+1 011 371 12345678", "CN"),
        ("+39 00 371 12345678", "CN"),
        ("+81 010 371 1234567", "CN"),
        ("+852 001 371 12345", "CN"),
        ("+82 001 371 12345", "CN"),
        ("+61 0011 371 1234567", "CN"),
        ("+7 8 10 371 1234567", "CN"),
        ("+86 00 371 12345678", "HK"),
    ),
)
def test_a_country_code_leads_to_no_other_country_behind_it(typed: str, region: str) -> None:
    """The far exchange would go on to a premium number, and no rule has looked at it."""
    assert tried(rules("+", region=region, refused=("+371",)), typed) == "withheld"


def test_a_prefix_without_that_of_the_country_is_how_numbers_begin_that_are_dialled_there() -> None:
    """`1` is where mobiles begin, `10` where hot lines do, and `010` is Beijing."""
    beijing, mobile = "01087654321", "13800138000"
    assert tried(rules("1"), mobile) == "+8613800138000"
    for closed, typed in (("1", beijing), ("10", beijing), ("10", "010 87654321"), ("95", "09511234567")):
        assert tried(rules(closed), typed) == "not_allowed", typed
    assert tried(rules("010"), beijing) == "+861087654321"
    assert tried(rules("+86", refused=("10",)), beijing) == "+861087654321"
    assert tried(rules("+86", refused=("1",)), beijing) == "+861087654321"
    assert tried(rules("+86", refused=("010",)), beijing) == "not_allowed"
    assert tried(rules("+86", refused=("13",)), mobile) == "not_allowed"
    assert tried(rules("400"), "4001234567") == "+864001234567"


def test_prefixes_with_and_without_the_countrys_code_are_measured_alike() -> None:
    """The longest decides, and where both are as long it is refused."""
    mobile = "13800138000"
    assert tried(rules("+8613", refused=("1",)), mobile) == "+8613800138000"
    assert tried(rules("1", refused=("+8613",)), mobile) == "not_allowed"
    assert tried(rules("138", refused=("+8613",)), mobile) == "+8613800138000"
    assert tried(rules("13", refused=("+8613",)), mobile) == "not_allowed"
    assert tried(rules("+8613", refused=("13",)), mobile) == "not_allowed"
    assert tried(rules("212", region="US", refused=("+1212",)), "2125551234") == "not_allowed"
    assert tried(rules("2", region="HK", refused=("21",)), "21234567") == "not_allowed"
    assert tried(rules("2", region="HK"), "21234567") == "+85221234567"


def test_a_number_that_no_table_knows_is_refused_by_a_prefix_that_may_be_its_and_allowed_by_none() -> None:
    unknown = "+86 600 123 4567"
    assert tried(rules("+86"), unknown) == "+866001234567"
    assert tried(rules("+86", refused=("600",)), unknown) == "not_allowed"
    assert tried(rules("6"), unknown) == "not_allowed"


@pytest.mark.parametrize("typed", ("17951110", "17900", "17951138", "12593", "12593138"))
def test_the_code_of_a_carrier_is_no_short_code(typed: str) -> None:
    """Behind it any number can be dialled."""
    assert tried(rules("1", "+86"), typed) == "withheld"
    assert tried(rules("1"), "12345") == "12345", "the town hall's hot line, which begins like one"


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

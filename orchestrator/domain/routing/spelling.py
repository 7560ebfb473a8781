"""One number, one form: however it is typed, it is compared, kept and called as what it means in a country.

That form is E.164, `+862188880000` for `021 8888 0000` in China; of a short code (`95588`), which is none, the digits
as typed. What could mean several numbers means none. The tables of numbering plans are those of phonenumbers.
"""

import re
import string
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import Final

import phonenumbers
from phonenumbers import CountryCodeSource, PhoneMetadata, PhoneNumber, ValidationResult

# Nothing shorter is called by a machine: emergency and service numbers. Nothing longer is a number (E.164, 6).
SHORTEST, LONGEST = 5, 15
# A short code has at most so many digits: longer ones are numbers, or a trunk takes them for some.
_SHORT: Final = 8
# Area codes have at most so many digits. What may follow one, so that it can be asked whether one is any.
_LONGEST_AREA: Final = 5
_FILLING: Final = "826"
_SUBSCRIBERS: Final = tuple(digit * count for digit in _FILLING for count in (8, 7, 6, 5))
# Countries whose exchanges put through to a town's police at `021 110`, whatever follows: the tables hold some of these
# numbers valid. Elsewhere a number of a town may begin like one of emergency, as in Moscow.
_WHATEVER_FOLLOWS: Final = frozenset({"CN"})
_WITH_COUNTRY: Final = (CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN, CountryCodeSource.FROM_NUMBER_WITH_IDD)

# What people write between the digits of a number.
_SIGNS: Final = str.maketrans("", "", " -./()")


def callable_number(raw: str) -> str:
    """The number with its signs of writing left out; "" for what is no number that a machine may call."""
    kept = raw.strip().translate(_SIGNS) if len(raw) <= 2 * LONGEST else ""
    digits = kept.removeprefix("+")
    plain = digits.isascii() and digits.isdigit() and SHORTEST <= len(digits) <= LONGEST
    return kept if plain else ""


def meant(raw: str, region: str) -> str:
    """The number that somebody means who types this in a region (ISO 3166); "" for none, and for emergency numbers.

    Digits without the country's code, or the country's prefix (`0`), are a number only where they are a valid one, or a
    short code: a trunk might take others for a number of another country. What is no valid number must have a length
    that one may have where it is one of the region's own country, and never goes on as a call to another country would.
    Without a region, what does not begin with + is left as typed.
    """
    typed = callable_number(raw)
    if not region and not typed.startswith("+"):
        return typed
    number = _parsed(typed, region)
    if number is None:
        return ""
    full = _e164(number)
    abroad = number.country_code_source in _WITH_COUNTRY
    if not callable_number(full) or (not abroad and _begins_abroad(typed, region)) or _is_emergency(number):
        return ""
    again = _parsed(full)
    if again is None or _e164(again) != full:
        return ""  # zeros of which each reader leaves another one out
    if phonenumbers.is_valid_number(number):
        return full
    if _goes_on_dialling(number):
        return ""
    home = _plan(region) if region else None
    prefixed = home is not None and home.national_prefix is not None and typed.startswith(home.national_prefix)
    if abroad or prefixed:
        at_home = home is not None and number.country_code == home.country_code
        return full if not at_home or _has_a_length(number) else ""
    return typed if len(typed) <= _SHORT and not _begins_with_a_carrier(typed, region) else ""


def prefix_meant(prefix: str, region: str) -> str:
    """What the beginning of a number means there: `+8621` for `021` in China, `+44` for `0044`. Without a prefix of
    country or abroad it stays as it is, the beginning of a number as it is dialled there: `13`, a mobile's.
    """
    if prefix.startswith("+") or not region:
        return prefix
    plan = _plan(region)
    abroad = re.match(plan.international_prefix, prefix) if plan.international_prefix else None
    if abroad is not None:
        return f"+{prefix[abroad.end() :]}"
    if plan.national_prefix and prefix.startswith(plan.national_prefix):
        return f"+{plan.country_code}{prefix.removeprefix(plan.national_prefix)}"
    return prefix


def has_code_without_plus(prefix: str, region: str) -> bool:
    """Whether this beginning of a number looks like one with the code of its own country, and has no +: `8690` in
    China, which begins no number there.
    """
    return prefix_meant(prefix, region) == prefix and prefix.startswith(str(_plan(region).country_code))


@lru_cache(maxsize=256)
def with_its_prefix(prefix: str, region: str) -> str:
    """For the beginning of a town's numbers without the prefix with which they are dialled, `755` in China, what was
    meant: `0755`. "" for any other, and without a region, where nothing is read.

    Looks at a few numbers that begin so of each length that the tables know: some are valid, and none is dialled so.
    Where the tables have short codes that begin so (`10086`), only what is a town's whole area code (`10`).
    """
    if not region or prefix_meant(prefix, region) != prefix or not prefix.isdigit():
        return ""
    plan, valid = _plan(region), False
    for number in _samples(prefix, plan):
        if at_home(number, region).startswith(prefix):
            return ""
        valid = True
    if not valid or not plan.national_prefix:
        return ""
    town = _is_area_code(with_country("", region), prefix)
    return f"{plan.national_prefix}{prefix}" if town or not _begins_short_codes(prefix, region) else ""


def _followed(prefix: str, most: int) -> Iterator[str]:
    """This, and it with every so many digits behind it."""
    return (prefix + "".join(more) for size in range(most + 1) for more in product(string.digits, repeat=size))


def _samples(prefix: str, plan: PhoneMetadata) -> Iterator[str]:
    """Valid numbers of this country, in E.164, that begin so behind its code."""
    begins = _followed(prefix, max(1, 3 - len(prefix)))
    lengths = plan.general_desc.possible_length if plan.general_desc is not None else ()
    for begin, length, digit in product(begins, lengths, _FILLING):
        number = _parsed(f"+{plan.country_code}{begin}{digit * (length - len(begin))}")
        if number is not None and phonenumbers.is_valid_number(number):
            yield _e164(number)


def _begins_short_codes(prefix: str, region: str) -> bool:
    """Whether the tables know a short code that begins so, up to three digits longer."""
    numbers = (_parsed(each, region) for each in _followed(prefix, 3))
    return any(each is not None and phonenumbers.is_valid_short_number_for_region(each, region) for each in numbers)


def with_country(digits: str, region: str) -> str:
    """A short code, or digits as dialled there without a prefix, with the code of their country: a trunk may know a
    short code so, too.
    """
    return f"+{_plan(region).country_code}{digits}" if region else digits


def without_country(number: str, region: str) -> str:
    """The digits behind the code of this region's country; "" where the number is of another, or has none."""
    code = with_country("", region)
    return number.removeprefix(code) if code and number.startswith(code) else ""


def at_home(number: str, region: str) -> str:
    """A number of this region's country as it is dialled there, `02188880000`; any other as it is."""
    if not number.startswith("+") or not region:
        return number
    parsed = _parsed(number)
    if parsed is None or parsed.country_code != _plan(region).country_code or not phonenumbers.is_valid_number(parsed):
        return number
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(digit for digit in written if digit.isdigit())


def spellings(number: str, region: str) -> frozenset[str]:
    """The ways in which networks and files may write one number, as far as no two numbers share one."""
    if not number.startswith("+"):
        return frozenset({number})
    return frozenset({number, number.removeprefix("+"), f"00{number.removeprefix('+')}", at_home(number, region)})


@lru_cache(maxsize=10_000)
def parted(raw: str, region: str) -> tuple[str, int]:
    """A number, valid or not, in one form however it is written, and how much of that says country and area: what
    comes behind is the subscriber's. What is neither of a known country nor valid in the region is the digits as typed,
    of which nothing is known.
    """
    typed = raw.translate(_SIGNS)
    number = _parsed(typed, region)
    digits = phonenumbers.national_significant_number(number) if number is not None else ""
    if number is None or not typed.endswith(digits):
        return typed, 0
    its = number.country_code_source != CountryCodeSource.FROM_DEFAULT_COUNTRY
    prefix = _plan(region).national_prefix if region else None
    if not its and not (prefix and typed.startswith(prefix)) and not phonenumbers.is_valid_number(number):
        return typed, 0
    country = f"+{number.country_code}"
    return country + digits, len(country) + _area_length(country, digits)


def _area_length(country: str, digits: str) -> int:
    """How many of these digits, with which a number of this country begins, stand for its area or its network."""
    for more in ("", *(digit * count for digit in "826" for count in range(1, 10))):
        number = _parsed(country + digits + more)
        if number is not None and phonenumbers.is_valid_number(number):
            size = phonenumbers.length_of_national_destination_code(number)
            if 0 < size <= len(digits):
                return int(size)
    sizes = range(min(_LONGEST_AREA, len(digits)), 0, -1)
    return next((size for size in sizes if _is_area_code(country, digits[:size])), 0)


def _parsed(text: str, region: str = "") -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region or None, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return None


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _plan(region: str) -> PhoneMetadata:
    plan = PhoneMetadata.metadata_for_region(region)
    if plan is None:
        raise ValueError(f"There is no numbering plan of {region!r}.")
    return plan


def _begins_abroad(typed: str, region: str) -> bool:
    """Whether this begins as numbers of other countries do, `00`, and so cannot be one of this."""
    pattern = _plan(region).international_prefix if region else None
    return pattern is not None and re.match(pattern, typed) is not None


def _has_a_length(number: PhoneNumber) -> bool:
    """Whether a whole number, not only what is dialled within a town, may have so many digits."""
    return bool(phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE)


def _begins_with_a_carrier(typed: str, region: str) -> bool:
    """Whether this begins with the code of a carrier, behind which any other number may follow, and is no short code
    that the tables know: `17951…` in China, not `12345`.
    """
    pattern = _plan(region).national_prefix_for_parsing
    if pattern is None or re.match(pattern, typed) is None:
        return False
    number = _parsed(typed, region)
    return number is None or not phonenumbers.is_valid_short_number_for_region(number, region)


def _goes_on_dialling(number: PhoneNumber) -> bool:
    """Whether an exchange of the number's own country, to which its digits come, would take them for more than a number
    of it: for one with its prefix left in, or for one of another country.
    """
    plan = _own_plan(number)
    if plan is None:
        return False
    digits = phonenumbers.national_significant_number(number)
    prefix = plan.national_prefix or ""
    abroad = plan.international_prefix
    return bool(
        (prefix and digits.startswith(prefix))
        or (abroad and any(re.match(abroad, each) for each in (digits, prefix + digits)))
    )


def _own_region(number: PhoneNumber) -> str:
    """The country of its code; of several that share one, the main one."""
    return str(phonenumbers.region_code_for_country_code(number.country_code or 0))


def _own_plan(number: PhoneNumber) -> PhoneMetadata | None:
    plan: PhoneMetadata | None = PhoneMetadata.metadata_for_region(_own_region(number))
    return plan


def _is_emergency(number: PhoneNumber) -> bool:
    """Whether this, however it is written, may reach the police, firemen or an ambulance, of a town as well (`021
    110`). So do longer numbers that begin like theirs, in many countries.
    """
    its, plan = _own_region(number), _own_plan(number)
    digits = phonenumbers.national_significant_number(number)
    valid = phonenumbers.is_valid_number(number)
    if not valid and phonenumbers.connects_to_emergency_number(digits, its):
        return True
    if plan is not None and plan.national_prefix and not valid:
        digits = digits.removeprefix(plan.national_prefix)
    exact = valid and its not in _WHATEVER_FOLLOWS
    reaches = phonenumbers.is_emergency_number if exact else phonenumbers.connects_to_emergency_number
    return any(
        reaches(digits[size:], its) and _is_area_code(f"+{number.country_code}", digits[:size])
        for size in range(1, min(_LONGEST_AREA + 1, len(digits)))
    )


def _is_area_code(country: str, digits: str) -> bool:
    """Whether numbers of a town begin so."""
    numbers = (_parsed(f"{country}{digits}{each}") for each in _SUBSCRIBERS)
    return any(
        number is not None and phonenumbers.length_of_geographical_area_code(number) == len(digits)
        for number in numbers
    )

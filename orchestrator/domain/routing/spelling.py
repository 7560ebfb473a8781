"""One number, one form: however it is typed, it is compared, kept and called as what it means in a country.

That form is E.164, `+862188880000` for `021 8888 0000` in China; of a short code (`95588`), which is none, the digits
as typed. What could mean several numbers means none. The tables of numbering plans are those of phonenumbers.
"""

import re
from typing import Final

import phonenumbers
from phonenumbers import CountryCodeSource, PhoneMetadata, PhoneNumber

# Nothing shorter is called by a machine: emergency and service numbers. Nothing longer is a number (E.164, 6).
SHORTEST, LONGEST = 5, 15
# A short code has at most so many digits: longer ones are numbers, or a trunk takes them for some.
_SHORT: Final = 8
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
    short code: a trunk might take others for a number of another country. Without a region, what does not begin with +
    is left as typed.
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
    prefix = _plan(region).national_prefix if region else None
    prefixed = prefix is not None and typed.startswith(prefix)
    if abroad or phonenumbers.is_valid_number(number) or (prefixed and phonenumbers.is_possible_number(number)):
        return full
    return typed if len(typed) <= _SHORT and not prefixed else ""


def prefix_meant(prefix: str, region: str) -> str:
    """What the beginning of a number means there: `+8621` for `021` in China, `+44` for `0044`."""
    if prefix.startswith("+") or not region:
        return prefix
    plan = _plan(region)
    abroad = re.match(plan.international_prefix, prefix) if plan.international_prefix else None
    if abroad is not None:
        return f"+{prefix[abroad.end() :]}"
    return f"+{plan.country_code}{prefix.removeprefix(plan.national_prefix or '')}"


def with_country(short: str, region: str) -> str:
    """A short code with the code of its country before it, as which a trunk may know it, too."""
    return f"+{_plan(region).country_code}{short}" if region else short


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


def _is_emergency(number: PhoneNumber) -> bool:
    """Whether this, however it is written, may reach the police, firemen or an ambulance: so do longer numbers that
    begin like theirs, in many countries.
    """
    if phonenumbers.is_valid_number(number):
        return False
    its = phonenumbers.region_code_for_country_code(number.country_code or 0)
    return bool(phonenumbers.connects_to_emergency_number(phonenumbers.national_significant_number(number), its))

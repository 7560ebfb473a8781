"""Where a number is from, in words: what a screen shows of a caller whom nobody knows."""

from functools import lru_cache
from typing import Final

import phonenumbers

LANGUAGES: Final = ("zh", "en")


@lru_cache(maxsize=10_000)
def region_of(number: str, language: str) -> str:
    """The region of an E.164 number in this language (`北京市`, `Beijing`); the country where its digits tell no more;
    empty where there is none.

    The first call reads the library's tables of places into memory (about 100 MB, 0.3 s); see `prepare`.
    """
    from phonenumbers import geocoder  # its tables are large: only whoever asks has them

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    return str(geocoder.description_for_number(parsed, language if language in LANGUAGES else "en"))


def prepare() -> None:
    """Read the tables now, so that the first ringing phone need not wait for them."""
    region_of("+862162798000", LANGUAGES[0])

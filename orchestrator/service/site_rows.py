"""Lists of tables in the site's file, `states = [ { id = "open", name = "Open" } ]`: read row by row, written back."""

import re
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import fields

from orchestrator.service.site_values import Field, Read, Unfit, matching, near, text

MOST_ROWS: Final = 60
# Ids of rows become names in forms, parts of addresses, and codes that are stored for ever.
ROW_ID: Final = matching(
    re.compile(r"[a-z][a-z0-9_]{0,39}"), "an id of up to 40 small letters a-z, digits and _, beginning with a letter"
)
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?")


def names(value: object) -> dict[str, str]:
    """Names in other languages."""
    if not isinstance(value, dict) or not all(_LANGUAGE.fullmatch(language) for language in value):
        raise Unfit('write names in other languages, such as { zh = "取件" }')
    return {language: text(name) for language, name in sorted(value.items())}


def rows(cls: type[Struct], keys: tuple[Field, ...], example: str, *, may_be_none: bool = False) -> Read:
    """A list of tables as a tuple of `cls`."""
    by_key = {field.key: field for field in keys}

    def read(value: object) -> tuple[Struct, ...]:
        if not isinstance(value, list) or len(value) > MOST_ROWS or not (value or may_be_none):
            raise Unfit(f"write a list of 1 to {MOST_ROWS} tables, such as [ {example} ]")
        return tuple(one(place, each) for place, each in enumerate(value, 1))

    def one(place: int, given: object) -> Struct:
        if not isinstance(given, dict):
            raise Unfit(f"entry {place}: write a table, such as {example}")
        where = next((given[field.key] for field in keys[:1] if isinstance(given.get(field.key), str)), place)
        if unknown := next((key for key in given if key not in by_key), None):
            raise Unfit(f"entry {where}: {unknown}: there is no such key; {near(unknown, by_key)}")
        found = {}
        for field in keys:
            if field.key in given:
                try:
                    found[field.attribute] = field.read(given[field.key])
                except Unfit as error:
                    raise Unfit(f"entry {where}: {field.key}: {error}") from None
            elif field.required:
                raise Unfit(f"entry {where}: {field.key} is missing")
        return cls(**found)

    return read


class Written(Struct, frozen=True):
    """The way back: tables with what is not as usual."""

    keys: tuple[Field, ...]

    def __call__(self, rows: tuple[Struct, ...]) -> list[dict[str, Any]]:
        return [
            {
                field.key: field.write(value)
                for field in self.keys
                if (value := getattr(row, field.attribute)) != _usual(type(row), field.attribute)
            }
            for row in rows
        ]


def written(keys: tuple[Field, ...]) -> Written:
    """Writes a list of tables with these keys, and says which keys they have."""
    return Written(keys)


def _usual(cls: type[Struct], attribute: str) -> object:
    info = next(info for info in fields(cls) if info.name == attribute)
    return info.default_factory() if callable(info.default_factory) else info.default

"""The site's configuration written as the file that `site_file` reads, so that what is there can be edited."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from orchestrator.domain.kernel import Event, ident_of, kind_of
from orchestrator.service.site_fields import SECTIONS, Section
from orchestrator.service.site_file import VERSION

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_HEAD: Final = """\
# Queues, entry points, agents, types of work and reasons of site {site} as they are at version {version}.
# `ringledger config plan FILE` shows what an edited copy would change, `ringledger config apply FILE` does it. The
# version says what the edit began from: should somebody else have changed something since, `apply` says so first.
{key} = {version}
"""


def write(events: Mapping[str, Event], *, site: str, version: int) -> str:
    """TOML text, which `site_file.read` reads into the same events. Sorted, so that two can be compared."""
    lines = [_HEAD.format(site=site, version=version, key=VERSION)]
    for section in SECTIONS:
        streams = sorted(stream for stream in events if kind_of(stream) == section.kind)
        lines += [f"[{section.kind}.{ident_of(name)}]\n{''.join(_keys(section, events[name]))}" for name in streams]
    return "\n".join(lines)


def table(section: Section, event: Event) -> dict[str, Any]:
    """The keys of one thing with their values as the file has them."""
    return {field.key: field.write(getattr(event, field.attribute)) for field in section.fields}


def value(found: object) -> str:
    """One value as TOML writes it. Raises TypeError for what has no place in the file."""
    match found:
        case bool():
            return "true" if found else "false"
        case int() | float():
            return repr(found)
        case str():
            # JSON's escapes are TOML's, but for DEL, which TOML wants escaped too.
            return json.dumps(found, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list():
            return f"[{', '.join(map(value, found))}]"
        case dict():
            return (
                f"{{ {', '.join(f'{_key(key)} = {value(each)}' for key, each in found.items())} }}" if found else "{}"
            )
    raise TypeError(f"{type(found).__name__} cannot be written to the site's file")


def _key(text: str) -> str:
    """A key as TOML writes it: in quotes where it is more than a word."""
    return text if _BARE.fullmatch(text) else value(text)


def lines(found: object) -> str:
    """The same, with a list of tables as a line for each."""
    if isinstance(found, list) and found and isinstance(found[0], dict):
        return "[\n" + "".join(f"    {value(each)},\n" for each in found) + "]"
    return value(found)


def _keys(section: Section, event: Event) -> Iterator[str]:
    for key, each in table(section, event).items():
        yield f"{key} = {lines(each)}\n"

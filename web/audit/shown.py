"""An event as it is stored, for the auditor's pages and for programs."""

import msgspec
from msgspec.structs import replace

from orchestrator.domain.access.tokens import TokenIssued
from orchestrator.domain.kernel import Record, UnknownEvent
from projections.reading import SEALED


def stored(record: Record) -> tuple[str, str]:
    """The event's name and its body as JSON; what is personal is masked in it."""
    if isinstance(record.event, UnknownEvent):
        name, body = record.event.name, record.event.body
    else:
        event = record.event
        if isinstance(event, TokenIssued):
            event = replace(event, hash=SEALED)  # of no use to try out, and of none to show
        name, body = type(event).__name__, msgspec.json.encode(event)
    return name, msgspec.json.format(body, indent=2).decode(errors="replace")

"""Notices as people look at them: what each is, whether callers hear it, and since whose switching."""

from typing import Final

from msgspec import Struct

from orchestrator.domain.kernel import Record, ident_of
from orchestrator.domain.routing.notices import NoticeConfigured
from orchestrator.store import Log

KIND: Final = "notice"


class Notice(Struct, frozen=True, kw_only=True):
    """One notice of the configuration. `history`: every record of it, the first first; `switched`: the one since which
    it is on or off.
    """

    notice_id: str
    settings: NoticeConfigured
    switched: Record
    history: tuple[Record, ...]

    @property
    def version(self) -> int:
        """Of its stream, for whoever switches what was seen."""
        return self.history[-1].version


def every(log: Log) -> list[Notice]:
    """The notices in the configuration, by their ids."""
    histories: dict[str, list[Record]] = {}
    for record in log.history(kinds=(KIND,)):
        histories.setdefault(ident_of(record.stream), []).append(record)
    found = (_notice(ident, history) for ident, history in sorted(histories.items()))
    return [notice for notice in found if notice is not None]


def _notice(ident: str, history: list[Record]) -> Notice | None:
    """None for one that was removed, or that a newer program described."""
    settings = history[-1].event
    if not isinstance(settings, NoticeConfigured):
        return None
    switched = history[-1]
    for record in reversed(history):
        if not isinstance(record.event, NoticeConfigured) or record.event.on != settings.on:
            break
        switched = record
    return Notice(notice_id=ident, settings=settings, switched=switched, history=tuple(history))

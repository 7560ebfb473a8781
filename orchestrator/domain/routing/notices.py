"""Notices: what every caller of some entry points hears once before the queue's music, while it is on.

Stream `notice-<id>`. Written by `config apply` and by whoever switches one on or off (a desk stream); read by the
runner. A storm, a flood, a fault that everybody calls about: switched on within a moment, with a name behind it.
"""

from orchestrator.domain.kernel import Event


class NoticeConfigured(Event, frozen=True, kw_only=True):
    """The notice is as described from now on. `on`: whether callers hear it."""

    name: str
    prompt: str
    entries: tuple[str, ...] = ()
    """Entry points whose callers hear it; empty: those of all."""
    on: bool = False


class NoticeRemoved(Event, frozen=True, kw_only=True):
    """The notice is no more."""


class Notices:
    """All notices."""

    def __init__(self) -> None:
        self._notices: dict[str, NoticeConfigured] = {}

    def configure(self, notice_id: str, event: Event) -> None:
        """Take over one notice's settings, or that it is gone."""
        self._notices.pop(notice_id, None)
        if isinstance(event, NoticeConfigured):
            self._notices[notice_id] = event

    def prompts(self, entry_id: str) -> tuple[str, ...]:
        """What a caller of this entry point hears now, in the order of the notices' ids, nothing twice."""
        heard = (
            notice.prompt
            for _, notice in sorted(self._notices.items())
            if notice.on and (not notice.entries or entry_id in notice.entries)
        )
        return tuple(dict.fromkeys(heard))

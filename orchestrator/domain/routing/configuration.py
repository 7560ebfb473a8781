"""The version of a site's configuration.

Stream `config-<site>`. Written by `config apply` in the same transaction as the events of the queues, entry points and
agents that it changed; so the stream's version is the configuration's version.
"""

from orchestrator.domain.kernel import Event, Personal


class ConfigurationApplied(Event, frozen=True, kw_only=True):
    """A plan was carried out. `digest` is the SHA-256 of the file it came from."""

    digest: str
    changed: tuple[str, ...]
    """The streams that got an event, sorted."""
    reason: Personal = ""
    """Why, in the words of whoever did it."""
    draft: str = ""
    """The draft that it was, where it was one."""

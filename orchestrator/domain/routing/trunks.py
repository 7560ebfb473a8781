"""Trunk groups: over which lines calls come, under names of our own, and how many at once.

Stream `trunk-<id>`. Written by `config apply` (a desk stream); read by the runner.
"""

from orchestrator.domain.kernel import Event


class TrunkConfigured(Event, frozen=True, kw_only=True):
    """Calls that come by one of these belong to the group from now on."""

    name: str
    peers: tuple[str, ...]
    """Gateways, SIP profiles or addresses, as the switch reports them."""
    most_calls: int = 0
    """So many callers of the group are served or wait at once; 0: as many as come."""


class TrunkRemoved(Event, frozen=True, kw_only=True):
    """The group is no more; its calls come by no group."""


class Trunks:
    """All groups. An address says more than a gateway or profile, and is asked first."""

    def __init__(self) -> None:
        self.groups: dict[str, TrunkConfigured] = {}
        self._group_of: dict[str, str] = {}

    def configure(self, trunk_id: str, event: Event) -> None:
        """Take over one group's settings, or that it is gone."""
        self.groups.pop(trunk_id, None)
        if isinstance(event, TrunkConfigured):
            self.groups[trunk_id] = event
        self._group_of = {
            peer: ident for ident in sorted(self.groups, reverse=True) for peer in self.groups[ident].peers
        }

    def group_of(self, host: str, trunk: str) -> str:
        """The group of a call that came from this address, by this gateway or profile; empty where none has it."""
        return self._group_of.get(host) or self._group_of.get(trunk) or ""

    def most_calls(self, trunk_id: str) -> int:
        """How many calls of this group are taken at once; 0: any number."""
        group = self.groups.get(trunk_id)
        return group.most_calls if group is not None else 0

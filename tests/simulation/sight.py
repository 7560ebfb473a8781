"""What the rules look at in a switch."""

from collections.abc import Mapping
from typing import Protocol


class AnySwitch(Protocol):
    """What the rules look at in a switch."""

    def lives(self, leg: str) -> bool:
        """Whether this leg lives."""

    def channels(self) -> list[str]:
        """Every leg that it still has."""

    def talks_with(self, leg: str) -> str:
        """The leg that this one hears; empty where it hears none."""

    def heard_as(self, leg: str) -> str:
        """How this leg is heard in the talk that it hears; empty where it hears none."""

    def drowned_since(self, leg: str) -> int:
        """Since when the mute of the agent silences this leg, too; 0 where it does not."""

    def silent_since(self, leg: str) -> int:
        """Since when this leg hears nothing; 0 while it hears something, or is not there."""

    def parked_since(self, leg: str) -> int:
        """Since when this leg is parked and hears nothing; 0 where it does not."""

    def music_over_talk_since(self, leg: str) -> int:
        """Since when this leg hears music while its agent talks to it; 0 where it does not."""

    def numbers_heard(self, leg: str) -> list[tuple[str, bool]]:
        """The employee numbers that this leg heard: the agent's leg, and whether a recording had begun before."""

    def taped(self, leg: str) -> Mapping[str, bool]:
        """The files into which this leg is recorded, and whether silence is written."""

    def room(self, leg: str) -> str:
        """The conference room in which this leg is; empty where it is in none."""

    def enters_room(self, leg: str) -> bool:
        """Whether this leg was sent into a room a moment ago, and is not there yet."""

    def is_muted(self, leg: str) -> bool:
        """Whether nobody hears this leg."""

    def place_over_talk_since(self, leg: str) -> int:
        """Since when this leg hears of its place in the queue instead of its agent; 0 where it does not."""

    def how_far(self, leg: str) -> str:
        """How far the ring of this leg came: never made, made, rang, answered, unreachable."""

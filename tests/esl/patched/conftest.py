"""What the tests of the link and the performer share."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import gevent
import pytest

from orchestrator.domain.kernel import Instant
from orchestrator.domain.switch.facts import Fact
from orchestrator.esl.events import SwitchEvent
from orchestrator.esl.node import Link
from orchestrator.esl.translate import translate
from tests.esl.peers import Peer
from tests.lab import patience

F = TypeVar("F", bound=Fact)
T = TypeVar("T")


def now() -> Instant:
    return Instant(time.time_ns() // 1000)


def until(look: Callable[[], T | None], what: str, *, within_s: float = 30.0) -> T:
    """The first answer of `look` that is true; AssertionError naming `what` after `within_s`."""
    return patience.until(lambda: look() or None, what, within_s=within_s)


class Ear:
    """Everything that a link delivered, in order: `heard` as it came, `facts` with the events translated."""

    def __init__(self) -> None:
        self.heard: list[SwitchEvent | Fact] = []
        self.facts: list[Fact] = []
        self.links: list[Link] = []

    def __call__(self, item: SwitchEvent | Fact, _: Instant) -> None:
        self.heard.append(item)
        self.facts += translate("fs1", item) if isinstance(item, SwitchEvent) else (item,)

    def link(self, peer: Peer, *, ledger: str = "") -> Link:
        link = Link(peer.switch, self, clock=now, ledger=ledger)
        self.links.append(link)
        link.start()
        return link

    def all(self, kind: type[F]) -> list[F]:
        return [item for item in self.facts if isinstance(item, kind)]

    def await_fact(self, kind: type[F], count: int = 1, fits: Callable[[F], bool] = lambda _: True) -> F:
        """The fact of this kind with this ordinal (1 the first) for which `fits` is true."""

        def look() -> F | None:
            found = [item for item in self.all(kind) if fits(item)]
            return found[count - 1] if len(found) >= count else None

        return until(look, f"{kind.__name__} number {count}; heard {self.heard[-10:]}")

    def events(self) -> list[str]:
        return [item.name for item in self.heard if isinstance(item, SwitchEvent)]


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as peer:
        yield peer


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    for link in ear.links:
        link.stop()
    gevent.sleep(0)

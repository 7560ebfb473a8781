"""Questions go over a connection of their own, and are put only to the switch that is known to be there.

A switch that was restarted knows no leg of ours. Asked before anybody has heard of the restart it would say that a
caller is gone, who would count as having given up, and not as lost with the switch.
"""

from socket import SHUT_WR

import pytest

from orchestrator.domain.switch import facts as f
from orchestrator.esl import node
from orchestrator.esl.node import Link
from orchestrator.esl.replies import NoReply, Outcome, Reply
from tests.esl.patched.conftest import Ear, until
from tests.esl.peers import Peer

OTHER_CORE = "33333333-3333-4333-8333-333333333333"
QUESTION = "api uuid_exists 22222222-2222-4222-8222-222222222222"


def asked(link: Link) -> Outcome:
    outcomes: list[Outcome] = []
    link.ask(QUESTION, outcomes.append)
    return until(lambda: outcomes, "an outcome")[0]


def test_nothing_is_asked_while_the_link_is_down_though_the_switch_could_be_reached(
    peer: Peer, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feature 12.4: between the attempts of a link lie seconds, in which the switch may be back."""
    monkeypatch.setattr(node, "_FIRST_WAIT_S", 600.0)
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)
    assert asked(link) == Reply("false")
    peer.commands.clear()
    peer.hang_up()
    ear.await_fact(f.LinkDown)
    peer.core = OTHER_CORE
    assert asked(link) == NoReply("link_down")
    assert not peer.seen("api uuid_exists")


def test_nothing_is_asked_of_a_switch_that_was_restarted_before_that_is_known(peer: Peer, ear: Ear) -> None:
    """Feature 12.4: the second connection is made anew while the first has not noticed anything yet."""
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)
    _, second = peer.callers
    peer.core = OTHER_CORE
    second.sock.shutdown(SHUT_WR)
    until(lambda: second.gone, "the second connection to be closed")
    peer.commands.clear()
    assert asked(link) == NoReply("link_down")
    assert not peer.seen("api uuid_exists")
    peer.hang_up()
    assert ear.await_fact(f.LinkUp, 2).core == OTHER_CORE
    assert asked(link) == Reply("false")

"""A link that is about to serve has looked before, and needs only what has moved since (feature 12.1)."""

import json
from collections.abc import Callable

import pytest

from orchestrator.domain.switch import facts as f
from orchestrator.esl import node
from orchestrator.esl.node import Link
from orchestrator.esl.replies import NoReply, Outcome, Reply
from tests.esl.patched.conftest import Ear, now, until
from tests.esl.peers import Caller, Peer, answer, event

WAITS, LEAVES, COMES, BRIDGED = (f"{digit * 8}-2222-4222-8222-222222222222" for digit in "2345")
PARKED = {"Channel-State": "CS_EXECUTE", "Call-Direction": "inbound", "variable_current_application": "park"}
TALKS = {"Channel-State": "CS_EXCHANGE_MEDIA", "Call-Direction": "inbound", "variable_bridge_uuid": COMES}


@pytest.fixture
def ahead(peer: Peer, ear: Ear) -> Callable[[], Link]:
    def make() -> Link:
        link = Link(peer.switch, ear, clock=now, ledger="ours")
        ear.links.append(link)
        link.stand_by()
        until(lambda: link.reached, "it to be let in")
        link.prepare()
        until(lambda: link.prepared, "it to have looked ahead")
        return link

    return make


def dumps(peer: Peer) -> list[str]:
    return [command.split()[2] for command in peer.seen("api uuid_dump")]


def test_a_link_that_looked_ahead_asks_only_for_what_has_moved(peer: Peer, ear: Ear, ahead: Callable[[], Link]) -> None:
    peer.channels = {WAITS: PARKED, LEAVES: PARKED, BRIDGED: PARKED}
    link = ahead()
    assert sorted(dumps(peer)) == [WAITS, LEAVES, BRIDGED]
    assert (link.up, ear.heard, peer.ledger) == (False, [], ""), "it has told nothing, and ordered nothing"
    peer.commands.clear()
    del peer.channels[LEAVES]
    peer.channels |= {COMES: {**PARKED, "Call-Direction": "outbound"}, BRIDGED: TALKS}
    peer.say(event("CHANNEL_HANGUP_COMPLETE", Unique_ID=LEAVES) + event("CHANNEL_CREATE", Unique_ID=COMES))
    peer.say(event("CHANNEL_BRIDGE", Bridge_A_Unique_ID=BRIDGED, Bridge_B_Unique_ID=COMES))
    until(lambda: BRIDGED in dumps(peer), "what moved to be looked at while somebody else decides")
    assert ear.heard == [], "what it hears meanwhile, whoever decides hears, too"
    link.serve()
    snapshot = ear.await_fact(f.Snapshot)
    assert {leg.leg: leg.bridged_to for leg in snapshot.legs} == {WAITS: "", BRIDGED: COMES, COMES: ""}
    assert not peer.seen("api show channels")
    assert WAITS not in dumps(peer)
    assert peer.ledger == "ours"
    assert isinstance(ear.heard[0], f.LinkUp)
    peer.say(event("CHANNEL_ANSWER", Unique_ID=WAITS))
    until(lambda: ear.events() == ["CHANNEL_ANSWER"], "from now on it hears for itself")


def test_whoever_decides_asks_nothing_over_a_link_that_only_looks_ahead(
    peer: Peer, ear: Ear, ahead: Callable[[], Link]
) -> None:
    """Feature 12.4: it may look at a switch of whose restart the log does not know yet. That a leg is not there would
    be told before LinkUp says so, and its caller would count as having given up.
    """
    link = ahead()
    outcomes: list[Outcome] = []
    link.ask(f"api uuid_exists {WAITS}", outcomes.append)
    until(lambda: outcomes, "an outcome")
    assert outcomes == [NoReply("link_down")]
    assert not peer.seen("api uuid_exists")
    link.serve()
    ear.await_fact(f.LinkUp)
    link.ask(f"api uuid_exists {WAITS}", outcomes.append)
    until(lambda: outcomes[1:], "an answer")
    assert isinstance(outcomes[1], Reply)


def test_who_is_missing_in_a_list_that_lags_is_found_before_it_counts_as_seen(
    peer: Peer, ear: Ear, ahead: Callable[[], Link]
) -> None:
    """A row of one who left hides that one who came is missing; nobody looks once more after the lease is given."""
    lists = 0

    def lagging(_: Caller, __: str) -> bytes:
        nonlocal lists
        lists += 1
        rows = [{"uuid": WAITS}, {"uuid": LEAVES if lists == 1 else COMES}]
        return answer(json.dumps({"row_count": len(rows), "rows": rows}))

    peer.channels = {WAITS: PARKED, COMES: PARKED}
    peer.answers["api show channels"] = lagging
    ahead().serve()
    assert {leg.leg for leg in ear.await_fact(f.Snapshot).legs} == {WAITS, COMES}


def test_what_moved_in_the_last_moment_is_in_the_first_snapshot(
    peer: Peer, ear: Ear, ahead: Callable[[], Link]
) -> None:
    """Nobody may have decided on it: the one that gave the lease away did not, and the one that took it had not yet."""
    peer.channels = {WAITS: PARKED, LEAVES: PARKED}
    link = ahead()
    held: list[tuple[Caller, str]] = []

    def later(caller: Caller, command: str) -> bytes:
        held.append((caller, command.split()[2]))
        return b""

    peer.answers["api uuid_dump"] = later
    peer.say(event("CHANNEL_ANSWER", Unique_ID=WAITS) + event("CHANNEL_HANGUP_COMPLETE", Unique_ID=LEAVES))
    until(lambda: len(held) == 2, "it to look again, and to get no answer yet")
    link.serve()
    until(lambda: len(held) == 4, "the same to be looked at once more")
    for caller, leg in held[:2]:
        caller.say(answer(json.dumps({"Event-Name": "CHANNEL_DATA", "Unique-ID": leg, **PARKED})))
    for caller, leg in held[2:]:
        now_so = {WAITS: json.dumps({"Event-Name": "CHANNEL_DATA", "Unique-ID": leg, **TALKS})}
        caller.say(answer(now_so.get(leg, "-ERR No such channel!\n")))
    snapshot = ear.await_fact(f.Snapshot)
    assert [(leg.leg, leg.bridged_to) for leg in snapshot.legs] == [(WAITS, COMES)]


def test_the_next_snapshot_looks_at_everything(peer: Peer, ear: Ear, ahead: Callable[[], Link]) -> None:
    peer.channels = {WAITS: PARKED}
    link = ahead()
    link.serve()
    ear.await_fact(f.Snapshot)
    peer.channels[COMES] = PARKED
    link.take_snapshot()
    assert {leg.leg for leg in ear.await_fact(f.Snapshot, 2).legs} == {WAITS, COMES}


def test_a_link_that_looked_ahead_for_nothing_only_stands_by_again(
    peer: Peer, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "_AHEAD_S", 0.05)
    peer.channels = {WAITS: PARKED}
    link = Link(peer.switch, ear, clock=now, ledger="ours")
    ear.links.append(link)
    link.stand_by()
    until(lambda: link.reached, "it to be let in")
    link.prepare()
    until(lambda: peer.seen("event"), "it to look ahead")
    until(lambda: len(peer.seen("auth")) == 3, "it to be let in anew: its questions have a connection of their own")
    until(lambda: link.reached, "it to stand by again")
    assert ear.heard == []
    until(lambda: not any(each.subscribed and not each.gone for each in peer.callers), "nobody to be told anything")
    peer.channels[COMES] = PARKED
    link.serve()
    assert {leg.leg for leg in ear.await_fact(f.Snapshot).legs} == {WAITS, COMES}


def test_a_link_that_is_lost_after_it_looked_ahead_looks_at_everything_once_it_serves(
    peer: Peer, ear: Ear, ahead: Callable[[], Link]
) -> None:
    peer.channels = {WAITS: PARKED}
    link = ahead()
    peer.hang_up()
    until(lambda: not link.reached, "it to notice")
    peer.channels = {COMES: PARKED}
    link.serve()
    assert [leg.leg for leg in ear.await_fact(f.Snapshot).legs] == [COMES]

"""The link lives through everything that a switch and a network do to it (complaints 15, 16, 17)."""

import gc
import json
import time
from collections.abc import Iterator

import gevent
import pytest

from orchestrator.domain.kernel import Instant
from orchestrator.domain.switch import facts as f
from orchestrator.esl import link as link_module
from orchestrator.esl import node, outbox, ownership, replies
from orchestrator.esl.frames import Frame, FrameReader
from orchestrator.esl.node import BEHIND_MS, Link
from orchestrator.esl.replies import NoReply, Outcome, Reply
from orchestrator.esl.survey import SETTLED_LOOKS
from tests.esl.patched.conftest import Ear, now, until
from tests.esl.peers import CORE, PASSWORD, Caller, Peer, answer, event, job_end, plain_frame, reply

LEG = "22222222-2222-4222-8222-222222222222"
PARKED = {"Channel-State": "CS_EXECUTE", "Call-Direction": "inbound", "variable_current_application": "park"}


def acknowledged(link: Link) -> None:
    """Everything sent before has been answered: replies come in order."""
    outcomes: list[Outcome] = []
    link.command("api barrier", outcomes.append)
    until(lambda: outcomes, "the reply to a later command")


def test_a_link_comes_up_with_a_snapshot_and_then_brings_events_in_order(peer: Peer, ear: Ear) -> None:
    peer.channels = {LEG: {**PARKED, "Answer-State": "answered", "variable_ringledger_contact": "c-1"}}
    link = ear.link(peer)
    snapshot = ear.await_fact(f.Snapshot)
    assert link.up
    assert ear.heard[0] == f.LinkUp(node="fs1", core=CORE)
    assert snapshot.legs == (f.SeenLeg(leg=LEG, inbound=True, answered=True, parked=True, contact="c-1"),)
    peer.say(b"".join(event("HEARTBEAT", Session_Count=str(n)) for n in range(100)))
    until(lambda: len(ear.events()) == 100, "a hundred events")
    assert [item.sessions for item in ear.heard if hasattr(item, "sessions")] == [str(n) for n in range(100)]


def test_only_named_events_are_asked_for_as_json_and_before_the_snapshot(peer: Peer, ear: Ear) -> None:
    ear.link(peer)
    ear.await_fact(f.Snapshot)
    (subscription,) = peer.seen("event")
    assert subscription.startswith("event json CHANNEL_CREATE CHANNEL_PARK ")
    _, custom = subscription.split(" CUSTOM ")
    assert custom.split() == [
        "sofia::register",
        "sofia::unregister",
        "sofia::expire",
        "conference::maintenance",
        "ringledger::unattended",
    ]
    assert " ALL" not in subscription
    assert " DTMF" not in subscription
    assert peer.commands.index(subscription) < peer.commands.index("api show channels as json")


def test_an_event_that_comes_with_the_very_subscription_is_heard_after_link_up(peer: Peer, ear: Ear) -> None:
    def eager(caller: Caller, _: str) -> bytes:
        caller.subscribed = True
        return event("CHANNEL_PARK", Unique_ID=LEG) + reply("+OK") + event("CHANNEL_ANSWER", Unique_ID=LEG)

    peer.answers["event"] = eager
    ear.link(peer)
    until(lambda: len(ear.events()) == 2, "both events")
    assert isinstance(ear.heard[0], f.LinkUp)
    assert ear.events() == ["CHANNEL_PARK", "CHANNEL_ANSWER"]


def test_a_wrong_password_is_said_once_names_the_setting_and_heals_when_it_is_corrected(peer: Peer, ear: Ear) -> None:
    peer.password = "another one"
    ear.link(peer)
    down = ear.await_fact(f.LinkDown)
    assert "RINGLEDGER_SWITCHES" in down.why
    assert "'fs1'" in down.why
    assert PASSWORD not in down.why
    until(lambda: len(peer.seen("auth")) >= 3, "more attempts")
    peer.password = PASSWORD
    ear.await_fact(f.LinkUp)
    assert len(ear.all(f.LinkDown)) == 1
    assert "event" not in " ".join(peer.seen("auth"))


def test_a_switch_that_is_absent_at_start_is_waited_for(ear: Ear) -> None:
    with Peer() as first:
        port = first.port
    absent = Peer(port=port)
    absent_link = Link(first.switch, ear, clock=now)
    ear.links.append(absent_link)
    absent_link.start()
    down = ear.await_fact(f.LinkDown)
    assert "cannot be reached" in down.why
    assert "is FreeSWITCH running there" in down.why
    assert str(port) in down.why
    with absent:
        ear.await_fact(f.LinkUp)
    assert len(ear.all(f.LinkDown)) <= 2


def test_a_switch_whose_acl_refuses_us_says_so(peer: Peer, ear: Ear) -> None:
    peer.greeting = plain_frame({"Content-Type": "text/rude-rejection"}, b"Access Denied, go away.\n")
    peer.answers["auth"] = lambda caller, _: caller.sock.close() or b""
    with pytest.raises(link_module.LinkError, match=r"Access Denied.*apply-inbound-acl"):
        _connect_and_be_hung_up(peer)


def _connect_and_be_hung_up(peer: Peer) -> None:
    connection = link_module.EventSocket(peer.switch, clock=now, on_event=lambda *_: None, on_lost=lambda _: None)
    gevent.spawn_later(0.05, peer.hang_up)
    connection.connect()


def test_a_peer_that_never_asks_for_the_password_is_given_up_within_the_deadline(
    peer: Peer, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "CONNECT_S", 0.2)
    peer.greeting = b""
    ear.link(peer)
    assert "did not let us in within 0.2 s" in ear.await_fact(f.LinkDown).why
    peer.greeting = b"Content-Type: auth/request\n\n"
    ear.await_fact(f.LinkUp)


def test_what_is_asked_of_a_link_that_dies_fails_at_once_and_the_link_comes_back(peer: Peer, ear: Ear) -> None:
    peer.silent = ("api uuid_setvar",)
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)
    outcomes: list[Outcome] = []
    for _ in range(3):
        link.command("api uuid_setvar a b c", outcomes.append, deadline_ms=60_000)
    until(lambda: len(peer.seen("api uuid_setvar")) == 3, "the commands to arrive")
    peer.hang_up()
    until(lambda: len(outcomes) == 3, "the outcomes")
    assert outcomes == [NoReply("link_down")] * 3
    assert ear.await_fact(f.LinkDown).why == "it closed the connection"
    ear.await_fact(f.Snapshot, 2)
    assert link.up


def test_a_stream_that_ends_inside_a_body_is_a_lost_link_and_not_a_spin(peer: Peer, ear: Ear) -> None:
    ear.link(peer)
    ear.await_fact(f.Snapshot)
    peer.say(event("CHANNEL_PARK", Unique_ID=LEG)[:-10])
    peer.hang_up()
    assert "a body of" in ear.await_fact(f.LinkDown).why
    assert ear.events() == []
    ear.await_fact(f.LinkUp, 2)


def test_a_frame_of_a_hundred_megabytes_is_refused_by_its_header_and_the_link_made_anew(peer: Peer, ear: Ear) -> None:
    ear.link(peer)
    ear.await_fact(f.Snapshot)
    peer.say(b"Content-Length: 104857600\nContent-Type: text/event-json\n\n{")
    assert "a frame of 104857600 bytes" in ear.await_fact(f.LinkDown).why
    ear.await_fact(f.Snapshot, 2)


def test_a_connection_that_is_lost_with_the_answer_to_its_subscription_is_never_up(peer: Peer, ear: Ear) -> None:
    def last(caller: Caller, _: str) -> bytes:
        peer.answers.clear()
        headers = {"Content-Type": "text/event-json", "Content-Length": "100000000"}
        return reply("+OK event listener enabled json") + plain_frame(headers)

    peer.answers["event json"] = last
    ear.link(peer)
    ear.await_fact(f.Snapshot)
    assert len(peer.seen("event json")) == 2, "nothing was said to be there before there were news of it"
    assert "bytes" in ear.await_fact(f.LinkDown).why
    assert len(ear.all(f.LinkUp)) == 1


def test_the_goodbye_of_a_switch_is_the_reason_that_is_told(peer: Peer, ear: Ear) -> None:
    ear.link(peer)
    ear.await_fact(f.Snapshot)
    peer.say(plain_frame({"Content-Type": "text/disconnect-notice"}, b"The system is being shut down.\n"))
    peer.hang_up()
    assert ear.await_fact(f.LinkDown).why == "it said: The system is being shut down."


def test_a_command_that_gets_no_answer_ends_at_its_deadline_and_later_ones_keep_their_replies(
    peer: Peer, ear: Ear
) -> None:
    """Replies come in order only: the place of the unanswered command must stay taken (complaint 17)."""
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)
    held: list[Caller] = []

    def late(caller: Caller, _: str) -> bytes:
        held.append(caller)
        return b""

    peer.answers["api slow"] = late
    outcomes: dict[str, Outcome] = {}
    link.command("api slow", lambda outcome: outcomes.__setitem__("slow", outcome), deadline_ms=100)
    until(lambda: "slow" in outcomes, "the deadline")
    assert outcomes["slow"] == NoReply("timeout")
    link.command("api quick", lambda outcome: outcomes.__setitem__("quick", outcome))
    held[0].say(answer("the slow answer"))
    until(lambda: "quick" in outcomes, "the second reply")
    # The peer has said "+OK" to the quick one before its slow answer came: in order, the first reply is the slow one's.
    assert outcomes["slow"] == NoReply("timeout")
    assert isinstance(outcomes["quick"], Reply)


def test_a_switch_that_answers_nothing_any_more_is_left_and_tried_again(
    peer: Peer, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "STUCK_MS", 300)
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)
    peer.silent = ("api uuid_setvar",)
    outcomes: list[Outcome] = []
    link.command("api uuid_setvar a b c", outcomes.append, deadline_ms=100)
    assert "has not answered a command" in ear.await_fact(f.LinkDown).why
    assert outcomes == [NoReply("timeout")]
    ear.await_fact(f.LinkUp, 2)


def test_a_switch_is_taken_by_the_first_ledger_and_refused_to_the_next(
    peer: Peer, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next does not take it the moment that it is started anew either; once nobody wants it, it does."""
    ear.link(peer, ledger="ours")
    ear.await_fact(f.Snapshot)
    assert peer.ledger == "ours"
    theirs = Ear()
    link = theirs.link(peer, ledger="theirs")
    try:
        assert "serves another ledger" in theirs.await_fact(f.LinkDown).why
        peer.ledger = ""
        asked = len(peer.seen("api global_getvar ringledger_ledger"))
        until(lambda: len(peer.seen("api global_getvar ringledger_ledger")) > asked + 1, "it to look again, and again")
        assert not link.up
        assert peer.ledger == ""
        monkeypatch.setattr(ownership, "YIELDS_S", 0.0)
        theirs.await_fact(f.LinkUp)
        assert peer.ledger == "theirs"
    finally:
        link.stop()


def test_a_link_that_stands_by_is_let_in_and_tells_nothing_until_it_serves(peer: Peer, ear: Ear) -> None:
    """Feature 12.1: it asks, and orders nothing; when it is wanted it needs not connect any more."""
    link = Link(peer.switch, ear, clock=now, ledger="ours")
    ear.links.append(link)
    link.stand_by()
    until(lambda: link.reached, "it to be let in")
    assert not link.up
    assert not peer.seen("event")
    assert peer.ledger == ""
    callers = len(peer.callers)
    link.serve()
    ear.await_fact(f.Snapshot)
    until(lambda: link.up, "it to be up")
    assert peer.ledger == "ours"
    assert len(peer.callers) == callers
    peer.hang_up()
    ear.await_fact(f.LinkDown)
    ear.await_fact(f.LinkUp, 2)


def test_a_link_that_stands_by_and_loses_its_switch_finds_it_again_and_says_nothing(peer: Peer, ear: Ear) -> None:
    link = Link(peer.switch, ear, clock=now)
    ear.links.append(link)
    link.stand_by()
    until(lambda: link.reached, "it to be let in")
    peer.hang_up()
    until(lambda: not link.reached, "it to notice")
    until(lambda: link.reached, "it to be let in again")
    assert not ear.heard


def test_an_engine_that_becomes_active_does_not_wait_out_the_pause_of_whoever_stood_by(
    peer: Peer, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feature 12.1: the switch was away and is back, and between the attempts of a standby lie seconds."""
    monkeypatch.setattr(node, "_FIRST_WAIT_S", 600.0)
    peer.password = "another"
    link = Link(peer.switch, ear, clock=now)
    ear.links.append(link)
    link.stand_by()
    until(lambda: peer.seen("auth"), "a first attempt")
    until(lambda: all(caller.gone for caller in peer.callers), "it to be over")
    peer.password = PASSWORD
    link.serve()
    ear.await_fact(f.Snapshot)


def test_what_is_behind_news_whose_delivery_was_cut_off_is_delivered_by_somebody_else(peer: Peer, ear: Ear) -> None:
    """A connection that ends takes its reader with it, wherever that is: what it had read already is not lost."""
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)

    def cut_off(item: object, at: Instant) -> None:
        link._deliver = ear
        raise gevent.GreenletExit

    link._deliver = cut_off
    peer.say(b"".join(event("HEARTBEAT", Session_Count=str(n)) for n in range(3)))
    until(lambda: len(ear.events()) == 2, "the two behind it")


def test_a_silent_switch_is_asked_whether_it_lives(peer: Peer, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "SILENCE_S", 0.2)
    monkeypatch.setattr(link_module, "STUCK_MS", 300)
    ear.link(peer)
    ear.await_fact(f.Snapshot)
    peer.commands.clear()
    until(lambda: len(peer.seen("api global_getvar core_uuid")) >= 2, "two questions")
    assert ear.all(f.LinkDown) == []
    peer.silent = ("api global_getvar",)
    ear.await_fact(f.LinkDown)


def test_a_peer_that_stops_reading_blocks_nobody_and_is_left(
    peer: Peer, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "STUCK_S", 0.5)
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)
    peer.reads = False
    outcomes: list[Outcome] = []
    ticks = 0
    while not ear.all(f.LinkDown) and ticks < 20_000:
        ticks += 1
        link.command("api uuid_setvar " + "x" * 50_000, outcomes.append, deadline_ms=60_000)
        gevent.sleep(0)
    assert "read nothing" in ear.await_fact(f.LinkDown).why
    peer.reads = True
    until(lambda: len(outcomes) == ticks, "an outcome for each command")
    assert set(outcomes) <= {NoReply("link_down")}
    ear.await_fact(f.LinkUp, 2)


def test_what_had_to_wait_is_asked_again_before_it_is_written(peer: Peer, ear: Ear) -> None:
    """The lease may be lost while bytes wait for a peer that does not read."""
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)
    peer.reads = False
    outcomes: dict[str, Outcome] = {}
    allowed = True
    for _ in range(400):
        link.command("api filler " + "x" * 50_000, lambda _: None, deadline_ms=60_000)
    link.command("api late", lambda outcome: outcomes.__setitem__("late", outcome), still=lambda: allowed)
    link.command("api after", lambda outcome: outcomes.__setitem__("after", outcome), deadline_ms=60_000)
    allowed = False
    peer.reads = True
    until(lambda: len(outcomes) == 2, "both outcomes")
    assert outcomes["late"] == NoReply("not_sent")
    assert outcomes["after"] == Reply("+OK\n")
    assert peer.seen("api late") == []


def test_a_quiet_switch_is_poked_and_no_poke_ever_lands_inside_a_command(peer: Peer, ear: Ear) -> None:
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)
    before = peer.pokes
    until(lambda: peer.pokes >= before + 50, "fifty pokes")
    big = "api filler " + "x" * 3_000_000
    outcomes: list[Outcome] = []
    link.command(big, outcomes.append, deadline_ms=30_000)
    until(lambda: outcomes, "its reply")
    assert peer.seen("api filler") == [big]


def test_a_busy_switch_is_read_now_and_then_and_all_that_it_said_at_once(peer: Peer, ear: Ear) -> None:
    ear.link(peer)
    ear.await_fact(f.Snapshot)
    reads: list[float] = []
    feed = FrameReader.feed

    def counted(reader: FrameReader, data: bytes) -> Iterator[Frame]:
        reads.append(time.monotonic())
        return feed(reader, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FrameReader, "feed", counted)
        begun = time.monotonic()
        for number in range(500):
            peer.say(event("HEARTBEAT", Session_Count=str(number)))
            gevent.sleep(0)
        until(lambda: len(ear.events()) == 500, "all events")
        took_s = time.monotonic() - begun
    assert [item.sessions for item in ear.heard if hasattr(item, "sessions")] == [str(n) for n in range(500)]
    assert len(reads) <= 1.5 * took_s / link_module.TOGETHER_S + 3


def test_a_job_that_ends_while_the_link_was_away_is_heard_when_it_is_back(peer: Peer, ear: Ear) -> None:
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)
    outcomes: list[Outcome] = []
    link.job("j-1", "originate x", outcomes.append, deadline_ms=30_000)
    until(lambda: peer.seen("bgapi"), "the job to be started")
    assert peer.seen("bgapi") == ["bgapi originate x\nJob-UUID: j-1"]
    acknowledged(link)
    peer.hang_up()
    ear.await_fact(f.Snapshot, 2)
    assert outcomes == []
    peer.say(job_end("j-1", "-ERR USER_BUSY\n"))
    until(lambda: outcomes, "the outcome")
    assert outcomes == [Reply("-ERR USER_BUSY\n")]
    assert Reply("-ERR USER_BUSY\n").answer == "USER_BUSY"


def test_a_job_of_a_switch_that_was_restarted_is_over(peer: Peer, ear: Ear) -> None:
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)
    outcomes: list[Outcome] = []
    link.job("j-1", "originate x", outcomes.append, deadline_ms=30_000)
    until(lambda: peer.seen("bgapi"), "the job to be started")
    acknowledged(link)
    peer.core = "another-core"
    peer.hang_up()
    until(lambda: outcomes, "the outcome")
    assert outcomes == [NoReply("link_down")]
    assert ear.await_fact(f.LinkUp, 2).core == "another-core"


def test_a_job_that_never_ends_is_over_at_its_deadline(peer: Peer, ear: Ear) -> None:
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)
    outcomes: list[Outcome] = []
    link.job("j-1", "originate x", outcomes.append, deadline_ms=100)
    until(lambda: outcomes, "the deadline")
    assert outcomes == [NoReply("timeout")]
    peer.say(job_end("j-1", "+OK late\n"))
    until(lambda: "BACKGROUND_JOB" in ear.events(), "the late event")
    assert outcomes == [NoReply("timeout")]


def test_a_fault_of_whoever_listens_is_contained(peer: Peer) -> None:
    heard: list[object] = []

    def faulty(item: object, _: object) -> None:
        heard.append(item)
        raise RuntimeError("a bug of the listener")

    link = Link(peer.switch, faulty, clock=now)
    link.start()
    until(lambda: len(heard) >= 2, "link up and snapshot")
    peer.say(event("HEARTBEAT"))
    until(lambda: len(heard) >= 3, "the heartbeat")
    assert link.faults == 3
    assert link.up
    link.stop()


def test_when_we_fall_too_far_behind_we_start_afresh_from_a_snapshot(
    peer: Peer, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "MOST_WAITING", 100)
    hold = gevent.event.Event()
    heard: list[object] = []

    def slow(item: object, at: object) -> None:
        heard.append(item)
        if isinstance(item, f.Snapshot):
            hold.wait()

    link = Link(peer.switch, slow, clock=now)
    ear.links.append(link)
    link.start()
    until(lambda: heard and isinstance(heard[-1], f.Snapshot), "the snapshot")
    peer.say(b"".join(event("HEARTBEAT") for _ in range(500)))
    until(lambda: not link.up, "the link to be given up")
    assert link.backlog <= 101
    hold.set()
    until(lambda: sum(isinstance(item, f.Snapshot) for item in heard) == 2, "the second snapshot")
    (down,) = (item for item in heard if isinstance(item, f.LinkDown))
    assert "fell 100 events behind" in down.why


def test_a_slow_question_holds_up_neither_events_nor_commands(peer: Peer, ear: Ear) -> None:
    peer.silent = ("api show channels",)
    link = ear.link(peer)
    ear.await_fact(f.LinkUp)
    until(lambda: peer.seen("api show channels"), "the question")
    peer.say(event("CHANNEL_PARK", Unique_ID=LEG))
    outcomes: list[Outcome] = []
    link.command("api uuid_setvar a b c", outcomes.append)
    until(lambda: outcomes and ear.events(), "the reply and the event")
    assert ear.all(f.Snapshot) == []


def test_a_snapshot_that_fails_is_tried_again(peer: Peer, ear: Ear) -> None:
    tries = 0

    def broken_first(_: Caller, __: str) -> bytes:
        nonlocal tries
        tries += 1
        return answer("{nonsense" if tries < 3 else json.dumps({"row_count": 0}))

    peer.answers["api show channels"] = broken_first
    ear.link(peer)
    assert ear.await_fact(f.Snapshot).legs == ()
    assert tries == 3


def test_a_switch_that_never_says_what_it_has_is_an_alarm_once_and_is_asked_on(
    peer: Peer, ear: Ear, capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 5: until a snapshot succeeds nobody knows who waits there, and none of them is served."""
    readable = False

    def unreadable(_: Caller, __: str) -> bytes:
        return answer(json.dumps({"row_count": 0}) if readable else "{nonsense")

    peer.answers["api show channels"] = unreadable
    link = ear.link(peer)
    assert ear.await_fact(f.SnapshotMissing).failures == 5
    until(lambda: link.snapshots_failed > 5, "it to be asked on")
    readable = True
    assert ear.await_fact(f.Snapshot).legs == ()
    assert len(ear.all(f.SnapshotMissing)) == 1
    said = capsys.readouterr().out
    assert said.count("snapshot-missing") == 1


def test_a_table_of_channels_that_lags_is_asked_again(peer: Peer, ear: Ear) -> None:
    """`show channels` is fed asynchronously (law 5): fewer rows than sessions means that it is behind."""
    tries = 0

    def lagging(_: Caller, __: str) -> bytes:
        nonlocal tries
        tries += 1
        rows = [{"uuid": LEG}] if tries > 2 else []
        return answer(json.dumps({"row_count": len(rows), "rows": rows}))

    peer.channels = {LEG: PARKED}
    peer.answers["api show channels"] = lagging
    ear.link(peer)
    assert [leg.leg for leg in ear.await_fact(f.Snapshot).legs] == [LEG]


def test_a_caller_whose_row_is_missing_behind_that_of_somebody_who_left_is_found_at_the_second_look(
    peer: Peer, ear: Ear
) -> None:
    """As many rows as sessions prove nothing (complaint 1): this caller came before we subscribed, so no event tells of
    them, and was lost to us until somebody looked at all channels again.
    """
    lists = 0

    def lagging(_: Caller, __: str) -> bytes:
        nonlocal lists
        lists += 1
        rows = [{"uuid": LEG}, {"uuid": "left" if lists == 1 else "missed"}]
        return answer(json.dumps({"row_count": len(rows), "rows": rows}))

    peer.channels = {LEG: PARKED, "missed": PARKED}
    peer.answers["api show channels"] = lagging
    ear.link(peer)
    assert [leg.leg for leg in ear.await_fact(f.Snapshot).legs] == [LEG]
    assert [leg.leg for leg in ear.await_fact(f.Snapshot, 2).legs] == [LEG, "missed"]


def test_where_channels_never_stand_still_it_is_looked_a_few_times_and_no_more(peer: Peer, ear: Ear) -> None:
    peer.channels = {LEG: PARKED}
    rows = json.dumps({"row_count": 2, "rows": [{"uuid": LEG}, {"uuid": "left"}]})
    peer.answers["api show channels"] = lambda _, __: answer(rows)
    peer.answers["api status"] = lambda _, __: answer("2 session(s) - peak 2, last 5min 2\n")
    link = ear.link(peer)
    ear.await_fact(f.Snapshot, SETTLED_LOOKS)
    until(lambda: not link.looking, "it to look no more")
    assert sum(isinstance(item, f.Snapshot) for item in ear.heard) == SETTLED_LOOKS


def test_a_leg_that_hung_up_while_the_snapshot_was_made_is_not_in_it(peer: Peer, ear: Ear) -> None:
    peer.channels = {LEG: PARKED, "other": PARKED}

    def hangs_up_meanwhile(_: Caller, command: str) -> bytes:
        peer.say(event("CHANNEL_HANGUP_COMPLETE", Unique_ID=LEG, Hangup_Cause="NORMAL_CLEARING"))
        return answer(json.dumps({"Unique-ID": command.split()[2], **PARKED}))

    peer.answers["api uuid_dump"] = hangs_up_meanwhile
    ear.link(peer)
    assert [leg.leg for leg in ear.await_fact(f.Snapshot).legs] == ["other"]


def test_what_was_told_of_a_phone_just_now_counts_before_the_list_that_lags(peer: Peer, ear: Ear) -> None:
    """The switch says that a phone is gone before it takes it off the list (law 5)."""
    heading = "userid|context|domain|group|contact|callgroup|effective_caller_id_name|effective_caller_id_number\n"
    rows = "1001|c|d|g|sofia/internal/sip:1001|||\n1002|c|d|g|error/user_not_registered|||\n"

    def lagging(_: Caller, __: str) -> bytes:
        for subclass, extension in (("sofia::register", "1002"), ("sofia::register", "1009")):
            peer.say(event("CUSTOM", Event_Subclass=subclass, from_user=extension))
        return answer(f"{heading}{rows}\n+OK\n")

    peer.answers["api list_users"] = lambda _, __: answer(f"{heading}{rows}\n+OK\n")
    link = ear.link(peer)
    assert ear.await_fact(f.Snapshot).phones == {"1001": True, "1002": False}
    peer.say(event("CUSTOM", Event_Subclass="sofia::expire", user="1001"))
    until(lambda: "CUSTOM" in ear.events(), "the news")
    peer.answers["api list_users"] = lagging
    link.take_snapshot()
    # 1009 has no account in this list: whatever was told of it stands in the log already.
    assert ear.await_fact(f.Snapshot, 2).phones == {"1001": False, "1002": True}


def test_an_event_of_another_core_brings_a_new_snapshot(peer: Peer, ear: Ear) -> None:
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)
    peer.say(event("HEARTBEAT", Core_UUID="core-two", Session_Count="0"))
    assert ear.await_fact(f.LinkUp, 2).core == "core-two"
    assert ear.await_fact(f.Snapshot, 2).core == "core-two"
    assert link.core == "core-two"


def test_frames_that_make_no_sense_are_passed_over_and_counted(peer: Peer, ear: Ear) -> None:
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)
    peer.say(
        b"Content-Length: 2\n\n{}"
        + plain_frame({"Content-Type": "text/event-json"}, b"\xff\xfe no json")
        + plain_frame({"Content-Type": "log/data"}, b"a line of the log")
        + reply("+OK an answer to nobody")
        + event("HEARTBEAT", Session_Count="3")
    )
    until(lambda: "HEARTBEAT" in ear.events(), "the event after them")
    assert link.up
    assert link.flaws == 1
    assert link._socket is not None
    assert link._socket.frames.flaws == {
        "no Content-Type": 1,
        "unexpected frame ''": 1,
        "unexpected frame 'log/data'": 1,
        "reply to nothing": 1,
    }


def test_a_forged_event_in_a_callers_name_stays_a_name(peer: Peer, ear: Ear) -> None:
    ear.link(peer)
    ear.await_fact(f.Snapshot)
    lines = ("Event-Name: CHANNEL_PARK", f"Unique-ID: {LEG}", "Caller-Caller-ID-Name: Bob%0AUnique-ID%3A%20forged")
    peer.say(plain_frame({"Content-Type": "text/event-plain"}, "\n".join([*lines, "\n"]).encode()))
    until(ear.events, "the event")
    (item,) = [item for item in ear.heard if getattr(item, "name", "") == "CHANNEL_PARK"]
    assert item.leg == LEG  # type: ignore[union-attr]
    assert item.caller_name == "Bob\nUnique-ID: forged"  # type: ignore[union-attr]


def test_a_link_that_is_stopped_leaves_nothing_behind(peer: Peer, ear: Ear) -> None:
    gc.collect()
    before = _living()
    link = Link(peer.switch, ear, clock=now)
    link.start()
    ear.await_fact(f.Snapshot)
    outcomes: list[Outcome] = []
    peer.silent = ("api",)
    link.command("api something", outcomes.append)
    link.stop()
    assert outcomes == [NoReply("link_down")]
    assert not link.up
    until(lambda: all(caller.gone for caller in peer.callers), "both connections to be closed")
    gc.collect()
    until(lambda: _living() <= before, "no greenlet of it to be left")


def test_a_link_that_stands_by_and_is_stopped_leaves_nothing_behind(peer: Peer, ear: Ear) -> None:
    """An engine that hands over lives on: what it left open would stay so for as long as it does."""
    gc.collect()
    before = _living()
    link = Link(peer.switch, ear, clock=now)
    link.stand_by()
    until(lambda: link.reached, "it to be let in")
    link.stop()
    until(lambda: all(caller.gone for caller in peer.callers), "both connections to be closed")
    gc.collect()
    until(lambda: _living() <= before, "no greenlet of it to be left")


def _living() -> int:
    return sum(isinstance(thing, gevent.Greenlet) and not thing.dead for thing in gc.get_objects())


def test_the_longest_reply_is_below_what_counts_as_stuck() -> None:
    assert replies.REPLY_MS < replies.STUCK_MS


def test_a_switch_that_owes_answers_for_too_long_is_behind_until_it_has_answered_for_a_while(
    peer: Peer, ear: Ear
) -> None:
    """Issue 4, admission: a switch that does late what it is told gets no more callers."""
    link = ear.link(peer)
    ear.await_fact(f.Snapshot)
    peer.silent = ("api uuid_setvar",)
    link.command("api uuid_setvar a b c", lambda _: None, deadline_ms=60_000)
    assert ear.await_fact(f.SwitchBehind).behind_ms >= BEHIND_MS
    assert not ear.all(f.SwitchCaughtUp)
    peer.say(answer("+OK"))
    ear.await_fact(f.SwitchCaughtUp)
    assert len(ear.all(f.SwitchBehind)) == 1

"""Instructions reach the switch as the table says, or come back as facts (laws 1 and 9; complaints 1, 5, 17)."""

import time
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

import greenlet  # type: ignore[import-untyped]  # it ships none
import pytest

from orchestrator.domain.kernel import Instant
from orchestrator.domain.switch import facts as f
from orchestrator.domain.switch import instructions as i
from orchestrator.esl import performing
from orchestrator.esl.node import Link
from orchestrator.esl.pacing import Pace
from orchestrator.esl.perform import Performer
from orchestrator.esl.performing import ROWS, Adoption, Recheck
from tests.esl.patched.conftest import Ear, now, until
from tests.esl.peers import Peer, job_end, reply

LEG, OTHER = "caller-1", "agent-1"


class Rig:
    """A performer on a link to a peer, with a lease and offers that a test may take away."""

    def __init__(self, peer: Peer, ear: Ear, pace: Callable[[], Pace] = Pace) -> None:
        self.peer, self.ear = peer, ear
        self.leased = True
        self.open = {"o-1"}
        self.link: Link = ear.link(peer)
        self.performer = Performer(
            {"fs1": self.link},
            may_write=lambda: self.leased,
            offer_open=self.open.__contains__,
            deliver=ear,
            clock=now,
            recordings="/srv/recordings",
            pace=pace,
        )
        ear.await_fact(f.Snapshot)
        peer.commands.clear()
        self._count = 0

    def perform(self, kind: type[i.Instruction], **fields: Any) -> str:  # noqa: ANN401 - each kind has its own
        """Perform one of this kind; the commands that reached the peer afterwards are in `written()`."""
        self._count += 1
        given = {"id": f"i-{self._count}", "node": "fs1", "leg": LEG, "contact": "c-1", **fields}
        self.performer.perform(kind(**given))
        return str(given["id"])

    def ring(self, **fields: Any) -> str:  # noqa: ANN401
        return self.perform(
            i.RingAgent,
            **{
                "leg": OTHER,
                "offer": "o-1",
                "extension": "1001",
                "ring_ms": 20_000,
                "deadline": Instant(now() + 20_000_000),
                "caller_number": "+31201234567",
                "caller_name": "Ann",
                **fields,
            },
        )

    def written(self) -> list[str]:
        """What reached the peer, once it has answered everything."""
        done: list[object] = []
        self.link.command("api barrier", done.append)
        until(lambda: done, "the last reply")
        return [command for command in self.peer.commands if "core_uuid" not in command and "barrier" not in command]


@pytest.fixture
def rig(peer: Peer, ear: Ear) -> Iterator[Rig]:
    rig = Rig(peer, ear)
    yield rig
    rig.performer.stop()


def execute(application: str, argument: str = "", *, locked: bool = False) -> str:
    lines = [f"sendmsg {LEG}", "call-command: execute", f"execute-app-name: {application}"]
    return "\n".join(lines + [f"execute-app-arg: {argument}"] * bool(argument) + ["event-lock: true"] * locked)


def background(command: str, job: str = "i-1") -> str:
    return f"bgapi {command}\nJob-UUID: {job}"


@pytest.mark.parametrize(
    ("kind", "fields", "commands"),
    (
        (i.AnswerCaller, {}, [f"api uuid_setvar {LEG} ringledger_contact c-1", execute("answer", locked=True)]),
        (i.PlayWaiting, {"music": "ringledger"}, [execute("playback", "local_stream://ringledger")]),
        (i.PlayRinging, {}, [execute("playback", "tone_stream://%(1000,4000,450);loops=-1")]),
        (
            i.PlayApology,
            {"prompt": "apology"},
            [
                f"api uuid_break {LEG} all",
                execute("playback", "apology.wav", locked=True),
                execute("hangup", "NORMAL_CLEARING", locked=True),
            ],
        ),
        (
            i.BridgeLegs,
            {"other": OTHER, "offer": "o-1"},
            [f"api uuid_answer {LEG}", background(f"uuid_bridge {LEG} {OTHER}")],
        ),
        (i.AnswerPhone, {"leg": OTHER, "offer": "o-1"}, [background(f"uuid_phone_event {OTHER} talk")]),
        (i.HoldLeg, {"leg": OTHER}, [background(f"uuid_hold {OTHER}")]),
        (i.ResumeLeg, {"leg": OTHER}, [background(f"uuid_hold off {OTHER}")]),
        (i.MuteLeg, {}, [f"api uuid_audio {LEG} start read mute 1"]),
        (i.UnmuteLeg, {}, [f"api uuid_audio {LEG} stop"]),
        (i.SendDigits, {"digits": "42#"}, [f"api uuid_send_dtmf {LEG} 42#"]),
        (
            i.ConferLeg,
            {"room": "r-1"},
            [f"api uuid_break {LEG} all", f"api uuid_transfer {LEG} conference:r-1@ringledger,park inline"],
        ),
        (i.HangUpLeg, {"cause": "USER_BUSY"}, [background(f"uuid_kill {LEG} USER_BUSY")]),
        (
            i.StartRecording,
            {"file": "2026/c-1.wav"},
            [background(f"uuid_record {LEG} start /srv/recordings/2026/c-1.wav")],
        ),
        (
            i.EavesdropLeg,
            {"other": OTHER, "mode": "whisper"},
            [
                f"api uuid_setvar {LEG} eavesdrop_enable_dtmf false",
                f"api uuid_setvar {LEG} eavesdrop_whisper_aleg false",
                f"api uuid_setvar {LEG} eavesdrop_whisper_bleg true",
                execute("eavesdrop", OTHER),
            ],
        ),
        (i.SteerEavesdrop, {"mode": "barge"}, [f"sendevent MESSAGE\nUnique-ID: {LEG}\neavesdrop-command: 3"]),
        (
            i.SayAndHangUp,
            {"prompts": ("parked_at", "digit_7")},
            [
                execute("answer", locked=True),
                execute("playback", "file_string://parked_at.wav!digit_7.wav", locked=True),
                execute("hangup", "NORMAL_CLEARING", locked=True),
            ],
        ),
        (
            i.AnnounceNumber,
            {"other": OTHER, "prompts": ("number_before", "digit_8", "number_after")},
            [
                f"api uuid_displace {leg} start file_string://number_before.wav!digit_8.wav!number_after.wav 0 mux"
                for leg in (LEG, OTHER)
            ],
        ),
    ),
)
def test_an_instruction_becomes_these_commands(
    rig: Rig, kind: type[i.Instruction], fields: dict[str, str | tuple[str, ...]], commands: list[str]
) -> None:
    rig.perform(kind, **fields)
    assert rig.written() == commands


def test_ringing_an_agent_names_the_leg_and_carries_our_ids(rig: Rig) -> None:
    rig.ring()
    (command,) = rig.written()
    assert command == background(
        "originate {origination_uuid=agent-1,ringledger_contact=c-1,ringledger_offer=o-1,ringledger_phone=1001,"
        "originate_timeout=21,"
        "ignore_early_media=true,origination_caller_id_number=+31201234567,origination_caller_id_name='Ann'}"
        "user/1001@ringledger &park()"
    )


def test_every_kind_of_instruction_has_its_row_and_its_row_says_all(rig: Rig) -> None:
    kinds = {kind for kind in vars(i).values() if isinstance(kind, type) and issubclass(kind, i.Instruction)}
    assert set(ROWS) == kinds - {i.Instruction}
    for kind, row in ROWS.items():
        assert all((row.written, row.repeat, row.why)), kind
        assert row.deadline_ms > 0
        assert row.adoption in Adoption
        changes_a_call = kind not in (i.CheckLeg, i.TakeSnapshot)
        assert (Recheck.LEASE in row.rechecks) == changes_a_call
        # Whatever belongs to an offer is not done once the offer is closed.
        assert (Recheck.OFFER in row.rechecks) == ("offer" in get_type_hints(kind))


def test_without_the_lease_nothing_is_written_but_questions(rig: Rig) -> None:
    rig.leased = False
    for kind in ROWS:
        fields: dict[str, object] = {"music": "m", "prompt": "p", "file": "x", "other": OTHER, "offer": "o-1"}
        fields |= {"number": "12345", "trunk": "outside", "ring_ms": 1_000, "deadline": Instant(now() + 20_000_000)}
        fields |= {"prompts": ("p",), "mode": "listen", "digits": "1", "room": "r", "on": True}
        wanted = {name: value for name, value in fields.items() if name in get_type_hints(kind)}
        rig.ring() if kind is i.RingAgent else rig.perform(kind, **wanted)
    assert [command for command in rig.written() if not command.startswith("api ")] == []
    skipped = rig.ear.all(f.InstructionSkipped)
    assert {fact.kind for fact in skipped} == {kind.__name__ for kind in ROWS} - {"CheckLeg", "TakeSnapshot"}
    assert {fact.why for fact in skipped} == {"lease"}


def test_an_agent_is_not_rung_and_not_bridged_for_an_offer_that_is_closed(rig: Rig) -> None:
    """Complaint 5: the phone rings after the caller hung up."""
    rig.open.clear()
    rig.ring()
    rig.perform(i.BridgeLegs, other=OTHER, offer="o-1")
    assert rig.written() == []
    assert [fact.why for fact in rig.ear.all(f.InstructionSkipped)] == ["offer", "offer"]


def test_legs_that_are_joined_without_an_offer_are_joined(rig: Rig) -> None:
    rig.perform(i.BridgeLegs, other=OTHER)
    assert rig.written()[-1].startswith("bgapi uuid_bridge")


def test_an_agent_is_not_rung_when_it_is_too_late(rig: Rig) -> None:
    rig.ring(deadline=Instant(now() - 1))
    assert rig.written() == []
    assert [fact.why for fact in rig.ear.all(f.InstructionSkipped)] == ["deadline"]


def test_a_phone_that_was_busy_is_rung_once_its_pause_is_over_and_not_for_an_offer_that_is_closed_by_then(
    rig: Rig,
) -> None:
    """The caller may have hung up in that second."""
    begun = time.monotonic()
    rig.ring(after_ms=200)
    rig.open.add("o-2")
    rig.ring(id="other", leg="agent-2", offer="o-2", after_ms=200)
    assert rig.written() == []
    rig.open.remove("o-2")
    assert rig.ear.await_fact(f.InstructionSkipped).instruction == "other"
    assert time.monotonic() - begun >= 0.2
    assert [command.partition(",")[0] for command in rig.written()] == ["bgapi originate {origination_uuid=agent-1"]


def test_a_performer_that_is_stopped_rings_nobody_later(rig: Rig) -> None:
    rig.ring(after_ms=50)
    rig.performer.stop()
    rig.open.add("o-2")
    rig.ring(leg="agent-2", offer="o-2", after_ms=100)
    until(lambda: [command for command in rig.written() if "agent-2" in command], "the later ring")
    assert not [command for command in rig.written() if "agent-1" in command]


def test_what_was_written_once_is_not_written_again_under_the_same_id(rig: Rig) -> None:
    rig.ring(id="same")
    rig.ring(id="same")
    assert len(rig.written()) == 1
    assert [fact.why for fact in rig.ear.all(f.InstructionSkipped)] == ["repeat"]


def test_what_was_skipped_may_be_given_again(rig: Rig) -> None:
    rig.leased = False
    rig.ring(id="same")
    rig.leased = True
    rig.ring(id="same")
    assert len(rig.written()) == 1


def test_a_refused_job_is_a_failed_instruction_with_the_switchs_word(rig: Rig) -> None:
    ident = rig.ring()
    rig.written()
    rig.peer.say(job_end(ident, "-ERR USER_BUSY\n"))
    failed = rig.ear.await_fact(f.InstructionFailed)
    assert failed == f.InstructionFailed(node="fs1", instruction=ident, kind="RingAgent", leg=OTHER, answer="USER_BUSY")
    assert "BACKGROUND_JOB" in rig.ear.events()[: rig.ear.heard.index(failed)]


def test_a_job_that_went_well_says_nothing_more(rig: Rig) -> None:
    ident = rig.perform(i.HoldLeg)
    rig.written()
    rig.peer.say(job_end(ident, "+OK Success\n"))
    until(lambda: "BACKGROUND_JOB" in rig.ear.events(), "the end of the job")
    rig.written()
    assert rig.ear.all(f.InstructionFailed) == []


def test_several_refusals_of_one_instruction_are_one_fact(rig: Rig) -> None:
    rig.peer.answers["sendmsg"] = lambda *_: reply("-ERR invalid session id [caller-1]")
    rig.peer.answers["api uuid_break"] = lambda *_: reply("-ERR No such channel!")
    rig.perform(i.PlayApology, prompt="apology")
    rig.written()
    (failed,) = rig.ear.all(f.InstructionFailed)
    assert failed.answer == "No such channel!"


def test_a_switch_that_does_not_answer_fails_the_instruction_by_its_deadline(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = {kind: _hurried(row) for kind, row in ROWS.items()}
    monkeypatch.setattr("orchestrator.esl.perform.ROWS", quick)
    rig.perform(i.HoldLeg)
    assert rig.ear.await_fact(f.InstructionFailed).answer == "timeout"


def _hurried(row: performing.Row) -> performing.Row:
    return performing.Row(
        written=row.written,
        repeat=row.repeat,
        rechecks=row.rechecks,
        adoption=row.adoption,
        why=row.why,
        deadline_ms=100,
    )


def test_an_agents_phone_is_rung_before_the_caller_hears_anything_and_after_whatever_else_was_asked(rig: Rig) -> None:
    """Issue 4: a switch reads commands byte by byte, and the caller does not hear a millisecond."""
    about: Any = {"node": "fs1", "contact": "c-1"}
    rig.performer.perform_all(
        [
            i.HangUpLeg(id="a", leg=OTHER, cause="NORMAL_CLEARING", **about),
            i.AnswerCaller(id="b", leg=LEG, **about),
            i.PlayWaiting(id="c", leg=LEG, music="ringledger", **about),
            i.RingAgent(
                id="d", leg="leg-2", offer="o-1", extension="1001", ring_ms=20_000,
                deadline=Instant(now() + 20_000_000), stays=False, answers=False, **about,
            ),
            i.HangUpLeg(id="e", leg="leg-3", cause="NORMAL_CLEARING", **about),
        ]
    )  # fmt: skip
    first_words = [" ".join(command.split()[:2]) for command in rig.written()]
    assert first_words == [
        "bgapi uuid_kill",
        "bgapi originate",
        "api uuid_setvar",
        f"sendmsg {LEG}",
        f"sendmsg {LEG}",
        "bgapi uuid_kill",
    ]


def test_while_the_link_is_down_instructions_fail_at_once(rig: Rig) -> None:
    rig.peer.greeting = b""
    rig.peer.hang_up()
    rig.ear.await_fact(f.LinkDown)
    rig.perform(i.HangUpLeg)
    rig.perform(i.AnswerCaller)
    assert rig.ear.await_fact(f.InstructionFailed, 2).answer == "link_down"


def test_a_switch_nobody_knows_is_a_failed_instruction(rig: Rig) -> None:
    rig.perform(i.HangUpLeg, node="fs9")
    assert "no such switch here (known: fs1)" in rig.ear.await_fact(f.InstructionFailed).answer


@pytest.mark.parametrize(
    ("kind", "fields"),
    (
        (i.HangUpLeg, {"leg": "a\n\nbgapi system rm"}),
        (i.HangUpLeg, {"cause": "NORMAL CLEARING"}),
        (i.HangUpLeg, {"leg": ""}),
        (i.BridgeLegs, {"other": "b c"}),
        (i.PlayWaiting, {"music": "x/../../etc"}),
        (i.PlayApology, {"prompt": "../secret"}),
        (i.StartRecording, {"file": "../../etc/passwd"}),
        (i.StartRecording, {"file": "/etc/passwd"}),
        (i.AnswerCaller, {"contact": "c{1}"}),
        (i.CheckLeg, {"leg": "x y"}),
    ),
)
def test_a_word_of_the_wrong_shape_is_never_written(
    rig: Rig, kind: type[i.Instruction], fields: dict[str, str]
) -> None:
    rig.perform(kind, **fields)
    assert rig.ear.await_fact(f.InstructionFailed).answer.startswith("unusable: the ")
    assert rig.written() == []


@pytest.mark.parametrize("extension", ("1001,1002", "1001@evil", "${x}", "a b", "1001}", "", "x" * 33))
def test_an_extension_of_the_wrong_shape_is_never_dialled(rig: Rig, extension: str) -> None:
    rig.ring(extension=extension)
    assert "unusable: the extension" in rig.ear.await_fact(f.InstructionFailed).answer
    assert rig.written() == []


def test_whether_a_leg_lives_is_asked_on_the_second_connection(rig: Rig) -> None:
    rig.peer.channels[LEG] = {}
    rig.perform(i.CheckLeg)
    rig.perform(i.CheckLeg, leg="gone")
    assert rig.ear.await_fact(f.LegPresence, 2) == f.LegPresence(node="fs1", leg="gone", exists=False)
    assert rig.ear.all(f.LegPresence)[0] == f.LegPresence(node="fs1", leg=LEG, exists=True)


def test_a_question_without_an_answer_is_no_absence(rig: Rig) -> None:
    """Law 5: a leg is closed only because the switch said that it is gone."""
    rig.peer.answers["api uuid_exists"] = lambda *_: reply("-ERR command not found")
    rig.perform(i.CheckLeg)
    rig.ear.await_fact(f.InstructionFailed)
    assert rig.ear.all(f.LegPresence) == []


def test_a_snapshot_is_taken_when_it_is_asked_for(rig: Rig) -> None:
    rig.peer.channels[LEG] = {"Call-Direction": "inbound"}
    rig.perform(i.TakeSnapshot, leg="")
    assert [leg.leg for leg in rig.ear.await_fact(f.Snapshot, 2).legs] == [LEG]


def test_new_legs_keep_a_pace_and_nothing_else_waits_for_them(peer: Peer, ear: Ear) -> None:
    rig = Rig(peer, ear, lambda: Pace(per_s=20, burst=2))
    for number in range(5):
        rig.ring(leg=f"agent-{number}")
    rig.perform(i.BridgeLegs, other=OTHER, offer="o-1")
    first = rig.written()
    assert [command.split()[1] for command in first] == ["originate", "originate", "uuid_answer", "uuid_bridge"]
    assert rig.performer.held_back("fs1") == 3
    until(lambda: len(rig.peer.seen("bgapi originate")) == 5, "the others")
    assert [command.split("origination_uuid=")[1].split(",")[0] for command in rig.peer.seen("bgapi originate")] == [
        f"agent-{number}" for number in range(5)
    ]


def test_a_leg_whose_offer_closes_while_it_waits_for_its_turn_is_not_rung_and_costs_nothing(
    peer: Peer, ear: Ear
) -> None:
    rig = Rig(peer, ear, lambda: Pace(per_s=5, burst=1))
    rig.open |= {"o-2", "o-3"}
    rig.ring(leg="agent-1")
    rig.ring(leg="agent-2", offer="o-2")
    rig.ring(leg="agent-3", offer="o-3")
    rig.open.remove("o-2")
    until(lambda: len(rig.peer.seen("bgapi originate")) == 2, "the third leg")
    assert "agent-3" in rig.peer.seen("bgapi originate")[1]
    assert ear.await_fact(f.InstructionSkipped).leg == "agent-2"


def test_a_pace_that_would_never_ring_anybody_is_refused() -> None:
    for per_s, burst in ((0.0, 1), (1.0, 0)):
        with pytest.raises(ValueError, match="never ring"):
            Pace(per_s, burst)


def test_between_the_re_check_and_the_write_nobody_else_runs(rig: Rig) -> None:
    switched: list[str] = []

    def watch(what: str, _: object) -> None:
        switched.append(what)

    old = greenlet.settrace(watch)
    try:
        rig.perform(i.BridgeLegs, other=OTHER, offer="o-1")
    finally:
        greenlet.settrace(old)
    assert switched == []
    assert len(rig.written()) == 2


def test_all_answers_of_adoption_are_used() -> None:
    assert {row.adoption for row in ROWS.values()} == set(Adoption)
